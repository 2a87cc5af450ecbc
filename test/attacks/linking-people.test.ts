/** Links in the wrong hands, and links that were dealt with: L1, L2, L5, L11, L16 of the threat list. */

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
  requestOf,
  startAttacked,
} from "../support/attack-fixture.ts";
import { openLink, register, type TestPerson } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";

describe("links in the hands of people", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({ strangers: 16 });
  });
  after(() => liaison?.close());

  async function profiles(...ids: string[]): Promise<void> {
    await register(
      liaison,
      { id: asOrganizationId(ids.join("-")) },
      ids.map((id) => ({ id, email: `${id}@northwind.example` })),
    );
  }

  it(
    "L1: another identity redeems: nothing is bound, the page says who asked, and the link waits for its " +
      "person",
    async () => {
      await profiles("l1");
      const [ann, eve] = [liaison.stranger(), liaison.stranger()];
      const { link } = await askForLink(liaison, ann, "l1@northwind.example");

      const browser = liaison.browser();
      const page = await openLink(browser, link, eve);
      assert.equal(page.status, 403);
      assert.equal(page.heading, "This link is for another account");
      for (const said of [ann.email, eve.email, "Fabrikam ID"]) assert.ok(page.text.includes(said), said);
      await assertUnbound(liaison, "l1");
      assert.equal((await requestOf(liaison, link)).state, "pending");
      const [refused, ...others] = await auditOf(liaison, asProfileId("l1"), "link.refused");
      assert.equal(others.length, 0);
      assert.equal(refused?.detail["reason"], "wrong_account");
      assert.notEqual(refused?.accountId, (await requestOf(liaison, link)).requester.accountId);

      const login = await browser.press(page, "Sign in with the other account");
      const linked = await browser.press(login, "Sign in", {
        username: ann.username,
        password: ann.password,
      });
      assert.equal(linked.heading, "Your account is linked");
      const { accountId } = (await requestOf(liaison, link)).requester;
      assert.equal((await profileOf(liaison, "l1")).accountId, accountId);
    },
  );

  it("L2: the attacker asks for a victim's address; their own sign-in binds nothing to anybody", async () => {
    await profiles("l2");
    const [victim, eve] = [liaison.stranger(), liaison.stranger()];
    const { link, browser: attacker, waiting } = await askForLink(liaison, eve, "l2@northwind.example");

    const browser = liaison.browser();
    assert.equal((await openLink(browser, link, victim)).heading, "This link is for another account");
    await assertUnbound(liaison, "l2");
    const still = await attacker.follow(waiting, /opened the link/);
    assert.equal(still.heading, "Check your email", "the attacker still waits");
    assert.ok(!browser.cookiesSet.some((line) => line.startsWith("liaison.session")), "a link is no login");

    const declined = await openLink(browser, link, victim, "Don’t link");
    assert.equal(declined.heading, "The link has been cancelled");
    const late = await liaison.browser().visit(link);
    assert.equal(late.status, 410);
    assert.equal(late.heading, "This link has been cancelled");
    await assertUnbound(liaison, "l2");
    assert.equal((await auditOf(liaison, asProfileId("l2"), "link.cancelled")).length, 1);
  });

  it("L2: whoever redeems is signed in nowhere by it", async () => {
    await profiles("l2-login");
    const ann = liaison.stranger();
    const { link } = await askForLink(liaison, ann, "l2-login@northwind.example");
    const elsewhere = liaison.browser();
    assert.equal((await openLink(elsewhere, link, ann)).heading, "Your account is linked");
    const silent = await liaison.customerSource.start({ prompt: "none" });
    const end = await elsewhere.visit(silent.url);
    assert.equal(end.url.searchParams.get("error"), "login_required");
  });

  describe("L5: a link that was dealt with is dead", () => {
    /** A link, and a redemption of it that has signed in but not yet come back. */
    async function prepared(
      id: string,
    ): Promise<{ ann: TestPerson; link: string; late: () => Promise<string> }> {
      await profiles(id);
      const ann = liaison.stranger();
      const { link } = await askForLink(liaison, ann, `${id}@northwind.example`);
      const hesitation = await almostCarryOut(link, ann);
      const late = async () => {
        const page = await hesitation.goOn();
        return `${page.status} ${page.heading}`;
      };
      return { ann, link, late };
    }

    it("L5: after success", async () => {
      const { ann, link, late } = await prepared("l5-success");
      assert.equal((await openLink(liaison.browser(), link, ann)).heading, "Your account is linked");
      const bound = await profileOf(liaison, "l5-success");
      const page = await liaison.browser().visit(link);
      assert.equal(`${page.status} ${page.heading}`, "410 This link has already been used");
      assert.equal(await late(), "410 This link has already been used");
      assert.deepEqual(await profileOf(liaison, "l5-success"), bound);
      assert.equal((await auditOf(liaison, asProfileId("l5-success"), "profile.bound")).length, 1);
    });

    it("L5: after cancelling", async () => {
      const { ann, link, late } = await prepared("l5-cancel");
      const page = await openLink(liaison.browser(), link, ann, "Don’t link");
      assert.equal(page.heading, "The link has been cancelled");
      assert.equal(await late(), "410 This link has been cancelled");
      await assertUnbound(liaison, "l5-cancel");
    });

    it("L5: after unlinking", async () => {
      const { ann, link, late } = await prepared("l5-unlink");
      await openLink(liaison.browser(), link, ann);
      await liaison.store.links.unbind(asProfileId("l5-unlink"), "test", liaison.clock.now());
      assert.equal((await liaison.browser().visit(link)).heading, "This link has already been used");
      assert.equal(await late(), "410 This link has already been used");
      assert.equal((await profileOf(liaison, "l5-unlink")).accountId, null);
    });

    it("L5: a link still waiting when its profile was unlinked", async () => {
      const { link, late } = await prepared("l5-waiting");
      await bindTo(liaison, liaison.stranger(), "l5-waiting");
      await liaison.store.links.unbind(asProfileId("l5-waiting"), "test", liaison.clock.now());
      assert.equal((await liaison.browser().visit(link)).status, 410);
      assert.match(await late(), /^410 /);
      assert.equal((await profileOf(liaison, "l5-waiting")).accountId, null);
    });
  });

  it("L11: three profiles at one address: three mails, and each secret binds only its own", async () => {
    const email = "l11@northwind.example";
    const ids = ["l11-a", "l11-b", "l11-c"];
    for (const id of ids)
      await register(liaison, { id: asOrganizationId(id), name: `Org ${id}` }, [{ id, email }]);
    const ann = liaison.stranger();
    await ask(liaison, ann, email);
    const mails = await mailsTo(liaison, email, 3);
    await quiet(liaison);
    assert.equal(liaison.mailbox.mails.filter(({ to }) => to === email).length, 3);
    const links = mails.map((mail) => ({
      url: new URL(linkIn(mail)),
      names: ids.filter((id) => mail.text.includes(id)),
    }));
    assert.deepEqual(links.flatMap(({ names }) => names).sort(), ids, "each mail names its own organization");

    for (const [index, { url }] of links.entries()) {
      const other = links[(index + 1) % links.length] ?? assert.fail();
      const [request, secret] = [url.pathname.split("/").at(-2), other.url.pathname.split("/").at(-1)];
      const crossed = await liaison.browser().visit(new URL(`/link/${request}/${secret}`, url));
      assert.equal(`${crossed.status} ${crossed.heading}`, "404 This link doesn't work");
    }
    const unbound = new Set(ids);
    for (const { url, names } of links) {
      const [own = ""] = names;
      assert.equal((await openLink(liaison.browser(), url.href, ann)).heading, "Your account is linked");
      unbound.delete(own);
      for (const id of ids)
        assert.equal((await profileOf(liaison, id)).accountId === null, unbound.has(id), id);
    }
  });

  describe("L16: the waiting tab", () => {
    async function status(
      browser: Awaited<ReturnType<typeof ask>>["browser"],
      waiting: { url: URL },
    ): Promise<unknown> {
      const answer = await browser.once(
        new URL(waiting.url.pathname.replace("/waiting", "/status"), waiting.url),
      );
      return JSON.parse(answer.body);
    }

    it("L16: goes on when the link was carried out in another browser, and not before", async () => {
      await profiles("l16");
      const [ann, eve] = [liaison.stranger(), liaison.stranger()];
      const { browser, started, waiting, link } = await askForLink(liaison, ann, "l16@northwind.example");
      const elsewhere = liaison.browser();
      await elsewhere.visit(link);
      await openLink(elsewhere, link, eve);
      assert.deepEqual(await status(browser, waiting), { state: "waiting", linked: [] });
      for (const wish of ["?returned", "?returned&linked=l16", ""]) {
        const page = await browser.visit(
          new URL(waiting.url.pathname.replace("/waiting", "") + wish, waiting.url),
        );
        assert.equal(page.heading, "Check your email", wish);
      }

      await openLink(elsewhere, link, ann);
      assert.deepEqual(await status(browser, waiting), {
        state: "continue",
        linked: ["Profile l16, Organization l16"],
      });
      const end = await browser.follow(waiting, /opened the link/);
      const tokens = await liaison.customerSource.exchange(end.url, started);
      const claims = await liaison.customerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
      assert.equal(claims["profile_id"], "l16");
    });

    it("L16: a profile that doesn't open the portal keeps it waiting, and it says so", async () => {
      await register(liaison, { id: asOrganizationId("l16-partner"), kind: "partner" }, [
        { id: "l16-partner", email: "l16-partner@litware.example" },
      ]);
      const ann = liaison.stranger();
      const { browser, waiting, link } = await askForLink(liaison, ann, "l16-partner@litware.example");
      await openLink(liaison.browser(), link, ann);
      assert.deepEqual(await status(browser, waiting), {
        state: "waiting",
        linked: ["Profile l16-partner, Organization l16-partner"],
      });
      const page = await browser.follow(waiting, /opened the link/);
      assert.equal(page.heading, "Check your email");
      assert.match(page.text, /A profile has been linked.*Profile l16-partner.*doesn.t open CustomerSource/);
    });
  });
});
