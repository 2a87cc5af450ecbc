/**
 * Servers of others, run for a test as children in the foreground, in a folder of their own, and ended by
 * their process id.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { access, chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Where an installed server is: on the PATH, or where systems keep what only administrators start. */
export async function installed(name: string): Promise<string | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const file = join(folder, name);
    if (await isThere(file, constants.X_OK)) return file;
  }
  return undefined;
}

export async function isThere(file: string, mode: number = constants.R_OK): Promise<boolean> {
  return await access(file, mode).then(
    () => true,
    () => false,
  );
}

export interface ForegroundServer {
  /** What it printed, and wrote to `/dev/stderr`. */
  output(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts a server that listens on `port` of loopback and stays in the foreground.
 * @param options.files what its folder holds; `command` is told where that is
 */
export async function startForeground(options: {
  command: (folder: string) => [string, ...string[]];
  files: (folder: string) => Record<string, string>;
  port: number;
}): Promise<ForegroundServer> {
  const folder = await mkdtemp(join(tmpdir(), "liaison-foreign-"));
  // Servers that are started by root read their files as somebody else.
  await chmod(folder, 0o755);
  for (const [name, text] of Object.entries(options.files(folder))) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const [program, ...parameters] = options.command(folder);
  // A file, because a pipe can't be opened again as /dev/stderr.
  const log = await open(join(folder, "output.log"), "w");
  const child = spawn(program, parameters, { cwd: folder, stdio: ["ignore", log.fd, log.fd] });
  const exited = once(child, "exit");
  const output = () => readFile(join(folder, "output.log"), "utf8");
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await exited;
    await log.close();
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + 10_000;
  while (!(await answers(options.port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      const printed = await output();
      await close();
      throw new Error(`${program} did not start:\n${printed}`);
    }
    await pause(25);
  }
  return { output, close };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
