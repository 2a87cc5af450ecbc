/** The outbox: messages wait here, encrypted, until a worker has sent them; and what became of each. */

import { setImmediate } from "node:timers/promises";
import type { Instant, Milliseconds } from "../../clock.ts";
import { mailRequeued } from "../../domain/audit-entries.ts";
import { requestsIn, withLinksOf } from "../../domain/deferred-mail.ts";
import type { Delivery, LinkRequestId, OutboxMessage } from "../../domain/records.ts";
import type { OutboxStore } from "../contract.ts";
import { DAMAGED_CONTENT, decryptContent, type KeyHash } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import {
  add,
  call,
  type Engine,
  first,
  get,
  list,
  type Steps,
  some,
  take,
  update,
  type Values,
} from "../steps.ts";
import { type OutboxRow, outbox } from "../tables.ts";
import { audit } from "./audit.ts";
import { createDeferredMail, type DeferredMailParts } from "./deferred-mail.ts";
import { startLives } from "./requests.ts";

type Claimed = Awaited<ReturnType<OutboxStore["claim"]>>;

const newestFirst = { order: ["createdAt", "seq"], isDescending: true } as const;

export function createOutboxStore(engine: Engine, parts: DeferredMailParts & { hash: KeyHash }): OutboxStore {
  const { encryption, queueMail, hash } = parts;

  return {
    ...createDeferredMail(engine, parts),

    async claim(worker, now, leaseMs, linkLifetimeMs) {
      for (;;) {
        const claimed = await engine.series(function* () {
          const leased = yield* lease(worker, now, leaseMs);
          return leased && (yield* open(leased, now, linkLifetimeMs, encryption));
        });
        if (claimed !== "passed over") return claimed;
        await setImmediate();
      }
    },

    enqueue: (mail, slots, now) =>
      engine.transaction(function* () {
        const taken: string[] = [];
        for (const { key, ...limit } of slots) {
          const keyHash = hash(key);
          const slot = yield* call("takeSlot", keyHash, limit, now);
          if (!slot.taken) {
            for (const earlier of taken) yield* call("giveSlotBack", earlier);
            return { queued: false, key, resetsAt: slot.resetsAt };
          }
          taken.push(keyHash);
        }
        yield* queueMail(mail, now);
        return { queued: true };
      }),

    markSent: (id, worker, serverReply, now) =>
      engine.run(() => settle(id, worker, { state: "sent", sealedContent: null, sentAt: now, serverReply })),

    markDeferred: (id, worker, error, nextAttemptAt) => {
      const then =
        nextAttemptAt === null ? ({ state: "failed" } as const) : { nextAttemptAt, dueAt: nextAttemptAt };
      return engine.run(() => settle(id, worker, { lastError: error, ...then }));
    },

    nextDueAt: () =>
      engine.run(function* () {
        // `dueAt >= 0` holds for every message; it lets the earliest be read off the start of the index.
        const earliest = { state: "queued", dueAt: { gte: 0 } } as const;
        const firstOne = { order: ["dueAt", "seq"], by: "queued", limit: 1 } as const;
        return (yield* some(outbox, ["dueAt"], earliest, firstOne))[0]?.dueAt;
      }),

    find: (id) =>
      engine.run(function* () {
        const row = yield* get(outbox, id);
        return row && toDelivery(row);
      }),

    list: (filter) =>
      engine.run(function* () {
        const listing = { ...newestFirst, limit: filter.limit };
        if ("inquiryId" in filter)
          return (yield* list(outbox, { inquiryId: filter.inquiryId }, listing)).map(toDelivery);
        const found: OutboxRow[] = [];
        for (const state of filter.states) found.push(...(yield* list(outbox, { state }, listing)));
        const all = found.toSorted((one, other) => other.createdAt - one.createdAt);
        return all.slice(0, filter.limit).map(toDelivery);
      }),

    release: (id, actor, now) => {
      const due = { state: "queued", nextAttemptAt: now, dueAt: now } as const;
      return engine.transaction(() => requeue({ id, state: "held" }, due, "mail.released", actor, now));
    },

    resend: (id, actor, now) => {
      const anew = { state: "queued", nextAttemptAt: now, dueAt: now, attempts: 0, createdAt: now } as const;
      return engine.transaction(() => requeue({ id, state: "failed" }, anew, "mail.resent", actor, now));
    },

    noteBounce: (messageId, { reason, permanent }, now) =>
      engine.transaction(function* () {
        const row = yield* first(outbox, { messageId, state: { in: ["sent", "bounced"] } });
        if (row === undefined) return undefined;
        const ended = { state: "bounced", bouncedAt: row.bouncedAt ?? now } as const;
        const noted = permanent ? { bounce: reason, ...ended } : { bounce: reason };
        yield* update(outbox, { id: row.id }, noted);
        return toDelivery({ ...row, ...noted });
      }),
  };
}

/** A lease moves dueAt on: a message whose worker died is due again when the lease has run out. */
const lease = (worker: string, now: Instant, leaseMs: Milliseconds) =>
  take(
    outbox,
    { state: "queued", dueAt: { lte: now } },
    { leaseWorker: worker, dueAt: now + leaseMs, attempts: add(1) },
    { order: ["dueAt", "seq"], by: "queued" },
  );

/**
 * Opens what was leased: starts the lives of its links, and gives up or drops a message that can't go any
 * more. A worker that dies before loses its lease; whoever claims the message next starts them anew.
 */
function* open(
  row: OutboxRow,
  now: Instant,
  linkLifetimeMs: Milliseconds,
  encryption: FieldEncryption,
): Steps<Claimed | "passed over"> {
  const { id, sealedContent, leaseWorker } = row;
  const worker = leaseWorker ?? "";
  const stored = sealedContent === null ? undefined : decryptContent(encryption, id, sealedContent);
  if (stored === undefined) {
    yield* settle(id, worker, { state: "failed", lastError: DAMAGED_CONTENT });
    return "passed over";
  }
  const links = requestsIn(stored);
  const expiresAt = now + linkLifetimeMs;
  const alive = yield* startLives(links, expiresAt);
  const content = withLinksOf(stored, alive);
  const dead = links.filter((requestId) => !alive.has(requestId));
  if (stored.kind === "collected") yield* dropCarried(id, dead, now);
  if (content === undefined) {
    yield* settle(id, worker, { state: "dropped", sealedContent: null });
    return "passed over";
  }
  return { message: { ...toMessage(row), content }, linkExpiresAt: alive.size === 0 ? null : expiresAt };
}

/** What a collected mail leaves out is dropped by itself. */
function* dropCarried(id: string, dead: readonly LinkRequestId[], now: Instant): Steps<void> {
  if (dead.length === 0) return;
  const left = { carriedBy: id, state: "carried", requestId: { in: dead } } as const;
  yield* update(outbox, left, { state: "dropped", nextAttemptAt: now });
}

/** Ends the lease of the worker that holds the message. False if it was lost. */
function* settle(id: string, leaseWorker: string, set: Values<OutboxRow>): Steps<boolean> {
  const leased = { id, state: "queued", leaseWorker } as const;
  return (yield* update(outbox, leased, { leaseWorker: null, ...set })) === 1;
}

function* requeue(
  which: { id: string; state: "held" | "failed" },
  set: Values<OutboxRow>,
  action: "mail.released" | "mail.resent",
  actor: string,
  now: Instant,
): Steps<boolean> {
  const { id } = which;
  if ((yield* update(outbox, which, set)) === 0) return false;
  const row = yield* get(outbox, id);
  const carried = yield* list(
    outbox,
    { carriedBy: id, state: "carried" },
    { order: ["carriedBy", "seq"], by: "carried" },
  );
  const requestIds = [row, ...carried].flatMap((one) => one?.requestId ?? []);
  for (const requestId of requestIds.length === 0 ? [null] : requestIds) {
    yield* audit(mailRequeued(action, { mail: id, requestId }, actor, now));
  }
  return true;
}

function toMessage(row: OutboxRow): Omit<OutboxMessage, "content"> {
  const { id, messageId, to, state, attempts, createdAt, nextAttemptAt, sentAt, lastError } = row;
  return { id, messageId, to, state, attempts, createdAt, nextAttemptAt, sentAt, lastError };
}

export function toDelivery(row: OutboxRow): Delivery {
  const { kind, inquiryId, requestId, carriedBy, serverReply, bouncedAt, bounce } = row;
  return { ...toMessage(row), kind, inquiryId, requestId, carriedBy, serverReply, bouncedAt, bounce };
}
