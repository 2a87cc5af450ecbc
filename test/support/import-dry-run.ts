/** Dry runs of an import into an empty directory, in this process. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Column } from "../../src/admin/import/columns.ts";
import { type ImportSummary, importDirectory, type RowReport } from "../../src/admin/import/import.ts";
import { systemClock } from "../../src/clock.ts";
import { openStore } from "../../src/storage/open.ts";
import { aRow, type Values } from "./import-fixture.ts";

export interface Imported {
  summary: ImportSummary;
  rows: RowReport[];
  /** `line N, column: what is wrong`, as the command writes it. */
  faults: string[];
}

export interface DryRuns {
  /** What a dry run of this file says. Throws what the import throws. */
  imported(file: string | Buffer, timeZone?: string): Promise<Imported>;
  close(): Promise<void>;
}

export async function startDryRuns(): Promise<DryRuns> {
  const folder = await mkdtemp(join(tmpdir(), "liaison-dry-run-"));
  const encryptionKey = Buffer.alloc(32, 7).toString("base64");
  const store = await openStore({ sqlite: { file: join(folder, "liaison.db") }, encryptionKey });
  return {
    async imported(file, timeZone = "Europe/Copenhagen") {
      const rows: RowReport[] = [];
      async function* source() {
        yield Buffer.from(file);
      }
      const parts = { store, clock: systemClock, timeZone, actor: "test", mailDomain: "example.com" };
      const summary = await importDirectory(parts, {
        source: source(),
        dryRun: true,
        signal: new AbortController().signal,
        onRow: async (row) => void rows.push(row),
        onProgress: () => undefined,
      });
      const faults = rows.flatMap((row) =>
        "faults" in row
          ? row.faults.map(({ column, problem }) => `line ${row.line}, ${column}: ${problem}`)
          : [],
      );
      return { summary, rows, faults };
    },
    async close() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A good row of a person's, with what a case changes about it. */
export const aPerson = (index: number, overrides: Partial<Values> = {}): Values =>
  aRow({ profile_id: `p-${index}`, email: `p${index}@contoso.example`, ...overrides });

/** What the file says of a column, as a dry run shows it. */
export function valuesOf({ rows }: Imported, column: Column): string[] {
  return rows.flatMap((row) =>
    "changes" in row
      ? row.changes.flatMap(({ fields }) =>
          fields.filter((field) => field.column === column).map(({ after }) => after),
        )
      : [],
  );
}
