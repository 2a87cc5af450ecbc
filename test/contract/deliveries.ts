/** What became of inquiries and of their mails, for those who look after them. */

import assert from "node:assert/strict";
import { asInquiryId, asLinkRequestId } from "../../src/domain/ids.ts";
import type { NewMail } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { aLinkContent, aMail, aNewLink, anId, anInquiry, MINUTE, NOW } from "../support/records.ts";
import { type Case, present, race, register, request, signIn } from "./back-end.ts";

/** Settles a new inquiry with these mails. */
async function settle(store: Store, mails: NewMail[], at = NOW) {
  const inquiry = anInquiry();
  await store.links.inquire(inquiry);
  const worker = anId("worker");
  await store.links.claimInquiry(worker, NOW, 1000);
  assert.equal(
    await store.links.settleInquiry(inquiry.id, worker, { links: [], mails, matched: 3 }, at),
    true,
  );
  return inquiry;
}

/** A mail that answers an inquiry. */
const anAnswer = (inquiryId: string) =>
  aMail({ content: { ...aLinkContent(), kind: "already_linked", inquiryId } as NewMail["content"] });

async function fail(store: Store, mail: NewMail, now: number): Promise<void> {
  assert.equal((await store.outbox.claim("w", now, 1000, MINUTE))?.message.id, mail.id);
  assert.equal(await store.outbox.markDeferred(mail.id, "w", "550 no", null, now), true);
}

export function deliveryCases(contract: Case): void {
  contract(
    "a delivery tells what a mail was and what the server said, never what it says",
    async ({ store }) => {
      const mail = anAnswer("inquiry-1");
      await settle(store, [mail]);
      await store.outbox.claim("w", NOW, 1000, MINUTE);
      await store.outbox.markSent(mail.id, "w", "250 taken", NOW + 1);
      const delivery = present(await store.outbox.find(mail.id));
      assert.deepEqual(delivery, {
        id: mail.id,
        messageId: mail.messageId,
        to: mail.to,
        state: "sent",
        attempts: 1,
        createdAt: NOW,
        nextAttemptAt: NOW,
        sentAt: NOW + 1,
        lastError: null,
        kind: "already_linked",
        inquiryId: "inquiry-1",
        requestId: null,
        carriedBy: null,
        serverReply: "250 taken",
        bouncedAt: null,
        bounce: null,
      });
      assert.deepEqual(await store.outbox.list({ inquiryId: asInquiryId("inquiry-1"), limit: 9 }), [
        delivery,
      ]);
      assert.deepEqual(await store.outbox.list({ inquiryId: asInquiryId("other"), limit: 9 }), []);
      assert.equal(await store.outbox.find("nothing"), undefined);
    },
  );

  contract("a bounce is noted of the mail with that Message-ID, once it was sent", async ({ store }) => {
    const mail = aMail();
    await settle(store, [mail]);
    const bounce = { reason: "5.1.1 unknown user", permanent: true };
    assert.equal(await store.outbox.noteBounce(mail.messageId, bounce, NOW), undefined, "it wasn't sent yet");
    await store.outbox.claim("w", NOW, 1000, MINUTE);
    await store.outbox.markSent(mail.id, "w", "250 taken", NOW);
    const warned = await store.outbox.noteBounce(
      mail.messageId,
      { reason: "4.4.1 late", permanent: false },
      NOW + 1,
    );
    assert.deepEqual([warned?.state, warned?.bounce, warned?.bouncedAt], ["sent", "4.4.1 late", null]);
    const bounced = await store.outbox.noteBounce(mail.messageId, bounce, NOW + 2);
    assert.deepEqual(
      [bounced?.state, bounced?.bounce, bounced?.bouncedAt],
      ["bounced", bounce.reason, NOW + 2],
    );
    const again = await store.outbox.noteBounce(
      mail.messageId,
      { ...bounce, reason: "$5.1.1 again" },
      NOW + 3,
    );
    assert.deepEqual([again?.state, again?.bounce, again?.bouncedAt], ["bounced", "$5.1.1 again", NOW + 2]);
    assert.deepEqual(await store.outbox.list({ states: ["bounced"], limit: 9 }), [again]);
    assert.equal(await store.outbox.noteBounce("somebody@else", bounce, NOW), undefined);
    assert.equal(
      await store.outbox.claim("w", NOW + MINUTE, 1000, MINUTE),
      undefined,
      "it isn't sent again by itself",
    );
  });

  contract("a failed mail is listed and resent once, as if it were made now", async (opened) => {
    const { store } = opened;
    const [older, newer] = [aMail(), aMail()];
    await settle(store, [older], NOW);
    await fail(store, older, NOW);
    await settle(store, [newer], NOW + 5);
    await fail(store, newer, NOW + 5);
    const listed = await store.outbox.list({ states: ["failed", "bounced", "held"], limit: 9 });
    assert.deepEqual(
      listed.map(({ id, lastError }) => [id, lastError]),
      [
        [newer.id, "550 no"],
        [older.id, "550 no"],
      ],
    );
    assert.equal((await store.outbox.list({ states: ["failed"], limit: 1 })).length, 1);
    const resent = await race(opened, 20, (racer) => racer.outbox.resend(older.id, "command:mail", NOW + 50));
    assert.equal(resent.filter(Boolean).length, 1);
    const claimed = present(await store.outbox.claim("w", NOW + 50, 1000, MINUTE));
    assert.deepEqual(
      [claimed.message.id, claimed.message.attempts, claimed.message.createdAt],
      [older.id, 1, NOW + 50],
    );
    assert.deepEqual(claimed.message.content, older.content);
    const [event] = await store.audit.list({ limit: 1 });
    assert.deepEqual(
      [event?.action, event?.actor, event?.detail],
      ["mail.resent", "command:mail", { mail: older.id }],
    );
    assert.equal(await store.outbox.release(newer.id, "command:mail", NOW), false, "it isn't held");
    assert.equal(await store.outbox.resend("nothing", "command:mail", NOW), false);
  });

  contract("a held mail is released past its throttles, once, audited", async (opened) => {
    const { store } = opened;
    const { profile } = await register(store);
    const person = await signIn(store);
    const requester = { ...person.identity, accountId: person.account.id };
    const none = { limit: 0, windowSeconds: 60, key: "k" };
    const inquiry = anInquiry({ requester });
    await store.links.inquire(inquiry);
    await store.links.claimInquiry("w", NOW, 1000);
    const link = aNewLink({ requester, inquiryId: inquiry.id, profileId: profile.id });
    const mail = {
      ...link.mail,
      throttle: { mailbox: { hourly: none, daily: none, key: "k" }, profile: none },
    };
    await store.links.settleInquiry(inquiry.id, "w", { links: [{ ...link, mail }], mails: [] }, NOW);
    assert.equal((await store.outbox.find(mail.id))?.state, "held");
    assert.equal(await store.outbox.nextDueAt(), undefined);
    const released = await race(opened, 10, (racer) =>
      racer.outbox.release(mail.id, "command:mail", NOW + 1),
    );
    assert.equal(released.filter(Boolean).length, 1);
    assert.equal((await store.outbox.claim("w", NOW + 1, 1000, MINUTE))?.message.id, mail.id);
    const [event] = await store.audit.list({ requestId: link.request.id, limit: 1 });
    assert.deepEqual([event?.action, event?.actor], ["mail.released", "command:mail"]);
  });

  contract(
    "an inquiry's history is itself and its requests; inquiries are listed newest first",
    async ({ store }) => {
      const { profile } = await register(store);
      const [one, other] = [await signIn(store), await signIn(store)];
      const first = await request(store, one, profile.id);
      const second = await request(store, other, profile.id);
      const nothing = await settle(store, [], NOW);
      const { inquiryId } = first.request;
      const history = present(await store.links.history(inquiryId, 500));
      assert.equal(history.inquiry.id, inquiryId);
      assert.deepEqual(
        history.requests.map(({ id }) => id),
        [first.request.id],
      );
      assert.equal((await store.links.history(nothing.id, 500))?.inquiry.matched, 3);
      assert.deepEqual((await store.links.history(nothing.id, 500))?.requests, []);
      assert.equal(await store.links.history(asInquiryId("nothing"), 500), undefined);
      assert.equal(await store.links.inquiryOf(second.request.id), second.request.inquiryId);
      assert.equal(await store.links.inquiryOf(asLinkRequestId("nothing")), undefined);

      const ids = async (filter: Parameters<Store["links"]["inquiries"]>[0]) =>
        (await store.links.inquiries(filter)).map(({ id }) => id);
      const newest = [nothing.id, second.request.inquiryId, inquiryId];
      assert.deepEqual(await ids({ limit: 9 }), newest);
      assert.deepEqual(await ids({ limit: 2 }), newest.slice(0, 2));
      assert.deepEqual(await ids({ accountId: one.account.id, limit: 9 }), [inquiryId]);
      assert.deepEqual(new Set(await ids({ profileId: profile.id, limit: 9 })), new Set(newest.slice(1)));
      assert.deepEqual(
        await ids({ profileId: profile.id, accountId: other.account.id, limit: 9 }),
        newest.slice(1, 2),
      );
      assert.deepEqual(await ids({ before: 0, limit: 9 }), []);
    },
  );
}
