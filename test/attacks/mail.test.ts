/**
 * What strangers get into a mail that goes out under the deployment's name: M2, M3 and M4 of the threat list.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ParsedMail, simpleParser } from "mailparser";
import { parse } from "node-html-parser";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { bindTo } from "../support/attack-fixture.ts";
import type { AcceptedMail } from "../support/bad-smtp.ts";
import { openLink, register, signIn, type TestPerson } from "../support/liaison.ts";
import { MailFixture, type OutboxRow } from "../support/mail-fixture.ts";

function person(username: string, name: string): TestPerson {
  return { username, name, password: `${username}-password`, email: `${username}@consumer.example` };
}

/** The mails to one address, as they came and as they read. */
async function mailsTo(
  { smtp }: MailFixture,
  address: string,
): Promise<(AcceptedMail & { parsed: ParsedMail; html: string })[]> {
  const kept = smtp.mails.filter(({ to }) => to === address);
  const parsed = await Promise.all(kept.map(({ source }) => simpleParser(source)));
  return kept.map((mail, index) => {
    const read = parsed[index] ?? assert.fail();
    return { ...mail, parsed: read, html: read.html || "" };
  });
}

async function ask(fixture: MailFixture, who: TestPerson, ...addresses: string[]): Promise<void> {
  const { browser, page } = await fixture.linkStep(who);
  for (const email of addresses) {
    const waiting = await browser.press(page, "Continue", { email });
    assert.equal(waiting.heading, "Check your email");
  }
}

const countSent = (rows: OutboxRow[]) => rows.filter(({ state }) => state === "sent").length;

const linkOf = (mail: { parsed: ParsedMail } | undefined) =>
  /https?:\/\/\S+/.exec(mail?.parsed.text ?? "")?.[0] ?? "";

const injection = "Ann\r\nBcc: eve@evil.example\r\nX-Evil: yes\r\n\r\n<b>Hello</b>";
const headerLike = "Bcc: eve@evil.example\u2028Subject: Evil\u0085Reply-To: eve@evil.example";

describe("what strangers get into mails", { concurrency: 3 }, () => {
  describe("M2: names with line breaks", { concurrency: 1 }, () => {
    const eve = person("m2-eve", injection);
    let fixture: MailFixture;
    before(async () => {
      fixture = await MailFixture.start({
        crowd: [eve],
        config: (base) => ({
          ...base,
          deployment: { ...(base["deployment"] as object), name: headerLike },
          mail: { ...(base["mail"] as object), from_name: injection },
        }),
      });
      const { liaison } = fixture;
      await register(liaison, { id: asOrganizationId("org"), name: headerLike }, [
        { id: "link", email: "link@northwind.example", name: injection },
        { id: "own", email: "own@northwind.example", name: injection },
        { id: "other", email: "other@northwind.example", name: headerLike },
        { id: "off", email: "off@northwind.example", name: injection, enabled: false },
      ]);
      await bindTo(liaison, eve, "own");
      await bindTo(liaison, person("m2-owner", "Owner"), "other");
      await fixture.until("the notices have left", (rows) => countSent(rows) === 2);
    });
    after(() => fixture?.close());

    it(
      "M2: no kind of mail gets a header, a recipient or a body from them, and each says that it is " +
        "automatic",
      async () => {
        const { liaison, smtp } = fixture;
        smtp.mails.length = 0;
        smtp.commands.length = 0;
        const addresses = ["link", "own", "other", "off"].map((name) => `${name}@northwind.example`);
        // Whoever has a profile that opens a portal is asked for no address there.
        const browser = liaison.browser();
        const started = await liaison.partnerSource.start();
        const notAdmitted = await signIn(browser, started, eve);
        const page = await browser.follow(notAdmitted, /link/i);
        for (const email of addresses) await browser.press(page, "Continue", { email });
        await fixture.until("all were answered", (rows) => countSent(rows) === 6);
        await openLink(liaison.browser(), linkOf((await mailsTo(fixture, "link@northwind.example"))[0]), eve);
        await fixture.until("the notice was sent", (rows) => countSent(rows) === 7);

        assert.equal(smtp.mails.length, 5);
        const expected = [
          "auto-submitted",
          "content-type",
          "date",
          "from",
          "message-id",
          "mime-version",
          "subject",
          "to",
        ];
        for (const { to, source, parsed } of (
          await Promise.all(addresses.map((to) => mailsTo(fixture, to)))
        ).flat()) {
          const names = parsed.headerLines
            .map(({ key }) => key)
            .filter((key) => key !== "x-auto-response-suppress");
          assert.deepEqual(names.sort(), expected, source.slice(0, 900));
          assert.match(source, /^Auto-Submitted: auto-generated\r$/m);
          assert.deepEqual(
            [parsed.to].flat().map((list) => list?.value.map(({ address }) => address)),
            [[to]],
          );
          assert.deepEqual(
            parsed.from?.value.map(({ address }) => address),
            ["no-reply@contoso.example"],
          );
          assert.doesNotMatch(parsed.subject ?? "", /[\p{Cc}\p{Zl}\p{Zp}]/u);
          assert.match(parsed.text ?? "", /^Hello /, "the body is ours from its first word");
        }
        const recipients = smtp.commands
          .filter(({ line }) => line.startsWith("RCPT"))
          .map(({ line }) => line.slice(0, 30));
        assert.ok(
          recipients.every((line) => !line.includes("evil")) && recipients.length === 5,
          recipients.join(),
        );
      },
    );
  });

  describe("M3: internationalized addresses", { concurrency: 1 }, () => {
    let fixture: MailFixture;
    before(async () => {
      fixture = await MailFixture.start();
      await register(fixture.liaison, { id: asOrganizationId("org") }, [
        { id: "domain", email: "ann@bücher.example" },
        { id: "local", email: "анна@northwind.example" },
        { id: "both", email: "анна@bücher.example" },
      ]);
    });
    after(() => fixture?.close());

    const person3 = person("ann", "Ann Archer");
    const ann = { ...person3, password: "ann-password-1" };
    const recipients = () =>
      fixture.smtp.commands.flatMap(({ line }) => /^RCPT TO:<(.*)>/.exec(line)?.[1] ?? []);

    it("M3: a domain travels as its A-label, in an envelope of one recipient", async () => {
      await ask(fixture, ann, "Ann@XN--BCHER-KVA.example");
      await fixture.until("it was sent", (rows) => rows[0]?.state === "sent");
      assert.deepEqual(recipients(), ["ann@xn--bcher-kva.example"]);
      const [mail] = fixture.smtp.mails;
      assert.match(mail?.source ?? "", /^To: .*ann@xn--bcher-kva\.example/im);
    });

    it("M3: a local part that needs SMTPUTF8 is refused where no server can, nothing is sent", async () => {
      await ask(fixture, ann, "анна@northwind.example");
      const rows = await fixture.until(
        "it was refused",
        (all) => all.length === 2 && all.every(({ state }) => state !== "queued"),
      );
      assert.equal(rows[1]?.state, "failed");
      assert.match(rows[1]?.error ?? "", /needs SMTPUTF8, which the mail server doesn't offer/);
      assert.equal(recipients().length, 1);
    });

    it("M3: and sent by SMTPUTF8 where the server can", async () => {
      fixture.smtp.offers = ["8BITMIME", "SMTPUTF8"];
      fixture.smtp.hangUp();
      fixture.smtp.commands.length = 0;
      await ask(fixture, ann, "анна@bücher.example");
      await fixture.until("it was sent", (rows) => rows[2]?.state === "sent");
      const sender = fixture.smtp.commands.filter(({ line }) => line.startsWith("MAIL FROM"));
      assert.ok(sender.length === 1 && sender[0]?.line.includes(" SMTPUTF8"));
      assert.deepEqual(recipients(), ["анна@bücher.example"]);
    });
  });

  /** What some mail program or other would make a link of. */
  const linkable = new RegExp(
    String.raw`[a-z][a-z0-9+.-]*://|\bwww\.|(?:mailto|javascript|data|tel):` +
      String.raw`|[\p{L}\p{N}-]+[.。][\p{L}\p{N}][\p{L}\p{M}\p{N}-]+`,
    "giu",
  );

  describe("M4: names in mails", { concurrency: 1 }, () => {
    const hostileNames = [
      "Eve https://evil.example/login",
      "Eve evil.example/login",
      "evil.example",
      "EVIL.EXAMPLE Support",
      "Eve (evil.example)",
      "Eve evil。example",
      "Eve evil．example/login",
      "Eve www.evil",
      "Eve evil.e\u0332xample",
      "Eve evil.\ufe0fexample",
      "Eve evil.\u3164example",
      "Eve xn--evl-gma.xn--p1ai",
      "Eve javascript:alert(1)",
      "Eve support@evil.example",
      "Eve \\\\evil.example\\login",
      "Eve \u202eelpmaxe.live\u202c \u2066x\u2069",
      "Eve\u200b\u00ad\u0000\u0007\u009f\tE",
      `Eve ${"long ".repeat(100)}`,
      '<img src=x onerror="alert(1)">Eve</p><script>1</script>',
      "Eve evil.com",
      "Evil.Com",
      "evil\u2024com evil\uff61com",
      "evil.(com) evil[.]com evil-.com evil.\u200bcom",
      "Contoso Support \u260e +45 20 30 40 50",
      "Eve \u0664\u0665\u0660 \u2460\u2461\u2462 \uff14\uff15\uff16 1\u20e32\u20e33\u20e3",
      `E${"\u0332\u0315\u033e".repeat(20)}ve`,
    ];
    const hostileLocals = ["www.evil-site.example", "evil.com", "evil.com+ann", "Evil.Example", "www"];
    const crowd = [
      ...hostileNames.map((name, index) => person(`m4-${index}`, name)),
      ...hostileLocals.map((local, index) => ({
        ...person(`m4-at-${index}`, ""),
        email: `${local}@consumer.example`,
      })),
    ];
    const html = '<b>Ann</b> & "Co" <script>alert(1)</script>';
    let fixture: MailFixture;
    before(async () => {
      fixture = await MailFixture.start({ crowd });
      const profiles = crowd.map(({ username }) => ({
        id: username,
        email: `${username}@northwind.example`,
        name: html,
      }));
      await register(
        fixture.liaison,
        { id: asOrganizationId("org"), name: "<i>Northwind</i> evil.example/login A/S" },
        profiles,
      );
    });
    after(() => fixture?.close());

    it("M4: a requester's name is capped, without addresses, control and bidi characters", async () => {
      await Promise.all(crowd.map((who) => ask(fixture, who, `${who.username}@northwind.example`)));
      await fixture.until("all were sent", (rows) => countSent(rows) === crowd.length);
      for (const { username, email, name } of crowd) {
        const [mail] = await mailsTo(fixture, `${username}@northwind.example`);
        const text = mail?.parsed.text ?? "";
        const asked =
          text.split("\n").find((line) => line.startsWith("Someone signed in as")) ?? assert.fail(text);
        assert.doesNotMatch(
          asked,
          /[\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u,
          name,
        );
        const rest = asked.replace(email, "");
        const isMasked = hostileLocals.some((local) => email.startsWith(`${local}@`));
        if (isMasked)
          assert.match(asked, /^Someone signed in as m at \([A-Za-z]\*\*\*@consumer\.example\) at /);
        else assert.deepEqual(rest.match(linkable), null, `${name} → ${asked}`);
        for (const said of [/evil-site/i, /evil\.(?:com|example)/i, /www\b/]) assert.doesNotMatch(rest, said);
        const [, shown] = /^Someone signed in as (?:(.*) \()?/.exec(asked) ?? [];
        if (shown !== undefined) assert.match(shown, /^[\p{L}\p{M} .'’·-]{1,40}$/u, asked);
        assert.doesNotMatch(asked, /\p{M}{4}/u);
      }
    });

    it("M4: markup in names is encoded in HTML and plain in text", async () => {
      for (const { username } of crowd) {
        const [mail = assert.fail()] = await mailsTo(fixture, `${username}@northwind.example`);
        assert.ok(mail.parsed.text?.includes(`Hello ${html},`));
        assert.ok(mail.html.includes("&lt;b&gt;Ann&lt;/b&gt; &amp; "), "encoded");
        const dom = parse(mail.html);
        assert.deepEqual(dom.querySelectorAll("b, i, script, img, link, style, iframe, object, form"), []);
        const targets = dom.querySelectorAll("a").map((a) => a.getAttribute("href"));
        assert.deepEqual([...new Set(targets)], [linkOf(mail)]);
        assert.ok(linkOf(mail).startsWith(`${fixture.liaison.issuer}/link/`));
        assert.doesNotMatch(mail.html, /\son\w+\s*=\s*["']/i);
      }
    });

    it("M4: what somebody typed is in no mail, whatever its spelling", async () => {
      const [first, second] = crowd;
      if (first === undefined || second === undefined) return assert.fail();
      fixture.smtp.mails.length = 0;
      const typed = `${first.username.toUpperCase()}@Northwind.EXAMPLE`;
      await ask(
        fixture,
        second,
        typed,
        "somebody-else@evil.example",
        `${first.username}+typed@northwind.example`,
      );
      await fixture.until("it was sent", (rows) => countSent(rows) === crowd.length + 1);
      const [mail, ...others] = fixture.smtp.mails;
      assert.equal(others.length, 0);
      const [{ parsed, html: page } = assert.fail()] = await mailsTo(
        fixture,
        `${first.username}@northwind.example`,
      );
      for (const part of [mail?.source ?? "", parsed.text ?? "", page]) {
        for (const said of [typed, "EXAMPLE", "somebody-else", "+typed"])
          assert.ok(!part.includes(said), said);
      }
    });
  });
});
