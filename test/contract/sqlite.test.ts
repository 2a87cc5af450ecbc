/**
 * Runs the storage suite against the SQLite back end, and then asks SQLite how it carries out each statement
 * that was prepared meanwhile: general steps prepare theirs when they are first asked for, so that the list
 * is whole once the suite has come by every step of every intention.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { SqliteStore } from "../../src/storage/sqlite/store.ts";
import { countCarriedOut } from "./carried-out.ts";

const uncovered = countCarriedOut();
// Loaded once that is counted.
const { temporaryFile } = await import("./sqlite-support.ts");
const { storageContract } = await import("./suite.ts");

const statements = new Set<string>();

storageContract({
  name: "sqlite",
  async open() {
    const file = temporaryFile();
    const stores: SqliteStore[] = [];
    const open = async () => {
      const store = await file.open();
      stores.push(store);
      return store;
    };
    return {
      store: await open(),
      second: open,
      async destroy() {
        for (const store of stores) for (const sql of store.statements) statements.add(sql);
        await file.destroy();
      },
    };
  },
});

describe("sqlite: the statements", () => {
  const file = temporaryFile();
  let database: DatabaseSync;
  before(async () => {
    await (await file.open()).close();
    database = new DatabaseSync(file.file);
  });
  after(() => {
    database?.close();
    return file.destroy();
  });

  const planOf = (sql: string) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail));

  it("are all of them: the suite comes by every step of every intention", () => {
    // What an object chooses between is another statement each.
    const names =
      "get|getAll|list|first|insert|put|update|take|remove|call|inserted|replaced|updated|removed";
    const steps = new RegExp(`(?<![.\\w])(?:${names})(?:<\\w+>)?\\(|^[?:] \\{`);
    const left = uncovered().filter(({ text }) => steps.test(text));
    assert.deepEqual(
      left.map(({ place }) => place),
      [],
    );
    assert.ok(statements.size > 250, `only ${statements.size} statements`);
  });

  it("are answered by an index, each", () => {
    for (const sql of statements) {
      // Prepared to be checked, and run by nobody: a mail may be of it.
      if (sql === "DELETE FROM link_requests WHERE id = ?") continue;
      const plan = planOf(sql);
      // What a subquery has found is read as a whole: how it found that is a step of its own. So is a list
      // that was given.
      const found = plan.flatMap((step) => /^(?:MATERIALIZE|CO-ROUTINE) (.+)$/.exec(step)?.[1] ?? []);
      for (const step of plan) {
        const scanned = /\bSCAN (\S+)/.exec(step)?.[1];
        const isTable = scanned !== undefined && scanned !== "json_each" && !found.includes(scanned);
        assert.ok(!isTable, `${step}: ${sql}`);
      }
    }
  });

  it("that know keys look at nothing else", () => {
    const byKeys = [...statements].filter((sql) =>
      /^(?:UPDATE|DELETE).* WHERE .*\b(?:IN \(SELECT value|(?:id|grant_id|key|key_hash|entry) = \?)/.test(
        sql,
      ),
    );
    assert.ok(byKeys.length > 60, String(byKeys.length));
    for (const sql of byKeys) {
      const [first = ""] = planOf(sql);
      assert.match(
        first,
        /_autoindex_|PRIMARY KEY|selections_by_grant|link_requests_by_secret|outbox_carried/,
        `${first}: ${sql}`,
      );
    }
  });

  it("sort nothing where there may be very much", () => {
    // What waits for its place in the audit's chain may be millions: it comes in order as it is. An account's
    // profiles, a session's selections and what selections had replaced are few.
    const few = [
      /\bprofiles WHERE account_id/,
      /FROM selections s\b/,
      /FROM selections WHERE replaced_by (?:IN|=)/,
    ];
    for (const sql of statements) {
      if (few.some((one) => one.test(sql))) continue;
      for (const step of planOf(sql)) assert.doesNotMatch(step, /TEMP B-TREE/, sql);
    }
  });

  it("that claim read their index in its order, up to the present: what waits costs nothing", () => {
    for (const [statement, step] of [
      [/UPDATE inquiries SET lease_worker.* WHERE rowid = /, "INDEX inquiries_due (due_at<?)"],
      [/UPDATE outbox SET lease_worker.* WHERE rowid = /, "INDEX outbox_queued (due_at<?)"],
      [/UPDATE sign_outs SET lease_worker.* WHERE rowid = /, "INDEX sign_outs_due (due_at<?)"],
      [/FROM audit_verifications WHERE due_at <= \S+ ORDER BY/, "INDEX audit_verifications_due (due_at<?)"],
      [/UPDATE endings SET lease_worker.* WHERE key = \(/, "INDEX endings_due (due_at>? AND due_at<?)"],
      [/FROM outbox INDEXED BY outbox_queued WHERE .*due_at >= /, "INDEX outbox_queued (due_at>?)"],
      [/FROM outbox INDEXED BY outbox_held WHERE .*due_at <= /, "INDEX outbox_held (due_at<?)"],
      [/outbox_held_in_order WHERE .*due_at <= .*LIMIT/, "INDEX outbox_held_in_order (mailbox_hash=?)"],
      [/outbox_held_in_order WHERE (?!.*due_at <= ).*LIMIT/, "INDEX outbox_held_in_order (mailbox_hash=?)"],
      [/INDEXED BY outbox_held_of_asker/, "outbox_held_of_asker (profile_hash=? AND asker_hash=?)"],
      [/INDEXED BY outbox_carried/, "outbox_carried (carried_by=?)"],
      [/INDEXED BY outbox_held_of_mailbox/, "outbox_held_of_mailbox (mailbox_hash=? AND due_at<?)"],
      [/INDEXED BY outbox_held_of_profile/, "outbox_held_of_profile (profile_hash=? AND due_at<?)"],
      [/INDEXED BY outbox_put_off/, "outbox_put_off (created_at<?)"],
      [
        /FROM audit_events INDEXED BY audit_events_unsealed .* ORDER BY/,
        "audit_events_unsealed (chain_seq=?)",
      ],
      [
        /FROM selections WHERE profile_id = \? AND \(grant_id\) > .* LIMIT/,
        "selections_of_profile (profile_id=? AND grant_id>?)",
      ],
    ] as const) {
      const [sql, ...others] = [...statements].filter((one) => statement.test(one));
      assert.ok(sql !== undefined && others.length === 0, [statement, sql, ...others].join("\n"));
      const plan = planOf(sql).join("; ");
      assert.ok(plan.includes(step) && !plan.includes("TEMP B-TREE"), `${plan}: ${sql}`);
    }
  });

  it("that ask for one session's selections cost no more for a client that has very many", () => {
    const asked = [...statements].filter((one) => /\bselections\b[^;]*session_uid (?:=|IN)/.test(one));
    assert.ok(asked.length >= 8, String(asked.length));
    for (const sql of asked) {
      const plan = planOf(sql);
      // What a subquery has found is called so, too.
      const reads = plan.includes("CO-ROUTINE s")
        ? /^SEARCH selections\b/
        : /^(?:SEARCH|SCAN) (?:s|selections)\b/;
      for (const step of plan.filter((one) => reads.test(one)))
        assert.match(
          step,
          /selections_(?:by|of)_session|selections_sessions_of_account \(account_id=\? AND session_uid[=>]\?/,
          sql,
        );
    }
  });
});
