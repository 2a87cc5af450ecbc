/**
 * What is SQLite's own: the file it opens, refuses, or leaves behind. The promises of the contract are
 * suite.ts's.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LiaisonError } from "../../src/errors.ts";
import { createFieldEncryption } from "../../src/storage/field-encryption.ts";
import { openSqliteStore } from "../../src/storage/sqlite/store.ts";
import { aClient, NOW } from "../support/records.ts";
import { registerClient } from "../support/stored-clients.ts";
import {
  ENCRYPTION_KEY,
  OTHER_KEY,
  type TemporaryFile,
  tamper,
  temporaryFile,
  withFile,
} from "./sqlite-support.ts";

const encryption = createFieldEncryption(ENCRYPTION_KEY);

/**
 * Asserts that opening is refused with a text that says what to do, and that nothing was changed by trying.
 */
async function refuses(file: TemporaryFile, fix: RegExp, encryptionKey = ENCRYPTION_KEY): Promise<void> {
  const before = readFileSync(file.file);
  await assert.rejects(file.open(encryptionKey), (error) => {
    assert.ok(error instanceof LiaisonError);
    assert.equal(error.code, "store_refused");
    assert.match(error.message, fix);
    return true;
  });
  assert.deepEqual(readFileSync(file.file), before);
}

withFile("folder and file are created for their owner alone", async (file) => {
  const store = await file.open();
  await registerClient(store, aClient());
  const names = readdirSync(join(file.folder, "data"));
  assert.deepEqual(names.sort(), ["liaison.db", "liaison.db-shm", "liaison.db-wal"]);
  for (const name of names) assert.equal(statSync(join(file.folder, "data", name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(join(file.folder, "data")).mode & 0o777, 0o700);
});

withFile("what was stored is there after closing and opening again", async (file) => {
  const client = aClient();
  const first = await file.open();
  await registerClient(first, client);
  await first.close();
  assert.deepEqual(await (await file.open()).clients.find(client.id), client);
});

withFile("another encryption_key is refused, and the right one still opens everything", async (file) => {
  const client = aClient();
  const first = await file.open();
  await registerClient(first, client);
  await first.close();
  await refuses(file, /Set encryption_key to the one it was created with/, OTHER_KEY);
  await refuses(file, /encryption_key must be 32 bytes/, "c2hvcnQ=");
  assert.deepEqual(await (await file.open()).clients.find(client.id), client);
});

withFile("a lost canary is refused, never made anew", async (file) => {
  await tamper(file, "DELETE FROM meta WHERE name = 'canary'");
  await refuses(file, /Restore it from a backup/);
});

for (const [index, columns, where] of [
  ["identities_by_key", "identities (issuer,subject)", ""],
  ["link_requests_by_secret", "link_requests (secret_hash)", ""],
  ["selections_by_session", "selections (session_uid,client_id)", " WHERE replaced_by IS NULL"],
  ["artifacts_by_id", "artifacts (model,id_hash)", ""],
] as const) {
  withFile(`D4: a missing unique index (${index}) is refused`, async (file) => {
    await tamper(file, `DROP INDEX ${index}`);
    const fix = columns.replace(/[()]/g, "\\$&");
    await refuses(file, new RegExp(`lacks the unique index on ${fix}.*CREATE UNIQUE INDEX`, "s"));
  });

  withFile(
    `D4: an index (${index}) that isn't unique, covers a part, or ignores case is no replacement`,
    async (file) => {
      const [first] = columns.slice(columns.indexOf("(") + 1, -1).split(",");
      await tamper(file, `DROP INDEX ${index}; CREATE INDEX ${index} ON ${columns}${where}`);
      await refuses(file, /lacks the unique index/);
      const rewrite = (sql: string) => {
        const database = new DatabaseSync(file.file);
        database.exec(`DROP INDEX ${index}; ${sql}`);
        database.close();
      };
      rewrite(`CREATE UNIQUE INDEX ${index} ON ${columns} WHERE ${first} > ''`);
      await refuses(file, /lacks the unique index/);
      rewrite(
        `CREATE UNIQUE INDEX ${index} ON ${columns.replace(`(${first}`, `(${first} COLLATE NOCASE`)}${where}`,
      );
      await refuses(file, /lacks the unique index/);
      rewrite(`CREATE UNIQUE INDEX ${index} ON ${columns}${where}`);
      await file.open();
    },
  );
}

withFile("a newer schema is refused", async (file) => {
  await tamper(file, "INSERT INTO migrations (version, applied_at) VALUES (9999, 1)");
  await refuses(file, /written by a newer version of Liaison \(schema 9999/);
});

withFile("a database of another program, or no database, is refused and left alone", async (file) => {
  await tamper(file, "DROP TABLE migrations");
  await refuses(file, /database of another program/);
  const text = temporaryFile();
  await (await text.open()).close();
  writeFileSync(text.file, "These are somebody's notes, not a database. ".repeat(99));
  await refuses(text, /no SQLite database/);
  await text.destroy();
});

withFile("a folder that can't be made is refused, naming the setting", async (file) => {
  await (await file.open()).close();
  const inside = join(file.file, "liaison.db");
  assert.throws(() => openSqliteStore({ file: inside, encryption, now: NOW }), /storage\.sqlite\.file/);
});
