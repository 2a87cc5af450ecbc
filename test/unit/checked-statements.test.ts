/**
 * That SQL, its rows and their readers agree: what types say of it is marked here, each an error of tsc, so
 * that `npm run check` fails where one of them is none any more; what the schema says of it is planted in a
 * copy of the source, and the step of the check that prepares every statement must name file and line.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Account } from "../../src/domain/records.ts";
import { integer, text } from "../../src/sql-columns.ts";
import type { Collections } from "../../src/storage/mongo/documents.ts";
import type { Database } from "../../src/storage/sqlite/database.ts";
import { object, rowOf, value } from "../../src/storage/sqlite/json.ts";
import { accounts } from "../../src/storage/tables.ts";

/** Never run: readers as they must not be written. */
export function readers(database: Database): unknown[] {
  const select = database.prepare("SELECT id, created_at FROM accounts WHERE id = :id", {
    id: text,
    created_at: integer,
  });
  const row = select.get({ id: "a" });
  const account = rowOf(accounts, "a");
  const record = database.prepare(`SELECT ${account} AS record FROM accounts a`, { record: account });
  return [
    // @ts-expect-error a column misspelt
    row?.create_at,
    // @ts-expect-error one of another type
    row?.created_at.length,
    // @ts-expect-error a field of the record misspelt
    record.get()?.record.creationAt,
    // @ts-expect-error rows of a statement that says of none what they hold
    database.prepare("SELECT id FROM accounts").get(),
  ];
}

/** Never run: JSON of SQL as it must not be written. */
export const json = () => [
  // @ts-expect-error a key misspelt
  object<Account>({ id: value("id", text), createAt: value("created_at", integer) }),
  // @ts-expect-error a key left out
  object<Account>({ id: value("id", text) }),
  object<Pick<Account, "createdAt">>({
    // @ts-expect-error text where a number is read
    createdAt: value("created_at", text),
  }),
  object<{ account: Pick<Account, "createdAt"> }>({
    // @ts-expect-error a key misspelt further in
    account: object({ createAt: value("created_at", integer) }),
  }),
];

/** Never run: documents as they must not be asked for, changed or ordered. */
export const documents = ({ profiles, organizations, linkRequests, sessions }: Collections): unknown[] => [
  // @ts-expect-error a field misspelt in a filter
  profiles.findOne({ acountId: null }),
  // @ts-expect-error in a part of one
  profiles.deleteMany({ $or: [{ _id: "p" }, { emailkey: "e" }] }),
  // @ts-expect-error within a field
  linkRequests.findOne({ "requester.isuer": "i" }),
  // @ts-expect-error within one that a table has beside others
  organizations.findOne({ "plan.state": "active" }),
  // @ts-expect-error a number where an instant is kept
  profiles.findOne({ boundAt: 0 }),
  // @ts-expect-error within the items of a list
  sessions.deleteOne({ "rows.idhash": "h" }),
  // @ts-expect-error in an update
  profiles.updateOne({ _id: "p" }, { $set: { adminrole: null } }),
  // @ts-expect-error in the stage of one
  profiles.updateOne({ _id: "p" }, [{ $set: { adminrole: null } }]),
  // @ts-expect-error in a projection
  profiles.find({}, { projection: { nam: 1 } }),
  // @ts-expect-error in an order
  profiles.find({}).sort({ nam: 1 }),
  // @ts-expect-error in what an aggregation begins with
  profiles.aggregate([{ $match: { organisationId: "o" } }]),
  // @ts-expect-error in one of many writes
  profiles.bulkWrite([{ updateOne: { filter: { mail: "m" }, update: { $set: { enabled: true } } } }]),
];

/** What statements are put together from, elsewhere: told is where one that it makes wrong is prepared. */
const PARTS = [
  "storage/tables.ts",
  "storage/dumped-records.ts",
  "storage/sqlite/endings.ts",
  "storage/sqlite/migrations.ts",
  "storage/sqlite/prepare-schema.ts",
];

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("statements against a fresh schema", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-planted-"));
    for (const part of ["src", "lint", "package.json"]) {
      await cp(join(root, part), join(folder, part), { recursive: true });
    }
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const check = () =>
    new Promise<string[]>((resolve) => {
      const file = join(folder, "lint/statements.ts");
      execFile(process.execPath, [file], (error, _stdout, stderr) => {
        resolve(error === null ? [] : stderr.trim().split("\n"));
      });
    });

  it("all agree", async () => {
    assert.deepEqual(await check(), []);
  });

  it("JSON that a file holds is of no type before it was checked", async () => {
    const sources = join(root, "src/storage/sqlite");
    const parsing: string[] = [];
    for (const file of await readdir(sources)) {
      const lines = (await readFile(join(sources, file), "utf8")).split("\n");
      parsing.push(...lines.filter((line) => line.includes("JSON.parse(")));
    }
    assert.ok(parsing.length > 0);
    for (const line of parsing)
      assert.match(line, /^\s*const \w+: unknown = JSON\.parse\([^()]*(?:\([^()]*\))?\);$/);
  });

  const plants: { what: string; file: string; from: string; to: string; says: RegExp }[] = [
    {
      what: "a column misspelt in a SELECT",
      file: "storage/sqlite/sessions.ts",
      from: "SELECT account_id FROM artifacts",
      to: "SELECT acount_id FROM artifacts",
      says: /no such column: acount_id/,
    },
    {
      what: "in an INSERT",
      file: "storage/sqlite/artifacts.ts",
      from: "INSERT INTO artifacts (model, id_hash, expires_at)",
      to: "INSERT INTO artifacts (model, id_hash, expire_at)",
      says: /no column named expire_at/,
    },
    {
      what: "in a WHERE",
      file: "storage/sqlite/accounts-at-clients.ts",
      from: "WHERE account_id = a.id",
      to: "WHERE acount_id = a.id",
      says: /no such column: acount_id/,
    },
    {
      what: "in an ORDER BY",
      file: "storage/sqlite/artifacts.ts",
      from: "ORDER BY expires_at",
      to: "ORDER BY expire_at",
      says: /no such column: expire_at/,
    },
    {
      what: "in an UPDATE",
      file: "storage/sqlite/artifacts.ts",
      from: "SET consumed_at = :seconds",
      to: "SET consume_at = :seconds",
      says: /no such column: consume_at/,
    },
    {
      what: "in a statement that is put together from parts",
      file: "storage/sqlite/endings.ts",
      from: "|| s.client_id",
      to: "|| s.clientid",
      says: /no such column: s\.clientid/,
    },
    {
      what: "of a field in the table of them",
      file: "storage/tables.ts",
      from: "accountNumber: text()",
      to: "acountNumber: text()",
      says: /no such column: (?:o\.)?acount_number/,
    },
    {
      what: "of one that is called otherwise in SQL",
      file: "storage/tables.ts",
      from: 'column: "recipient"',
      to: 'column: "recipients"',
      says: /no such column: recipients/,
    },
    {
      what: "in what is computed of others",
      file: "storage/tables.ts",
      from: "iif(settled_at IS NULL",
      to: "iif(settle_at IS NULL",
      says: /no such column: settle_at/,
    },
    {
      what: "of what tells rows from each other",
      file: "storage/tables.ts",
      from: 'column: "client_id" }),',
      to: 'column: "clientid" }),',
      says: /no such column: clientid/,
    },
    {
      what: "a table in the table of fields",
      file: "storage/tables.ts",
      from: '"searchTerms",',
      to: '"searchTerm",',
      says: /no such table: search_term/,
    },
    {
      what: "in a migration",
      file: "storage/sqlite/migrations.ts",
      from: "CREATE INDEX sign_outs_due ON sign_outs (due_at)",
      to: "CREATE INDEX sign_outs_due ON sign_outs (due)",
      says: /migrations\.ts:\d+: no such column: due/,
    },
    {
      what: "in the check of the schema",
      file: "storage/sqlite/prepare-schema.ts",
      from: "coalesce(max(version), 0)",
      to: "coalesce(max(versions), 0)",
      says: /no such column: versions/,
    },
    {
      what: "in an import's ledger",
      file: "admin/import/ledger.ts",
      from: "SELECT id, line FROM numbers",
      to: "SELECT id, row FROM numbers",
      says: /no such column: row/,
    },
    {
      what: "a table misspelt",
      file: "storage/sqlite/artifacts.ts",
      from: "INSERT INTO artifacts (model, id_hash, expires_at)",
      to: "INSERT INTO artifact (model, id_hash, expires_at)",
      says: /no such table: artifact/,
    },
    {
      what: "a column that the reader calls otherwise",
      file: "storage/sqlite/throttles.ts",
      from: "AS left FROM",
      to: "AS remaining FROM",
      says: /gives \(remaining\), read are \(left\)/,
    },
    {
      what: "a column that nobody reads",
      file: "storage/sqlite/sessions.ts",
      from: "SELECT sid FROM session_clients",
      to: "SELECT sid, grant_id FROM session_clients",
      says: /gives \(sid, grant_id\), read are \(sid\)/,
    },
    {
      what: "a record that is read as another",
      file: "storage/sqlite/accounts-at-clients.ts",
      from: "SELECTION_JSON} AS selection,",
      to: "SELECTION_JSON.toString().replace('expiresAt', 'expireAt')} AS selection,",
      says: /selection is read as what another expression gives/,
    },
    {
      what: "a statement that is prepared only later",
      file: "storage/sqlite/native-steps.ts",
      from: "excludeOwners: () => {}",
      to: 'excludeOwners: () => void database.prepare("SELECT 1").isAny()',
      says: /prepares a statement that no fresh store prepares/,
    },
  ];
  for (const { what, file, from, to, says } of plants) {
    it(what, async () => {
      const path = join(folder, "src", file);
      const source = await readFile(path, "utf8");
      const line = source.slice(0, source.indexOf(from)).split("\n").length;
      assert.ok(source.includes(from), "nothing to be planted");
      await writeFile(path, source.replaceAll(from, to));
      const told = await check();
      await writeFile(path, source);
      const [first = ""] = told;
      assert.match(first, says);
      const lines = [...first.matchAll(new RegExp(`src/${file}:(\\d+)`, "g"))].map(([, told]) =>
        Number(told),
      );
      assert.match(first, /^src\/[a-z/-]+\.ts:\d+/);
      if (!PARTS.includes(file))
        assert.ok(
          lines.some((one) => Math.abs(one - line) < 12),
          first,
        );
    });
  }
});
