/**
 * How fast an import is, and whether its memory stays flat: 100,000 rows into an empty directory, then the
 * same file again.
 *   node bench/import.ts [ROWS]
 * Prints, for each of the two runs, rows a second and resident memory at row 10,000 and at the end.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importDirectory } from "../src/admin/import/import.ts";
import { createCollector } from "../src/admin/import/memory.ts";
import { systemClock } from "../src/clock.ts";
import { openStore } from "../src/storage/open.ts";
import { writeRows } from "../test/support/import-fixture.ts";

const MEASURED_ROW = 10_000;
const MB = 1024 * 1024;
const [first = "100000", folder] = process.argv.slice(2);

if (folder === undefined) await measure(Number(first));
else await importOnce(folder);

/** Each run in a process of its own, so that none inherits another's memory. */
async function measure(rows: number): Promise<void> {
  const made = await mkdtemp(join(tmpdir(), "liaison-bench-import-"));
  try {
    await writeRows(join(made, "rows.csv"), rows);
    console.log(`${rows} rows, ${((await stat(join(made, "rows.csv"))).size / MB).toFixed(1)} MB`);
    for (const title of ["into an empty directory", "the same file again"]) {
      console.log(title);
      const child = fork(fileURLToPath(import.meta.url), [String(rows), made]);
      const [code] = await once(child, "exit");
      if (code !== 0) process.exitCode = 1;
    }
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function importOnce(made: string): Promise<void> {
  const collectGarbage = createCollector();
  const encryptionKey = Buffer.alloc(32, 7).toString("base64");
  const store = await openStore({ sqlite: { file: join(made, "liaison.db") }, encryptionKey });
  const began = performance.now();
  let early = 0;
  const summary = await importDirectory(
    {
      store,
      clock: systemClock,
      timeZone: "Europe/Copenhagen",
      mailDomain: "bench.example",
      actor: "command:import",
    },
    {
      source: createReadStream(join(made, "rows.csv")),
      dryRun: false,
      signal: new AbortController().signal,
      onRow: async () => undefined,
      onProgress: ({ rows }) => {
        collectGarbage(rows);
        if (rows >= MEASURED_ROW && early === 0) early = process.memoryUsage.rss();
      },
    },
  );
  const seconds = (performance.now() - began) / 1000;
  const end = process.memoryUsage.rss();
  await store.close();
  const { organizations, profiles, badRows } = summary;
  console.log(`  ${Math.round(summary.rows / seconds)} rows/s, ${seconds.toFixed(1)} s`);
  console.log(
    `  resident at row ${MEASURED_ROW}: ${(early / MB).toFixed(1)} MB, at the end: ` +
      `${(end / MB).toFixed(1)} MB, ` +
      `grown by ${((end - early) / MB).toFixed(1)} MB (limit 30)`,
  );
  console.log(`  ${JSON.stringify({ organizations, profiles, badRows })}`);
  if (end - early > 30 * MB) process.exitCode = 1;
}
