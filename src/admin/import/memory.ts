/** What keeps the memory of an importing process flat. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * How many rows may leave their garbage behind before it is collected: a collection takes some ten
 * milliseconds.
 */
const COLLECT_EVERY_ROWS = 2000;

/**
 * Makes a function to be told how many rows are done, which keeps the process as small as it begins. Of the
 * rows of a batch most live just long enough to get among V8's old objects, which it collects when they have
 * doubled; and its space for young ones doubles, step by step over minutes, however little is alive at once.
 * A long import would so end many megabytes above its start. So the young space is told not to grow, and the
 * old one is collected as the rows go by. For a process that does nothing but import.
 */
export function createCollector(): (rows: number) => void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  let collectedAt = 0;
  return (rows) => {
    if (rows - collectedAt < COLLECT_EVERY_ROWS || typeof collect !== "function") return;
    collectedAt = rows;
    collect();
  };
}
