/** Moves a whole store from a SQLite file into a MongoDB database: resumable, and compared at the end. */

import { LiaisonError } from "../errors.ts";
import { Pace } from "../pace.ts";
import type { Dump, DumpedKind, DumpedRecord, Load, Place } from "./dump.ts";
import { createFieldEncryption } from "./field-encryption.ts";
import type { MongoSettings } from "./mongo/store.ts";
import { withSqliteDump } from "./sqlite/store.ts";

/** How many records are read and sent at a time. */
const BATCH = { least: 100, most: 500 };

export interface CopyOptions {
  from: { file: string };
  to: MongoSettings;
  /** What both are encrypted under: encrypted values are moved as they are. */
  encryptionKey: string;
  now: number;
  /** Aborted when the copy is to stop after the batch under way. */
  signal: AbortSignal;
  /** Told after each batch how far it came. */
  onProgress(progress: CopyProgress): void;
}

export interface CopyProgress {
  phase: "copying" | "comparing";
  kind: string;
  done: number;
  total: number;
}

export interface CopyReport {
  /** False if it was asked to stop: run again, it goes on there. */
  complete: boolean;
  /** How many records of each kind there are, once complete. */
  counts: Record<string, number>;
}

/**
 * Copies everything, in short turns that hold no lock. The file has to stay as it is: as soon as a broker is
 * seen to have written to it, the copy is refused. The database is migrated first, and can't be opened until
 * the copy is whole. Throws `store_refused` if either can't be used, or the two differ at the end.
 */
export async function copyStore(options: CopyOptions): Promise<CopyReport> {
  const { from, to, encryptionKey, now } = options;
  const encryption = createFieldEncryption(encryptionKey);
  const { withMongoLoad } = await import("./mongo/store.ts");
  return await withSqliteDump({ file: from.file, encryption }, (dump) =>
    withMongoLoad({ ...to, encryption, now, source: dump.source }, (load) => move(dump, load, options)),
  );
}

async function move(dump: Dump, load: Load, { signal, onProgress }: CopyOptions): Promise<CopyReport> {
  const total = dump.kinds.reduce((sum, kind) => sum + dump.count(kind), 0);
  const first = load.begun === undefined ? 0 : dump.kinds.indexOf(load.begun.kind);
  let done = dump.kinds.slice(0, first).reduce((sum, kind) => sum + dump.count(kind), 0);
  for (const kind of dump.kinds.slice(first)) {
    const after = kind === load.begun?.kind ? load.begun.after : undefined;
    for await (const batch of pages(dump, kind, after)) {
      await load.write(kind, batch);
      done += batch.length;
      onProgress({ phase: "copying", kind, done: Math.min(done, total), total });
      if (signal.aborted) return { complete: false, counts: {} };
    }
  }
  return await compare(dump, load, { signal, onProgress, total });
}

async function compare(
  dump: Dump,
  load: Load,
  { signal, onProgress, total }: Pick<CopyOptions, "signal" | "onProgress"> & { total: number },
): Promise<CopyReport> {
  const counts: Record<string, number> = {};
  let done = 0;
  for (const kind of dump.kinds) {
    const expected = await load.expected(kind, pages(dump, kind));
    const found = await load.fingerprint(kind);
    if (expected.count !== found.count || expected.hash !== found.hash) {
      throw LiaisonError.storeRefused(
        `The copy differs from its source: ${kind} (${expected.count} there, ${found.count} here). ` +
          "Drop the database and copy again.",
      );
    }
    counts[kind] = found.count;
    done += found.count;
    onProgress({ phase: "comparing", kind, done, total });
    if (signal.aborted) return { complete: false, counts: {} };
  }
  await load.finish();
  return { complete: true, counts };
}

/** The records of a kind behind a place, page by page, in turns that a service on the file doesn't notice. */
async function* pages(dump: Dump, kind: DumpedKind, after?: Place): AsyncIterable<DumpedRecord[]> {
  const pace = new Pace(BATCH);
  for (let place = after; ; ) {
    const page = await pace.turn(async (size) => dump.read(kind, place, size));
    dump.refuseChanged();
    if (page.length === 0) return;
    yield page;
    place = page.at(-1)?.place;
  }
}
