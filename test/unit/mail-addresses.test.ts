/**
 * Addresses beyond ASCII anywhere in a mail: what goes out, and what is given up where the server can't take
 * it.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { type BadSmtp, honest, startBadSmtp } from "../support/bad-smtp.ts";
import { failureOf, sendOnce } from "../support/smtp-transport.ts";

describe("an address beyond ASCII", () => {
  let smtp: BadSmtp;
  before(async () => {
    smtp = await startBadSmtp();
  });
  after(() => smtp.close());
  afterEach(() => {
    smtp.commands.splice(0);
    smtp.mails.splice(0);
    smtp.behaviour = honest;
    smtp.offers = ["8BITMIME"];
  });
  const envelope = () => smtp.commands.map(({ line }) => line).filter((line) => /^(MAIL|RCPT)/.test(line));
  const header = (name: string) => {
    const [head = ""] = smtp.mails[0]?.source.split("\r\n\r\n") ?? [];
    const unfolded = head.replace(/\r\n[ \t]+/g, " ").split("\r\n");
    return unfolded.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 2);
  };
  const isAscii = () => {
    const [head = ""] = smtp.mails[0]?.source.split("\r\n\r\n") ?? [];
    assert.match(head, /^\p{ASCII}*$/u);
  };

  it("in the recipient's domain travels as its A-label, however it was written", async () => {
    for (const to of ["ann@bücher.example", "ann@BÜCHER.example", "ann@bu\u0308cher.example"]) {
      await sendOnce(smtp.port, {}, { to });
      assert.equal(
        smtp.commands.findLast(({ line }) => line.startsWith("RCPT"))?.line,
        "RCPT TO:<ann@xn--bcher-kva.example>",
      );
    }
    isAscii();
  });

  it("in the sender's domain does so in the envelope and in From", async () => {
    await sendOnce(smtp.port, { mail: { from_address: "no-reply@bücher.example", from_name: "Bücher" } });
    assert.equal(envelope()[0], "MAIL FROM:<no-reply@xn--bcher-kva.example>");
    assert.match(header("from") ?? "", /<no-reply@xn--bcher-kva\.example>$/);
    isAscii();
  });

  it("in Reply-To: the domain as its A-label; one that no header may hold is left out", async () => {
    await sendOnce(smtp.port, {}, { replyTo: "ben@bücher.example" });
    assert.equal(header("reply-to"), "ben@xn--bcher-kva.example");
    smtp.mails.splice(0);
    smtp.offers = ["8BITMIME", "SMTPUTF8"];
    await sendOnce(smtp.port, {}, { replyTo: "jürgen@consumer.example" });
    assert.equal(header("reply-to"), undefined);
    isAscii();
  });

  it("in the recipient's local part: sent by SMTPUTF8, given up without, nothing is said of it", async () => {
    smtp.offers = ["8BITMIME", "SMTPUTF8"];
    await sendOnce(smtp.port, {}, { to: "jürgen@bücher.example", replyTo: "jürgen@consumer.example" });
    assert.deepEqual(envelope(), [
      "MAIL FROM:<no-reply@contoso.example> SMTPUTF8",
      "RCPT TO:<jürgen@bücher.example>",
    ]);
    assert.equal(header("reply-to"), "jürgen@consumer.example");

    smtp.commands.splice(0);
    smtp.offers = ["8BITMIME"];
    const error = await failureOf(sendOnce(smtp.port, {}, { to: "jürgen@bücher.example" }));
    assert.deepEqual([error.failure, error.permanent], ["recipient_needs_smtputf8", true]);
    assert.match(error.message, /needs SMTPUTF8/);
    assert.deepEqual(envelope(), []);
  });

  it("in a local part that the server refuses though it offers SMTPUTF8: given up, too", async () => {
    smtp.offers = ["SMTPUTF8"];
    for (const [step, say] of [
      ["MAIL", "555 5.5.4 unsupported option: SMTPUTF8"],
      ["MAIL", "550 5.6.7 non-ASCII addresses not permitted"],
      ["RCPT", "553 5.6.7 non-ASCII addresses not permitted"],
    ] as const) {
      smtp.behaviour = (at) => (at === step ? { say } : undefined);
      const error = await failureOf(sendOnce(smtp.port, {}, { to: "jürgen@customer.example" }));
      assert.deepEqual([error.failure, error.permanent], ["recipient_needs_smtputf8", true], say);
    }
    smtp.behaviour = (at) => (at === "MAIL" ? { say: "550 5.7.1 not you" } : undefined);
    const refused = await failureOf(sendOnce(smtp.port, {}, { to: "jürgen@customer.example" }));
    assert.deepEqual([refused.failure, refused.permanent], ["sender_refused", false]);
  });

  it("in a local part, where the server can't be asked: kept and tried again", async () => {
    for (const misdeed of ["drop", "hang", { say: "421 4.3.2 busy" }] as const) {
      smtp.behaviour = (at) => (at === "connect" ? misdeed : undefined);
      const settings = { smtp: { timeout_seconds: 1 } };
      const error = await failureOf(sendOnce(smtp.port, settings, { to: "jürgen@customer.example" }));
      assert.equal(error.permanent, false, `${JSON.stringify(misdeed)}: ${error.message}`);
    }
  });

  it("that stands for no domain is given up before anything is asked", async () => {
    for (const to of ["ann@-bad-.example", "ann@bad", "ann@bü cher.example", "ann@[127.0.0.1]"]) {
      const error = await failureOf(sendOnce(smtp.port, {}, { to }));
      assert.deepEqual([error.failure, error.permanent], ["recipient_invalid", true], to);
    }
    assert.deepEqual(smtp.commands, []);
  });
});
