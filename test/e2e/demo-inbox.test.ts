/** The demo's inbox, over real SMTP and HTTP. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createTransport } from "nodemailer";
import { startInbox } from "../../src/demo/inbox.ts";
import { freePort } from "../support/free-port.ts";

test("the inbox receives real mail, shows it safely, and keeps it over a restart", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "liaison-inbox-"));
  context.after(() => rm(folder, { recursive: true }));
  const options = { port: await freePort(), smtpPort: await freePort(), file: join(folder, "inbox.json") };
  let inbox = await startInbox(options);
  context.after(() => inbox.close());
  const transport = createTransport({
    host: "127.0.0.1",
    port: options.smtpPort,
    secure: false,
    ignoreTLS: true,
  });
  context.after(() => transport.close());

  const link = "http://localhost:4400/link/abc?x=1&y=2";
  const mail = { from: "no-reply@contoso.example", to: "Ana <ana@example.org>", text: `Open ${link}.\nBye` };
  await transport.sendMail({ ...mail, subject: "First", html: "<p>Hi<script>alert(1)</script></p>" });
  await transport.sendMail({
    ...mail,
    subject: "Zweite – ünïcode <b>",
    to: ["ana@example.org", "bo@example.org"],
  });

  const api = async () =>
    (await (await fetch(`${inbox.url}/api/messages`)).json()) as Record<string, string>[];
  const messages = await api();
  assert.deepEqual(
    messages.map(({ subject, to }) => [subject, to]),
    [
      ["Zweite – ünïcode <b>", "bo@example.org"],
      ["Zweite – ünïcode <b>", "ana@example.org"],
      ["First", "ana@example.org"],
    ],
  );
  const first = messages[2];
  assert.deepEqual(Object.keys(first ?? {}), ["id", "to", "subject", "text", "html", "received_at"]);
  assert.match(first?.["text"] ?? "", /^Open http/);
  assert.ok(Date.now() - Date.parse(first?.["received_at"] ?? "") < 60_000);

  const list = await (await fetch(inbox.url)).text();
  assert.ok(list.indexOf("Zweite – ünïcode &lt;b&gt;") < list.indexOf("First"));
  const page = await (await fetch(`${inbox.url}/messages/${first?.["id"]}`)).text();
  assert.ok(
    page.includes(`href="${link.replace("&", "&amp;")}"`),
    "the link is clickable, without the full stop",
  );
  assert.match(page, /<iframe sandbox="" src="\/messages\/[^"]+\/html"/);
  const html = await fetch(`${inbox.url}/messages/${first?.["id"]}/html`);
  assert.match(html.headers.get("content-security-policy") ?? "", /^sandbox; default-src 'none'/);
  assert.equal((await fetch(`${inbox.url}/messages/nothing`)).status, 404);

  await inbox.close();
  inbox = await startInbox(options);
  assert.deepEqual(await api(), messages);
});
