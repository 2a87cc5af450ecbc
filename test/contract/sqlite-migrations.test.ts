/**
 * A SQLite file of an older schema: refused as it is, migrated in place, under a broker of the version
 * before, cut short.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import {
  asClientId,
  asGrantId,
  asOrganizationId,
  asProfileId,
  asSecretHash,
  asUpstreamId,
} from "../../src/domain/ids.ts";
import { INVITATION_LIFE_MS } from "../../src/domain/invitations.ts";
import type { NewMail } from "../../src/domain/records.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { encryptContent } from "../../src/storage/encrypted-fields.ts";
import { createFieldEncryption } from "../../src/storage/field-encryption.ts";
import { migrateStore } from "../../src/storage/open.ts";
import { SQLITE_MIGRATIONS } from "../../src/storage/sqlite/migrations.ts";
import { migrateSqliteStore, openSqliteStore } from "../../src/storage/sqlite/store.ts";
import { aMail, anAttempt, anIdentity, anInquiry, anUpstreamTransaction, NOW } from "../support/records.ts";
import { ENCRYPTION_KEY, type TemporaryFile, temporaryFile } from "./sqlite-support.ts";

const newest = SQLITE_MIGRATIONS.length;
const encryption = createFieldEncryption(ENCRYPTION_KEY);

/** Makes a file of an older schema. */
function makeAt(file: TemporaryFile, version: number): void {
  migrateSqliteStore({
    file: file.file,
    encryption,
    now: NOW,
    migrations: SQLITE_MIGRATIONS.slice(0, version),
  });
}

/** Opens the file as a broker does that knows the schema up to `version`. */
function openAt(file: TemporaryFile, version: number): Store {
  return openSqliteStore({
    file: file.file,
    encryption,
    now: NOW,
    migrations: SQLITE_MIGRATIONS.slice(0, version),
  });
}

const migrate = (file: TemporaryFile) =>
  migrateStore({ sqlite: { file: file.file }, encryptionKey: ENCRYPTION_KEY });

function refusal(fix: RegExp) {
  return (error: unknown) =>
    error instanceof LiaisonError && error.code === "store_refused" && fix.test(error.message);
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
    makeAt(older, version);
    const before = readFileSync(older.file);
    await assert.rejects(older.open(), refusal(/older schema .*Run|older schema .*run: liaison migrate/s));
    assert.deepEqual(readFileSync(older.file), before);
    await older.destroy();
  }
  await file.open();
});

withFile("a file of schema 1 comes without the sign-ins then under way at an upstream", async (file) => {
  makeAt(file, 1);
  const database = new DatabaseSync(file.file);
  database.exec(
    `INSERT INTO upstream_transactions (state_hash, browser_hash, upstream_id, forced, sealed_payload,
      created_at, expires_at)
     VALUES ('state', 'browser', 'consumer', 1, 'sealed without an age', ${NOW}, ${NOW + 60_000})`,
  );
  database.close();
  const { from, to, applied } = await migrate(file);
  assert.deepEqual(
    [from, to, applied.map(({ version }) => version)],
    [1, newest, Array.from({ length: newest - 1 }, (_, index) => index + 2)],
  );
  const store = await file.open();
  assert.equal(
    await store.signIns.take(
      anAttempt({
        stateHash: asSecretHash("state"),
        browserHash: asSecretHash("browser"),
        upstreamId: asUpstreamId("consumer"),
      }),
      NOW,
    ),
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

/** The statements of a broker of schema 3, in so far as later migrations changed their tables. */
function olderBroker(file: string) {
  const database = new DatabaseSync(file, { timeout: 5000 });
  const requester = { ...anIdentity(), accountId: "a" };
  const run = (sql: string, ...values: (string | number | null)[]) => database.prepare(sql).run(...values);
  run("INSERT INTO accounts VALUES ('a', 1)");
  run("INSERT INTO organizations VALUES ('o', 'Contoso', 'C-1', 'customer', 'active', NULL, 1)");
  run(
    `INSERT INTO profiles (id, organization_id, email, email_key, email_version, name, roles, enabled)
     VALUES ('p', 'o', 'ada@contoso.example', 'ada@contoso.example', 1, 'Ada', '[]', 1)`,
  );
  return {
    requester,
    inquire(id: string) {
      run(
        `INSERT INTO inquiries (id, requester, sealed_address, interaction_cid, created_at, not_before,
          settled_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        id,
        JSON.stringify(requester),
        null,
        `cid-${id}`,
        NOW,
        NOW,
        null,
      );
    },
    request(id: string, inquiryId: string, createdAt: number) {
      run(
        `INSERT INTO link_requests (id, inquiry_id, secret_hash, purpose, issuer, subject, upstream_id,
          account_id,
           requester_email, requester_name, profile_id, email_version, state, created_at, expires_at)
         VALUES (?, ?, ?, 'link_profile', ?, ?, ?, 'a', NULL, NULL, 'p', 1, 'pending', ?, ?)`,
        id,
        inquiryId,
        `hash-${id}`,
        requester.issuer,
        requester.subject,
        requester.upstreamId,
        createdAt,
        NOW + 60_000,
      );
    },
    queue(mail: NewMail) {
      run(
        `INSERT INTO outbox (id, message_id, recipient, sealed_content, request_id, state, attempts,
          created_at,
           next_attempt_at, due_at) VALUES (?, ?, ?, ?, NULL, 'queued', 0, ?, ?, ?)`,
        mail.id,
        mail.messageId,
        mail.to,
        encryptContent(encryption, mail.id, mail.content),
        NOW,
        NOW,
        NOW,
      );
    },
    claim: () =>
      database
        .prepare(
          `UPDATE outbox SET lease_worker = 'old', due_at = ?, attempts = attempts + 1 WHERE rowid = (
             SELECT rowid FROM outbox WHERE state = 'queued' AND due_at <= ? ORDER BY due_at, rowid LIMIT 1)
               RETURNING id`,
        )
        .get(NOW + 1000, NOW)?.["id"],
    claimInquiry: (now: number, until: number) =>
      database
        .prepare(
          `UPDATE inquiries SET lease_worker = 'old', lease_until = :until WHERE rowid = (
             SELECT rowid FROM inquiries
             WHERE settled_at IS NULL AND created_at <= :now AND not_before <= :now AND lease_until <= :now
             ORDER BY created_at, rowid LIMIT 1) RETURNING id`,
        )
        .get({ now, until })?.["id"],
    stateOf: (id: string) =>
      database.prepare("SELECT state FROM link_requests WHERE id = ?").get(id)?.["state"],
    close: () => database.close(),
  };
}

withFile(
  "a broker of the version before goes on while the file is migrated, and doesn't start on it again",
  async (file) => {
    makeAt(file, 5);
    const broker = olderBroker(file.file);
    const [before, after] = [aMail(), aMail()];
    broker.inquire("before");
    broker.queue(before);

    assert.equal((await migrate(file)).to, newest);

    broker.inquire("after");
    broker.queue(after);
    assert.equal(broker.claim(), before.id);
    broker.close();
    assert.throws(() => openAt(file, 5), refusal(/written by a newer version/));
    const store = await file.open();
    assert.equal((await store.outbox.claim("new", NOW, 1000, 1000))?.message.id, after.id);
    for (const id of ["before", "after"]) {
      const inquiry = await store.links.claimInquiry("new", NOW, 1000);
      assert.deepEqual(
        [inquiry?.id, inquiry?.ordinal, inquiry?.heldUntil, inquiry?.matched],
        [id, 1, null, null],
      );
      assert.equal(inquiry?.answeredTo, null);
    }
  },
);

withFile(
  "inquiries of both versions are claimed when they are due, whichever broker claims them",
  async (file) => {
    makeAt(file, newest - 1);
    const broker = olderBroker(file.file);
    broker.inquire("before");
    await migrate(file);
    broker.inquire("after");
    const store = await file.open();
    const mine = anInquiry({ createdAt: NOW + 1, notBefore: NOW + 1 });
    await store.links.inquire(mine);
    assert.equal(broker.claimInquiry(NOW + 1, NOW + 9), "before");
    const claim = async (now: number) => (await store.links.claimInquiry("new", now, 100))?.id;
    assert.deepEqual([await claim(NOW + 1), await claim(NOW + 1)], ["after", mine.id]);
    assert.equal(broker.claimInquiry(NOW + 8, NOW + 99), undefined, "it keeps off what the newer one holds");
    assert.deepEqual([await claim(NOW + 8), await claim(NOW + 9)], [undefined, "before"]);
    broker.close();
  },
);

withFile(
  "a broker of schema 6 finds the audit events that wait for their place, in order, after the migration",
  async (file) => {
    makeAt(file, 6);
    const database = new DatabaseSync(file.file, { timeout: 5000 });
    const insert = (id: string) =>
      database
        .prepare("INSERT INTO audit_events (id, at, action, actor, detail) VALUES (?, 1, 'a', 'b', '{}')")
        .run(id);
    const unsealed = database.prepare(`SELECT id FROM audit_events INDEXED BY audit_events_unsealed
    WHERE chain_seq IS NULL AND id > '' ORDER BY rowid LIMIT 9`);
    insert("z");
    await migrate(file);
    insert("a");
    assert.deepEqual(
      unsealed.all().map((row) => row["id"]),
      ["z", "a"],
    );
    database.close();
  },
);

withFile(
  "of two pending requests of one identity and profile, as no index forbade them, the newer stays",
  async (file) => {
    makeAt(file, 2);
    const broker = olderBroker(file.file);
    broker.inquire("inquiry");
    broker.request("older", "inquiry", NOW - 1);
    broker.request("newer", "inquiry", NOW);
    await migrate(file);
    assert.deepEqual([broker.stateOf("older"), broker.stateOf("newer")], ["superseded", "pending"]);
    assert.throws(() => broker.request("another", "inquiry", NOW), /UNIQUE/);
    broker.close();
  },
);

withFile(
  "a migration that fails leaves the file as the one before left it, and is run again",
  async (file) => {
    makeAt(file, 1);
    olderBroker(file.file).close();
    const broken = SQLITE_MIGRATIONS.map((migration, index) =>
      index === newest - 1 ? { ...migration, sql: `${migration.sql}; SELECT no_such_function()` } : migration,
    );
    const run = () => migrateSqliteStore({ file: file.file, encryption, now: NOW, migrations: broken });
    assert.throws(run, /no_such_function/);
    // What came before it stays applied; of it nothing is left.
    assert.equal((await migrate(file)).from, newest - 1);
    assert.equal((await (await file.open()).directory.membership(asProfileId("p")))?.profile.name, "Ada");
  },
);

withFile("A9: the time of invitations that wait already begins with the migration", async (file) => {
  makeAt(file, 5);
  const database = new DatabaseSync(file.file);
  database.exec(`
    INSERT INTO accounts (id, created_at) VALUES ('account', ${NOW});
    INSERT INTO organizations (id, name, account_number, kind, plan_status, enabled)
      VALUES ('o', 'Liaison', '1', 'operator', 'none', 1);
    INSERT INTO profiles (id, organization_id, email, email_key, email_version, name, roles, enabled,
      admin_role, account_id)
      VALUES ('owner', 'o', 'o@x.example', 'o@x.example', 1, 'Olga', '[]', 1, 'owner', 'account'),
             ('waiting', 'o', 'w@x.example', 'w@x.example', 1, 'Will', '[]', 1, 'support', NULL),
             ('nobody', 'o', 'n@x.example', 'n@x.example', 1, 'Nina', '[]', 1, NULL, NULL)`);
  database.close();
  const before = Math.floor(Date.now() / 1000) * 1000;
  await migrate(file);
  const store = await file.open();
  const since = async (id: string) => (await store.directory.membership(asProfileId(id)))?.profile.invitedAt;
  assert.deepEqual([await since("owner"), await since("nobody")], [null, null]);
  const waiting = (await since("waiting")) ?? assert.fail("no time");
  assert.ok(waiting >= before && waiting <= Date.now());
  assert.equal(await store.administration.lapseInvitations(waiting + INVITATION_LIFE_MS - 1), 0);
  assert.equal(await store.administration.lapseInvitations(waiting + INVITATION_LIFE_MS), 1);
});

withFile(
  "selections learn whose they are, also those that a broker of the version before makes",
  async (file) => {
    makeAt(file, 10);
    const database = new DatabaseSync(file.file, { timeout: 5000 });
    database.exec(`
    INSERT INTO organizations VALUES ('o', 'Contoso', 'C-1', 'customer', 'active', NULL, 1);
    INSERT INTO accounts VALUES ('a', 1);
    INSERT INTO profiles (id, organization_id, email, email_key, email_version, name, roles, enabled,
      account_id)
    VALUES ('p', 'o', 'ada@contoso.example', 'ada@contoso.example', 1, 'Ada', '[]', 1, 'a');
  `);
    const select = database.prepare(`
    INSERT INTO selections (grant_id, session_uid, client_id, account_id, profile_id, expires_at)
    VALUES (?, ?, 'c', 'a', 'p', ${NOW + 60_000})`);
    select.run("before", "session-1");
    await migrate(file);
    const store = await file.open();
    select.run("after", "session-2");
    database.close();
    const organization = await store.directory.organization(asOrganizationId("o"));
    assert.ok(organization);
    for (const grantId of ["before", "after"])
      assert.ok(await store.accountsAtClients.forGrant(asGrantId(grantId), NOW), grantId);
    const { revokedGrants } = await store.directory.putOrganization(
      { ...organization, enabled: false },
      "admin:7",
      NOW,
    );
    assert.deepEqual(revokedGrants.map(({ grantId }) => grantId).toSorted(), ["after", "before"]);
  },
);

withFile(
  "uses of clients keep what a broker of the version before notes, and get refused addresses",
  async (file) => {
    makeAt(file, 12);
    const database = new DatabaseSync(file.file, { timeout: 5000 });
    const note = database.prepare(`
    INSERT INTO client_uses (client_id, used_at) VALUES (?, ?)
    ON CONFLICT (client_id) DO UPDATE SET used_at = excluded.used_at`);
    note.run("before", NOW);
    await migrate(file);
    const store = await file.open();
    const refused = { parameter: "redirect_uri", address: "https://p.example/typo" } as const;
    for (const id of ["before", "after"]) await store.clients.noteRefused(asClientId(id), refused, NOW + 1);
    for (const id of ["before", "after"]) note.run(id, NOW + 2);
    database.close();
    for (const id of ["before", "after"]) {
      assert.deepEqual(await store.clients.uses([asClientId(id)]), [
        {
          clientId: id,
          usedAt: NOW + 2,
          previousUsedAt: null,
          refusedAddresses: [{ ...refused, at: NOW + 1 }],
        },
      ]);
    }
  },
);
