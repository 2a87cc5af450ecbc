/**
 * One mail that carries others' requests beside a person's own: L1, L2, L11, L12, M1 and what administrators
 * are told.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { operations } from "../../src/admin/definitions/operations.ts";
import { createOfflineAdministration } from "../../src/admin/offline-administration.ts";
import { asOrganizationId, asProfileId, type OrganizationId } from "../../src/domain/ids.ts";
import { timeline } from "../../src/linking/timeline.ts";
import {
  type Attacked,
  ask,
  assertUnbound,
  auditOf,
  codeOn,
  profileOf,
  quiet,
  requestOf,
  startAttacked,
} from "../support/attack-fixture.ts";
import { aCrowd, allAnswered, allAsk, collectedFor } from "../support/crowd.ts";
import { openLink, register } from "../support/liaison.ts";
import { linksOf, linkWithCode } from "../support/mailbox.ts";
import { perHour } from "../support/mailbox-flood.ts";

describe("a mail with several links", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({
      config: (base) => ({
        ...base,
        limits: { ...(base["limits"] as object), mails_per_mailbox: perHour(1) },
      }),
    });
  });
  after(() => liaison?.close());

  /** A person asks behind a crowd, for an address that so many profiles have. */
  async function behindACrowd(id: OrganizationId, profiles = 1) {
    const email = `${id}@northwind.example`;
    const ids = Array.from({ length: profiles }, (_, index) => `${id}-${index}`);
    await register(
      liaison,
      { id },
      ids.map((profileId) => ({ id: profileId, email })),
    );
    await allAsk(liaison, aCrowd(id, 4, email), email);
    const person = liaison.stranger();
    const { browser, waiting } = await ask(liaison, person, email);
    const mail = await collectedFor(liaison, email);
    return { email, ids, person, browser, waiting, mail, code: codeOn(waiting) };
  }

  it("L1 L2: somebody else's link, clicked in error, binds nothing, lives on; one's own works", async () => {
    const { ids, person, browser, waiting, mail, code } = await behindACrowd(asOrganizationId("wrong-one"));
    const [profileId = ""] = ids;
    for (const { link } of linksOf(mail).filter((one) => one.code !== code)) {
      const page = await openLink(liaison.browser(), link, person);
      assert.equal(page.heading, "This link is for another account");
      assert.equal((await requestOf(liaison, link)).state, "pending");
    }
    await assertUnbound(liaison, profileId);
    assert.equal((await auditOf(liaison, asProfileId(profileId), "link.refused")).length, 3);
    const own = linkWithCode(mail, code) ?? assert.fail("the person's code isn't in the mail");
    assert.equal((await openLink(browser, own, person)).heading, "Your account is linked");
    const onward = await browser.follow(waiting, /I’ve opened the link|I've opened the link/);
    assert.ok(onward.url.searchParams.has("code"), "the tab that waited goes on to the portal");
    for (const { link } of linksOf(mail).filter((one) => one.code !== code)) {
      assert.equal((await requestOf(liaison, link)).state, "void");
    }
  });

  it("L11: of several profiles each has its own link, which binds that one alone", async () => {
    const { ids, person, mail, code } = await behindACrowd(asOrganizationId("several"), 3);
    const mine = linksOf(mail).filter((one) => one.code === code);
    assert.equal(mine.length, ids.length);
    const bound: string[] = [];
    for (const { link } of mine) {
      const { profileId } = await requestOf(liaison, link);
      assert.equal((await openLink(liaison.browser(), link, person)).heading, "Your account is linked");
      bound.push(profileId);
      for (const id of ids) {
        const { accountId } = await profileOf(liaison, id);
        assert.equal(accountId !== null, bound.includes(id));
      }
    }
  });

  it("L12 Z1: the page that waits is the same behind a crowd, and for an address of nobody", async () => {
    const email = "crowded@northwind.example";
    await register(liaison, { id: asOrganizationId("crowded") }, [{ id: "crowded", email }]);
    await allAsk(liaison, aCrowd("crowded", 60, email), email);
    const shapes: string[] = [];
    for (const address of [email, "nobody@northwind.example"]) {
      const person = liaison.stranger();
      const { waiting } = await ask(liaison, person, address);
      const told = [codeOn(waiting), person.email, address].reduce(
        (text, one) => text.replaceAll(one, "…"),
        waiting.text,
      );
      shapes.push(`${waiting.status} ${told.replace(/\d+ seconds?/g, "…")}`);
    }
    assert.equal(shapes[0], shapes[1]);
    assert.match(shapes[0] ?? "", /up to two hours/);
  });

  it("M1 M4: its links are the configured issuer's, and its subject names nobody", async () => {
    const { mail } = await behindACrowd(asOrganizationId("plain"));
    assert.match(mail.subject, /^\d+ requests to link an account to your profile$/);
    for (const { link } of linksOf(mail)) assert.equal(new URL(link).origin, liaison.issuer);
    assert.equal(mail.envelopeTo.length, 1);
    assert.match(mail.headers, /^Auto-Submitted: auto-generated$/im);
  });

  it("administrators are told in which mail each request went, and what became of that", async () => {
    const { mail, code } = await behindACrowd(asOrganizationId("told"));
    await allAnswered(liaison);
    await quiet(liaison);
    const own = await requestOf(liaison, linkWithCode(mail, code) ?? assert.fail());
    const { links, outbox, audit } = liaison.store;
    const told = await timeline({ links, outbox, audit }, own.id, liaison.clock.now());
    const entries = (told ?? assert.fail("no time line")).entries.filter(({ what }) =>
      what.startsWith("mail_"),
    );
    assert.deepEqual(
      entries.map(({ what, requestId }) => [what, requestId]),
      [
        ["mail_carried", own.id],
        ["mail_sent", own.id],
      ],
    );
    const [carried, sent] = entries;
    const carrier = (await outbox.find(carried?.detail ?? "")) ?? assert.fail("it isn't named");
    assert.deepEqual(
      [carrier.kind, carrier.state, `<${carrier.messageId}>`],
      ["collected", "sent", mail.messageId],
    );
    assert.equal(sent?.detail, carrier.serverReply);

    const { service, principal } = await createOfflineAdministration(
      { ...liaison, checksOutputs: true },
      "test",
    );
    const { output } = await service.call(operations.mail.list, principal, { state: "carried" });
    const items = output.items;
    assert.ok(items.some(({ carried_by }) => carried_by === carrier.id));
    const mine = await outbox.list({ inquiryId: own.inquiryId, limit: 9 });
    await assert.rejects(
      service.call(operations.mail.resend, principal, { id: mine[0]?.id ?? "" }),
      /is carried by the mail/,
    );
    assert.equal((await profileOf(liaison, "told-0")).accountId, null);
  });
});
