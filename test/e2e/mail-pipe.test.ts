/**
 * `liaison mail bounce` as a mail server's pipe runs it: whatever is no bounce of ours is done, whatever
 * waiting or an operator can mend is kept by the mail server (75, EX_TEMPFAIL), and there is no other end: of
 * that the server tells whoever wrote.
 */

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { aMail, MINUTE } from "../support/records.ts";

const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));
const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const report = (original: string, action = "failed") =>
  [
    "Return-Path: <>",
    "From: MAILER-DAEMON@mx.example",
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
    "",
    "--b1",
    "Content-Type: text/plain",
    "",
    "Not delivered.",
    "",
    "--b1",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.example",
    "",
    "Final-Recipient: rfc822; ann@northwind.example",
    `Action: ${action}`,
    "Status: 5.1.1",
    "Diagnostic-Code: smtp; 550 5.1.1 no such user",
    "",
    "--b1",
    "Content-Type: message/rfc822",
    "",
    `Message-ID: <${original}>`,
    "",
    "body",
    "",
    "--b1--",
    "",
  ].join("\n");

describe("liaison mail bounce", () => {
  let folder: string;
  let config: string;
  let file: string;
  let sent: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-pipe-"));
    file = join(folder, "liaison.db");
    config = await configuration("liaison.yaml", { file, key: key(7) });
    const store = await openStore({ sqlite: { file }, encryptionKey: key(7) });
    sent = await sentMail(store);
    await store.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function configuration(name: string, of: { file: string; key: string }): Promise<string> {
    const path = join(folder, name);
    await writeFile(
      path,
      `issuer: http://localhost:4400
encryption_key: ${of.key}
storage: { sqlite: { file: ${of.file} } }
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
    );
    return path;
  }

  async function sentMail(store: Store): Promise<string> {
    const mail = aMail();
    await store.outbox.enqueue(mail, [], Date.now());
    const claimed = await store.outbox.claim("courier", Date.now(), MINUTE, MINUTE);
    assert.ok(
      claimed !== undefined && (await store.outbox.markSent(mail.id, "courier", "250 ok", Date.now())),
    );
    return mail.messageId;
  }

  const start = (words: string[], options: { cwd?: string } = {}): ChildProcessWithoutNullStreams =>
    spawn(process.execPath, [bin, "mail", "bounce", ...words], {
      cwd: options.cwd ?? folder,
      env: { PATH: process.env["PATH"] },
    });

  async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk) => {
        output[name] += chunk;
      });
    }
    const [code] = await once(child, "close");
    return { code, ...output };
  }

  async function pipe(input: string | Buffer, words = ["--config", config], options: { cwd?: string } = {}) {
    const child = start(words, options);
    // A reader that ends before all was written is a failure to whoever writes.
    const written = new Promise<Error | undefined>((resolve) => {
      child.stdin.on("error", resolve);
      child.stdin.end(input, (error?: Error | null) => resolve(error ?? undefined));
    });
    const end = await ended(child);
    return { ...end, writeError: await written };
  }

  const human =
    "From: Ann <ann@northwind.example>\nIn-Reply-To: <x@example.com>\nSubject: Re: Link\n\nIt doesn't " +
    "work!\n";

  it("notes a bounce, and says so", async () => {
    const { code, stdout, stderr } = await pipe(report(sent));
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /: 5\.1\.1 550 5\.1\.1 no such user\n$/);
    assert.equal((await pipe(report(sent))).code, 0, "and once more, for the pipe may be run again");
  });

  /** What else is none, and why, is test/unit/bounce.test.ts's. */
  const nothing: [name: string, input: () => string | Buffer, words: RegExp][] = [
    ["a person's answer", () => human, /somebody's answer/],
    [
      "a bounce of somebody else's mail",
      () => report("nobody@knows"),
      /No mail that was sent has the Message-ID/,
    ],
    ["a delivery", () => report("nobody@knows", "delivered"), /no failure/],
    ["nothing", () => "", /Nothing is noted/],
    [
      "more than 2 MB",
      () => Buffer.concat([Buffer.from(report(sent)), Buffer.alloc(3e6, "x\n")]),
      /longer than 2 MB/,
    ],
  ];
  for (const [name, input, words] of nothing) {
    it(`${name}: 0, read to its end, and logged`, async () => {
      const { code, stdout, stderr, writeError } = await pipe(input());
      assert.deepEqual([code, stdout, writeError], [0, "", undefined], stderr);
      assert.match(stderr, words);
      assert.equal(stderr.trimEnd().split("\n").length, 1);
      assert.doesNotMatch(stderr, /ann@|doesn't work!/);
    });
  }

  it("what an operator can mend: 75, and no database is made", async () => {
    const missing = join(folder, "elsewhere", "liaison.db");
    const empty = join(folder, "empty.db");
    await writeFile(empty, "");
    const tableless = join(folder, "tableless.db");
    const other = new DatabaseSync(tableless);
    other.exec("PRAGMA user_version = 1");
    other.close();
    const faulty = join(folder, "faulty.yaml");
    await writeFile(faulty, "issuer: nowhere\n");
    const cases: [words: string[], stderr: RegExp][] = [
      [["--config", await configuration("missing.yaml", { file: missing, key: key(7) })], /can't be opened/],
      [["--config", await configuration("empty.yaml", { file: empty, key: key(7) })], /is empty/],
      [
        ["--config", await configuration("other.yaml", { file: tableless, key: key(7) })],
        /holds no data of Liaison/,
      ],
      [["--config", await configuration("key.yaml", { file, key: key(8) })], /encryption_key/],
      [["--config", faulty], /issuer/],
      [["--config", join(folder, "nowhere.yaml")], /doesn't exist/],
      [[], /config/],
      [["--confg", config], /--confg/],
    ];
    const before = (await readdir(folder)).sort();
    for (const [words, stderr] of cases) {
      const end = await pipe(report(sent), words);
      assert.equal(end.code, 75, `${words}: ${end.stderr}`);
      assert.match(end.stderr, stderr);
      assert.doesNotMatch(end.stderr, /\n\s+at /, `${words}`);
    }
    assert.deepEqual((await readdir(folder)).sort(), before);
    assert.equal((await stat(empty)).size, 0);
    assert.equal(
      (await pipe(human, ["--config", join(folder, "missing.yaml")])).code,
      75,
      "whoever wrote it",
    );
  });

  it("a configuration that may not be read: 75", {
    skip: process.getuid?.() === 0 && "root reads everything",
  }, async () => {
    const secret = await configuration("secret.yaml", { file, key: key(7) });
    await chmod(secret, 0);
    assert.equal((await pipe(report(sent), ["--config", secret])).code, 75);
  });

  it("a locked database: 75 for a bounce; an answer needs none", { timeout: 60_000 }, async () => {
    for (const lock of ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"]) {
      const holder = new DatabaseSync(file);
      holder.exec(lock);
      try {
        const [bounce, answer] = await Promise.all([pipe(report(sent)), pipe(human)]);
        assert.deepEqual([bounce.code, answer.code], [75, 0], `${lock}: ${bounce.stderr}`);
      } finally {
        holder.exec("ROLLBACK");
        holder.close();
      }
    }
  });

  it("whoever ran it doesn't listen any more: what was noted stays done", async () => {
    const child = start(["--config", config]);
    child.stdout.destroy();
    child.stderr.destroy();
    child.stdin.end(report(sent));
    const [code] = await once(child, "close");
    assert.equal(code, 0);
  });

  it("nobody listens to a complaint: 0 and 75 as ever", async () => {
    for (const [input, words, expected] of [
      [human, ["--config", config], 0],
      [report(sent), ["--config", join(folder, "nowhere.yaml")], 75],
    ] as const) {
      const child = start([...words]);
      child.stdout.destroy();
      child.stderr.destroy();
      child.stdin.end(input);
      const [code] = await once(child, "close");
      assert.equal(code, expected);
    }
  });

  it("told to end while it waits for its input: 75", async () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      const child = start(["--config", config]);
      child.stdin.on("error", () => {});
      const end = ended(child);
      // What it has is more than a pipe holds: once all is written, it reads.
      await new Promise((resolve) => child.stdin.write(Buffer.alloc(1e6, "x\n"), resolve));
      child.kill(signal);
      assert.equal((await end).code, 75, signal);
    }
  });

  it("started on the Node.js that came with it, which is killed or breaks: 75, and for other commands " +
    "what it ended with", {
    skip: process.platform === "win32" && "its stand-in is a shell script",
  }, async () => {
    const copy = join(folder, "copy");
    const node = join(copy, "node_modules", "node", "bin");
    await mkdir(join(copy, "bin"), { recursive: true });
    await mkdir(node, { recursive: true });
    await writeFile(join(copy, "package.json"), '{ "type": "module" }');
    await copyFile(bin, join(copy, "bin", "liaison.js"));
    const older = `data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.0.0"}})`;
    const endOf = async (script: string, ...words: string[]) => {
      await writeFile(join(node, "node"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const child = spawn(process.execPath, ["--import", older, join(copy, "bin", "liaison.js"), ...words]);
      return (await ended(child)).code;
    };
    for (const script of ["kill -KILL $$", "kill -TERM $$", "exit 1", "exit 134"]) {
      assert.equal(await endOf(script, "mail", "bounce"), 75, script);
    }
    assert.equal(await endOf("exit 0", "mail", "bounce"), 0);
    assert.equal(await endOf("kill -KILL $$", "mail", "list"), 137);
    assert.equal(await endOf("exit 3", "mail", "list"), 3);
  });

  it("says its codes in its help", async () => {
    const { code, stdout } = await pipe("", ["--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /Exit codes: 0 done, or nothing to be done; 75 /);
  });
});
