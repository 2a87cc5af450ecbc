/**
 * What SQLite's failures mean: which of them pass, what keeps a file from being written to, and what to do
 * about it. The one place that decides; database.ts throws by it, and store.ts says by it why a file can't be
 * opened. Readiness has its own words for them (readiness-checks.ts).
 */

import { LiaisonError } from "../../errors.ts";
import type { WriteFault } from "../contract.ts";

/**
 * Primary result codes of what the lock of another connection keeps from being done: BUSY, with
 * BUSY_SNAPSHOT, and LOCKED.
 */
const LOCKED_CODES = new Set([5, 6]);

/**
 * Primary result codes (https://www.sqlite.org/rescode.html) that mean *not now*, whatever the statement was.
 */
const UNAVAILABLE_CODES = new Set([
  5, // BUSY
  6, // LOCKED
  7, // NOMEM
  8, // READONLY
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  14, // CANTOPEN
  15, // PROTOCOL
  26, // NOTADB
]);

const WRITE_FAULTS: ReadonlyMap<number, WriteFault> = new Map([
  [8, "read_only"],
  [10, "failing"],
  [13, "full"],
]);

/** IOERR_SHMSIZE: the file beside the database that its processes share can't grow, for want of room. */
const NO_ROOM_TO_SHARE = 4874;

/** What whoever runs the machine does about it. */
const remedies: Record<WriteFault, string> = {
  full: "Its disk is full: make room there.",
  read_only:
    "It can't be written to: check the rights on its file and folder, and whether its disk is read-only.",
  failing: "Its disk refuses what is written: see whether it is full, over a quota or a limit, or broken.",
};

/** A statement that would write while others of this process wait for the lock. */
export class Queued extends Error {}

/** SQLite's primary result code of an error, or undefined if it is none of SQLite's. */
export function resultCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

/** The same with what it is of (https://www.sqlite.org/rescode.html). */
export function extendedCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode;
}

/** Whether somebody else's lock is all that was in the way. */
export function isLocked(error: unknown): boolean {
  const code = resultCode(error);
  return error instanceof Queued || (code !== undefined && LOCKED_CODES.has(code));
}

/**
 * What an error says of the place that the file is in; undefined where it says nothing. Knows SQLite's codes
 * and the system's.
 */
export function writeFaultOf(error: unknown): WriteFault | undefined {
  if (extendedCode(error) === NO_ROOM_TO_SHARE) return "full";
  const system = error instanceof Error && "code" in error ? error.code : undefined;
  if (system === "ENOSPC" || system === "EDQUOT") return "full";
  if (system === "EROFS") return "read_only";
  return WRITE_FAULTS.get(resultCode(error) ?? 0);
}

/** What to do about it, in a sentence. */
export function remedyFor(fault: WriteFault): string {
  return remedies[fault];
}

/**
 * As the contract has it: `store_unavailable` for what passes or somebody mends; any other error as it is.
 */
export function translate(error: unknown): unknown {
  const code = resultCode(error);
  const isNotNow = error instanceof Queued || (code !== undefined && UNAVAILABLE_CODES.has(code));
  const isClosed = error instanceof Error && "code" in error && error.code === "ERR_INVALID_STATE";
  return isNotNow || isClosed ? unavailable(error) : error;
}

/** `store_unavailable`, with what to do where that is known. */
export function unavailable(cause: unknown): LiaisonError {
  const fault = writeFaultOf(cause);
  const remedy = fault === undefined ? "" : ` ${remedyFor(fault)}`;
  return LiaisonError.storeUnavailable(`The database can't be used right now.${remedy}`, cause);
}
