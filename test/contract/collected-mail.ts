/**
 * What is over a mailbox's limits goes together: who goes first, what keeps its place, what is left out, and
 * that none is lost.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { asProfileId } from "../../src/domain/ids.ts";
import type { Asker, CollectedContent, NewMail } from "../../src/domain/records.ts";
import { aMail, anInquiry, MINUTE, NOW } from "../support/records.ts";
import { aNotice, type Case, present, race, redemption, register, signIn, stateOf } from "./back-end.ts";
import {
  aNote,
  asks,
  collected,
  DAY,
  GATHERED,
  HOUR,
  idsOf,
  LIFETIME,
  limits,
  mailbox,
  requestsOf,
  sentMails,
  type Waiting,
} from "./collected-mail-fixture.ts";

export function collectedMailCases(contract: Case): void {
  contract(
    "what waits for a mailbox goes in one mail after a minute, each with its own link",
    async ({ store }) => {
      const { profile } = await register(store);
      const { profile: other } = await register(store);
      const one = await asks(store, { profileId: profile.id, mails: [aNote(other.id)] });
      const two = await asks(store, { profileId: profile.id });
      assert.equal(await store.outbox.releaseDeferred(limits, GATHERED - 1), 0);
      const { message, linkExpiresAt } = await collected(store, GATHERED);
      assert.deepEqual(message.content, {
        kind: "collected",
        answers: [
          one.link.mail.content,
          (message.content as CollectedContent).answers[1],
          two.link.mail.content,
        ],
      });
      assert.equal((message.content as CollectedContent).answers[1]?.kind, "already_linked");
      assert.equal(linkExpiresAt, GATHERED + LIFETIME);
      assert.equal(message.to, one.link.mail.to);
      assert.match(message.messageId, /^[\w-]+@liaison\.example$/);
      for (const { link } of [one, two]) {
        const view = present(await store.links.view(link.request.id, link.request.secretHash));
        assert.equal(view.request.expiresAt, GATHERED + LIFETIME, "the life of each starts");
        const delivery = present(await store.outbox.find(link.mail.id));
        assert.deepEqual(
          [delivery.state, delivery.carriedBy, delivery.nextAttemptAt, delivery.requestId, delivery.kind],
          ["carried", message.id, GATHERED, link.request.id, "link"],
        );
        const listed = await store.outbox.list({ inquiryId: link.request.inquiryId, limit: 9 });
        assert.ok(listed.some(({ id }) => id === link.mail.id));
      }
      assert.equal(await store.outbox.markSent(message.id, "nobody", "250", GATHERED), false);
      const redeemed = await store.links.redeem(redemption(two.person, two.link), aNotice(), GATHERED + 1);
      assert.equal(redeemed.result, "bound");
    },
  );

  contract(
    "a worker that dies with a collected mail loses its lease, and it goes under the same Message-ID",
    async ({ store }) => {
      const { profile } = await register(store);
      const both = [
        await asks(store, { profileId: profile.id }),
        await asks(store, { profileId: profile.id, at: NOW + 1 }),
      ];
      const now = NOW + 2 * MINUTE;
      assert.equal(await store.outbox.releaseDeferred(limits, now), 1);
      const dead = present(await store.outbox.claim("dead", now, 1000, LIFETIME));
      assert.equal(await store.outbox.claim("next", now + 999, 1000, LIFETIME), undefined);
      const next = present(await store.outbox.claim("next", now + 1000, 1000, LIFETIME));
      assert.deepEqual(
        [next.message.messageId, next.message.content],
        [dead.message.messageId, dead.message.content],
      );
      assert.equal(next.linkExpiresAt, now + 1000 + LIFETIME, "the lives of its links start anew");
      for (const { link } of both) {
        const view = present(await store.links.view(link.request.id, link.request.secretHash));
        assert.equal(view.request.expiresAt, now + 1000 + LIFETIME);
      }
      assert.equal(await store.outbox.markSent(next.message.id, "dead", "250", now + 1000), false);
      assert.equal(await store.outbox.markSent(next.message.id, "next", "250", now + 1000), true);
    },
  );

  contract(
    "one that waits alone goes as it is, and the next collected mail an hour later",
    async ({ store }) => {
      const { profile } = await register(store);
      const alone = await asks(store, { profileId: profile.id });
      assert.equal(await store.outbox.releaseDeferred(limits, GATHERED), 1);
      const [mail] = await sentMails(store, GATHERED);
      assert.deepEqual(mail?.message.content, alone.link.mail.content);
      assert.equal(present(await store.outbox.find(alone.link.mail.id)).carriedBy, null);
      const next = [
        await asks(store, { profileId: profile.id, at: GATHERED + 1 }),
        await asks(store, { profileId: profile.id, at: GATHERED + 2 }),
      ];
      assert.equal(await store.outbox.releaseDeferred(limits, GATHERED + HOUR - 1), 0);
      const { message } = await collected(store, GATHERED + HOUR);
      assert.deepEqual(requestsOf(message.content), idsOf(next));
    },
  );

  contract(
    "at most fifty go, the others with the next; of equals whoever waits longest",
    async ({ store }) => {
      const { profile } = await register(store);
      const waiting: Waiting[] = [];
      for (let index = 0; index < 54; index += 1) {
        waiting.push(await asks(store, { profileId: profile.id, at: NOW + index }));
      }
      // What is dead by then takes nobody's place.
      for (const { person, link } of waiting.splice(3, 1))
        await store.links.cancel(redemption(person, link), NOW + 99);
      const first = await collected(store, NOW + 2 * MINUTE);
      assert.deepEqual(requestsOf(first.message.content), idsOf(waiting.slice(0, 50)));
      assert.equal(await store.outbox.releaseDeferred(limits, NOW + 2 * MINUTE), 0);
      const second = await collected(store, NOW + 2 * MINUTE + HOUR);
      assert.deepEqual(requestsOf(second.message.content), idsOf(waiting.slice(50)));
      assert.equal(await store.outbox.releaseDeferred(limits, NOW + DAY), 0, "nothing is left");
    },
  );

  contract(
    "who asks the least for the mailbox goes first, by the day; who is vouched for before all",
    async ({ store }) => {
      const { profile } = await register(store);
      const [daily, hourly] = [await signIn(store), await signIn(store)];
      const clear = async (now: number) => {
        await store.outbox.releaseDeferred(limits, now);
        for (const { message } of await sentMails(store, now)) {
          await store.outbox.markDeferred(message.id, "x", "gone", null, now);
        }
      };
      // Two days on which one asks once, and the other by the hour.
      for (let hour = 0; hour < 48; hour += 1) {
        const at = NOW + hour * HOUR;
        if (hour % 24 === 0) await asks(store, { person: daily, profileId: profile.id, at });
        await asks(store, { person: hourly, profileId: profile.id, at });
        await clear(at + 2 * MINUTE);
      }
      const now = NOW + 48 * HOUR;
      const often = await asks(store, { person: hourly, profileId: profile.id, at: now });
      const fresh = await asks(store, { profileId: profile.id, at: now + 1 });
      const seldom = await asks(store, { person: daily, profileId: profile.id, at: now + 2 });
      const twice = await signIn(store);
      const { profile: another } = await register(store);
      await asks(store, { person: twice, profileId: another.id, at: now + 3 });
      const secondTime = await asks(store, { person: twice, profileId: profile.id, at: now + 4 });
      const vouched = await asks(store, { profileId: profile.id, at: now + 5, isTrusted: true });
      const { message } = await collected(store, now + 2 * MINUTE);
      const order = requestsOf(message.content).filter((id) =>
        idsOf([often, fresh, seldom, secondTime, vouched]).includes(id),
      );
      assert.deepEqual(order, idsOf([vouched, seldom, fresh, secondTime, often]));
    },
  );

  contract("an inquiry of several parts counts once for its identity", async ({ store }) => {
    const { profile } = await register(store);
    const profiles = [await register(store), await register(store), await register(store)];
    const person = await signIn(store);
    const inquiry = anInquiry({ requester: { ...person.identity, accountId: person.account.id } });
    await store.links.inquire(inquiry);
    await store.links.claimInquiry("w", NOW, MINUTE);
    const asker: Asker = { identity: person.identity, mailbox, isTrusted: false };
    const notes = profiles.map(({ profile: { id } }) => aNote(id));
    for (const [index, note] of notes.entries()) {
      const more = index < 2 ? { more: { answeredTo: asProfileId(`p-${index}`), leaseMs: MINUTE } } : {};
      const part = { links: [], mails: [note], asker, ...more };
      assert.equal(await store.links.settleInquiry(inquiry.id, "w", part, NOW), true);
    }
    const stranger = await asks(store, { profileId: profile.id, at: NOW + 1 });
    const { message } = await collected(store, NOW + 2 * MINUTE);
    const { answers } = message.content as CollectedContent;
    assert.equal(answers.length, 4);
    assert.deepEqual(
      answers.at(-1),
      stranger.link.mail.content,
      "its parts have the rank of somebody new, all of them",
    );
  });

  contract(
    "who asks again keeps the place and the rank of the request that is replaced",
    async ({ store }) => {
      const { profile } = await register(store);
      const { profile: other } = await register(store);
      const person = await signIn(store);
      const first = await asks(store, { person, profileId: profile.id, at: NOW });
      const stranger = await asks(store, { profileId: profile.id, at: NOW + 1 });
      const again = await asks(store, { person, profileId: profile.id, at: NOW + 2 });
      const elsewhere = await asks(store, { person, profileId: other.id, at: NOW + 3 });
      assert.equal(await stateOf(store, first.link), "superseded");
      const dropped = present(await store.outbox.find(first.link.mail.id));
      assert.deepEqual([dropped.state, dropped.nextAttemptAt], ["dropped", NOW + 2]);
      const { message } = await collected(store, NOW + 2 * MINUTE);
      assert.deepEqual(requestsOf(message.content), idsOf([again, stranger, elsewhere]));
    },
  );

  contract(
    "what is pending no more is left out, when it is collected and when it is sent",
    async ({ store }) => {
      const { profile } = await register(store);
      const waiting: Waiting[] = [];
      for (let index = 0; index < 4; index += 1) {
        waiting.push(await asks(store, { profileId: profile.id, at: NOW + index }));
      }
      const [cancelled, late, third, fourth] = waiting.map(present) as [Waiting, Waiting, Waiting, Waiting];
      const cancel = ({ person, link }: Waiting) => store.links.cancel(redemption(person, link), NOW + 9);
      assert.equal((await cancel(cancelled)).result, "cancelled");
      assert.equal(await store.outbox.releaseDeferred(limits, NOW + 2 * MINUTE), 1);
      assert.equal((await cancel(late)).result, "cancelled");
      const [claimed] = await sentMails(store, NOW + 2 * MINUTE);
      assert.deepEqual(requestsOf(present(claimed).message.content), idsOf([third, fourth]));
      const states = [];
      for (const { link } of waiting) states.push(present(await store.outbox.find(link.mail.id)).state);
      assert.deepEqual(states, ["dropped", "dropped", "carried", "carried"]);
    },
  );

  contract(
    "a collected mail of which nothing is alive is dropped; a request unsent for a week lapses",
    async ({ store }) => {
      const { profile } = await register(store);
      const both = [
        await asks(store, { profileId: profile.id }),
        await asks(store, { profileId: profile.id, at: NOW + 1 }),
      ];
      assert.equal(await store.outbox.releaseDeferred(limits, NOW + 2 * MINUTE), 1);
      const { carriedBy } = present(await store.outbox.find(present(both[0]).link.mail.id));
      for (const { person, link } of both) await store.links.cancel(redemption(person, link), NOW + 9);
      assert.deepEqual(await sentMails(store, NOW + 2 * MINUTE), []);
      assert.equal(present(await store.outbox.find(carriedBy ?? "")).state, "dropped");

      const old = await asks(store, { profileId: profile.id, at: NOW + 2 * HOUR });
      assert.equal(await store.outbox.releaseDeferred(limits, NOW + 2 * HOUR + 7 * DAY), 0);
      assert.equal(present(await store.outbox.find(old.link.mail.id)).state, "dropped");
    },
  );

  contract(
    "what a profile's limit holds back goes with the others, and takes no room of the mailbox",
    async ({ store }) => {
      const { profile } = await register(store);
      const roomy = {
        mailbox: { hourly: { limit: 9, windowSeconds: 3600 }, daily: { limit: 9, windowSeconds: 86_400 } },
        profile: { limit: 1, windowSeconds: 3600 },
      };
      const of = (key: string): NewMail => ({
        ...aMail(),
        throttle: { mailbox: { ...roomy.mailbox, key: mailbox }, profile: { ...roomy.profile, key } },
      });
      const [first, second, third, free] = [of(profile.id), of(profile.id), of(profile.id), of("another")];
      const inquiry = anInquiry();
      await store.links.inquire(inquiry);
      await store.links.claimInquiry("w", NOW, 1000);
      await store.links.settleInquiry(
        inquiry.id,
        "w",
        { links: [], mails: [first, second, third, free] },
        NOW,
      );
      const sent = await sentMails(store, NOW);
      assert.deepEqual(new Set(sent.map(({ message }) => message.id)), new Set([first.id, free.id]));
      assert.equal(await store.outbox.releaseDeferred(roomy, GATHERED), 1);
      const mail = (await sentMails(store, GATHERED)).find(
        ({ message }) => message.content.kind === "collected",
      );
      assert.equal((present(mail).message.content as CollectedContent).answers.length, 2);
    },
  );

  contract(
    "Z1: racers take no more than the limits of a mailbox, and each held mail goes once",
    async (opened) => {
      const { store } = opened;
      const { profile } = await register(store);
      const three = {
        mailbox: { hourly: { limit: 3, windowSeconds: 3600 }, daily: { limit: 5, windowSeconds: 86_400 } },
        profile: limits.profile,
      };
      const inquiries = Array.from({ length: 12 }, () => anInquiry());
      for (const [index, inquiry] of inquiries.entries()) {
        await store.links.inquire(inquiry);
        assert.equal((await store.links.claimInquiry(`w${index}`, NOW, 1000))?.id, inquiry.id);
      }
      const throttle = {
        mailbox: { ...three.mailbox, key: mailbox },
        profile: { ...three.profile, key: profile.id },
      };
      await race(opened, 12, async (racer, index) => {
        const mails = [{ ...aMail(), throttle }];
        const { id } = present(inquiries[index]);
        assert.equal(await racer.links.settleInquiry(id, `w${index}`, { links: [], mails }, NOW), true);
      });
      assert.equal((await sentMails(store, NOW)).length, 3);
      const released = await race(opened, 6, (racer) => racer.outbox.releaseDeferred(three, GATHERED));
      assert.equal(
        released.reduce((sum, count) => sum + count),
        1,
      );
      const mails = (await sentMails(store, GATHERED)).filter(
        ({ message }) => message.createdAt === GATHERED,
      );
      assert.deepEqual(
        mails.map(({ message }) => (message.content as CollectedContent).answers.length),
        [9],
      );
    },
  );

  contract("a collected mail that was given up is sent again, audited for each request", async (opened) => {
    const { store } = opened;
    const { profile } = await register(store);
    const both = [
      await asks(store, { profileId: profile.id }),
      await asks(store, { profileId: profile.id, at: NOW + 1 }),
    ];
    assert.equal(await store.outbox.releaseDeferred(limits, NOW + 2 * MINUTE), 1);
    const claim = (now: number) => store.outbox.claim("w", now, 1000, LIFETIME);
    const { message } = present(await claim(NOW + 2 * MINUTE));
    await store.outbox.markDeferred(message.id, "w", "550", null, NOW + 2 * MINUTE);
    const carried = present(both[0]).link.mail.id;
    assert.equal(await store.outbox.release(carried, "command:mail", NOW), false);
    assert.equal(await store.outbox.resend(carried, "command:mail", NOW), false);
    const resent = await race(opened, 6, (racer) =>
      racer.outbox.resend(message.id, "command:mail", NOW + HOUR),
    );
    assert.equal(resent.filter(Boolean).length, 1);
    for (const requestId of idsOf(both)) {
      const [event] = await store.audit.list({ requestId, limit: 1 });
      assert.deepEqual([event?.action, event?.detail], ["mail.resent", { mail: message.id }]);
    }
    const again = present(await claim(NOW + HOUR));
    assert.deepEqual([again.message.messageId, again.message.content], [message.messageId, message.content]);
    await store.outbox.markSent(message.id, "w", "250", NOW + HOUR);
    const bounce = await store.outbox.noteBounce(
      message.messageId,
      { reason: "5.1.1", permanent: true },
      NOW + HOUR,
    );
    assert.deepEqual([bounce?.id, bounce?.state], [message.id, "bounced"]);
  });

  contract(
    "a held mail that an administrator releases goes by itself, and no other mail carries it",
    async ({ store }) => {
      const { profile } = await register(store);
      const waiting: Waiting[] = [];
      for (let index = 0; index < 3; index += 1) {
        waiting.push(await asks(store, { profileId: profile.id, at: NOW + index }));
      }
      const released = present(waiting[1]);
      assert.equal(await store.outbox.release(released.link.mail.id, "command:mail", NOW + 5), true);
      assert.equal(await store.outbox.releaseDeferred(limits, NOW + 2 * MINUTE), 1);
      const mails = await sentMails(store, NOW + 2 * MINUTE);
      const alone = mails.find(({ message }) => message.id === released.link.mail.id);
      assert.deepEqual(alone?.message.content, released.link.mail.content);
      const together = present(mails.find(({ message }) => message.content.kind === "collected"));
      assert.deepEqual(
        requestsOf(together.message.content),
        idsOf(waiting.filter((one) => one !== released)),
      );
    },
  );

  contract("what is kept of a mailbox is swept once no limit looks at it", async ({ store }) => {
    const throttle = {
      mailbox: {
        key: `${randomUUID()}@contoso.example`,
        hourly: { limit: 1, windowSeconds: 3600 },
        daily: { limit: 1, windowSeconds: 86_400 },
      },
      profile: { ...limits.profile, key: "p" },
    };
    const inquiry = anInquiry();
    await store.links.inquire(inquiry);
    await store.links.claimInquiry("w", NOW, 1000);
    await store.links.settleInquiry(inquiry.id, "w", { links: [], mails: [{ ...aMail(), throttle }] }, NOW);
    // The profile's throttle goes by itself.
    assert.equal(await store.sweep(NOW + HOUR), 1);
    assert.equal(await store.sweep(NOW + DAY - 1), 0);
    assert.equal(await store.sweep(NOW + DAY), 1);
  });
}
