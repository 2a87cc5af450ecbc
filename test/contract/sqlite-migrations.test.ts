/** A SQLite file of an older schema: refused as it is, migrated in place, under a broker of the version before, cut short. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { migrateStore } from "../../src/storage/open.ts";
import { createSeal } from "../../src/storage/seal.ts";
import { SQLITE_MIGRATIONS } from "../../src/storage/sqlite/migrations.ts";
import { migrateSqliteStore, openSqliteStore } from "../../src/storage/sqlite/store.ts";
import { aClient, anAttempt, anUpstreamTransaction, NOW } from "../support/records.ts";
import { bound, redemption, register, request, signIn, stateOf } from "./harness.ts";
import { ENCRYPTION_KEY, type TemporaryFile, temporaryFile } from "./sqlite-support.ts";

const newest = SQLITE_MIGRATIONS.length;
const seal = createSeal(ENCRYPTION_KEY);

/** Opens the file as a broker does that knows the schema up to `version`. */
function openAt(file: TemporaryFile, version: number): Store {
  return openSqliteStore({ file: file.file, seal, now: NOW, migrations: SQLITE_MIGRATIONS.slice(0, version) });
}

const migrate = (file: TemporaryFile) => migrateStore({ sqlite: { file: file.file }, encryptionKey: ENCRYPTION_KEY });

function refusal(fix: RegExp) {
  return (error: unknown) => error instanceof LiaisonError && error.code === "store_refused" && fix.test(error.message);
}

function withFile(name: string, body: (file: TemporaryFile) => Promise<void>): void {
  test(`sqlite migrations: ${name}`, async () => {
    const file = temporaryFile();
    try {
      await body(file);
    } finally {
      await file.destroy();
    }
  });
}

withFile("an older file is refused and left alone, and the way on is named", async (file) => {
  for (let version = 1; version < newest; version += 1) {
    const older = temporaryFile();
    await openAt(older, version).close();
    const before = readFileSync(older.file);
    await assert.rejects(older.open(), refusal(/older schema .*Run|older schema .*run: liaison migrate/s));
    assert.deepEqual(readFileSync(older.file), before);
    await older.destroy();
  }
  await file.open();
});

withFile("a file of schema 1 comes without the sign-ins then under way at an upstream", async (file) => {
  await openAt(file, 1).close();
  const database = new DatabaseSync(file.file);
  database.exec(
    `INSERT INTO upstream_transactions (state_hash, browser_hash, upstream_id, forced, sealed_payload, created_at, expires_at)
     VALUES ('state', 'browser', 'consumer', 1, 'sealed without an age', ${NOW}, ${NOW + 60_000})`,
  );
  database.close();
  const { from, to, applied } = await migrate(file);
  assert.deepEqual([from, to, applied.map(({ version }) => version)], [1, newest, [2, 3]]);
  const store = await file.open();
  assert.equal(
    await store.signIns.take(anAttempt({ stateHash: "state", browserHash: "browser", upstreamId: "consumer" }), NOW),
    undefined,
  );
  const transaction = anUpstreamTransaction();
  await store.signIns.begin(transaction);
  assert.deepEqual(await store.signIns.take(anAttempt(transaction), NOW), transaction);
});

withFile("an empty place is made whole, and a second run does nothing", async (file) => {
  assert.deepEqual((await migrate(file)).from, 0);
  await (await file.open()).close();
  const before = readFileSync(file.file);
  assert.deepEqual(await migrate(file), { from: newest, to: newest, applied: [] });
  assert.deepEqual(readFileSync(file.file), before);
});

withFile(
  "a broker of the version before goes on while the file is migrated, and doesn't start on it again",
  async (file) => {
    const broker = openAt(file, newest - 1);
    const person = await signIn(broker);
    const { profile } = await register(broker);
    const link = await request(broker, person, profile.id);
    const before = await bound(broker);
    // Two pending requests of one identity and profile, as no index forbade them.
    const database = new DatabaseSync(file.file);
    database.exec(
      `INSERT INTO link_requests SELECT id || '-double', inquiry_id, secret_hash || '-double', purpose, issuer, subject,
       upstream_id, account_id, requester_email, requester_name, profile_id, email_version, state, created_at - 1,
       expires_at, settled_at FROM link_requests WHERE id = '${link.request.id}'`,
    );
    const stateOfDouble = () =>
      database.prepare("SELECT state FROM link_requests WHERE id LIKE '%-double'").get()?.["state"];

    assert.equal((await migrate(file)).to, newest);

    assert.equal(stateOfDouble(), "superseded");
    database.close();
    assert.equal(await stateOf(broker, link), "pending");
    const redeemed = await broker.links.redeem(redemption(person, link), { id: "notice", messageId: "n@x" }, NOW);
    assert.equal(redeemed.result, "bound");
    const again = await register(broker);
    const first = await request(broker, person, again.profile.id);
    const second = await request(broker, person, again.profile.id);
    assert.deepEqual([await stateOf(broker, first), await stateOf(broker, second)], ["superseded", "pending"]);
    await broker.close();
    assert.throws(() => openAt(file, newest - 1), refusal(/written by a newer version/));
    const newer = await file.open();
    assert.equal((await newer.directory.membership(before.profile.id))?.profile.accountId, before.account.id);
  },
);

withFile("a migration that fails leaves the file as the one before left it, and is run again", async (file) => {
  const client = aClient();
  const older = openAt(file, 1);
  await older.clients.put(client);
  await older.close();
  const broken = SQLITE_MIGRATIONS.map((migration, index) =>
    index === newest - 1 ? { ...migration, sql: `${migration.sql}; SELECT no_such_function()` } : migration,
  );
  const run = () => migrateSqliteStore({ file: file.file, seal, now: NOW, migrations: broken });
  assert.throws(run, /no_such_function/);
  // What came before it stays applied; of it nothing is left.
  assert.equal((await migrate(file)).from, newest - 1);
  assert.deepEqual(await (await file.open()).clients.find(client.id), client);
});
