/**
 * A disk that takes no more, as one process sees it, by the kernel's limit of what it may write
 * (RLIMIT_FSIZE): the real files, SQLite's real calls, on any Linux and by any user, where a small file
 * system of a test's own would need root. It differs in one thing: the kernel says EFBIG, not ENOSPC, so that
 * SQLite reports IOERR_WRITE in place of FULL; FULL itself is in test/contract/sqlite-full.test.ts.
 */

import { execFileSync } from "node:child_process";

/** Why this machine can't do that, for a skip that shows; false where it can. */
export const noFullDisks: string | false =
  process.platform === "linux" ? false : "the limits of a process are Linux's";

/**
 * From now on whatever the process writes to a file is refused, beyond so many bytes of it. util-linux'
 * `prlimit`.
 */
export function fillDiskFor(pid: number, bytes = 0): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);
}

/** There is room again. */
export function makeRoomFor(pid: number): void {
  execFileSync("prlimit", ["--pid", String(pid), "--fsize=unlimited:unlimited"]);
}

/** The words of a command that may write so many kilobytes to a file and no more. */
export function withRoomFor(kilobytes: number, command: readonly string[]): [string, string[]] {
  return ["sh", ["-c", 'ulimit -f "$0" && exec "$@"', String(kilobytes * 2), ...command]];
}
