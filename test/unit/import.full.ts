/**
 * 100,000 rows through `liaison import` itself: memory stays flat, a second run writes nothing. Slow: not
 * among the quick tests.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { aDeployment, bin, type Deployment, writeRows } from "../support/import-fixture.ts";

const ROWS = 100_000;
const EARLY = 10_000;
const LIMIT_KB = 30 * 1024;

const residentKb = ({ pid }: ChildProcess) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

/**
 * Imports the file through standard input, stopping twice to look at the memory: after row 10,000 and before
 * the last row.
 */
async function measured({ folder, config }: Deployment, file: string) {
  const child = spawn(process.execPath, [bin, "import", "-", "--config", config], { cwd: folder });
  const closed = once(child, "close");
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  let line = 0;
  let early = 0;
  for await (const text of createInterface({ input: createReadStream(file) })) {
    if (!child.stdin.write(`${text}\n`)) await once(child.stdin, "drain");
    line += 1;
    if (line === EARLY + 1) {
      await setTimeout(1500);
      early = residentKb(child);
    }
  }
  await setTimeout(1500);
  const end = residentKb(child);
  child.stdin.end();
  const [code] = (await closed) as [number];
  return { code, stdout, early, end };
}

it("100,000 rows: flat memory, then nothing to write", {
  skip: process.platform !== "linux" && "reads /proc",
}, async (t) => {
  const deployment = await aDeployment();
  try {
    const file = join(deployment.folder, "rows.csv");
    await writeRows(file, ROWS);
    for (const expected of [/^profiles +100000 +0 +0 +0$/m, /^profiles +0 +0 +100000 +0$/m]) {
      const before = expected.source.includes("+0 +0 +100000")
        ? readFileSync(deployment.database)
        : undefined;
      const { code, stdout, early, end } = await measured(deployment, file);
      t.diagnostic(`resident: ${early} KB at row ${EARLY}, ${end} KB at the end`);
      assert.equal(code, 0);
      assert.match(stdout, expected);
      assert.ok(end <= early + LIMIT_KB, `${early} KB at row ${EARLY}, ${end} KB at the end`);
      if (before !== undefined) assert.ok(readFileSync(deployment.database).equals(before));
    }
  } finally {
    await deployment.remove();
  }
});
