/**
 * The size of what is stored: its rows by table or collection, and the bytes in use, read beside the
 * application.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Liaison } from "./liaison.ts";
import { withClient } from "./test-database.ts";

export interface StoredSize {
  rows: Record<string, number>;
  /** Of the file's pages those that aren't free; on MongoDB documents and indexes. */
  bytes: number;
}

export async function storedSizeOf({ storeOptions, dataDir }: Liaison): Promise<StoredSize> {
  const { mongodb } = storeOptions;
  if (mongodb === undefined) return ofFile(join(dataDir, "liaison.db"));
  return await withClient(mongodb.url, async (client) => {
    const db = client.db(mongodb.database);
    const names = (await db.listCollections().toArray()).map(({ name }) => name);
    const counted = names.map(async (name) => [name, await db.collection(name).countDocuments()] as const);
    const { dataSize, indexSize } = await db.stats();
    return { rows: Object.fromEntries(await Promise.all(counted)), bytes: dataSize + indexSize };
  });
}

function ofFile(file: string): StoredSize {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    const names = tables.map(({ name }) => String(name));
    const pages = number("PRAGMA page_count") - number("PRAGMA freelist_count");
    return {
      rows: Object.fromEntries(names.map((name) => [name, number(`SELECT count(*) FROM "${name}"`)])),
      bytes: pages * number("PRAGMA page_size"),
    };
  } finally {
    database.close();
  }
}

/** By how many rows each table or collection has grown, or shrunk; those alone that have. */
export function grownRows(before: StoredSize, after: StoredSize): Record<string, number> {
  const names = new Set([...Object.keys(before.rows), ...Object.keys(after.rows)]);
  const grown = [...names].map((name) => [name, (after.rows[name] ?? 0) - (before.rows[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count !== 0));
}
