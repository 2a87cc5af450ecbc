/**
 * `npm test` and `npm run test:full`: runs the test files of a kind, each in a process of its own, or those
 * that are named (`npm test -- test/unit/a.test.ts`).
 */

import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { keepCompiled } from "./support/compile-cache.ts";

interface Kind {
  pattern: string;
  /** How long one file may take, beside others. */
  timeoutMs: number;
  /** How many files run at a time. */
  atATime: number;
  /** What takes longest begins at once, so that the end isn't waiting for it alone. */
  first: RegExp;
}

const processors = availableParallelism();

/** Most files wait for timers, mails and disks half of their time; the long ones fill their processors. */
const kinds: Record<"test" | "full", Kind> = {
  test: {
    pattern: "test/**/*.test.ts",
    timeoutMs: 240_000,
    atATime: processors + 1,
    first: /browser.(console|axe)\./,
  },
  full: {
    pattern: "test/**/*.full.ts",
    timeoutMs: 1_200_000,
    atATime: processors,
    first: /crash.kill-series/,
  },
};

/**
 * Every folder's files spread over the whole run: those of a folder need the same (a browser, a processor,
 * time to wait), and side by side they would leave the rest of the machine idle, or fight for it.
 */
function spread(files: readonly string[], first: RegExp): string[] {
  const folders = Map.groupBy(files.toSorted(), (file) => file.split(/[\\/]/).at(-2) ?? "");
  const placed = [...folders.values()].flatMap((inFolder) =>
    inFolder.map((file, index) => ({ file, at: first.test(file) ? 0 : (index + 0.5) / inFolder.length })),
  );
  return placed.toSorted((one, other) => one.at - other.at).map(({ file }) => file);
}

const { positionals } = parseArgs({ allowPositionals: true });
const [kindName = "test", ...named] = positionals;
const kind = kindName === "full" ? kinds.full : kinds.test;
const files = spread(
  named.length > 0 ? named.flatMap((name) => globSync(name)) : globSync(kind.pattern),
  kind.first,
);
if (files.length === 0) throw new Error(`no test file matches ${named.join(" ") || kind.pattern}`);
keepCompiled();

const tests = run({ files, concurrency: kind.atATime, timeout: kind.timeoutMs, forceExit: true });
tests.on("test:fail", ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
