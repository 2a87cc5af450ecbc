/** What ends a mailed link: L7, L8, L10 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId, asProfileId, type OrganizationId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  almostCarryOut,
  ask,
  askForLink,
  assertUnbound,
  auditOf,
  type Hesitation,
  mailsTo,
  profileOf,
  requestOf,
  startAttacked,
} from "../support/attack-fixture.ts";
import { openLink, register, type TestPerson } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";

describe("the life of a link", () => {
  let liaison: Attacked;
  before(async () => {
    // Nothing is ever swept: what refuses an old link is the question itself.
    liaison = await startAttacked({ decorate: (store) => ({ ...store, sweep: async () => 0 }) });
  });
  after(() => liaison?.close());

  interface Sent {
    ann: TestPerson;
    link: string;
    late: Hesitation;
  }

  /** A mailed link, and a redemption of it that has signed in but not yet come back. */
  async function sent(id: OrganizationId): Promise<Sent> {
    await register(liaison, { id }, [{ id, email: `${id}@northwind.example` }]);
    const ann = liaison.stranger();
    const { link } = await askForLink(liaison, ann, `${id}@northwind.example`);
    return { ann, link, late: await almostCarryOut(link, ann) };
  }

  async function assertDead(id: string, { ann, link, late }: Sent, heading: string): Promise<void> {
    const landing = await liaison.browser().visit(link);
    assert.equal(`${landing.status} ${landing.heading}`, `410 ${heading}`);
    assert.ok(!landing.body.includes("/confirm"), "nothing to press");
    assert.match(landing.text, /help@contoso\.example/);
    const page = await late.goOn();
    assert.equal(`${page.status} ${page.heading}`, `410 ${heading}`);
    await assertUnbound(liaison, id);
    const [refused, ...others] = await auditOf(liaison, asProfileId(id), "link.refused");
    assert.equal(others.length, 0);
    assert.equal(refused?.accountId, (await requestOf(liaison, link)).requester.accountId, ann.username);
  }

  const edits: [what: string, id: string, heading: string, edit: (id: string) => Promise<unknown>][] = [
    [
      "the registered email was edited",
      "l10-email",
      "This link no longer works",
      async (id) => {
        const { profile } = (await liaison.store.directory.membership(asProfileId(id))) ?? assert.fail();
        const email = "other@northwind.example";
        await liaison.store.directory.putProfile(
          { ...profile, email, emailKey: email },
          "test",
          liaison.clock.now(),
        );
      },
    ],
    [
      "the profile was disabled",
      "l10-profile",
      "This profile is not active",
      async (id) => {
        const { profile } = (await liaison.store.directory.membership(asProfileId(id))) ?? assert.fail();
        await liaison.store.directory.putProfile({ ...profile, enabled: false }, "test", liaison.clock.now());
      },
    ],
    [
      "the organization was disabled",
      "l10-organization",
      "This profile is not active",
      async (id) => {
        const { organization } = (await liaison.store.directory.membership(asProfileId(id))) ?? assert.fail();
        const disabled = { ...organization, enabled: false };
        await liaison.store.directory.putOrganization(disabled, "test", liaison.clock.now());
      },
    ],
  ];
  for (const [what, id, heading, edit] of edits) {
    it(`L10: ${what} after sending`, async () => {
      const link = await sent(asOrganizationId(id));
      await edit(id);
      await assertDead(id, link, heading);
    });
  }

  it("L10: an email changed and changed back is still another one", async () => {
    const link = await sent(asOrganizationId("l10-back"));
    const { profile } = (await liaison.store.directory.membership(asProfileId("l10-back"))) ?? assert.fail();
    for (const email of ["other@northwind.example", profile.email]) {
      await liaison.store.directory.putProfile(
        { ...profile, email, emailKey: email },
        "test",
        liaison.clock.now(),
      );
    }
    await assertDead("l10-back", link, "This link no longer works");
  });

  it("L8: a newer request for the same identity and profile kills the older, and only that", async () => {
    const email = "l8@northwind.example";
    await register(liaison, { id: asOrganizationId("l8") }, [{ id: "l8", email }]);
    const [ann, ben] = [liaison.stranger(), liaison.stranger()];
    const { browser, waiting, link: first } = await askForLink(liaison, ann, email);
    const { link: bens } = await askForLink(liaison, ben, email);
    const late = await almostCarryOut(first, ann);
    liaison.clock.advance(2);
    assert.equal((await browser.press(waiting, "Send it again")).heading, "Check your email");
    const third = (await mailsTo(liaison, email, 3))[2] ?? assert.fail();
    await assertDead("l8", { ann, link: first, late }, "A newer email replaces this link");
    assert.equal((await requestOf(liaison, bens)).state, "pending", "somebody else's request isn't touched");
    assert.equal((await openLink(liaison.browser(), linkIn(third), ann)).heading, "Your account is linked");
  });

  it("L8: from another browser too", async () => {
    const { ann, link, late } = await sent(asOrganizationId("l8-browser"));
    await ask(liaison, ann, "L8-Browser@northwind.example");
    await mailsTo(liaison, "l8-browser@northwind.example", 2);
    await assertDead("l8-browser", { ann, link, late }, "A newer email replaces this link");
  });

  // Last: these two move time by half an hour.
  it("L7: in its last moments a link works; a second after its end it is refused, swept or not", async () => {
    const alive = await sent(asOrganizationId("l7-alive"));
    const expired = await sent(asOrganizationId("l7"));
    const lastOf = async (link: string) => (await requestOf(liaison, link)).expiresAt;
    const until = (instant: number) => (instant - liaison.clock.now()) / 1000;

    liaison.clock.advance(until(await lastOf(alive.link)) - 30);
    assert.equal((await alive.late.goOn()).heading, "Your account is linked");
    assert.equal((await profileOf(liaison, "l7-alive")).accountId !== null, true);

    liaison.clock.advance(until(await lastOf(expired.link)) + 1);
    assert.equal((await requestOf(liaison, expired.link)).state, "pending", "no sweep has touched it");
    await assertDead("l7", expired, "This link has expired");
  });
});
