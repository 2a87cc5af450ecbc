/**
 * A file read out for another back end: page by page, from any place on, beside others, whose writes are
 * noticed.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { LiaisonError } from "../../src/errors.ts";
import type { Dump, DumpedKind, DumpedRecord, Place } from "../../src/storage/dump.ts";
import { DUMPED } from "../../src/storage/dumped-records.ts";
import { createFieldEncryption } from "../../src/storage/field-encryption.ts";
import { columnOf } from "../../src/storage/fields.ts";
import { withSqliteDump } from "../../src/storage/sqlite/store.ts";
import { aClient, anAuditEvent, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import { registerClient } from "../support/stored-clients.ts";
import { bound, present } from "./back-end.ts";
import { ENCRYPTION_KEY, temporaryFile } from "./sqlite-support.ts";

const encryption = createFieldEncryption(ENCRYPTION_KEY);

function readAll(dump: Dump, kind: DumpedKind, limit: number, after?: Place): DumpedRecord[] {
  const page = dump.read(kind, after, limit);
  const last = page.at(-1);
  return last === undefined ? [] : [...page, ...readAll(dump, kind, limit, last.place)];
}

test(
  "sqlite dump: pages of any size hold every record once, in one order, and reading goes on from any " +
    "place",
  async () => {
    const file = temporaryFile();
    const store = await file.open();
    for (const name of ["one", "two", "three"]) {
      const { account, profile } = await bound(store);
      const selection = aSelection({ accountId: account.id, profileId: profile.id });
      present(await store.accountsAtClients.select(selection, NOW));
      await store.administration.addCounts([{ name, hour: NOW, count: 5 }], name, NOW);
      await store.artifacts.upsert("AccessToken", hashOf(name), { name }, {}, NOW + MINUTE);
      const session = { uid: `uid-${name}`, accountId: account.id, authorizations: {}, removed: [] };
      for (const part of ["old", "new"]) {
        await store.artifacts.upsertSession(hashOf(`${name}-${part}`), { name }, session, NOW + MINUTE);
      }
      await registerClient(store, aClient());
    }
    await withSqliteDump({ file: file.file, encryption }, async (dump) => {
      const sizes = new Map<string, number>();
      for (const kind of dump.kinds) {
        const all = dump.read(kind, undefined, 999);
        sizes.set(kind, all.length);
        assert.equal(dump.count(kind), all.length, kind);
        assert.deepEqual(readAll(dump, kind, 1), all, kind);
        assert.deepEqual(readAll(dump, kind, 2), all, kind);
        for (const [index, { place }] of all.entries()) {
          assert.deepEqual(dump.read(kind, place, 999), all.slice(index + 1), kind);
        }
      }
      for (const kind of ["artifacts", "sessions", "counters", "clients", "selections"])
        assert.equal(sizes.get(kind), 3, kind);
      for (const kind of ["profiles", "searchTerms", "auditEvents", "outbox"])
        assert.ok((sizes.get(kind) ?? 0) >= 3, kind);
      dump.refuseChanged();
    });
    await file.destroy();
  },
);

test("sqlite dump: others read and write meanwhile, and that they wrote is noticed", async () => {
  const file = temporaryFile();
  const store = await file.open();
  await store.audit.append(anAuditEvent());
  await withSqliteDump({ file: file.file, encryption }, async (dump) => {
    const before = dump.read("auditEvents", undefined, 9);
    await store.audit.list({ limit: 1 });
    dump.refuseChanged();
    const event = anAuditEvent();
    await store.audit.append(event);
    const behind = dump.read("auditEvents", before.at(-1)?.place, 9);
    assert.deepEqual(
      behind.map(({ fields }) => fields["id"]),
      [event.id],
    );
    assert.throws(
      () => dump.refuseChanged(),
      (error) =>
        error instanceof LiaisonError &&
        error.code === "store_refused" &&
        /Stop every broker on it/.test(error.message),
    );
  });
  await file.destroy();
});

test("sqlite dump: every column is read out, but for what each back end has of its own", async () => {
  const file = temporaryFile();
  await (await file.open()).close();
  const database = new DatabaseSync(file.file);
  const columns = database
    .prepare(
      "SELECT t.name || '.' || c.name AS name FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c " +
        "WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid",
    )
    .all()
    .map(({ name }) => String(name));
  database.close();
  // What an expression merely asks about isn't read by it.
  const within = (table: string, expression: string) =>
    [...expression.replaceAll(/\S+ IS NULL|WHERE .*/g, "").matchAll(/(c\.)?(\w+)/g)].map(
      ([, client, word]) => `${client === undefined ? table : "session_clients"}.${word}`,
    );
  const read = Object.values(DUMPED).flatMap(({ table, fields }) =>
    Object.entries(fields).flatMap(([name, field]) =>
      typeof field.computed === "string"
        ? within(table, field.computed)
        : [`${table}.${columnOf(name, field)}`],
    ),
  );
  const left = columns.filter(
    (column) => !read.includes(column) && !/^(?:meta|migrations|leases)\./.test(column),
  );
  // The session that a share is of is read with its rows.
  assert.deepEqual(left, ["session_clients.session_uid", "upstream_transactions.attempt_hash"]);
  await file.destroy();
});
