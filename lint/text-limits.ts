/**
 * The limits of source text: no line over 110 columns, no file over 400 lines. The formatter breaks
 * statements and leaves strings, templates, comments and regular expressions as they are; this step of the
 * check names the lines that stay too long. Run by itself it looks at every file that git knows or would add.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export const MOST_COLUMNS = 110;
export const MOST_LINES = 400;

/** Each text of the catalogue is one literal, however long: the type of its placeholders is read off it. */
const OF_LONG_LINES = /^src\/ui\/messages\//;

/** What is beyond a limit in one file, as `file:line: what`, in the order of the lines. */
export function beyondLimits(file: string, text: string): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const found = OF_LONG_LINES.test(file)
    ? []
    : lines.flatMap((line, index) => {
        // Characters, not UTF-16's units.
        const columns = [...line].length;
        return columns > MOST_COLUMNS
          ? [`${file}:${index + 1}: ${columns} columns, ${MOST_COLUMNS} at most`]
          : [];
      });
  if (lines.length > MOST_LINES)
    found.push(`${file}:${MOST_LINES + 1}: ${lines.length} lines, ${MOST_LINES} at most`);
  return found;
}

/** The same of every source file below a folder, which is git's. */
export function beyondLimitsIn(folder: string): string[] {
  const list = [
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
    "*.ts",
    "*.js",
    "*.mjs",
    "*.cjs",
  ];
  const files = execFileSync("git", list, { cwd: folder, encoding: "utf8" }).split("\0");
  return [...new Set(files)]
    .filter((file) => file !== "" && existsSync(`${folder}/${file}`))
    .sort()
    .flatMap((file) => beyondLimits(file, readFileSync(`${folder}/${file}`, "utf8")));
}

if (import.meta.main) {
  const found = beyondLimitsIn(process.cwd());
  for (const one of found) console.error(one);
  if (found.length > 0) process.exitCode = 1;
}
