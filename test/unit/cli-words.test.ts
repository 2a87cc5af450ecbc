/** The command line's words: what is suggested, which faults are told, and the exit code of each call. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import type { Command, ExitCode } from "../../src/cli/command.ts";
import { commandGroups } from "../../src/cli/groups.ts";
import { allOf, run } from "../../src/cli/run.ts";
import { systemClock } from "../../src/clock.ts";
import { LiaisonError } from "../../src/errors.ts";

const nothing = () => assert.fail("nothing runs");
const groups = commandGroups({
  serve: async () => ({ createApp: nothing, createLogger: nothing }),
  runDemo: nothing,
  clock: systemClock,
  stdin: () => Readable.from([Buffer.from("not a notification")]),
});
const all = await allOf(groups);

async function say(words: readonly string[], sources: Parameters<typeof run>[1] = groups) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await run(words, sources, { stdout, stderr, signal: new AbortController().signal });
  return { code, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

const split = (line: string) => (line === "" ? [] : line.split(" "));

/** A command that says what it was called with. */
function echo({ failsWith, ends = 0 }: { failsWith?: ExitCode; ends?: ExitCode | Error } = {}): Command {
  return {
    name: "say it",
    summary: "Say it.",
    operand: "[TEXT]",
    flags: {
      config: { takes: "FILE", summary: "A file." },
      kind: { takes: "customer|partner", summary: "A kind." },
      "dry-run": { summary: "Write nothing." },
      json: { summary: "As JSON." },
    },
    examples: ["liaison say it hello"],
    ...(failsWith !== undefined && { failsWith }),
    async run({ flags, operand, stdout }) {
      if (ends instanceof Error) throw ends;
      stdout.write(JSON.stringify({ flags: Object.fromEntries(flags), operand }));
      return ends;
    },
  };
}

const echoed = async (words: readonly string[]) => {
  const { code, stdout, stderr } = await say(["say", "it", ...words], [echo()]);
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout) as { flags: Record<string, string>; operand?: string };
};

describe("Did you mean", () => {
  const cases: [string, RegExp][] = [
    ["srve", /There is no command "srve"\. Did you mean serve\?/],
    ["SERVE", /Did you mean serve\?/],
    ["hlep", /Did you mean help\?/],
    ["prfiles list", /There is no command "prfiles"\. Did you mean profiles list\?/],
    ["orgs lst", /Did you mean orgs list\?/],
    ["orgs lst --help", /Did you mean orgs list\?/],
    ["help orgs lst", /Did you mean orgs list\?/],
    ["config chekc", /Did you mean config check\?/],
    ["serve --confg x", /has no flag --confg\. Did you mean --config\?/],
    ["orgs list --Kind customer", /has no flag --Kind\. Did you mean --kind\?/],
    ["orgs list --knid=customer", /has no flag --knid\. Did you mean --kind\?/],
    ["orgs list --idempotency_key x", /has no flag --idempotency_key\./],
    ["orgs edit n --plan_status active", /has no flag --plan_status\. Did you mean --plan-status\?/],
    ["import x.csv --no-dry-run", /has no flag --no-dry-run\. Did you mean --dry-run\?/],
    ["orgs create customer", /doesn't take "customer"\. Did you mean --kind customer\?/],
  ];
  for (const [line, text] of cases) {
    it(`liaison ${line}`, async () => {
      const { code, stdout, stderr } = await say(split(line));
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, text);
    });
  }

  it("suggests nothing where nothing is near", async () => {
    assert.doesNotMatch((await say(["xylophone"])).stderr, /Did you mean/);
    assert.doesNotMatch((await say(["serve", "--xylophone"])).stderr, /Did you mean/);
    assert.doesNotMatch((await say(["orgs", "xylophone"])).stderr, /Did you mean/);
  });
});

describe("all faults of a call at once", () => {
  const cases: [string, RegExp[]][] = [
    ["serve --foo --bar x", [/no flag --foo\./, /no flag --bar\./]],
    ["serve --confg x --foo", [/no flag --confg\. Did you mean --config\?/, /no flag --foo\./]],
    [
      "config check --json=yes --foo --config",
      [/--json takes no value/, /no flag --foo/, /--config needs a/],
    ],
    ["config check a b --jsno", [/no flag --jsno\. Did you mean --json\?/, /doesn't take "b"/]],
    ["import --foo -- --bar", [/no flag --foo\./]],
    ["demo x --frsh", [/no flag --frsh\. Did you mean --fresh\?/, /doesn't take "x"/]],
    [
      "orgs create --nmae N --kind shop --enabled y",
      [/no flag --nmae\. Did you mean --name\?/, /--account-number is/, /--kind takes/, /--enabled takes/],
    ],
    [
      "orgs list --limit 0 --url https://x.example --config y --foo",
      [/no flag --foo/, /--limit takes a whole number/, /--config or --url/],
    ],
    [
      "clients create --preset web --name C --idempotency-key é --token-file t --kinds every",
      [/--kinds takes/, /--idempotency-key takes/, /--token-file goes with --url/],
    ],
    [
      "links list --limit many --profle p",
      [/no flag --profle\. Did you mean --profile\?/, /--limit takes a/],
    ],
    ["links list --limit 201 --url https://x.example", [/--limit takes at most 200 with --url/]],
    ["mail list --state gone --limit 0", [/--state takes one of/, /--limit takes a number/]],
    ["copy --form x --limit 1", [/no flag --form\. Did you mean --from\?/, /no flag --limit/]],
    ["import --dryrun --jsn", [/no flag --dryrun\. Did you mean --dry-run\?/, /--jsn/, /Name a CSV file/]],
    ["audit export --format xml --from never", [/--format takes jsonl or csv/, /--from: write an instant/]],
    ["audit verify --foo --url https://x --config y", [/no flag --foo/, /--config or --url/]],
  ];
  for (const [line, texts] of cases) {
    it(`liaison ${line}: ${texts.length}, and where to read on`, async () => {
      const { code, stdout, stderr } = await say(split(line));
      assert.deepEqual([code, stdout], [2, ""], stderr);
      for (const text of texts) assert.match(stderr, text);
      const name = all.find((one) => line.startsWith(`${one.name} `))?.name;
      assert.equal(stderr.split("\n").filter((said) => said === `See: liaison ${name} --help`).length, 1);
      assert.equal(stderr.trimEnd().split("\n").length, texts.length + 1, stderr);
    });
  }
});

describe("flags and operands", () => {
  const cases: [string[], Record<string, string>, string | undefined][] = [
    [[], {}, undefined],
    [["a"], {}, "a"],
    [["a", "--config", "f"], { config: "f" }, "a"],
    [["--config", "f", "a"], { config: "f" }, "a"],
    [["--config=f", "--json", "a"], { config: "f", json: "" }, "a"],
    [["--config=a=b"], { config: "a=b" }, undefined],
    [["--config", "-f"], { config: "-f" }, undefined],
    [["--config", "--f"], { config: "--f" }, undefined],
    [["--config=--json"], { config: "--json" }, undefined],
    [["--config", "one", "--config", "two"], { config: "two" }, undefined],
    [["--json", "--json"], { json: "" }, undefined],
    [["--", "--json"], {}, "--json"],
    [["--json", "--", "-x"], { json: "" }, "-x"],
    [["-"], {}, "-"],
    [["-LyKLBVCUi8OJ63ivSZtsw", "--json"], { json: "" }, "-LyKLBVCUi8OJ63ivSZtsw"],
    [["--config", "-LyKLBVCUi8OJ63ivSZtsw"], { config: "-LyKLBVCUi8OJ63ivSZtsw" }, undefined],
    [["two words", "--dry-run"], { "dry-run": "" }, "two words"],
    [["--config", "Ærø æ"], { config: "Ærø æ" }, undefined],
    [["--config", "-1"], { config: "-1" }, undefined],
    [["__proto__", "--config", "__proto__"], { config: "__proto__" }, "__proto__"],
  ];
  for (const [words, flags, operand] of cases) {
    it(JSON.stringify(words), async () => {
      const read = await echoed(words);
      assert.deepEqual(read.flags, flags);
      assert.equal(read.operand, operand);
    });
  }

  for (const words of [["--config"], ["--config="], ["--config", ""], ["a", "--json", "--config"]]) {
    it(`${JSON.stringify(words)}: a value is missing`, async () => {
      const { code, stdout, stderr } = await say(["say", "it", ...words], [echo()]);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, /--config needs a value: --config FILE/);
    });
  }
  for (const words of [["--__proto__"], ["--constructor", "x"], ["-x"], ["-jx"], ["--json=1"], ["a", "b"]]) {
    it(`${JSON.stringify(words)}: refused`, async () => {
      const { code, stdout } = await say(["say", "it", ...words], [echo()]);
      assert.deepEqual([code, stdout], [2, ""]);
    });
  }
});

describe("exit codes", () => {
  const failing = (error: Error) => echo({ ends: error });
  const cases: [string, Command, string[], ExitCode][] = [
    ["done", echo(), [], 0],
    ["the answer is no", echo({ ends: 3 }), [], 3],
    ["failed as expected", failing(new LiaisonError("not_found", "No.")), [], 1],
    ["failed", failing(new TypeError("No.")), [], 1],
    ["called wrongly, as it finds out", failing(new LiaisonError("usage", "No.")), [], 2],
    ["called wrongly", echo(), ["--foo"], 2],
    ["to be tried again", echo({ failsWith: 75, ends: new TypeError("No.") }), [], 75],
    ["called wrongly where one code alone is known", echo({ failsWith: 75 }), ["--foo"], 75],
    ["help where one code alone is known", echo({ failsWith: 75 }), ["--help"], 0],
    ["help beside what is wrong", echo(), ["--foo", "--help"], 0],
    ["help in short", echo(), ["-h"], 0],
  ];
  for (const [what, command, words, ends] of cases) {
    it(`${what}: ${ends}`, async () => {
      const { code, stderr } = await say(["say", "it", ...words], [command]);
      assert.equal(code, ends, stderr);
      assert.equal(stderr.startsWith("liaison: "), ![0, 3].includes(ends));
    });
  }

  it("tells a stack of what isn't expected alone, and no control character", async () => {
    const expected = await say(["say", "it"], [failing(new LiaisonError("conflict", "a\u001b[2J\nb"))]);
    assert.equal(expected.stderr, "liaison: a [2J\nb\n");
    assert.match((await say(["say", "it"], [failing(new TypeError("x"))])).stderr, /TypeError: x\n\s+at /);
    const strange = await say(["say", "it", "--\u001b[2J"], [echo()]);
    assert.ok(!strange.stderr.includes("\u001b"));
  });

  it("liaison alone, and a word that others follow: help on standard error, 2", async () => {
    for (const [words, text] of [
      [[], /Usage: liaison COMMAND/],
      [["orgs"], /orgs create/],
      [["config"], /config check/],
    ] as const) {
      const { code, stdout, stderr } = await say(words);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, text);
    }
  });

  it("--version and -v are version", async () => {
    const { stdout } = await say(["version", "--json"]);
    for (const word of ["--version", "-v"]) {
      assert.deepEqual(await say([word, "--json"]), { code: 0, stdout, stderr: "" });
    }
  });

  it("a flag before any command is no command", async () => {
    for (const words of [["--json"], ["--json", "orgs", "list"], ["orgs", "--json", "list"], ["-x"], [""]]) {
      const { code, stdout } = await say(words);
      assert.deepEqual([code, stdout], [2, ""], words.join(" "));
    }
  });
});

describe("help", () => {
  for (const command of all) {
    const words = command.name.split(" ");
    it(`${command.name}: what it takes, examples, exit codes; by each way to ask`, async () => {
      const { code, stdout, stderr } = await say([...words, "--help"]);
      assert.deepEqual([code, stderr], [0, ""]);
      const usage = ["Usage: liaison", command.name, command.operand, "[FLAGS]"];
      assert.ok(stdout.includes(`${usage.filter((one) => one !== undefined).join(" ")}\n`), stdout);
      assert.ok(stdout.includes(command.summary));
      for (const [name, { takes, summary }] of Object.entries(command.flags)) {
        const written = takes === undefined ? `  --${name} ` : `  --${name} ${takes} `;
        assert.ok(
          stdout.split("\n").some((line) => line.startsWith(written) && line.endsWith(`  ${summary}`)),
          written,
        );
      }
      assert.ok(command.examples.length > 0);
      assert.ok(stdout.includes(`\nExamples:\n${command.examples.map((one) => `  ${one}\n`).join("")}`));
      assert.match(stdout, /\nExit codes: 0 done.*\.\n$/);
      for (const asked of [
        ["help", ...words],
        [...words, "-h"],
      ])
        assert.equal((await say(asked)).stdout, stdout);
    });
  }

  it("lists every command once, under its heading", async () => {
    const { stdout } = await say(["help"]);
    for (const { name, summary } of all) {
      const lines = stdout
        .split("\n")
        .filter((line) => line.startsWith(`  ${name} `) && line.endsWith(summary));
      assert.equal(lines.length, 1, name);
    }
    assert.match(stdout, /\nService:\n {2}serve /);
    assert.match(stdout, /\nAdministration:\n/);
    assert.match(stdout, /Exit codes: 0 done, 1 failed, 2 called wrongly\. More: liaison help COMMAND\n$/);
    for (const words of [["--help"], ["-h"]]) assert.equal((await say(words)).stdout, stdout);
  });

  it("is broken where a terminal ends, and nowhere else", async () => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 70 });
    const io = { stdout, stderr: new PassThrough(), signal: new AbortController().signal };
    assert.equal(await run(["orgs", "edit", "--help"], groups, io), 0);
    const [narrow = ""] = String(stdout.read()).split("\nExamples:");
    assert.ok(Math.max(...narrow.split("\n").map(({ length }) => length)) <= 70, narrow);
    const { stdout: whole } = await say(["orgs", "edit", "--help"]);
    assert.equal(narrow.replaceAll(/\s+/g, " "), whole.split("\nExamples:")[0]?.replaceAll(/\s+/g, " "));
    assert.ok(whole.split("\n").some(({ length }) => length > 100));
  });

  it("of a word lists its commands alone, each with an example", async () => {
    const { stdout } = await say(["help", "mail"]);
    assert.match(stdout, /Usage: liaison mail COMMAND \[FLAGS\]\n/);
    assert.match(stdout, /mail list .*\n.*mail release .*\n.*mail resend .*\n.*mail bounce /);
    assert.match(stdout, /Examples:\n {2}liaison mail list\n {2}liaison mail release /);
    assert.doesNotMatch(stdout, /orgs/);
    assert.equal((await say(["mail", "--help"])).stdout, stdout);
  });

  it("of a word that is none: 2", async () => {
    assert.deepEqual((await say(["help", "xylophone"])).code, 2);
    assert.deepEqual((await say(["xylophone", "--help"])).code, 2);
  });
});

describe("secrets", () => {
  it("no flag takes one: they come from files, the environment or standard input", () => {
    const free = all.flatMap(({ flags }) =>
      Object.entries(flags).filter(([, { takes = "true|false" }]) => !takes.includes("|")),
    );
    const secret = free
      .map(([name]) => name)
      .filter((name) => /secret|token|password|passphrase|encryption|private/.test(name));
    assert.deepEqual([...new Set(secret)], ["token-file"]);
  });
});

describe("--json", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-words-"));
    await writeFile(
      join(folder, "liaison.yaml"),
      `issuer: http://localhost:4400
encryption_key: ${Buffer.alloc(32, 7).toString("base64")}
storage: { sqlite: { file: liaison.db } }
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("prints an object a line and nothing besides", async () => {
    const config = join(folder, "liaison.yaml");
    for (const line of [
      "migrate",
      "orgs create --name N --account-number 1 --kind customer",
      "orgs list",
      "config check",
      "audit verify",
      "audit list",
    ]) {
      const { code, stdout, stderr } = await say([...split(line), "--json", "--config", config]);
      assert.deepEqual([code, stderr], [0, ""], line);
      const lines = stdout.trimEnd().split("\n");
      assert.ok(lines.length > 0, line);
      for (const one of lines) assert.equal(typeof JSON.parse(one), "object", line);
    }
  });

  it("every command that prints a record or a list has it", () => {
    const without = all.filter(({ flags }) => !("json" in flags)).map(({ name }) => name);
    const printsNoRecord = [
      "serve",
      "audit export",
      "mail release",
      "mail resend",
      "mail bounce",
      "completion",
      "help",
    ];
    assert.deepEqual(without.toSorted(), printsNoRecord.toSorted());
  });
});
