#!/usr/bin/env node
// Starts Liaison on a Node.js that can run it. Plain JavaScript, so that an older Node.js says what is wrong.

import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import * as nodeModule from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const needed = 24;
const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
const own = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

// A mail server that pipes a mail in keeps it with this code (EX_TEMPFAIL) alone: what breaks before the
// command has its say, or in spite of it, ends so.
const [, , first, second] = process.argv;
const failed = first === "mail" && second === "bounce" ? 75 : 1;
if (failed !== 1) process.exitCode = failed;

if (Number.parseInt(process.versions.node, 10) >= needed) {
  // From here on a signal ends it so, too. It may end at any point: what is piped in again is noted once.
  if (failed !== 1) for (const signal of signals) process.on(signal, () => process.exit(failed));
  // What was compiled is kept with the dependencies, where nobody writes who may not write the code: the next
  // start takes half the time. Where that isn't writable, every start compiles.
  nodeModule.enableCompileCache(join(root, "node_modules", ".cache", "compiled"));
  await import("../src/main.ts");
} else if (existsSync(own) && realpathSync(own) !== realpathSync(process.execPath)) {
  startOn(own);
} else {
  console.error(
    `liaison needs Node.js ${needed} or newer; this is ${process.versions.node}. ` +
      `Run it through npm, which brings its own (npm ci, then npm start), or install Node.js ${needed}.`,
  );
  process.exitCode = failed;
}

/** Runs this file on another Node.js: same words, streams, end; a signal's is a failure to mail servers. */
function startOn(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`liaison: ${node} can't be started: ${error.message}`);
    process.exitCode = failed;
  });
  child.on("exit", (code, signal) => {
    const end = code ?? 128 + (constants.signals[signal] ?? 0);
    process.exit(failed === 75 && end !== 0 ? failed : end);
  });
}
