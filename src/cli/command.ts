/** What a command is. How words become one is run.ts's; what one does is its own file's. */

import type { Writable } from "node:stream";
import { LiaisonError } from "../errors.ts";

/**
 * 0: done · 1: failed · 2: called wrongly · 3: the answer is no, where a command is a question · 75: to be
 * tried again later (EX_TEMPFAIL of sysexits.h).
 */
export type ExitCode = 0 | 1 | 2 | 3 | 75;

export interface Flag {
  /** A flag with a value names what it takes: `FILE`. Without one it is a switch. */
  takes?: string;
  summary: string;
}

export interface Command {
  /** The words that call it: `config check`. */
  name: string;
  /** Under which heading it stands among all commands. */
  section?: string;
  summary: string;
  /** What it takes besides flags, as shown in its usage: `[FILE]`; with dots for any number of them. */
  operand?: string;
  flags: Readonly<Record<string, Flag>>;
  /** What an exit code of its own says: `3 refused`. */
  exits?: string;
  /** Whole command lines. */
  examples: readonly string[];
  /** What it exits with whatever goes wrong, a wrong flag included, where a caller knows one code alone. */
  failsWith?: ExitCode;
  /** What is wrong with the values of a call, a line each: all of it is told before anything runs. */
  faults?(call: Pick<Call, "flags" | "operand">): readonly string[];
  run(call: Call): Promise<ExitCode>;
}

/**
 * Commands that are loaded where one of them is called or described: most rest on much that no other does.
 */
export interface CommandGroup {
  /** The first words of their names. */
  words: readonly string[];
  load(): Promise<readonly Command[]>;
}

/** One call of a command. */
export interface Call {
  /** Values of the flags given; switches are "". */
  flags: ReadonlyMap<string, string>;
  /** The first of `operands`. */
  operand: string | undefined;
  operands: readonly string[];
  stdout: Writable;
  stderr: Writable;
  /** Aborted when the process is asked to stop. */
  signal: AbortSignal;
}

/** Called wrongly: prints `message` with a pointer to the help, and exits 2. */
export function usageError(message: string): LiaisonError {
  return new LiaisonError("usage", message);
}

/** What reading parts of a call finds wrong. @param reads functions that throw `usage` errors */
export function faultsOf(...reads: readonly (() => unknown)[]): string[] {
  return reads.flatMap((read) => {
    try {
      read();
      return [];
    } catch (error) {
      if (error instanceof LiaisonError && error.code === "usage") return [error.message];
      throw error;
    }
  });
}
