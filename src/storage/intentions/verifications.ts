/** Verifications of the audit: who asked, how far each is, what it came to. */

import type { Instant } from "../../clock.ts";
import { verificationAsked } from "../../domain/audit-entries.ts";
import type { AuditVerification } from "../../domain/records.ts";
import { MOST_OPEN_VERIFICATIONS, MOST_VERIFICATIONS, openHeadOf } from "../../domain/verifications.ts";
import type { VerificationStore } from "../contract.ts";
import {
  AlreadyThere,
  add,
  type Engine,
  first,
  get,
  insert,
  list,
  remove,
  type Steps,
  take,
  update,
} from "../steps.ts";
import { auditVerifications, type Row } from "../tables.ts";
import { audit } from "./audit.ts";

/** How often asking begins anew because another made the same one meanwhile. */
const MOST_TRIES = 5;

const newestFirst = { order: ["askedAt", "seq"], isDescending: true } as const;
/** Holds for every one; it lets them be read along their index. */
const every = { askedAt: { gte: 0 } };

export function createVerificationStore(engine: Engine): VerificationStore {
  return {
    async ask(asked, by) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await engine.transaction(() => ask(asked, by));
        } catch (error) {
          if (!(error instanceof AlreadyThere) || tries === MOST_TRIES) throw error;
        }
      }
    },

    find: (id) =>
      engine.run(function* () {
        const row = yield* get(auditVerifications, id);
        return row && toVerification(row);
      }),

    list: () =>
      engine.run(function* () {
        return (yield* list(auditVerifications, every, newestFirst)).map(toVerification);
      }),

    claim: (worker, now, leaseMs) =>
      engine.run(function* () {
        // Asked every other second: something is written where there is something to be claimed alone.
        const due = { dueAt: { lte: now } };
        const next = yield* first(auditVerifications, due, { order: ["dueAt", "seq"] });
        if (next === undefined) return undefined;
        const running = { state: "running", startedAt: next.startedAt ?? now } as const;
        const leased = { ...running, leaseWorker: worker, dueAt: now + leaseMs, attempts: add(1) };
        const own = { ...due, id: next.id };
        const row = yield* take(auditVerifications, own, leased, { order: ["dueAt", "seq"] });
        return row && toVerification(row);
      }),

    note: (id, worker, { progress, seal, leaseUntil }) =>
      engine.run(function* () {
        const noted = { progress, seal, dueAt: leaseUntil, attempts: 0 };
        return (yield* update(auditVerifications, { id, leaseWorker: worker }, noted)) === 1;
      }),

    settle: (id, worker, { state, progress, result, failure, seal }, now) =>
      engine.run(function* () {
        const outcome = { state, progress, result, failure, seal, endedAt: now };
        const ended = { ...outcome, openHead: null, dueAt: null, leaseWorker: null };
        return (yield* update(auditVerifications, { id, leaseWorker: worker }, ended)) === 1;
      }),
  };
}

function* ask(
  { id, keptHead, seal }: Pick<AuditVerification, "id" | "keptHead" | "seal">,
  { actor, now }: { actor: string; now: Instant },
): Steps<AuditVerification | undefined> {
  const openHead = openHeadOf(keptHead);
  const joined = yield* first(auditVerifications, { openHead });
  if (joined !== undefined) {
    yield* audit(verificationAsked(joined.id, true, { actor, at: now }));
    return toVerification(joined);
  }
  const open = yield* list(auditVerifications, { openHead: { not: null } });
  if (open.length >= MOST_OPEN_VERIFICATIONS) return undefined;
  const asked: AuditVerification = {
    id,
    askedBy: actor,
    askedAt: now,
    keptHead,
    state: "waiting",
    startedAt: null,
    endedAt: null,
    progress: null,
    result: null,
    failure: null,
    attempts: 0,
    seal,
  };
  yield* insert(auditVerifications, { ...asked, openHead, dueAt: now, leaseWorker: null });
  yield* removeOldest();
  yield* audit(verificationAsked(id, false, { actor, at: now }));
  return asked;
}

function* removeOldest(): Steps<void> {
  const all = yield* list(auditVerifications, every, newestFirst);
  const surplus = all.slice(MOST_VERIFICATIONS).map(({ id }) => id);
  if (surplus.length > 0) yield* remove(auditVerifications, { id: { in: surplus }, openHead: null });
}

function toVerification(row: Row<typeof auditVerifications>): AuditVerification {
  const { openHead: _open, dueAt: _due, leaseWorker: _worker, seq: _place, ...verification } = row;
  return verification;
}
