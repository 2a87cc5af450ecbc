/** Mail servers that misbehave, against the whole application: M5 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { honest, type Misdeed, type SmtpStep } from "../support/bad-smtp.ts";
import { certificate, privateKey } from "../support/certificate.ts";
import { MailFixture, type OutboxRow } from "../support/mail-fixture.ts";
import type { Page } from "../support/user-agent.ts";

/** What a page says, but for the seconds that it counts down and the code of its request. */
const seen = ({ status, text }: Page) => `${status} ${text}`.replace(/\d+ seconds?|Code ?[A-Z]{4}\b/g, "…");

const endless = (start: string): Misdeed => ({ say: start + "x".repeat(4 * 1024 * 1024) });

describe("M5", { concurrency: 4 }, () => {
  describe("a mail server that refuses, hangs or lies about one recipient", { concurrency: 1 }, () => {
    /** By recipient: where the server misbehaves, and whether trying again is of use. */
    const cases: [name: string, step: SmtpStep, misdeed: Misdeed, end: "retried" | "given up"][] = [
      ["rcpt-hangs", "RCPT", "hang", "retried"],
      ["rcpt-drops", "RCPT", "drop", "retried"],
      ["rcpt-451", "RCPT", { say: "451 4.7.1 greylisted, rcpt-451@northwind.example" }, "retried"],
      ["rcpt-550", "RCPT", { say: "550 5.1.1 no such user rcpt-550@northwind.example" }, "given up"],
      ["rcpt-endless", "RCPT", endless("250 "), "retried"],
      ["data-hangs", "DATA", "hang", "retried"],
      ["data-drops", "DATA", "drop", "retried"],
      ["data-451", "DATA", { say: "451 not now" }, "retried"],
      ["data-554", "DATA", { say: "554 no valid recipients" }, "given up"],
      ["content-dropped", "mid-content", "drop", "retried"],
      ["content-hangs", "content", "hang", "retried"],
      ["content-taken-unsaid", "content", "drop", "retried"],
      ["content-452", "content", { say: "452 4.2.2 mailbox full" }, "retried"],
      ["content-554", "content", { say: "554 5.7.1 spam" }, "given up"],
      ["content-nonsense", "content", { say: "what?" }, "retried"],
    ];
    const good = ["first", "middle", "last"].map((name) => `${name}@northwind.example`);
    const addresses = cases.map(([name]) => `${name}@northwind.example`);
    addresses.splice(7, 0, good[1] ?? "");
    const all = [good[0] ?? "", ...addresses, good[2] ?? ""];

    let fixture: MailFixture;
    before(async () => {
      fixture = await MailFixture.start({ smtp: { timeout_seconds: 2 } });
      await fixture.profiles(all);
      fixture.smtp.behaviour = (step, recipient) =>
        cases.find(([name, at]) => at === step && recipient === `${name}@northwind.example`)?.[2];
    });
    after(() => fixture?.close());

    it("M5: the page is the same whatever becomes of the mail, and no mail holds up another", async () => {
      const { browser, page } = await fixture.linkStep();
      const texts = new Set<string>();
      const without = (email: string, waiting: Page) => {
        assert.ok(seen(waiting).includes(email), "who typed it is shown it");
        return seen(waiting).replaceAll(email, "…");
      };
      for (const email of ["nobody@northwind.example", ...all]) {
        const waiting = await browser.press(page, "Continue", { email });
        texts.add(without(email, waiting));
      }
      assert.equal(texts.size, 1, [...texts].join("\n"));
      const rows = await fixture.until(
        "every mail was tried",
        (mails) => mails.length === all.length && mails.every(({ attempts }) => attempts > 0),
      );
      for (const { recipient, state } of rows) {
        if (good.includes(recipient)) assert.equal(state, "sent", recipient);
      }
      const reloaded = await browser.visit(
        `${page.url.href.replace(/\/interaction\/([^/]+).*/, "/interaction/$1/waiting")}`,
      );
      texts.add(without(all.at(-1) ?? "", reloaded));
      assert.equal(texts.size, 1, "nor does it change when the mail has failed");
    });

    it("M5: what may pass is put off by seconds, what is final given up; no reason quotes an address", () => {
      for (const [name, , , end] of cases) {
        const row = fixture.outbox().find(({ recipient }) => recipient === `${name}@northwind.example`);
        assert.equal(row?.state, end === "retried" ? "queued" : "failed", `${name}: ${row?.error}`);
        assert.equal(row?.attempts, 1, name);
        assert.doesNotMatch(row?.error ?? "none", /none|@|northwind/, name);
        if (row === undefined || end !== "retried") continue;
        const wait = row.next - row.created;
        assert.ok(wait >= 7_500 && wait < 30_000, `${name} waits ${wait} ms`);
      }
    });

    it(
      "M5: once the server has recovered all that may pass is delivered, under the Message-ID of the " +
        "first try",
      async () => {
        fixture.smtp.behaviour = honest;
        fixture.liaison.clock.advance(30);
        const rows = await fixture.until(
          "all are delivered",
          (mails) => mails.length === all.length && mails.every(({ state }) => state !== "queued"),
        );
        const count = (state: string) => rows.filter((row) => row.state === state).length;
        assert.deepEqual([count("sent"), count("failed")], [all.length - 3, 3]);
        const idsOf = (name: string) =>
          fixture.smtp.mails
            .filter(({ to }) => to === `${name}@northwind.example`)
            .map(({ source }) => /^Message-ID: (.*)$/im.exec(source)?.[1]);
        assert.equal(idsOf("rcpt-451").length, 1);
        const twice = idsOf("content-taken-unsaid");
        assert.equal(twice.length, 2);
        assert.equal(new Set(twice).size, 1);
      },
    );
  });

  describe("a mail server that is slow about some", { concurrency: 1 }, () => {
    let fixture: MailFixture;
    before(async () => {
      fixture = await MailFixture.start({ smtp: { max_connections: 3, timeout_seconds: 20 } });
    });
    after(() => fixture?.close());

    it(
      "M5: as many mails are delivered at once as there may be connections, and the slow ones delay no " +
        "other",
      async () => {
        const slow = ["slow-1@northwind.example", "slow-2@northwind.example"];
        const others = ["first@northwind.example", "second@northwind.example"];
        await fixture.profiles([...slow, ...others]);
        fixture.smtp.behaviour = (step, recipient) =>
          step === "RCPT" && slow.includes(recipient) ? "hang" : undefined;
        const { browser, page } = await fixture.linkStep();
        const began = performance.now();
        for (const email of [...slow, ...others]) await browser.press(page, "Continue", { email });
        // Those that hang are under their leases, and not among these rows.
        const rows = await fixture.until(
          "the others are sent",
          (mails) => mails.length === others.length && mails.every(({ state }) => state === "sent"),
        );
        assert.deepEqual(rows.map(({ recipient, state }) => `${recipient} ${state}`).sort(), [
          "first@northwind.example sent",
          "second@northwind.example sent",
        ]);
        assert.ok(performance.now() - began < 15_000, "before the slow ones were given up");
        const asked = fixture.smtp.commands.filter(({ line }) => /^RCPT TO:<slow-/.test(line));
        assert.equal(asked.length, 2);
      },
    );
  });

  const early: [name: string, step: SmtpStep, misdeed: Misdeed][] = [
    ["hangs before its greeting", "connect", "hang"],
    ["hangs up at once", "connect", "drop"],
    ["is busy", "connect", { say: "421 4.3.2 too many connections" }],
    ["wants nothing of us", "connect", { say: "554 5.7.1 no service" }],
    ["greets without end", "connect", endless("220 ")],
    ["refuses EHLO and HELO", "EHLO", { say: "502 unknown" }],
  ];
  const later: typeof early = [
    ["hangs at EHLO", "EHLO", "hang"],
    ["hangs up at EHLO", "EHLO", "drop"],
    ["hangs at the sender", "MAIL", "hang"],
    ["hangs up at the sender", "MAIL", "drop"],
    ["puts the sender off", "MAIL", { say: "451 4.3.0 try later" }],
    ["refuses the sender, which is ours to put right", "MAIL", { say: "550 5.7.1 not you" }],
  ];
  for (const phases of [early, later]) {
    const when = phases === early ? "before it greets" : "before it knows the recipient";
    describe(`a mail server that misbehaves ${when}`, { concurrency: 1 }, () => {
      let fixture: MailFixture;
      before(async () => {
        fixture = await MailFixture.start({ smtp: { timeout_seconds: 2 } });
        await fixture.profiles(["ann@northwind.example", "ben@northwind.example"]);
      });
      after(() => fixture?.close());

      it("M5: every mail is tried again, less and less often, and the service stays well", async () => {
        const { browser, page } = await fixture.linkStep();
        const waits: number[] = [];
        for (const [index, [name, at, misdeed]] of phases.entries()) {
          fixture.smtp.hangUp();
          fixture.smtp.behaviour = (step) => (step === at ? misdeed : undefined);
          if (index === 0) {
            await browser.press(page, "Continue", { email: "ann@northwind.example" });
            await browser.press(page, "Continue", { email: "ben@northwind.example" });
          }
          fixture.liaison.clock.advance(index === 0 ? 1 : 3600);
          const triedAt = fixture.liaison.clock.now();
          const isTried = (mails: OutboxRow[]) =>
            mails.length === 2 && mails.every((row) => row.attempts === index + 1);
          const rows = await fixture.until(name, isTried);
          for (const row of rows) assert.equal(row.state, "queued", `${name}: ${row.error}`);
          waits.push((rows[0]?.next ?? 0) - triedAt);
          assert.deepEqual(fixture.smtp.mails, [], name);
          assert.equal((await fetch(`${fixture.liaison.issuer}/healthz`)).status, 200);
        }
        for (const [index, wait] of waits.entries()) {
          const longest = 15_000 * 2 ** index;
          assert.ok(wait >= longest / 2 && wait < longest + 6000, `wait ${index} is ${wait} ms`);
        }
      });

      it("M5: one that nobody takes for two days is given up; another goes once it is taken", async () => {
        fixture.smtp.hangUp();
        fixture.smtp.behaviour = (step, recipient) =>
          step === "RCPT" && recipient.startsWith("ben@") ? { say: "451 later" } : undefined;
        fixture.liaison.clock.advance(49 * 3600);
        const isOver = (mails: OutboxRow[]) =>
          mails.length === 2 && mails.every(({ state }) => state !== "queued");
        const rows = await fixture.until("both have come to an end", isOver);
        const ends = rows.map(({ recipient, state }) => `${recipient} ${state}`);
        assert.deepEqual(ends, ["ann@northwind.example sent", "ben@northwind.example failed"]);
        assert.equal(fixture.smtp.mails.length, 1);
      });
    });
  }

  describe("where TLS is required", { concurrency: 1 }, () => {
    const trusted = getCACertificates("default");
    let fixture: MailFixture;
    before(async () => {
      const login = { username: "liaison", password: "the-password-of-the-mail-server" };
      fixture = await MailFixture.start({
        smtp: { host: "localhost", security: "starttls", timeout_seconds: 2, ...login },
        tls: { key: privateKey, cert: certificate },
      });
      await fixture.profiles(["ann@northwind.example"]);
    });
    after(async () => {
      setDefaultCACertificates(trusted);
      await fixture?.close();
    });

    const strips: [name: string, offers: string[], misdeed: Misdeed | undefined][] = [
      ["doesn't offer STARTTLS", ["AUTH PLAIN LOGIN"], undefined],
      [
        "offers STARTTLS and refuses it",
        ["STARTTLS", "AUTH PLAIN LOGIN"],
        { say: "454 4.7.0 TLS not available" },
      ],
      ["agrees to STARTTLS and goes on in clear", ["STARTTLS", "AUTH PLAIN LOGIN"], "garbage"],
      ["agrees to STARTTLS and hangs", ["STARTTLS", "AUTH PLAIN LOGIN"], "hang"],
      ["hangs up at STARTTLS", ["STARTTLS", "AUTH PLAIN LOGIN"], "drop"],
      ["shows a certificate that nobody vouches for", ["STARTTLS", "AUTH PLAIN LOGIN"], undefined],
    ];

    it("M5: no password, no address and no mail goes out in clear, and all once TLS works", async () => {
      const { browser, page } = await fixture.linkStep();
      for (const [index, [name, offers, misdeed]] of strips.entries()) {
        fixture.smtp.hangUp();
        fixture.smtp.offers = offers;
        fixture.smtp.behaviour = (step) => (step === "STARTTLS" ? misdeed : undefined);
        if (index === 0) await browser.press(page, "Continue", { email: "ann@northwind.example" });
        fixture.liaison.clock.advance(index === 0 ? 1 : 3600);
        await fixture.until(name, ([row]) => row?.attempts === index + 1 && row.state === "queued");
        const said = fixture.smtp.commands.map(({ line }) => line.split(" ")[0]);
        for (const verb of ["AUTH", "MAIL", "RCPT", "DATA"])
          assert.ok(!said.includes(verb), `${name}: ${verb} was said`);
      }
      setDefaultCACertificates([...trusted, certificate]);
      fixture.smtp.hangUp();
      fixture.smtp.behaviour = honest;
      fixture.liaison.clock.advance(3600);
      await fixture.until("it is delivered", ([row]) => row?.state === "sent");
      assert.deepEqual(
        fixture.smtp.mails.map(({ secure }) => secure),
        [true],
      );
      // What begins with a 22 is a TLS handshake, said to a server that no longer listens for one.
      const inClear = fixture.smtp.commands.filter(
        ({ line, secure }) => !secure && line.charCodeAt(0) !== 22,
      );
      for (const { line } of inClear) assert.match(line, /^(EHLO \S+|STARTTLS|QUIT)$/);
    });
  });
});
