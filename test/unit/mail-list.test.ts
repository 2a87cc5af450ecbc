/** `liaison mail list`: what waits, was put off, was given up or came back, with the reason. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, it } from "node:test";
import { mailCommands } from "../../src/cli/mail.ts";
import { run } from "../../src/cli/run.ts";
import { openStore } from "../../src/storage/open.ts";
import { aMail, MINUTE } from "../support/records.ts";

describe("liaison mail list", () => {
  let folder: string;
  let config: string;
  const reason = "the certificate of mx.example:465 has expired: renew it there (CERT_HAS_EXPIRED)";
  const ids: Record<"fresh" | "putOff" | "failed" | "bounced", string> = {
    fresh: "",
    putOff: "",
    failed: "",
    bounced: "",
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "liaison-mail-list-"));
    config = join(folder, "liaison.yaml");
    const encryptionKey = Buffer.alloc(32, 7).toString("base64");
    await writeFile(
      config,
      `issuer: http://localhost:4400
encryption_key: ${encryptionKey}
storage: { sqlite: { file: liaison.db } }
deployment: { name: Test, support_email: support@example.com }
mail: { from_name: Test, from_address: no-reply@example.com, smtp: { host: localhost, security: none } }
upstreams:
  - { id: consumer, name: Consumer, issuer: "http://localhost:1", client_id: liaison, client_secret: secret }
`,
    );
    const store = await openStore({ sqlite: { file: join(folder, "liaison.db") }, encryptionKey });
    const now = Date.now();
    for (const what of ["putOff", "failed", "bounced", "fresh"] as const) {
      const mail = aMail();
      ids[what] = mail.id;
      await store.outbox.enqueue(mail, [], now);
      if (what === "fresh") continue;
      await store.outbox.claim("courier", now, MINUTE, MINUTE);
      if (what === "putOff") await store.outbox.markDeferred(mail.id, "courier", reason, now + MINUTE, now);
      if (what === "failed") await store.outbox.markDeferred(mail.id, "courier", "refused (550)", null, now);
      if (what !== "bounced") continue;
      await store.outbox.markSent(mail.id, "courier", "250 ok", now);
      await store.outbox.noteBounce(mail.messageId, { reason: "5.1.1", permanent: true }, now);
    }
    await store.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function list(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const commands = mailCommands({ clock: { now: () => Date.now() }, stdin: () => new PassThrough() });
    const { signal } = new AbortController();
    const code = await run(["mail", "list", "--config", config, ...words], commands, {
      stdout,
      stderr,
      signal,
    });
    return { code, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
  }

  it("tells of those that are put off, and not of those that go next", async () => {
    const { code, stdout, stderr } = await list();
    assert.deepEqual([code, stderr], [0, ""]);
    for (const what of ["putOff", "failed", "bounced"] as const) assert.ok(stdout.includes(ids[what]), what);
    assert.ok(!stdout.includes(ids.fresh));
    assert.ok(stdout.includes(reason));
  });

  it("tells of one state, no more than is asked for", async () => {
    const states = { queued: ids.putOff, failed: ids.failed, bounced: ids.bounced };
    for (const [state, id] of Object.entries(states)) {
      const { stdout } = await list("--state", state, "--json");
      assert.deepEqual(
        stdout
          .trim()
          .split("\n")
          .map((line) => (JSON.parse(line) as { id: string }).id),
        [id],
      );
    }
    assert.equal((await list("--limit", "2", "--json")).stdout.trim().split("\n").length, 2);
    assert.equal((await list("--state", "held")).stdout, "No mail is held, put off, failed or bounced.\n");
    const wrong = await list("--state", "sent");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /one of held, queued, failed, bounced/);
  });
});
