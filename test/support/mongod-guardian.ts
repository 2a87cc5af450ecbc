/**
 * Starts the program that its arguments name and ends with its own standard input, taking the program along:
 * so that no server outlives the test that started it, not even one that was killed. Says the program's pid.
 * Signals that a terminal sends to everything in it reach neither: whoever holds the input decides.
 */

import { spawn } from "node:child_process";

const [program = "", ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["ignore", 2, 2], detached: true });
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
child.once("spawn", () => process.stdout.write(`${child.pid}\n`));
child.once("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.once("exit", () => process.exit(0));
process.stdin.resume();
process.stdin.once("close", () => {
  child.kill("SIGCONT");
  child.kill("SIGKILL");
});
