/**
 * What becomes of that which waits when the clock was set back: a few rows in a transaction, so that others
 * write between two. Throttles and named leases see to it by themselves.
 */

import type { Instant } from "../../clock.ts";
import type { WorkStore } from "../contract.ts";
import { LONGEST_LEASE_MS, LONGEST_WAIT_MS, SKEW_MS } from "../set-back.ts";
import { type Engine, list, type Steps, update } from "../steps.ts";
import { auditVerifications, endings, inquiries, type OutboxRow, outbox, signOuts } from "../tables.ts";

/** How many rows are moved in a transaction. */
const BATCH = 100;

export function createSetBack(engine: Engine): Pick<WorkStore, "boundWaits"> {
  return {
    async boundWaits(now) {
      let moved = 0;
      for (const step of STEPS) {
        for (let changed = BATCH; changed === BATCH; moved += changed) {
          changed = await engine.transaction(() => step(now));
        }
      }
      return moved;
    },
  };
}

/** Moves some rows, each of which is then none of those any more. Returns how many. */
type SetBack = (now: Instant) => Steps<number>;

const leaseEnd = (now: Instant) => now + LONGEST_LEASE_MS;
const furthest = (now: Instant) => now + LONGEST_WAIT_MS;
/** What was stored later than now: nothing is due before it was stored. */
const isLater = (now: Instant) => {
  return { dueAt: { gt: now + SKEW_MS }, createdAt: { gt: now + SKEW_MS } };
};

/** What was stored later than now waits as long as it was to wait, from now. */
const MAILS = (["queued", "held"] as const).flatMap((state): SetBack[] => [
  function* (now) {
    const rows = yield* list(
      outbox,
      { state, ...isLater(now) },
      { order: ["dueAt"], limit: BATCH, by: state },
    );
    for (const { id, createdAt, nextAttemptAt, dueAt, placeAt } of rows) {
      const aheadMs = createdAt - now;
      const place = placeAt === null ? null : Math.min(placeAt, now);
      const waits = { nextAttemptAt: nextAttemptAt - aheadMs, dueAt: dueAt - aheadMs, placeAt: place };
      yield* update(outbox, { id }, { createdAt: now, ...waits });
    }
    return rows.length;
  },
  // What was put off later than it was stored.
  function* (now) {
    const beyond = { state, dueAt: { gt: furthest(now) } };
    const rows = yield* list(outbox, beyond, { order: ["dueAt"], limit: BATCH, by: state });
    for (const { id, nextAttemptAt } of rows) yield* update(outbox, { id }, soon(nextAttemptAt, now));
    return rows.length;
  },
]);

const soon = (nextAttemptAt: Instant, now: Instant): Partial<OutboxRow> => {
  return { nextAttemptAt: Math.min(nextAttemptAt, furthest(now)), dueAt: furthest(now) };
};

const STEPS: readonly SetBack[] = [
  function* (now) {
    const until = leaseEnd(now);
    const leased = { state: "waiting", dueAt: { gt: until }, leaseUntil: { gt: until } } as const;
    const rows = yield* list(inquiries, leased, { order: ["dueAt", "seq"], limit: BATCH, by: "due" });
    for (const { id, notBefore } of rows)
      yield* update(inquiries, { id }, { leaseUntil: until, dueAt: Math.max(notBefore, until) });
    return rows.length;
  },
  function* (now) {
    const rows = yield* list(auditVerifications, { dueAt: { gt: leaseEnd(now) } }, { limit: BATCH });
    const ids = rows.map(({ id }) => id);
    return rows.length === 0
      ? 0
      : yield* update(auditVerifications, { id: { in: ids } }, { dueAt: leaseEnd(now) });
  },
  function* (now) {
    const rows = yield* list(endings, { dueAt: { gt: leaseEnd(now) } }, { limit: BATCH });
    const keys = rows.map(({ key }) => key);
    return rows.length === 0 ? 0 : yield* update(endings, { key: { in: keys } }, { dueAt: leaseEnd(now) });
  },
  function* (now) {
    const listing = { order: ["dueAt", "seq"], limit: BATCH, by: "due" } as const;
    const rows = yield* list(inquiries, { state: "waiting", ...isLater(now) }, listing);
    for (const { id, createdAt, notBefore, heldUntil, leaseUntil } of rows) {
      const aheadMs = createdAt - now;
      const waits = {
        notBefore: notBefore - aheadMs,
        heldUntil: heldUntil === null ? null : heldUntil - aheadMs,
      };
      const dueAt = Math.max(waits.notBefore, leaseUntil);
      yield* update(inquiries, { id }, { createdAt: now, ...waits, dueAt });
    }
    return rows.length;
  },
  ...MAILS,
  function* (now) {
    const rows = yield* list(signOuts, isLater(now), { order: ["dueAt", "seq"], limit: BATCH });
    for (const { id, createdAt, dueAt } of rows)
      yield* update(signOuts, { id }, { createdAt: now, dueAt: dueAt - (createdAt - now) });
    return rows.length;
  },
  function* (now) {
    const rows = yield* list(signOuts, { dueAt: { gt: furthest(now) } }, { limit: BATCH });
    const ids = rows.map(({ id }) => id);
    return rows.length === 0 ? 0 : yield* update(signOuts, { id: { in: ids } }, { dueAt: furthest(now) });
  },
];
