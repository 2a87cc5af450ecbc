/** The outbox worker against a store in memory; of the rest the transport and the clock are the test's. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { NewMail } from "../../src/domain/records.ts";
import { MailError } from "../../src/mail/failures.ts";
import { createOutboxWorker, type OutboxWorkerOptions } from "../../src/mail/outbox-worker.ts";
import type { Mail, MailTransport } from "../../src/mail/transport.ts";
import type { NewLink, Store } from "../../src/storage/contract.ts";
import { openMemoryStore } from "../support/memory-store/store.ts";
import {
  aMail,
  aNewLink,
  anInquiry,
  anOrganization,
  aProfile,
  MINUTE,
  NOW,
  PLENTY,
  PLENTY_FOR_A_MAILBOX,
} from "../support/records.ts";

const HOUR = 60 * MINUTE;
const refused = () => new MailError("recipient_refused", "the server refused the recipient (550 at RCPT TO)");
const busy = () => new MailError("recipient_deferred", "the server puts the recipient off (451 at RCPT TO)");

/** Keeps what it is given; fails as told. */
class Peer implements MailTransport {
  readonly tried: Mail[] = [];
  readonly taken: Mail[] = [];
  answer: (mail: Mail) => unknown = () => undefined;

  async send(mail: Mail): Promise<{ reply: string }> {
    this.tried.push(mail);
    const error = await this.answer(mail);
    if (error instanceof Error) throw error;
    this.taken.push(mail);
    return { reply: "250 OK" };
  }
  async close(): Promise<void> {}
}

class Log {
  readonly lines: { level: string; fields: object; message: string }[] = [];
  readonly #keep = (level: string) => (fields: object, message: string) =>
    void this.lines.push({ level, fields, message });
  info = this.#keep("info");
  warn = this.#keep("warn");
  error = this.#keep("error");
  get messages(): string[] {
    return this.lines.map(({ level, message }) => `${level}: ${message}`);
  }
}

describe("outbox worker", () => {
  let store: Store;
  let now: number;
  let peer: Peer;
  let log: Log;

  beforeEach(async () => {
    store = openMemoryStore();
    now = NOW;
    peer = new Peer();
    log = new Log();
  });
  afterEach(() => store.close());

  function worker(options: Partial<OutboxWorkerOptions> = {}) {
    return createOutboxWorker({
      outbox: store.outbox,
      throttles: store.throttles,
      limits: { mailbox: PLENTY_FOR_A_MAILBOX, profile: PLENTY, all: PLENTY },
      transport: peer,
      render: (content, { linkExpiresAt }) => {
        const life = linkExpiresAt === null ? "no link" : `link until ${linkExpiresAt}`;
        return { subject: content.kind, text: life, html: `<p>${life}</p>` };
      },
      clock: { now: () => now },
      logger: log,
      workerId: "worker-a",
      linkLifetimeMs: 30 * MINUTE,
      random: () => 0.5,
      ...options,
    });
  }

  async function queue(mails: NewMail[], links: NewLink[] = []): Promise<void> {
    const inquiry = anInquiry();
    await store.links.inquire(inquiry);
    const claimed = await store.links.claimInquiry("inquirer", now, MINUTE);
    assert.equal(claimed?.id, inquiry.id);
    const own = links.map((link) => ({ ...link, request: { ...link.request, inquiryId: inquiry.id } }));
    assert.ok(await store.links.settleInquiry(inquiry.id, "inquirer", { links: own, mails }, now));
  }

  const ids = (mails: Mail[]) => mails.map(({ messageId }) => messageId).sort();

  it("sends everything that is due, each once, to the stored address", async () => {
    const mails = [aMail(), aMail({ to: "other@contoso.example" }), aMail()];
    await queue(mails);
    const outbox = worker();
    assert.equal(await outbox.runOnce(), 3);
    assert.deepEqual(ids(peer.taken), mails.map(({ messageId }) => messageId).sort());
    assert.deepEqual(peer.taken.map(({ to }) => to).sort(), mails.map(({ to }) => to).sort());
    assert.equal(await outbox.runOnce(), 0);
    assert.equal(peer.tried.length, 3);
    assert.deepEqual(log.lines, []);
  });

  it("a link's life starts when its mail is sent", async () => {
    const organization = anOrganization();
    const profile = aProfile({ organizationId: organization.id });
    await store.directory.putOrganization(organization, "system", now);
    await store.directory.putProfile(profile, "system", now);
    const link = aNewLink({ profileId: profile.id });
    await queue([], [link]);
    now += HOUR;
    await worker().runOnce();
    assert.equal(peer.taken[0]?.text, `link until ${now + 30 * MINUTE}`);
    const view = await store.links.view(link.request.id, link.request.secretHash);
    assert.equal(view?.request.expiresAt, now + 30 * MINUTE);
  });

  it("tries again later and later, under the same Message-ID, and tells the log once", async () => {
    const mail = aMail();
    await queue([mail]);
    peer.answer = busy;
    const outbox = worker();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      assert.equal(await outbox.runOnce(), 0);
      assert.equal(peer.tried.length, attempt + 1);
      const dueAt = (await store.outbox.nextDueAt()) ?? 0;
      pauses.push((dueAt - now) / 1000);
      now = dueAt - 1;
      await outbox.runOnce();
      assert.equal(peer.tried.length, attempt + 1, "not before it is due");
      now = dueAt;
    }
    assert.deepEqual(pauses, [11.25, 22.5, 45, 90, 180, 360, 720, 1440, 2700, 2700, 2700, 2700]);
    assert.deepEqual(new Set(ids(peer.tried)), new Set([mail.messageId]));
    assert.deepEqual(log.messages, ["warn: a mail couldn't be delivered yet and will be tried again"]);

    peer.answer = () => undefined;
    assert.equal(await outbox.runOnce(), 1);
  });

  it("chance spreads the retries over the second half of the pause", async () => {
    for (const [chance, seconds] of [
      [0, 7.5],
      [0.999999, 15],
    ] as const) {
      await queue([aMail()]);
      peer.answer = busy;
      await worker({ random: () => chance }).runOnce();
      assert.equal(Math.round(((await store.outbox.nextDueAt()) ?? 0) - now) / 1000, seconds);
      peer.answer = () => undefined;
      now += HOUR;
      await worker().runOnce();
    }
  });

  it("what is refused for good is given up at once, and named without address or secret", async () => {
    await queue([aMail({ to: "nobody@contoso.example" })]);
    peer.answer = refused;
    const outbox = worker();
    await outbox.runOnce();
    now += 3 * 24 * HOUR;
    await outbox.runOnce();
    assert.equal(peer.tried.length, 1);
    assert.equal(await store.outbox.nextDueAt(), undefined);
    assert.deepEqual(log.messages, ["error: a mail couldn't be delivered and is given up"]);
    assert.doesNotMatch(JSON.stringify(log.lines), /nobody|contoso/i);
    assert.partialDeepStrictEqual(log.lines[0]?.fields, {
      failure: "recipient_refused",
      reason: refused().message,
    });
  });

  it("what can't be delivered for two days is given up", async () => {
    await queue([aMail()]);
    peer.answer = busy;
    const outbox = worker();
    const began = now;
    for (let dueAt: number | undefined = now; dueAt !== undefined; dueAt = await store.outbox.nextDueAt()) {
      now = dueAt;
      await outbox.runOnce();
    }
    assert.ok(now - began > 46 * HOUR && now - began <= 48 * HOUR, `${(now - began) / HOUR} hours`);
    assert.equal(log.messages.at(-1), "error: a mail couldn't be delivered and is given up");
    assert.equal(log.lines.length, 2);
  });

  it("one mail's failure, or a mail that can't be made, keeps no other from being sent", async () => {
    const [bad, worse, good] = [aMail(), aMail(), aMail({ to: "good@contoso.example" })];
    await queue([bad, worse, good]);
    peer.answer = ({ messageId }) => {
      if (messageId === bad.messageId) return refused();
      return messageId === worse.messageId ? new TypeError("a programming mistake") : undefined;
    };
    assert.equal(await worker({ concurrency: 1 }).runOnce(), 1);
    assert.deepEqual(ids(peer.taken), [good.messageId]);
    assert.equal(log.lines.length, 2);
  });

  it(
    "a worker that dies after sending loses its lease, and the mail is sent again under the same " +
      "Message-ID",
    async () => {
      const mail = aMail();
      await queue([mail]);
      const dying = { ...store.outbox, markSent: () => Promise.reject(new Error("killed")) };
      await assert.rejects(worker({ outbox: dying, leaseMs: MINUTE }).runOnce(), /killed/);
      const successor = worker({ workerId: "worker-b", leaseMs: MINUTE });
      assert.equal(await successor.runOnce(), 0);
      now += MINUTE;
      assert.equal(await successor.runOnce(), 1);
      assert.deepEqual(ids(peer.taken), [mail.messageId, mail.messageId]);
    },
  );

  it("a worker whose lease ran out while it sent doesn't mark what another holds", async () => {
    await queue([aMail()]);
    peer.answer = async () => {
      peer.answer = () => undefined;
      now += 2 * MINUTE;
      await worker({ workerId: "worker-b" }).runOnce();
    };
    await worker().runOnce();
    assert.equal(peer.taken.length, 2);
    assert.deepEqual(log.messages, ["warn: a mail was sent after its lease was lost; it may be sent twice"]);
  });

  it("many workers on one outbox send each mail once", async () => {
    const mails = Array.from({ length: 20 }, () => aMail());
    await queue(mails);
    peer.answer = () => new Promise((resolve) => setImmediate(resolve));
    const workers = Array.from({ length: 5 }, (_, index) => worker({ workerId: `worker-${index}` }));
    const sent = await Promise.all(workers.map((each) => each.runOnce()));
    assert.equal(
      sent.reduce((sum, count) => sum + count),
      20,
    );
    assert.deepEqual(ids(peer.taken), mails.map(({ messageId }) => messageId).sort());
  });

  it("delivers as many at once as it may, and never more", async () => {
    await queue(Array.from({ length: 7 }, () => aMail()));
    let underWay = 0;
    const seen: number[] = [];
    peer.answer = async () => {
      underWay += 1;
      seen.push(underWay);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    };
    assert.equal(await worker({ concurrency: 3 }).runOnce(), 7);
    assert.equal(Math.max(...seen), 3, `${seen}`);
  });

  it("a slow server delays nobody else, nor who comes while it is slow", { timeout: 30_000 }, async () => {
    const slow = aMail({ to: "slow@contoso.example" });
    await queue([slow]);
    const release = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<void>();
    const good = Promise.withResolvers<void>();
    peer.answer = ({ to }) => {
      if (to !== "slow@contoso.example") return good.resolve();
      waiting.resolve();
      return release.promise;
    };
    const outbox = worker({ concurrency: 2, pollMs: HOUR });
    outbox.start();
    await waiting.promise;
    await queue([aMail(), aMail(), aMail()]);
    outbox.nudge();
    await good.promise;
    while (peer.taken.length < 3) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await worker({ workerId: "worker-b" }).runOnce(), 0, "it is under its lease");
    release.resolve();
    await outbox.stop();
    assert.equal(peer.taken.filter(({ to }) => to === "slow@contoso.example").length, 1);
    assert.equal(peer.tried.length, 4);
    assert.deepEqual(log.lines, []);
  });

  it("one that fails under a delivery fails the next turn, which begins none; then it goes on", async () => {
    await queue([aMail(), aMail(), aMail()]);
    let failures = 1;
    const flaky: typeof store.outbox = {
      ...store.outbox,
      markSent: (...args) =>
        failures-- > 0 ? Promise.reject(new Error("gone")) : store.outbox.markSent(...args),
    };
    const outbox = worker({ outbox: flaky, concurrency: 1, leaseMs: MINUTE });
    await assert.rejects(outbox.runOnce(), /gone/);
    assert.equal(peer.tried.length, 1);
    assert.equal(await outbox.runOnce(), 2);
    now += MINUTE;
    assert.equal(await outbox.runOnce(), 1);
    assert.equal(new Set(ids(peer.tried)).size, 3);
  });

  it("runs when nudged; stop waits for the mail in flight and leaves the rest", async () => {
    const outbox = worker({ concurrency: 1, pollMs: HOUR });
    outbox.start();
    const sending = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    peer.answer = () => {
      sending.resolve();
      return release.promise;
    };
    await queue([aMail(), aMail()]);
    outbox.nudge();
    await sending.promise;
    let hasStopped = false;
    const stopped = outbox.stop().then(() => {
      hasStopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(hasStopped, false);
    release.resolve();
    await stopped;
    assert.equal(peer.taken.length, 1);
    assert.notEqual(await store.outbox.nextDueAt(), undefined);
  });
});
