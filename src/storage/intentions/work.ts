/**
 * What workers rest on and claim: named leases, portals that are to be told of the end of a sign-in, and
 * endings whose rows are still there; and keys of the REST API as they are read.
 */

import { endingOf, isCountPermanent } from "../../domain/endings.ts";
import type { SignOut } from "../../domain/records.ts";
import type { AdminStore } from "../contract.ts";
import { AlreadyThere, add, type Engine, first, get, insert, list, remove, take, update } from "../steps.ts";
import { apiKeys, endings, leases, type Row, signOuts } from "../tables.ts";
import { removeEndedPart } from "./revoking.ts";

type Work = Pick<
  AdminStore,
  | "takeLease"
  | "claimEnding"
  | "removeEnded"
  | "claimSignOut"
  | "settleSignOut"
  | "apiKeys"
  | "apiKey"
  | "noteApiKeyUse"
>;

export function createWork(engine: Engine): Work {
  return {
    async takeLease(name, worker, now, leaseMs) {
      const until = now + leaseMs;
      try {
        return await engine.run(function* () {
          const held = yield* get(leases, name);
          if (held === undefined) {
            yield* insert(leases, { name, worker, until });
            return true;
          }
          const isOwn = held.worker === worker;
          if (!isOwn && held.until > now && held.until <= now + 2 * leaseMs) return false;
          return (yield* update(leases, isOwn ? { name, worker } : held, { worker, until })) === 1;
        });
      } catch (error) {
        // Another had it first.
        if (error instanceof AlreadyThere) return false;
        throw error;
      }
    },

    claimEnding: (worker, now, leaseMs) =>
      engine.run(function* () {
        // A lease moves dueAt on, as in the outbox.
        const leased = { leaseWorker: worker, dueAt: now + leaseMs };
        const row = yield* take(endings, { dueAt: { gt: 0, lte: now } }, leased, { order: ["dueAt"] });
        return row && { key: row.key };
      }),

    // Whoever claims it, or ends the same anew meanwhile, writes it, too: one of the two is run again.
    removeEnded: (key, worker, { most, now, leaseMs }) =>
      engine.transaction(function* () {
        const leased = yield* first(endings, { key, leaseWorker: worker });
        if (leased === undefined) return { result: "lost" };
        const ending = endingOf(key);
        const part = { after: leased.place, most, endedAt: leased.endedAt, now };
        const { grants, next } = yield* removeEndedPart(ending, part);
        if (next !== null) yield* update(endings, { key }, { place: next, dueAt: now + leaseMs });
        else if (isCountPermanent(ending))
          yield* update(endings, { key }, { place: "", dueAt: null, leaseWorker: null });
        else yield* remove(endings, { key });
        return { result: next === null ? "done" : "more", grants };
      }),

    claimSignOut: (worker, now, leaseMs) =>
      engine.run(function* () {
        const leased = { leaseWorker: worker, dueAt: now + leaseMs, attempts: add(1) };
        const row = yield* take(signOuts, { dueAt: { lte: now } }, leased, { order: ["dueAt", "seq"] });
        return row && toSignOut(row);
      }),

    settleSignOut: (id, worker, nextAttemptAt) =>
      engine.run(function* () {
        const leased = { id, leaseWorker: worker };
        const changed =
          nextAttemptAt === null
            ? yield* remove(signOuts, leased)
            : yield* update(signOuts, leased, { dueAt: nextAttemptAt, leaseWorker: null });
        return changed === 1;
      }),

    apiKeys: () =>
      engine.run(function* () {
        // Every id is greater than the empty text: this walks the primary key. There are few.
        const found = yield* list(apiKeys, {}, { order: ["id"], behind: [""] });
        return found.toSorted((one, other) => other.createdAt - one.createdAt);
      }),
    apiKey: (secretHash, now) => engine.run(() => first(apiKeys, { secretHash, expiresAt: { gt: now } })),
    noteApiKeyUse: (id, now) =>
      engine.run(function* () {
        const key = yield* first(apiKeys, { id });
        if (key !== undefined && (key.lastUsedAt ?? 0) < now)
          yield* update(apiKeys, { id }, { lastUsedAt: now });
      }),
  };
}

function toSignOut({
  dueAt: _due,
  leaseWorker: _worker,
  seq: _place,
  ...signOut
}: Row<typeof signOuts>): SignOut {
  return signOut;
}
