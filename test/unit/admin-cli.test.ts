/**
 * The command line of the administration without anything behind it: words, flags, help, and how answers are
 * written.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, it } from "node:test";
import { brokerUrl } from "../../src/admin/command-remote.ts";
import type { Definition } from "../../src/admin/definitions/definition.ts";
import { definitions, operations, readingOf } from "../../src/admin/definitions/operations.ts";
import { auditExportCommand } from "../../src/cli/administration/audit-export.ts";
import { auditVerifyCommand } from "../../src/cli/administration/audit-verify.ts";
import { rowOf } from "../../src/cli/administration/columns.ts";
import { details, verdicts } from "../../src/cli/administration/details.ts";
import { complete, type Draft, readDraft } from "../../src/cli/administration/draft.ts";
import { isList } from "../../src/cli/administration/lists.ts";
import { administrationCommands } from "../../src/cli/administration/operation-commands.ts";
import type { Command } from "../../src/cli/command.ts";
import { jsonLine } from "../../src/cli/output.ts";
import { run } from "../../src/cli/run.ts";
import { table } from "../../src/cli/table.ts";
import { systemClock } from "../../src/clock.ts";
import { readToken } from "../../src/config/token.ts";
import { LiaisonError } from "../../src/errors.ts";

const commands = [
  ...administrationCommands(systemClock),
  auditVerifyCommand(systemClock),
  auditExportCommand(systemClock),
];

async function say(words: readonly string[], all: readonly Command[] = commands) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await run(words, all, { stdout, stderr, signal: new AbortController().signal });
  return { code, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

/** The words of an example as a shell would split them. */
const wordsOf = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

const named = (name: string): Definition =>
  definitions.find(({ command }) => command?.name === name) ?? assert.fail(`no command ${name}`);

/** What words become, with the command replaced by its reading alone. */
async function draftOf(words: readonly string[]): Promise<Draft & { stderr: string; code: number }> {
  let draft: Draft = { input: {}, parts: new Map() };
  const reading = administrationCommands(systemClock).map((command) => ({
    ...command,
    run: async (call: Parameters<Command["run"]>[0]) => {
      draft = readDraft(named(command.name), call);
      return 0 as const;
    },
  }));
  const { code, stderr } = await say(words, reading);
  return { ...draft, code, stderr };
}

describe("commands of the administration", () => {
  for (const command of commands) {
    it(`${command.name}: help with examples, which the command takes`, async () => {
      const { code, stdout, stderr } = await say([...command.name.split(" "), "--help"]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /\nExamples:\n {2}liaison /);
      assert.match(stdout, /--url URL .*\n.*--token-file FILE /);
      assert.ok(command.examples.some((example) => example.includes("--url https://")));
      for (const [name, { takes, summary }] of Object.entries(command.flags)) {
        assert.notEqual(summary, "", `--${name} says nothing`);
        assert.notEqual(takes, "");
      }
      if (["audit export", "audit verify"].includes(command.name)) return;
      for (const example of command.examples) {
        assert.ok(example.startsWith(`liaison ${command.name}`), example);
        const read = await draftOf(wordsOf(example).slice(1));
        assert.deepEqual([read.code, read.stderr], [0, ""], example);
      }
    });
  }

  it("a group's help names its commands", async () => {
    const { code, stdout } = await say(["orgs", "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /orgs list .*\n.*orgs create .*\n.*orgs show .*\n.*orgs edit /);
    assert.match((await say(["orgs", "crate"])).stderr, /Did you mean orgs create\?/);
  });

  it("every list has columns, and no other has", () => {
    const lists = definitions.filter((one) => isList(one) && one.command !== undefined);
    const withColumns = definitions.filter(({ command }) => command?.columns !== undefined);
    const namesOf = (all: readonly Definition[]) => all.map(({ name }) => name);
    assert.deepEqual(namesOf(lists), namesOf(withColumns));
    assert.ok(lists.length > 9);
  });
});

describe("flags", () => {
  const wrong: [string, RegExp][] = [
    [
      "orgs create --name N --account-number 1 --kind shop",
      /--kind takes customer, partner or operator, not "shop"\./,
    ],
    ["orgs create --name N --kind customer", /--account-number is needed\./],
    [
      "orgs create --name N --account-number 1 --kind customer --plan-expires 2027-03-31",
      /needs --plan-status/,
    ],
    [
      "orgs edit n --plan-expires 2027-02-30",
      /--plan-expires takes a day as YYYY-MM-DD, or none, not "2027-02-30"/,
    ],
    ["orgs edit n --plan-status expired", /--plan-status takes active, suspended or none, not "expired"/],
    ["orgs edit n --plan-status active --plan {}", /--plan: say it so, or by the flags for each/],
    ["orgs edit n --enabled perhaps", /--enabled takes true or false, not "perhaps"/],
    ["orgs edit n", /Say by a flag what to change\./],
    ["orgs edit --name N", /Name the id\./],
    ["orgs list --limit 0", /--limit takes a whole number from 1 to 200, not "0"/],
    ["profiles edit p --email nobody", /--email: write one address, such as/],
    ["admin role p --role king", /--role takes owner, .*, auditor or none, not "king"/],
    [
      "keys create --name k --scopes admin:read,everything",
      /--scopes takes some of admin:read, .*, not "everything"/,
    ],
    [
      "clients edit c --redirect-uris https://a.example/cb,nowhere",
      /--redirect-uris: "nowhere": write an absolute/,
    ],
    ["clients edit c --access-policy customer", /--access-policy takes a JSON object, not "customer"/],
    ["clients edit c --kinds everybody", /--kinds takes customer, partner or operator, not "everybody"/],
    ["clients create --preset web --name C --roles a", /--roles need --kinds/],
    ["audit list --from yesterday", /--from: write an instant such as 2027-03-31T22:00:00Z/],
  ];
  for (const [line, text] of wrong) {
    it(`liaison ${line} → 2`, async () => {
      const { code, stderr } = await say(wordsOf(line));
      assert.equal(code, 2, stderr);
      assert.match(stderr, text);
      assert.match(stderr, /See: liaison [a-z]+ [a-z]+ --help/);
    });
  }

  it("all faults at once", async () => {
    const { stderr } = await say(wordsOf("orgs create --kind x --enabled y"));
    assert.equal(stderr.trim().split("\n").length, 5, stderr);
  });

  it("values: lists, switches, null, JSON", async () => {
    const edit = await draftOf(
      wordsOf(
        "clients edit c --redirect-uris https://a/,https://b/ --about-url none --refresh-tokens false " +
          "--scopes []",
      ),
    );
    assert.deepEqual(edit.input, {
      id: "c",
      redirect_uris: ["https://a/", "https://b/"],
      about_url: null,
      refresh_tokens: false,
      scopes: [],
    });
    assert.deepEqual((await draftOf(wordsOf("admin role p --role none"))).input, { id: "p", role: null });
    const json = await draftOf(["clients", "edit", "c", "--access-policy", '{"kinds":["partner"]}']);
    assert.deepEqual(json.input["access_policy"], { kinds: ["partner"] });
    assert.deepEqual((await draftOf(wordsOf("orgs list --limit 7"))).input, { limit: 7 });
  });

  it("single values of a plan and a policy: the rest stays, a day is sent as a day", async () => {
    const expires = await draftOf(wordsOf("orgs edit n --plan-expires 2027-03-28"));
    const zone = { time_zone: "Europe/Copenhagen" };
    const current = {
      plan: { status: "suspended", expires_at: "2027-01-01T23:00:00Z", last_day: "2027-01-01", ...zone },
    };
    assert.deepEqual(complete(expires, current), {
      id: "n",
      plan: { status: "suspended", last_day: "2027-03-28", ...zone },
    });
    const suspended = await draftOf(wordsOf("orgs edit n --plan-status active"));
    assert.deepEqual(complete(suspended, current)["plan"], { ...current.plan, status: "active" });
    const endless = await draftOf(wordsOf("orgs edit n --plan-status active --plan-expires none"));
    assert.deepEqual(complete(endless, current)["plan"], { status: "active", last_day: null, ...zone });
    const created = await draftOf(
      wordsOf("orgs create --name N --account-number 1 --kind partner --plan-status active"),
    );
    assert.deepEqual(complete(created, undefined)["plan"], { status: "active" });
    const roles = await draftOf(wordsOf("clients edit c --roles a,b"));
    const before = { access_policy: { kinds: ["partner"], plan_required: true, roles: ["x"] } };
    assert.deepEqual(complete(roles, before)["access_policy"], {
      kinds: ["partner"],
      plan_required: true,
      roles: ["a", "b"],
    });
  });

  it("ids that begin with a dash are operands", async () => {
    for (const id of ["-LyKLBVCUi8OJ63ivSZtsw", "--yKLBVCUi8OJ63ivSZtsw"]) {
      assert.equal((await draftOf(["admin", "role", id, "--role", "none"])).input["id"], id);
      assert.equal((await draftOf(["admin", "role", "--role", "none", "--", id])).input["id"], id);
      assert.deepEqual((await draftOf(["sessions", "list", "--profile-id", id])).input, { profile_id: id });
    }
    assert.match((await draftOf(["orgs", "show", "-x"])).stderr, /no flag -x/);
  });
});

describe("answers on a terminal", () => {
  it("a record: names and values, instants in the time zone, no control characters", () => {
    const record = {
      id: "n",
      name: "A\u001b[2JB\u202e",
      enabled: true,
      roles: [],
      about_url: null,
      plan: { status: "active", expires_at: "2027-03-28T22:00:00.000Z" },
      settings: "one\n  two\u0007",
    };
    assert.equal(
      details(record, "Europe/Copenhagen"),
      [
        "id         n",
        "name       A [2JB ",
        "enabled    yes",
        "roles      none",
        "about url  none",
        "plan",
        "  status      active",
        "  expires at  2027-03-29 00:00:00",
        "settings",
        "  one",
        "    two ",
        "",
      ].join("\n"),
    );
  });

  it("a list: columns", () => {
    const { output, command } = operations.organizations.list;
    const { items } = output.parse({
      items: [
        {
          id: "n",
          name: "Northwind",
          account_number: "N-1",
          kind: "customer",
          enabled: false,
          plan: {
            status: "active",
            expires_at: "2027-03-28T22:00:00.000Z",
            last_day: "2027-03-28",
            time_zone: "Europe/Copenhagen",
          },
        },
      ],
      next_cursor: null,
    });
    const rows = items.map((item) => rowOf(command?.columns ?? {}, item));
    const text = table(rows, { timeZone: "UTC", empty: "" });
    assert.equal(
      text,
      "ID  NAME       ACCOUNT  KIND      PLAN    LAST DAY    ENABLED\n" +
        "n   Northwind  N-1      customer  active  2027-03-28  no\n",
    );
  });

  describe("a list where a terminal is narrow", () => {
    const rows = [
      {
        id: "4QrTzk0wJm9x3vYb2nLc7A",
        name: "Ann Archer of the Northern Wind Trading Company",
        asked: Date.UTC(2027, 2, 28),
      },
      { id: "北風商事", name: "北風商事株式会社東京本店営業部第一課", asked: Date.UTC(2027, 2, 29) },
    ];
    const at = (width: number | undefined) => table(rows, { timeZone: "UTC", empty: "", width });
    /** How wide each line is, by what a terminal shows. */
    const widths = (text: string) =>
      text
        .split("\n")
        .map((line) => [...line].reduce((sum, one) => sum + (/[\u4e00-\u9fff]/.test(one) ? 2 : 1), 0));

    it("is whole where there is room, and where there is no terminal", () => {
      for (const width of [undefined, 200]) assert.match(at(width), /Company {2}2027-03-28 00:00:00\n/);
    });
    it("loses seconds first, then the ends of names", () => {
      assert.match(at(90), /Company {2}2027-03-28 00:00\n/);
      const cut = at(64);
      assert.ok(Math.max(...widths(cut)) <= 64, cut);
      assert.match(cut, /4QrTzk0wJm9x3vYb2nLc7A {2}Ann Archer of the No.*… {2}2027-03-28 00:00\n/);
      assert.match(cut, /北風商事 .* 北風商事.*… +2027-03-29/);
    });
    it("becomes a block a row where that isn't enough, with all of it", () => {
      assert.equal(
        at(40).split("\n\n")[0],
        "id     4QrTzk0wJm9x3vYb2nLc7A\nname   Ann Archer of the Northern Wind Trading Company\nasked  " +
          "2027-03-28 00:00:00",
      );
    });
  });

  it("why: each rule, and what to do", () => {
    const rules = [
      { rule: "profile_enabled", verdict: "passed", reason: null, fix: null },
      { rule: "plan", verdict: "failed", reason: "plan_expired", fix: "Extend the service plan of N." },
    ];
    const profile = { id: "p", name: "Ann", organization: { name: "N" } };
    const text = verdicts({
      outcome: "not_admitted",
      account_id: "a",
      profiles: [{ profile, admitted: false, rules }],
    });
    assert.equal(
      text,
      "not admitted, account a\n\np, Ann of N: not admitted\n  + profile enabled       passed\n" +
        "  x plan                  plan expired. Extend the service plan of N.\n",
    );
  });

  it("JSON: the same value, nothing that a terminal would act on", () => {
    const value = { name: "a\u0085\u202e\u2028\u{e0001}\u001b" };
    const line = jsonLine(value);
    assert.match(line, /^[\x20-\x7e]+\n$/);
    assert.deepEqual(JSON.parse(line), value);
  });
});

describe("where a broker is, and the token for it", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-token-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const refused = [
    "http://contoso.example",
    "ftp://x",
    "contoso.example",
    "https://a:b@x",
    "https://x/?a",
    "https://x/#a",
  ];
  for (const url of refused) {
    it(`${url} is refused`, () => {
      assert.throws(
        () => brokerUrl(url),
        (error) => error instanceof LiaisonError && error.code === "usage",
      );
    });
  }
  for (const [url, read] of [
    ["https://signin.contoso.example/", "https://signin.contoso.example"],
    ["http://localhost:4400", "http://localhost:4400"],
    ["https://x/auth/", "https://x/auth"],
  ] as const) {
    it(`${url} is taken`, () => assert.equal(brokerUrl(url), read));
  }

  it("the file named, else the environment, else the file that the environment names", async () => {
    const token = (letter: string) => letter.repeat(30);
    const [named, other] = [join(folder, "named"), join(folder, "other")];
    await writeFile(named, `${token("f")}\n`);
    await writeFile(other, `${token("o")}\n`);
    const env = { LIAISON_TOKEN: token("e"), LIAISON_TOKEN_FILE: other };
    assert.deepEqual(await readToken({ file: named, env }), { token: token("f"), source: named });
    assert.deepEqual(await readToken({ file: undefined, env }), {
      token: token("e"),
      source: "LIAISON_TOKEN",
    });
    const { LIAISON_TOKEN_FILE } = env;
    assert.deepEqual(await readToken({ file: undefined, env: { LIAISON_TOKEN_FILE } }), {
      token: token("o"),
      source: "LIAISON_TOKEN_FILE",
    });
    await writeFile(named, "two words");
    await assert.rejects(readToken({ file: named, env }), /named holds no token/);
    await assert.rejects(readToken({ file: join(folder, "none"), env }), /doesn't exist/);
    await assert.rejects(readToken({ file: undefined, env: {} }), /--token-file FILE, or LIAISON_TOKEN/);
  });

  it("every operation that a command reads first is there", () => {
    for (const definition of definitions.filter((one) => one.kind === "edits")) {
      assert.equal(readingOf(definition).method, "GET", definition.name);
    }
    assert.throws(() => readingOf({ path: "/nothing" }), TypeError);
  });
});
