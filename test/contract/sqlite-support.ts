/** A database file of a test's own, in a folder that goes with it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createFieldEncryption } from "../../src/storage/field-encryption.ts";
import { openSqliteStore, type SqliteStore } from "../../src/storage/sqlite/store.ts";

export const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");
export const OTHER_KEY = Buffer.alloc(32, 8).toString("base64");

export interface TemporaryFile {
  folder: string;
  file: string;
  /** Opens a store on the file; destroy() closes it. */
  open(encryptionKey?: string): Promise<SqliteStore>;
  destroy(): Promise<void>;
}

export function temporaryFile(): TemporaryFile {
  const folder = mkdtempSync(join(tmpdir(), "liaison-store-"));
  const file = join(folder, "data", "liaison.db");
  const stores: SqliteStore[] = [];
  return {
    folder,
    file,
    async open(encryptionKey = ENCRYPTION_KEY) {
      const encryption = createFieldEncryption(encryptionKey);
      const store = openSqliteStore({ file, encryption, now: Date.now() });
      stores.push(store);
      return store;
    },
    async destroy() {
      for (const store of stores) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A test on a file of its own. */
export function withFile(name: string, body: (file: TemporaryFile) => Promise<void>): void {
  test(`sqlite file: ${name}`, async () => {
    const file = temporaryFile();
    try {
      await body(file);
    } finally {
      await file.destroy();
    }
  });
}

/** Changes the closed file behind the store's back. */
export async function tamper(file: TemporaryFile, sql: string): Promise<void> {
  await (await file.open()).close();
  const database = new DatabaseSync(file.file);
  database.exec(sql);
  database.close();
}
