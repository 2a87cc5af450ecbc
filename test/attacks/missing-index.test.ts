/** A database without an index that single use rests on: D4 of the threat list, as an operator meets it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openStore } from "../../src/storage/open.ts";
import { ENCRYPTION_KEY, type TemporaryFile, temporaryFile } from "../contract/sqlite-support.ts";

const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));

interface UniqueIndex {
  table: string;
  columns: string[];
  name: string;
  /** Made by CREATE INDEX, and not by the table's own primary key. */
  isDroppable: boolean;
}

function uniqueIndexes(database: DatabaseSync): UniqueIndex[] {
  const rows = database
    .prepare(
      `SELECT t.name AS "table", l.name AS name, l.origin AS origin,
         (SELECT group_concat(i.name, ',' ORDER BY i.seqno) FROM pragma_index_info(l.name) i) AS columns
       FROM sqlite_schema t, pragma_index_list(t.name) l WHERE t.type = 'table' AND l."unique" = 1`,
    )
    .all();
  return rows.map((row) => ({
    table: String(row["table"]),
    columns: String(row["columns"]).split(","),
    name: String(row["name"]),
    isDroppable: row["origin"] === "c",
  }));
}

/** Takes an index away; that of a primary key by making the table anew without one. */
function remove(file: string, { table, name, isDroppable }: UniqueIndex): void {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  if (isDroppable) database.exec(`DROP INDEX "${name}"`);
  else {
    const others = database
      .prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL")
      .all(table);
    database.exec(`CREATE TABLE kept AS SELECT * FROM ${table}; DROP TABLE ${table};
      PRAGMA legacy_alter_table = ON; ALTER TABLE kept RENAME TO ${table}`);
    for (const { sql } of others) database.exec(String(sql));
  }
  database.close();
}

describe("D4: a database that lacks a unique index", () => {
  let file: TemporaryFile;
  let indexes: UniqueIndex[];
  before(async () => {
    file = temporaryFile();
    await (await file.open()).close();
    const database = new DatabaseSync(file.file);
    indexes = uniqueIndexes(database);
    database.close();
  });
  after(() => file?.destroy());

  /** `liaison serve` on a database, as a process; one that starts after all is asked to stop. */
  async function serve(
    databaseFile: string,
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const config = databaseFile.replace(/\.db$/, ".yaml");
    writeFileSync(
      config,
      `issuer: http://localhost:4400
encryption_key: ${ENCRYPTION_KEY}
listen: { port: 0 }
storage: { sqlite: { file: ${JSON.stringify(databaseFile)} } }
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
    );
    const child = spawn(process.execPath, [bin, "serve", "--config", config], {
      env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: join(file.folder, "compiled") },
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk;
      if (output.stdout.includes('"listening"')) child.kill("SIGTERM");
    });
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk;
    });
    const [code] = await once(child, "close");
    return { code, ...output };
  }

  it("D4: there is an index to miss for everything that is used once or exists once", () => {
    const covered = indexes.map(({ table, columns }) => `${table} (${columns})`);
    for (const index of [
      "identities (issuer,subject)",
      "profiles (id)",
      "link_requests (secret_hash)",
      "artifacts (model,id_hash)",
      "selections (session_uid,client_id)",
      "upstream_transactions (state_hash)",
      "throttles (key_hash)",
    ]) {
      assert.ok(covered.includes(index), index);
    }
    assert.ok(indexes.length >= 18, covered.join());
  });

  it(
    "D4: `liaison serve` refuses to start without any one of them: exit code 1, its name, and a fix that " +
      "works",
    async () => {
      const lanes = [...indexes];
      const lane = async () => {
        for (let index = lanes.pop(); index !== undefined; index = lanes.pop()) {
          const { table, columns } = index;
          const what = `${table} (${columns})`;
          const copy = join(file.folder, `${table}-${columns.join("-")}.db`);
          copyFileSync(file.file, copy);
          remove(copy, index);
          const untouched = readFileSync(copy);

          const refused = await serve(copy);
          assert.equal(refused.code, 1, `${what}: ${refused.stdout}`);
          assert.ok(
            refused.stderr.includes(`lacks the unique index on ${what}`),
            `${what}: ${refused.stderr}`,
          );
          assert.doesNotMatch(refused.stderr, /^\s+at /m, "no stack for what is expected");
          assert.deepEqual(readFileSync(copy), untouched, `${what}: it changed the file`);

          const fix =
            /sqlite3 \S+ "(CREATE UNIQUE INDEX [^"]+)"/.exec(refused.stderr)?.[1] ??
            assert.fail(refused.stderr);
          const database = new DatabaseSync(copy);
          database.exec(fix);
          database.close();
          await (await openStore({ sqlite: { file: copy }, encryptionKey: ENCRYPTION_KEY })).close();
        }
      };
      await Promise.all(Array.from({ length: 4 }, lane));
    },
  );
});
