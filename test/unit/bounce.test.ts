/** Delivery status notifications as mail servers send them, and what is none. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readNotification } from "../../src/admin/mail.ts";
import { LiaisonError } from "../../src/errors.ts";
import { parseNotification, parseWebhook } from "../../src/mail/bounce.ts";

interface Parts {
  status?: string;
  original?: string;
  originalType?: string;
}

/** A notification as Postfix writes it. */
function notification({
  status = failed,
  original = headers,
  originalType = "text/rfc822-headers",
}: Parts = {}): Buffer {
  const lines = [
    "Return-Path: <>",
    "From: MAILER-DAEMON@mx.example.net (Mail Delivery System)",
    "To: no-reply@contoso.example",
    "Subject: Undelivered Mail Returned to Sender",
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="B/mx"',
    "Message-Id: <20261126@mx.example.net>",
    "",
    "--B/mx",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "I'm sorry to have to inform you.",
    "",
    "--B/mx",
    "Content-Type: message/delivery-status",
    "",
    status,
    "",
    "--B/mx",
    `Content-Type: ${originalType}`,
    "",
    original,
    "",
    "--B/mx--",
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}

const recipient = (...fields: string[]) =>
  [
    "Reporting-MTA: dns; mx.example.net",
    "",
    "Final-Recipient: rfc822; ann@northwind.example",
    ...fields,
  ].join("\r\n");
const failed = recipient(
  "Action: failed",
  "Status: 5.1.1",
  "Diagnostic-Code: smtp; 550 5.1.1 <ann@northwind.example>: Recipient",
  "    address rejected; see https://mx.example.net/help?x=1",
);
const headers = [
  "Received: from liaison",
  "From: Contoso sign-in <no-reply@contoso.example>",
  "Message-ID: <abc-123@contoso.example>",
  "Subject: Link your account",
].join("\r\n");

const refused = (why: RegExp) => (error: unknown) =>
  error instanceof LiaisonError && error.code === "bad_request" && why.test(error.message);

describe("a delivery status notification", () => {
  it("tells of a failure for good", async () => {
    assert.deepEqual(await parseNotification(notification()), {
      messageId: "abc-123@contoso.example",
      reason: "5.1.1 550 5.1.1 <ann@northwind.example>: Recipient address rejected; see …",
      permanent: true,
    });
  });

  it("returns the whole mail, or its headers alone, and either is read", async () => {
    const whole =
      `${headers}\r\nContent-Type: text/plain\r\n\r\nMessage-ID: ` +
      "<wrong@example.net>\r\nhttps://x/link/1/2";
    for (const originalType of ["message/rfc822", "message/rfc822; charset=utf-8", "text/rfc822-headers"]) {
      const bounce = await parseNotification(notification({ original: whole, originalType }));
      assert.equal(bounce?.messageId, "abc-123@contoso.example", originalType);
    }
  });

  it("warns of a delay, and tells of none when it was delivered", async () => {
    const delayed = recipient("Action: delayed", "Status: 4.4.1", "Diagnostic-Code: smtp; 421 later");
    const warning = await parseNotification(notification({ status: delayed }));
    assert.deepEqual([warning?.permanent, warning?.reason], [false, "4.4.1 421 later"]);
    for (const action of ["delivered", "relayed", "expanded"]) {
      const status = recipient(`Action: ${action}`, "Status: 2.0.0");
      assert.equal(await parseNotification(notification({ status })), undefined, action);
    }
    const bare = await parseNotification(notification({ status: recipient("Action: failed") }));
    assert.equal(bare?.reason, "no reason given");
  });

  it("can be read with bare line feeds, as pipes deliver it", async () => {
    const unix = Buffer.from(notification().toString().replaceAll("\r\n", "\n"));
    assert.equal((await parseNotification(unix))?.messageId, "abc-123@contoso.example");
  });

  it("is refused, naming what is missing, where it is something else", async () => {
    await assert.rejects(
      parseNotification(Buffer.from("Subject: hello\r\n\r\nhello")),
      refused(/delivery-status part/),
    );
    await assert.rejects(parseNotification(Buffer.from("")), refused(/delivery-status part/));
    await assert.rejects(
      parseNotification(Buffer.from([0, 255, 254, 13, 10])),
      refused(/delivery-status part/),
    );
    const nameless = notification({ original: "Subject: no id" });
    await assert.rejects(parseNotification(nameless), refused(/headers of the mail/));
  });
});

describe("what a mail server's pipe brings", () => {
  const person =
    "From: Ann <ann@northwind.example>\nIn-Reply-To: <x@example.com>\nSubject: Re: Link\n\nHelp!\n";
  const nested = Array.from(
    { length: 400 },
    (_, n) => `Content-Type: multipart/mixed; boundary="b${n}"\n\n--b${n}\n`,
  );
  const cases: [name: string, input: string | Buffer, words: RegExp][] = [
    ["a holiday's reply", `Auto-Submitted: auto-replied\n${person}`, /it is an automatic reply/],
    ["a person's answer", `Auto-Submitted: no\n${person}`, /it is somebody's answer/],
    [
      "a read receipt",
      [
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b1",
        "",
        "--b1",
        "Content-Type: text/plain",
        "",
        "read",
        "--b1",
        "Content-Type: message/disposition-notification",
        "",
        "Disposition: manual-action; displayed",
        "--b1--",
        "",
      ].join("\n"),
      /it is a read receipt/,
    ],
    [
      "a bounce in free words",
      "X-Failed-Recipients: a@b.example\n\n550 no such user\n",
      /delivery-status part/,
    ],
    ["a bounce without the mail's headers", notification({ original: "Subject: x" }), /headers of the mail/],
    ["one that tells of a delivery", notification({ status: recipient("Action: delivered") }), /no failure/],
    ["one whose end is missing", notification().subarray(0, 400), /delivery-status part/],
    ["bytes", Buffer.from([0, 255, 254, 13, 10, 0]), /delivery-status part/],
    ["parts within parts without end", nested.join(""), /no mail/],
    ["nothing", "", /delivery-status part/],
  ];
  for (const [name, input, words] of cases) {
    it(`${name}: nothing is to be noted, and why`, async () => {
      const read = await readNotification(Buffer.from(input));
      assert.ok("nothing" in read);
      assert.match(read.nothing, words);
      assert.doesNotMatch(read.nothing, /ann|Help/);
    });
  }
});

describe("the webhook's JSON", () => {
  it("is a Message-ID with a reason, for good unless it says otherwise", () => {
    assert.deepEqual(parseWebhook({ message_id: "<a@b>" }), {
      messageId: "a@b",
      reason: "no reason given",
      permanent: true,
    });
    const soft = parseWebhook({ message_id: "a@b", reason: "later\r\nhttps://x/y", permanent: false });
    assert.deepEqual(soft, { messageId: "a@b", reason: "later …", permanent: false });
  });

  it("is refused where it is something else", () => {
    const bodies: unknown[] = [null, [], "a@b", {}, { message_id: 1 }, { message_id: { $gt: "" } }];
    for (const body of [...bodies, { message_id: "a", x: 1 }]) {
      assert.throws(
        () => parseWebhook(body),
        (error) => error instanceof LiaisonError && error.code === "bad_request",
      );
    }
  });
});
