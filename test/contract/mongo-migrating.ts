/**
 * MongoDB databases of older schemas for tests: one of its own each, migrated and opened as a version does
 * that knows so much.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Db } from "mongodb";
import { LiaisonError } from "../../src/errors.ts";
import { createFieldEncryption } from "../../src/storage/field-encryption.ts";
import type { Table } from "../../src/storage/fields.ts";
import { toDocument } from "../../src/storage/mongo/engine.ts";
import { MONGO_MIGRATIONS } from "../../src/storage/mongo/migrations.ts";
import { migrateMongoStore, openMongoStore } from "../../src/storage/mongo/store.ts";
import { NOW } from "../support/records.ts";
import { type TestDatabase, testDatabase, withClient } from "../support/test-database.ts";
import { ENCRYPTION_KEY } from "./sqlite-support.ts";

export const newest = MONGO_MIGRATIONS.length;
/** The newest schema that didn't forbid two pending requests of one identity and profile. */
export const withDoubles = 1;
/** The newest schema that had no search. */
export const beforeSearch = 3;
/** The newest schema in which a session had one selection for each client. */
export const beforeSwitches = 4;
const encryption = createFieldEncryption(ENCRYPTION_KEY);

export interface Place extends TestDatabase {
  db: Db;
}

/** A row as a document, as a version wrote it that knew these fields alone. */
export const documentOf = <Row extends object>(table: Table<Row>, row: Partial<Row>) =>
  toDocument(table as unknown as Table<never>, row as Record<string, unknown>) as never;

/** Opens a database as a broker does that knows the schema up to a version. */
export const openAt = (place: TestDatabase, version = newest) =>
  openMongoStore({ ...place, encryption, migrations: MONGO_MIGRATIONS.slice(0, version) });
export const migrateTo = (place: TestDatabase, version = newest) =>
  migrateMongoStore({ ...place, encryption, now: NOW, migrations: MONGO_MIGRATIONS.slice(0, version) });

/** Checks that a database was refused, and what its text says. */
export function refusal(fix: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof LiaisonError, String(error));
    assert.equal(error.code, "store_refused");
    assert.match(error.message, fix);
    return true;
  };
}

/** A case with a database of its own. */
export function withDatabase(name: string, body: (place: Place) => Promise<void>): void {
  test(`mongodb database: ${name}`, async () => {
    const place = await testDatabase();
    try {
      await withClient(place.url, (client) => body({ ...place, db: client.db(place.database) }));
    } finally {
      await place.drop();
    }
  });
}
