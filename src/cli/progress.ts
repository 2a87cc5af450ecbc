/** A progress bar for a terminal: how much is done, how fast, how long it will still take. */

import type { Writable } from "node:stream";
import type { Milliseconds } from "../clock.ts";

export interface Progress {
  /** Says how far it is: rows, and bytes of the total if that is known. Draws at most ten times a second. */
  show(done: { rows: number; bytes: number }): void;
  /** Takes the bar off the terminal, so that something else can be written. */
  clear(): void;
}

export interface ProgressOptions {
  stream: Writable;
  /** Undefined for a source of unknown length. */
  totalBytes: number | undefined;
  /** Milliseconds of a clock that only goes forward. */
  elapsed(): number;
}

const DRAW_EVERY_MS: Milliseconds = 100;
const BAR_WIDTH = 30;
const CLEAR_LINE = "\r\u001b[K";

/** A bar on a stream that is a terminal; for any other, one that draws nothing. */
export function createProgress({ stream, totalBytes, elapsed }: ProgressOptions): Progress {
  if (!("isTTY" in stream) || stream.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  const began = elapsed();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show(done) {
      const now = elapsed();
      if (now - drawnAt < DRAW_EVERY_MS) return;
      drawnAt = now;
      isShown = true;
      stream.write(`${CLEAR_LINE}${draw(done, totalBytes, (now - began) / 1000)}`);
    },
    clear() {
      if (isShown) stream.write(CLEAR_LINE);
      isShown = false;
      drawnAt = Number.NEGATIVE_INFINITY;
    },
  };
}

function draw(
  done: { rows: number; bytes: number },
  totalBytes: number | undefined,
  seconds: number,
): string {
  const rows = `${done.rows} rows  ${Math.round(done.rows / Math.max(seconds, 0.001))} rows/s`;
  if (!totalBytes) return rows;
  const share = Math.min(1, done.bytes / totalBytes);
  const full = Math.round(share * BAR_WIDTH);
  const left = share === 0 ? "" : `  ${duration((seconds * (1 - share)) / share)} left`;
  return `[${"#".repeat(full)}${"-".repeat(BAR_WIDTH - full)}] ${Math.floor(share * 100)}%  ${rows}${left}`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
