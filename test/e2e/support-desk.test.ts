/**
 * What people send to support, and what support sees: messages, time lines, mails that wait, failed or came
 * back.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { Delivery } from "../../src/domain/records.ts";
import type { TimelineEntry } from "../../src/linking/timeline.ts";
import { type Liaison, openLink, people, register, signIn, startLiaison } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";

const bin = fileURLToPath(new URL("../../bin/liaison.js", import.meta.url));
const address = "ann@northwind.example";
const token = "a-webhook-token-of-at-least-32-characters";

describe("the support desk", () => {
  let liaison: Liaison;
  let configFile: string;
  before(async () => {
    let written: Record<string, unknown> = {};
    liaison = await startLiaison({
      embedded: true,
      config: (base) => {
        const limits = base["limits"] as Record<string, object>;
        written = {
          ...base,
          mail: { ...(base["mail"] as object), bounce_webhook_token: token },
          // The upstream's clock stays where it is, while ours goes on by an hour.
          upstreams: (base["upstreams"] as object[]).map((one) => ({
            ...one,
            reauthentication: "prompt_only",
          })),
          limits: {
            ...limits,
            support_messages_per_identity: { limit: 2, window_seconds: 3600 },
            mails_per_profile: { limit: 2, window_seconds: 3600 },
          },
        };
        return written;
      },
    });
    configFile = join(liaison.dataDir, "liaison.yaml");
    await writeFile(configFile, JSON.stringify(written));
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: address },
      { id: "p-held", email: "held@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  async function liaisonSays(
    words: string[],
    input?: Buffer,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [bin, ...words, "--config", configFile], { stdio: "pipe" });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk) => {
        output[name] += chunk;
      });
    }
    child.stdin.end(input);
    const [code] = await once(child, "close");
    return { code: Number(code), ...output };
  }

  async function linkStep(person = people.ann) {
    const browser = liaison.browser();
    return { browser, page: await signIn(browser, await liaison.customerSource.start(), person) };
  }

  it("takes a message, names a reference, and mails it to support alone", async () => {
    const { browser, page } = await linkStep();
    const form = await browser.visit(page.link(/send the message from here/));
    assert.equal(form.heading, "Ask which address is registered");
    assert.equal(form.dom.querySelector("#name")?.getAttribute("value"), people.ann.name);
    const before = liaison.mailbox.mails.length;
    const sent = await browser.press(form, "Send", {
      name: "Ann Archer",
      organization: "Northwind",
      account_number: "N-1",
      message: "I moved.\r\nhttps://evil.example/",
    });
    assert.equal(sent.heading, "We've got your message");
    const reference = sent.dom.querySelector(".code")?.textContent ?? "";
    assert.match(reference, /^[A-Z]{4}-[A-Z]{4}$/);
    const [mail] = (await liaison.mailbox.arrived(before + 1)).slice(before);
    assert.deepEqual(mail?.envelopeTo, ["help@contoso.example"]);
    assert.ok(mail?.subject.startsWith(`${reference}: `));
    assert.match(mail?.text ?? "", /Account number: N-1\nMessage:\n> I moved\.\n> https:\/\/evil\.example\//);
    assert.match(mail?.headers ?? "", /^Reply-To: ann@consumer\.example$/m);
    assert.equal((await browser.visit(sent.url)).heading, sent.heading, "it can be reloaded");
  });

  it("says what is missing, keeps what was typed, and takes no more than its share", async () => {
    const { browser, page } = await linkStep(people.ben);
    const form = await browser.visit(page.link(/send the message from here/));
    const wrong = await browser.press(form, "Send", {
      name: " ",
      organization: "",
      message: "typed already",
    });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /Enter your name.*Enter the name of your organization/);
    assert.match(wrong.dom.querySelector("#message")?.textContent ?? "", /typed already/);
    const before = liaison.mailbox.mails.length;
    const fields = { name: "Ben", organization: "Fabrikam" };
    for (let turn = 0; turn < 2; turn += 1) {
      assert.equal((await browser.press(form, "Send", fields)).heading, "We've got your message");
    }
    const full = await browser.press(form, "Send", fields);
    assert.equal(full.status, 429);
    assert.match(full.text, /You've sent several messages already\. You can send the next after/);
    await liaison.mailbox.arrived(before + 2);
    await pause(1500);
    assert.equal(liaison.mailbox.mails.length, before + 2);
    liaison.clock.advance(3601);
    const { browser: later, page: again } = await linkStep(people.ben);
    const formAgain = await later.visit(again.link(/send the message from here/));
    assert.equal((await later.press(formAgain, "Send", fields)).heading, "We've got your message");
  });

  it("tells the time line of a request, from asking to binding", async () => {
    const { browser, page } = await linkStep();
    const waiting = await browser.press(page, "Continue", { email: address });
    const code = waiting.dom.querySelector(".code")?.textContent ?? "";
    const mailed = () => liaison.mailbox.mails.find(({ to }) => to === address);
    for (let turn = 0; turn < 80 && mailed() === undefined; turn += 1) await pause(100);
    const link = linkIn(mailed() ?? assert.fail("no mail"));
    const stranger = await openLink(liaison.browser(), link, people.eve);
    assert.match(stranger.heading, /another account|different account/i, stranger.heading);
    assert.equal((await openLink(liaison.browser(), link, people.ann)).heading, "Your account is linked");
    await pause(1500);

    const listed = await liaisonSays(["links", "list", "--email", address, "--json"]);
    assert.equal(listed.code, 0, listed.stderr);
    const [inquiry] = listed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual([inquiry.code, inquiry.matched, inquiry.requester.email], [code, 1, people.ann.email]);
    assert.ok(!("address" in inquiry) && !listed.stdout.includes(address), "what was typed is in no list");
    const table = await liaisonSays(["links", "list"]);
    assert.match(
      table.stdout,
      new RegExp(`^ID +ASKED +CODE +BY +MATCHED\\n(.*\\n)*${inquiry.id} .* ${code} `, "m"),
    );

    const shown = await liaisonSays(["links", "show", inquiry.id, "--json"]);
    const { entries } = JSON.parse(shown.stdout) as { entries: TimelineEntry[] };
    assert.deepEqual(
      entries.map(({ what }) => what),
      [
        "asked",
        "matched",
        "requested",
        "mail_sent",
        "opened",
        "reauthenticated",
        "refused",
        // That it was opened is noted once.
        "reauthenticated",
        "bound",
      ],
    );
    assert.equal(entries.find(({ what }) => what === "refused")?.detail, "wrong_account");
    assert.match(entries.find(({ what }) => what === "mail_sent")?.detail ?? "", /^250/);
    const requestId = entries.find(({ what }) => what === "requested")?.requestId ?? "";
    const text = await liaisonSays(["links", "show", requestId]);
    assert.match(text.stdout, new RegExp(`^Code ${code}, asked by ann@consumer.example at fabrikam\\n\\n`));
    assert.match(text.stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}bound +p-ann {2}account:/m);
    for (const output of [shown.stdout, text.stdout])
      assert.ok(!output.includes(link.split("/").at(-1) ?? "?"));
    const unknown = await liaisonSays(["links", "show", "nothing"]);
    assert.deepEqual(
      [unknown.code, unknown.stderr],
      [1, "liaison: There is no inquiry and no request nothing.\n"],
    );
  });

  it("lists what is held, and releases one", async () => {
    const held = "held@northwind.example";
    const { browser: one, page: first } = await linkStep(people.ben);
    await one.press(first, "Continue", { email: held });
    const { browser: other, page: second } = await linkStep(people.eve);
    const waiting = await other.press(second, "Continue", { email: held });
    await pause(1500);
    // Two were sent. The third is over the profile's limit.
    await other.press(await other.visit(waiting.link(/another address/)), "Continue", { email: held });
    await pause(1500);
    const sentBefore = liaison.mailbox.mails.filter(({ to }) => to === held).length;
    assert.equal(sentBefore, 2);
    const listed = await liaisonSays(["mail", "list", "--state", "held", "--json"]);
    const [mail, ...others] = listed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Delivery);
    assert.deepEqual([mail?.state, mail?.to, others.length], ["held", held, 0]);
    assert.match(
      (await liaisonSays(["mail", "list"])).stdout,
      /^ID +CREATED +STATE +KIND +TO +WHY\n.* held +link +held@/,
    );

    const released = await liaisonSays(["mail", "release", mail?.id ?? ""]);
    assert.equal(released.stdout, `${mail?.id} to ${held} is sent next.\n`);
    for (
      let turn = 0;
      turn < 40 && liaison.mailbox.mails.filter(({ to }) => to === held).length < 3;
      turn += 1
    ) {
      await pause(100);
    }
    assert.equal(liaison.mailbox.mails.filter(({ to }) => to === held).length, 3);
    const again = await liaisonSays(["mail", "release", mail?.id ?? ""]);
    assert.deepEqual([again.code, /isn't held: it is sent/.test(again.stderr)], [1, true]);
    const none = await liaisonSays(["mail", "resend", "nothing"]);
    assert.deepEqual([none.code, none.stderr], [1, "liaison: There is no mail nothing.\n"]);
  });

  const post = (body: string | Buffer, headers: Record<string, string>) =>
    fetch(`${liaison.issuer}/mail/bounces`, { method: "POST", body, headers });
  const json = { "content-type": "application/json", authorization: `Bearer ${token}` };

  it("ends the connection of a bounce that is too large, whose rest nobody reads", async () => {
    const sent = request(`${liaison.issuer}/mail/bounces`, { method: "POST", headers: json, agent: false });
    sent.on("error", () => {});
    sent.setHeader("connection", "keep-alive");
    // In pieces, so that its length isn't announced and some of it is read.
    sent.write("x".repeat(60_000));
    setTimeout(() => sent.write("x".repeat(60_000)), 50);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    assert.deepEqual([answer.statusCode, answer.headers.connection], [400, "close"]);
    sent.destroy();
  });

  it("notes bounces from the webhook, and from nobody without the token", async () => {
    const mail = liaison.mailbox.mails.find(({ to }) => to === address) ?? assert.fail();
    const body = JSON.stringify({ message_id: mail.messageId, reason: "5.1.1 no such user" });
    for (const authorization of ["", "Bearer", "Bearer wrong", `Basic ${token}`, `Bearer ${token}x`]) {
      const refused = await post(body, { ...json, authorization });
      assert.deepEqual(
        [refused.status, refused.headers.get("www-authenticate")],
        [401, 'Bearer realm="bounces"'],
      );
    }
    for (const bad of [
      "",
      "{",
      "[]",
      JSON.stringify({ message_id: { $gt: "" } }),
      `{"message_id":"${"x".repeat(70_000)}"}`,
    ]) {
      assert.equal((await post(bad, json)).status, 400, bad.slice(0, 40));
    }
    assert.deepEqual(await (await post(body, json)).json(), { noted: true });
    assert.deepEqual(await (await post(JSON.stringify({ message_id: "other@x" }), json)).json(), {
      noted: false,
    });
    const bounced = await liaisonSays(["mail", "list", "--state", "bounced", "--json"]);
    const delivery = JSON.parse(bounced.stdout) as Delivery;
    assert.deepEqual(
      [delivery.to, delivery.bounce, delivery.state],
      [address, "5.1.1 no such user", "bounced"],
    );
    const resent = await liaisonSays(["mail", "resend", delivery.id]);
    assert.match(resent.stderr, /came back after a server had taken it.*let its person ask again/);
  });

  it("notes a notification from a mail server's pipe, and from the webhook", async () => {
    const mail = liaison.mailbox.mails.find(({ to }) => to === "held@northwind.example") ?? assert.fail();
    const notification = Buffer.from(
      [
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example",
        "",
        "Final-Recipient: rfc822; x@y",
        "Action: failed",
        "Status: 5.2.2",
        "Diagnostic-Code: smtp; 552 full",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        `Message-ID: <${mail.messageId}>`,
        "",
        "--b--",
        "",
      ].join("\n"),
    );
    const piped = await liaisonSays(["mail", "bounce"], notification);
    assert.deepEqual([piped.code, piped.stderr], [0, ""]);
    assert.match(piped.stdout, /to held@northwind\.example: 5\.2\.2 552 full/);
    const unknown = Buffer.from(notification.toString().replace(mail.messageId, "nobody@knows"));
    const other = await liaisonSays(["mail", "bounce"], unknown);
    assert.deepEqual([other.code, /No mail that was sent/.test(other.stderr)], [0, true]);
    const rubbish = await liaisonSays(["mail", "bounce"], Buffer.from("hello"));
    assert.deepEqual([rubbish.code, /no delivery status notification/.test(rubbish.stderr)], [0, true]);
    const posted = await post(notification, { ...json, "content-type": "message/rfc822" });
    assert.deepEqual(await posted.json(), { noted: true });
  });
});
