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

withFile("every statement is answered by an index", async (file) => {
  const store = openSqliteStore({ file: file.file, encryption, now: NOW });
  const { statements } = store;
  await store.close();
  assert.ok(statements.length > 60, "the list of statements isn't whole");
  const database = new DatabaseSync(file.file);
  for (const sql of statements) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    // What a subquery has found is read as a whole: how it found that is a step of its own.
    const found = plan.flatMap(
      ({ detail }) => /^(?:MATERIALIZE|CO-ROUTINE) (.+)$/.exec(String(detail))?.[1] ?? [],
    );
    for (const { detail } of plan) {
      const scanned = /\bSCAN (\S+)/.exec(String(detail))?.[1];
      assert.ok(scanned === undefined || found.includes(scanned), `${detail}: ${sql}`);
    }
    // What waits for its place in the audit's chain may be millions: it comes in order as it is.
    if (!sql.includes("audit_events_unsealed")) continue;
    for (const { detail } of plan) assert.doesNotMatch(String(detail), /TEMP B-TREE/, sql);
  }
  database.close();
});

withFile(
  "what waits costs a claim nothing: each reads its index in its order, up to the present",
  async (file) => {
    const store = openSqliteStore({ file: file.file, encryption, now: NOW });
    const { statements } = store;
    await store.close();
    const database = new DatabaseSync(file.file);
    const planOf = (statement: RegExp) => {
      const [sql, ...others] = statements.filter((one) => statement.test(one));
      assert.ok(sql !== undefined && others.length === 0, String(statement));
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
      return plan.map(({ detail }) => detail).join("; ");
    };
    for (const [statement, step] of [
      [/UPDATE inquiries SET lease_worker = :worker/, "INDEX inquiries_due (due_at<?)"],
      [/UPDATE outbox SET lease_worker = :worker/, "INDEX outbox_queued (due_at<?)"],
      [/UPDATE sign_outs SET lease_worker = :worker/, "INDEX sign_outs_due (due_at<?)"],
      [/UPDATE audit_verifications SET state = 'running'/, "INDEX audit_verifications_due (due_at<?)"],
      [/SELECT due_at FROM outbox/, "INDEX outbox_queued (due_at>?)"],
      [/SELECT mailbox_hash FROM outbox/, "INDEX outbox_held (due_at<?)"],
      [/SELECT id, request_id, profile_hash FROM outbox/, "INDEX outbox_held_in_order (mailbox_hash=?)"],
      [/SELECT id, message_id, recipient, sealed_content/, "INDEX outbox_held_in_order (mailbox_hash=?)"],
      [/INDEXED BY outbox_held_of_asker/, "outbox_held_of_asker (profile_hash=? AND asker_hash=?)"],
      [/SELECT request_id FROM outbox INDEXED BY outbox_carried/, "outbox_carried (carried_by=?)"],
      [
        /SELECT rowid FROM outbox INDEXED BY outbox_held_of_mailbox/,
        "outbox_held_of_mailbox (mailbox_hash=? AND due_at<?)",
      ],
      [
        /SELECT rowid FROM outbox INDEXED BY outbox_held_of_profile/,
        "outbox_held_of_profile (profile_hash=? AND due_at<?)",
      ],
      [
        /FROM selections s\s+WHERE s\.profile_id = :profileId AND s\.grant_id > :id/,
        "(profile_id=? AND grant_id>?)",
      ],
    ] as const) {
      const plan = planOf(statement);
      assert.ok(plan.includes(step) && !plan.includes("TEMP B-TREE"), plan);
    }
    database.close();
  },
);

withFile(
  "what is asked of one session's selections costs no more for a client that has very many",
  async (file) => {
    const store = openSqliteStore({ file: file.file, encryption, now: NOW });
    const { statements } = store;
    await store.close();
    const database = new DatabaseSync(file.file);
    const asked = statements.filter((one) => /selections s\b[^;]*session_uid = :sessionUid/.test(one));
    assert.ok(asked.length >= 4);
    for (const sql of asked) {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail));
      const ofSelections = plan.filter((step) => /^SEARCH s |^SCAN s\b/.test(step));
      for (const step of ofSelections)
        assert.match(
          step,
          /selections_(?:by|of)_session|selections_sessions_of_account \(account_id=\? AND session_uid=\?/,
          sql,
        );
    }
    database.close();
  },
);
