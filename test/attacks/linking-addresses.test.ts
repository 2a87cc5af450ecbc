/** What is typed on the link step, and who gets mail for it: L13, L14 and L15 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  almostCarryOut,
  ask,
  askForLink,
  assertUnbound,
  auditOf,
  bindTo,
  mailsTo,
  profileOf,
  quiet,
  startAttacked,
} from "../support/attack-fixture.ts";
import { openLink, register, signIn } from "../support/liaison.ts";

/** Everybody that mail has gone to, as the server was told. */
const recipients = ({ mailbox }: Attacked) => mailbox.mails.flatMap(({ envelopeTo }) => envelopeTo).sort();

describe("typed addresses", { concurrency: 3 }, () => {
  describe("L13: one policy says which spellings mean one mailbox", { concurrency: 1 }, () => {
    /**
     * Registered, typed, and where the mail goes, as the test's mail server reads A-labels; null for
     * different mailboxes.
     */
    const spellings: [registered: string, typed: string, mailedTo: string | null][] = [
      ["Lower.Case@Northwind.example", "lower.case@northwind.example", "Lower.Case@northwind.example"],
      ["upper@northwind.example", "UPPER@NORTHWIND.EXAMPLE", "upper@northwind.example"],
      ["blanks@northwind.example", "  blanks@northwind.example\t", "blanks@northwind.example"],
      ["irma1@northwind.example", "IRMA1@northwind.example", "irma1@northwind.example"],
      ["irma2@northwind.example", "ırma2@northwind.example", null],
      ["irma3@northwind.example", "İRMA3@northwind.example", null],
      ["ırma4@northwind.example", "irma4@northwind.example", null],
      ["ırma5@northwind.example", "IRMA5@northwind.example", null],
      ["ırma6@northwind.example", "ırma6@NORTHWIND.example", "ırma6@northwind.example"],
      ["dotted@fiınd.example", "dotted@fiind.example", null],
      ["full1@northwind.example", "full1＠northwind.example", null],
      ["full2@northwind.example", "ｆｕｌｌ２@northwind.example", null],
      ["full3@northwind.example", "full3@ｎｏｒｔｈｗｉｎｄ.example", null],
      ["full4@northwind.example", "full4@northwind．example", null],
      ["kelvin1@northwind.example", "\u212Aelvin1@northwind.example", null],
      ["longs1@northwind.example", "long\u017F1@northwind.example", null],
      ["cyrillic@northwind.example", "суrillic@northwind.example", null],
      ["jose1@northwind.example", "josé1@northwind.example", null],
      ["josé2@northwind.example", "JOSE\u03012@northwind.example", "josé2@northwind.example"],
      ["puny1@bücher.example", "puny1@xn--bcher-kva.example", "puny1@bücher.example"],
      ["puny2@xn--bcher-kva.example", "PUNY2@BU\u0308CHER.example", "puny2@bücher.example"],
      ["puny3@bücher.example", "puny3@bucher.example", null],
      ["sharp1@straße.example", "sharp1@strasse.example", null],
      ["plus1@northwind.example", "plus1+news@northwind.example", null],
      ["plus2+portal@northwind.example", "plus2@northwind.example", null],
      ["plus3+portal@northwind.example", "Plus3+Portal@northwind.example", "plus3+portal@northwind.example"],
      ["dots1@northwind.example", "d.ots1@northwind.example", null],
      ["hidden1@northwind.example", "hid\u200Bden1@northwind.example", null],
      ["hidden2@northwind.example", "hidden2@north\u00ADwind.example", null],
      ["suffix2@northwind.example", "suffix2@eu.northwind.example", null],
    ];
    let liaison: Attacked;
    before(async () => {
      liaison = await startAttacked();
      const profiles = spellings.map(([email], index) => ({ id: `l13-${index}`, email }));
      await register(liaison, { id: asOrganizationId("northwind") }, profiles);
    });
    after(() => liaison?.close());

    it(
      "L13: mail goes to the registered spelling of the same mailbox, and to nobody else; the page is " +
        "always the same",
      async () => {
        const browser = liaison.browser();
        const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
        for (const [, typed] of spellings) {
          const page = await browser.press(linkStep, "Continue", { email: typed });
          assert.equal(`${page.status} ${page.heading}`, "200 Check your email", typed);
        }
        await quiet(liaison);
        const expected = spellings.flatMap(([, , mailedTo]) => mailedTo ?? []);
        assert.deepEqual(recipients(liaison), expected.sort());
      },
    );
  });

  describe("L14: what is no single plain address", { concurrency: 1 }, () => {
    const email = "ann@northwind.example";
    const typed = [
      `${email}, eve@evil.example`,
      `eve@evil.example;${email}`,
      `${email} eve@evil.example`,
      `${email},${email}`,
      '"ann"@northwind.example',
      '"ann@northwind.example"@evil.example',
      "ann(the buyer)@northwind.example",
      "ann@(here)northwind.example",
      `eve@evil.example <${email}>`,
      `friends: Ann <${email}>;`,
      `friends: ${email}, eve@evil.example;`,
      `undisclosed:${email};`,
      `${email}\r\nBcc: eve@evil.example`,
      `${email}\nRCPT TO:<eve@evil.example>`,
      `eve@evil.example\r${email}`,
      `${email}\r\n`,
      `${email}\u0000`,
      `${email}\u2028eve@evil.example`,
      `${email}%0d%0aBcc:eve@evil.example`,
      `${email}@evil.example`,
      "ann@evil.example@northwind.example",
      "ann%northwind.example@evil.example",
      "evil.example!ann@northwind.example.",
      "ann..b@northwind.example",
      ".ann@northwind.example",
      "ann@[127.0.0.1]",
      "ann@127.0.0.1",
      `mailto:${email}?cc=eve@evil.example`,
      `mailto:${email}%0d%0aBcc:x`,
      `${email}?cc=eve@evil.example`,
      `["${email}","eve@evil.example"]`,
      `{"$gt":"a@b.example"}`,
      `' OR email_key LIKE '%@northwind.example`,
      `${"a".repeat(300)}@northwind.example`,
    ];
    let liaison: Attacked;
    before(async () => {
      liaison = await startAttacked();
      await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "ann", email }]);
    });
    after(() => liaison?.close());

    it("L14: lists, quotes, comments, groups and line breaks get the neutral page and no mail", async () => {
      const browser = liaison.browser();
      const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
      for (const text of typed) {
        const page = await browser.press(linkStep, "Continue", { email: text });
        assert.equal(`${page.status} ${page.heading}`, "200 Check your email", JSON.stringify(text));
      }
      await quiet(liaison);
      assert.deepEqual(recipients(liaison), []);
    });

    it(
      "L14: one plain address in decoration is offered by itself, known or not, and nothing is looked up " +
        "before it is sent",
      async () => {
        const browser = liaison.browser();
        const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
        const decorated = (one: string) => [
          `mailto:${one}`,
          `Ann <${one}>`,
          `"Berg, Ann" <${one}>`,
          `<${one}>`,
          `${one}<mailto:${one}>`,
          `${one};`,
          `${one},`,
          `${one}.`,
          `'${one}'`,
          one.replace("@", " @"),
          one.replace("@", "@@"),
          `\u200b${one}`,
        ];
        for (const one of [email, "nobody@northwind.example"]) {
          for (const text of decorated(one)) {
            const page = await browser.press(linkStep, "Continue", { email: text });
            assert.equal(`${page.status} ${page.heading}`, `400 ${linkStep.heading}`, JSON.stringify(text));
            assert.equal(page.dom.querySelector("#email")?.getAttribute("value"), one, JSON.stringify(text));
            assert.match(page.text, /We removed what stood around the email address/);
          }
        }
        await quiet(liaison);
        assert.deepEqual(recipients(liaison), []);
        const offered = await browser.press(linkStep, "Continue", { email: `Ann <${email}>` });
        assert.equal((await browser.press(offered, "Continue")).heading, "Check your email");
        await mailsTo(liaison, email, 1);
        await quiet(liaison);
        assert.deepEqual(recipients(liaison), [email]);
      },
    );

    it("L14: a field given several times, or as something else than text, finds nobody", async () => {
      const before = recipients(liaison);
      const browser = liaison.browser();
      const linkStep = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
      const { action, fields } = linkStep.form("Continue");
      const forms: [string, string][][] = [
        [
          ["email", email],
          ["email", "eve@evil.example"],
        ],
        [
          ["email", "eve@evil.example"],
          ["email", email],
        ],
        [["email[]", email]],
        [
          ["email[]", email],
          ["email[]", "eve@evil.example"],
        ],
        [["email[0]", email]],
        [["email[$gt]", ""]],
        [["email[length]", "1"]],
        [["__proto__[email]", email]],
        [["email.x", email]],
      ];
      for (const entries of forms) {
        const body = new URLSearchParams([["csrf", fields.get("csrf") ?? ""], ...entries]);
        const page = await browser.visit(action, { method: "POST", body });
        assert.ok(page.status === 200 || page.status === 400, `${body}: ${page.status}`);
        assert.ok(!page.body.includes("evil.example"));
      }
      const json = await fetch(action, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          cookie: await browser.jar.getCookieString(action.href),
        },
        body: JSON.stringify({ csrf: fields.get("csrf"), email: [email] }),
      });
      assert.ok(json.status >= 400 && json.status < 500);
      await quiet(liaison);
      assert.deepEqual(recipients(liaison), before);
    });
  });

  describe("L15: a profile that is bound already", { concurrency: 1 }, () => {
    let liaison: Attacked;
    before(async () => {
      liaison = await startAttacked();
      await register(
        liaison,
        { id: asOrganizationId("northwind") },
        ["l15-a", "l15-b", "l15-c"].map((id) => ({ id, email: `${id}@northwind.example` })),
      );
    });
    after(() => liaison?.close());

    it("L15: is not offered to somebody else; its owner is told who asked", async () => {
      const [owner, eve] = [liaison.stranger(), liaison.stranger()];
      const accountId = await bindTo(liaison, owner, "l15-a");
      await mailsTo(liaison, "l15-a@northwind.example", 1);
      const bound = await profileOf(liaison, "l15-a");

      const { waiting, browser } = await ask(liaison, eve, "l15-a@northwind.example");
      const [, told, ...others] = await mailsTo(liaison, "l15-a@northwind.example", 2);
      await quiet(liaison);
      assert.deepEqual(others, []);
      assert.match(told?.subject ?? "", /^Someone asked to link your profile/);
      assert.ok(told?.text.includes(eve.email), "it says who");
      assert.ok(!told?.text.includes(owner.email), "and not to whom it is bound");
      assert.doesNotMatch(`${told?.text}${told?.html}`, /\/link\//);

      assert.equal((await browser.follow(waiting, /opened the link/)).heading, "Check your email");
      assert.deepEqual(await profileOf(liaison, "l15-a"), bound);
      assert.equal(bound.accountId, accountId);
      assert.equal((await auditOf(liaison, asProfileId("l15-a"), "profile.bound")).length, 1);
    });

    it("L15: isn't replaced by a link that was mailed before it was bound; the owner got it", async () => {
      const [owner, eve] = [liaison.stranger(), liaison.stranger()];
      const { link } = await askForLink(liaison, eve, "l15-b@northwind.example");
      const late = await almostCarryOut(link, eve);
      const mine = await askForLink(liaison, owner, "l15-b@northwind.example");
      assert.equal((await openLink(liaison.browser(), mine.link, owner)).heading, "Your account is linked");
      const bound = await profileOf(liaison, "l15-b");

      for (const page of [await late.goOn(), await liaison.browser().visit(link)]) {
        assert.equal(page.status, 410, page.text);
        assert.doesNotMatch(page.text, new RegExp(owner.email));
      }
      assert.deepEqual(await profileOf(liaison, "l15-b"), bound);
      assert.equal((await auditOf(liaison, asProfileId("l15-b"), "profile.bound")).length, 1);
      assert.equal((await auditOf(liaison, asProfileId("l15-b"), "link.refused")).length, 1);
      const mails = await mailsTo(liaison, "l15-b@northwind.example", 3);
      assert.ok(mails[0]?.text.includes(eve.email), "the first mail told who asked");
      assert.match(mails[2]?.subject ?? "", /has been linked$/);
    });

    it("L15: can be bound by somebody else once it was unlinked, by a new link alone", async () => {
      const [owner, next] = [liaison.stranger(), liaison.stranger()];
      await bindTo(liaison, owner, "l15-c");
      await ask(liaison, next, "l15-c@northwind.example");
      await mailsTo(liaison, "l15-c@northwind.example", 2);
      await liaison.store.links.unbind(asProfileId("l15-c"), "test", liaison.clock.now());
      await assert.rejects(assertUnbound(liaison, "l15-c"), "it was bound once");
      const { link } = await askForLink(liaison, next, "l15-c@northwind.example");
      assert.equal((await openLink(liaison.browser(), link, next)).heading, "Your account is linked");
    });
  });
});
