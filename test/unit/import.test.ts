/** `liaison import` as it is used: in a process of its own, on files, with a database of its own. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { COLUMNS } from "../../src/admin/import/columns.ts";
import { createProgress } from "../../src/cli/progress.ts";
import { aDeployment, aRow, csvOf, type Deployment, type Values } from "../support/import-fixture.ts";

function withDeployment(name: string, body: (deployment: Deployment) => Promise<void>): void {
  it(name, async () => {
    const deployment = await aDeployment();
    try {
      await body(deployment);
    } finally {
      await deployment.remove();
    }
  });
}

async function fileIn({ folder }: Deployment, text: string, name = "rows.csv"): Promise<string> {
  await writeFile(join(folder, name), text);
  return name;
}

const person = (index: number, overrides: Partial<Values> = {}) =>
  aRow({ profile_id: `p-${index}`, email: `p${index}@contoso.example`, ...overrides });

const linesOf = (stderr: string) =>
  [...stderr.matchAll(/^line (\d+)(?:, (\w+))?: /gm)].map(([, line, column]) => [line, column]);

describe("liaison import", { concurrency: 3 }, () => {
  withDeployment(
    "a mark, semicolons, CR LF: added, then unchanged and not a byte written",
    async (deployment) => {
      const rows = [
        person(1),
        person(2, { name: "Bo\nLund" }),
        person(3, { organization_id: "org-2", kind: "customer" }),
      ];
      const file = await fileIn(deployment, csvOf(rows, { delimiter: ";", lineEnd: "\r\n", mark: true }));
      const first = await deployment.import([file]);
      assert.equal(first.code, 0, first.stderr);
      assert.equal(first.stderr, "");
      assert.match(
        first.stdout,
        /^organizations +2 +0 +0 +0\nprofiles +3 +0 +0 +0\n3 rows, 0 of them bad\n/m,
      );
      const { organizations, profiles, events } = deployment.contents();
      assert.deepEqual([organizations.length, profiles.length, events.length], [2, 3, 5]);
      const bytes = readFileSync(deployment.database);
      const second = await deployment.import([file]);
      assert.equal(second.code, 0);
      assert.match(second.stdout, /^organizations +0 +0 +2 +0\nprofiles +0 +0 +3 +0$/m);
      assert.ok(readFileSync(deployment.database).equals(bytes), "the second run wrote something");
    },
  );

  withDeployment("five bad rows: five line numbers, 1, the other rows written", async (deployment) => {
    const good = [person(1), person(2, { name: "two\nlines" }), person(3)];
    const bad = [
      person(4, { email: "nobody" }),
      person(5, { plan_expires: "2026-02-30" }),
      person(1),
      person(6, { account_number: "Other" }),
      person(7, { kind: "operator", organization_id: "org-9", roles: "admin" }),
    ];
    const rows = [good[0], bad[0], good[1], bad[1], bad[2], bad[3], bad[4], good[2]].flatMap(
      (row) => row ?? [],
    );
    const { code, stdout, stderr } = await deployment.import([await fileIn(deployment, csvOf(rows))]);
    assert.equal(code, 1);
    assert.deepEqual(linesOf(stderr), [
      ["3", "email"],
      ["6", "plan_expires"],
      ["7", "profile_id"],
      ["8", "account_number"],
      ["9", "kind"],
    ]);
    assert.match(stdout, /^organizations +1 +0 +0 +1\nprofiles +3 +0 +0 +5\n8 rows, 5 of them bad\n/m);
    const { profiles, events } = deployment.contents();
    assert.deepEqual(
      profiles.map((profile) => (profile as { id: string }).id),
      ["p-1", "p-2", "p-3"],
    );
    const refused = events.filter((event) => (event as { action: string }).action === "import.refused");
    assert.deepEqual(
      refused.map((event) => JSON.parse((event as { detail: string }).detail)),
      [{ reason: "administration", rows: 1, firstLine: 9 }],
    );
  });

  withDeployment("broken lines and bytes cost themselves alone", async (deployment) => {
    const [header = "", one = "", two = "", three = "", four = ""] = csvOf(
      [1, 2, 3, 4].map((n) => person(n)),
    ).split("\n");
    const broken = two
      .replace("Anna Berg", 'Anna "B" Berg')
      .replace('"Anna', "Anna")
      .replace('økonomi"', "økonomi");
    const bytes = Buffer.concat([
      Buffer.from(`${header}\n${one}\n${broken}\n`),
      Buffer.from(`${three}\n`, "latin1"),
      Buffer.from(`${four.split(",").slice(0, 5).join(",")}\n${four}\n`),
    ]);
    const { code, stderr } = await deployment.import(["-"], { input: bytes });
    assert.equal(code, 1);
    assert.deepEqual(linesOf(stderr), [
      ["3", undefined],
      ["4", "name"],
      ["4", "roles"],
      ["5", undefined],
    ]);
    assert.match(stderr, /line 5: the row has \d+ values, the header names 12/);
    assert.equal(deployment.contents().profiles.length, 2);
  });

  withDeployment("a dry run shows each field, and writes nothing", async (deployment) => {
    const file = await fileIn(deployment, csvOf([person(1), person(2)]));
    const empty = await deployment.import([file, "--dry-run"]);
    assert.equal(empty.code, 0, empty.stderr);
    assert.match(
      empty.stdout,
      /^line 2: \+ organization "org-1"\n {4}organization_name: "Contoso "Nordic", A\/S"$/m,
    );
    assert.match(empty.stdout, /^line 3: \+ profile "p-2"$/m);
    assert.equal(empty.stdout.match(/\+ organization/g)?.length, 1);
    assert.match(
      empty.stdout,
      /^organizations +1 +0 +0 +0\nprofiles +2 +0 +0 +0\n.*dry run: nothing was written/m,
    );
    assert.ok(!existsSync(deployment.database));

    await deployment.import([file]);
    const before = readFileSync(deployment.database);
    const edits = { plan_expires: "2027-12-31", organization_status: "disabled" };
    const edited = csvOf([
      person(1, { ...edits, email: "new@contoso.example", roles: "" }),
      person(2, edits),
    ]);
    const { stdout } = await deployment.import([await fileIn(deployment, edited, "edited.csv"), "--dry-run"]);
    assert.equal(
      stdout.slice(0, stdout.indexOf("         ")),
      `line 2: ~ organization "org-1"
    organization_status: "enabled" → "disabled"
    plan_expires: "2027-03-28" → "2027-12-31"
line 2: ~ profile "p-1"
    email: "p1@contoso.example" → "new@contoso.example"
    roles: "billing|Søg & ret" → ""
`,
    );
    assert.ok(readFileSync(deployment.database).equals(before));
  });

  withDeployment("--json: one object, bad rows and changes in it", async (deployment) => {
    const file = await fileIn(deployment, csvOf([person(1), person(2, { kind: "x" })]));
    const { code, stdout, stderr } = await deployment.import([file, "--json", "--dry-run"]);
    assert.equal(code, 1);
    assert.equal(stderr, "");
    const report = JSON.parse(stdout) as { rows: { line: number }[] };
    assert.deepEqual(
      report.rows.map(({ line }) => line),
      [2, 3],
    );
    const problem = '"x" is unknown; write customer or partner';
    assert.deepEqual(report.rows[1], { line: 3, errors: [{ column: "kind", problem }] });
    assert.deepEqual(
      { ...report, rows: [] },
      {
        file,
        dry_run: true,
        rows: [],
        row_count: 2,
        bad_rows: 1,
        revoked_grants: 0,
        stopped: null,
        organizations: { added: 1, changed: 0, unchanged: 0, failed: 0 },
        profiles: { added: 1, changed: 0, unchanged: 0, failed: 1 },
      },
    );
    const quiet = await deployment.import([await fileIn(deployment, csvOf([]), "empty.csv"), "--json"]);
    assert.deepEqual((JSON.parse(quiet.stdout) as { rows: unknown[] }).rows, []);
  });

  withDeployment(
    "wrong calls and headers: 2, nothing written; A8: admin_role is refused and audited",
    async (deployment) => {
      const cases: [words: string[], input: string, stderr: RegExp][] = [
        [[], "", /Name a CSV file, or - for standard input/],
        [["none.csv"], "", /none\.csv doesn't exist/],
        [["."], "", /is a folder/],
        [["-"], "", /line 1: the file is empty/],
        [["-"], "a,b\n1,2\n", /line 1: the header lacks organization_id, /],
        [["-"], csvOf([person(1)], { columns: [...COLUMNS, "admin_role"] }), /no column admin_role/],
      ];
      for (const [words, input, expected] of cases) {
        const { code, stdout, stderr } = await deployment.import(words, { input });
        assert.deepEqual([code, stdout], [2, ""]);
        assert.match(stderr, expected);
        assert.doesNotMatch(stderr, /\n\s+at /);
      }
      const { profiles, events } = deployment.contents();
      assert.deepEqual(profiles, []);
      assert.deepEqual(
        events.map((event) => (event as { action: string }).action),
        ["import.refused"],
      );
    },
  );

  withDeployment(
    "A8: an administrator's profile is never changed, nor the operator's organization",
    async (deployment) => {
      const rows = [person(1), person(2, { organization_id: "org-2" })];
      await deployment.import(["-"], { input: csvOf(rows) });
      const database = new DatabaseSync(deployment.database);
      database.exec(`UPDATE profiles SET admin_role = 'owner' WHERE id = 'p-1';
      UPDATE organizations SET kind = 'operator' WHERE id = 'org-2'`);
      database.close();
      const before = deployment.contents();
      const same = await deployment.import(["-"], { input: csvOf(rows.slice(0, 1)) });
      assert.equal(same.code, 0, "what an administrator's row leaves alone is no attempt");
      const edited = rows.map((row) => ({ ...row, email: "eve@contoso.example" }));
      const { code, stderr } = await deployment.import(["-"], { input: csvOf(edited) });
      assert.equal(code, 1);
      assert.deepEqual(linesOf(stderr), [
        ["2", "profile_id"],
        ["3", "organization_id"],
      ]);
      const after = deployment.contents();
      assert.deepEqual([after.organizations, after.profiles], [before.organizations, before.profiles]);
      assert.equal(after.events.length, before.events.length + 1);
    },
  );
});

describe("the progress bar", () => {
  function drawn(stream: PassThrough, totalBytes: number | undefined) {
    let now = 0;
    const progress = createProgress({ stream, totalBytes, elapsed: () => now });
    progress.show({ rows: 0, bytes: 0 });
    now = 2000;
    progress.show({ rows: 500, bytes: 250 });
    progress.show({ rows: 501, bytes: 251 });
    progress.clear();
    progress.clear();
    return String(stream.read() ?? "").split("\r\u001b[K");
  }

  it("on a terminal: share, rows a second, time left", () => {
    assert.deepEqual(drawn(Object.assign(new PassThrough(), { isTTY: true }), 1000), [
      "",
      "[------------------------------] 0%  0 rows  0 rows/s",
      "[########----------------------] 25%  500 rows  250 rows/s  6 s left",
      "",
    ]);
  });

  it("of unknown length: rows alone", () => {
    const lines = drawn(Object.assign(new PassThrough(), { isTTY: true }), undefined);
    assert.equal(lines[2], "500 rows  250 rows/s");
  });

  it("elsewhere: nothing", () => assert.deepEqual(drawn(new PassThrough(), 1000), [""]));
});
