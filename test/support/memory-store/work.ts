/** Lists of sessions in memory, and what workers rest on: named leases, counts by the hour, the sweep. */

import type { Instant } from "../../../src/clock.ts";
import type { AccountId } from "../../../src/domain/ids.ts";
import { countsThrottle, ONE_BATCH } from "../../../src/domain/throttle-keys.ts";
import { Pace } from "../../../src/pace.ts";
import type { Native } from "../../../src/storage/assemble.ts";
import type { AccountSession, Store } from "../../../src/storage/contract.ts";
import type { KeyHash } from "../../../src/storage/encrypted-fields.ts";
import { standing } from "../../../src/storage/intentions/endings.ts";
import { COUNTS_RETENTION_MS, sweepSelections } from "../../../src/storage/intentions/sweep.ts";
import { counters, leases } from "../../../src/storage/native-tables.ts";
import { readPage } from "../../../src/storage/paging.ts";
import { call, type Engine, first, get, list, put, remove, type Steps } from "../../../src/storage/steps.ts";
import { selections } from "../../../src/storage/tables.ts";
import { artifacts, EXPIRING, keyOf, shares } from "./tables.ts";

export function createAdministration(engine: Engine, hash: KeyHash): Native["administration"] {
  function* find(uid: string, accountId: AccountId, now: Instant): Steps<AccountSession | undefined> {
    const live = { sessionUid: uid, accountId, expiresAt: { gt: now } };
    const grants = yield* standing(yield* list(selections, live));
    const clientIds = [...new Set(grants.map(({ clientId }) => clientId))].toSorted();
    if (clientIds.length === 0 && (yield* first(artifacts, live)) === undefined) return undefined;
    return { sessionUid: uid, accountId, clientIds };
  }

  return {
    sessions: (accountId, page, now) =>
      readPage<{ uid: string; session: AccountSession | undefined }, AccountSession>({
        page,
        begin: [""],
        placeOf: ({ uid }) => [uid],
        item: ({ session }) => session,
        fetch: ([after], limit) =>
          engine.run(function* () {
            const behind = { accountId, sessionUid: { gt: String(after) } };
            const all = [yield* list(artifacts, behind), yield* list(selections, behind)].flat();
            const uids = new Set(all.flatMap(({ sessionUid }) => sessionUid ?? []));
            const listed = [];
            for (const uid of [...uids].toSorted().slice(0, limit))
              listed.push({ uid, session: yield* find(uid, accountId, now) });
            return listed;
          }),
      }),

    session: (sessionUid, now) =>
      engine.run(function* () {
        const live = { sessionUid, expiresAt: { gt: now } };
        const [grant] = yield* standing(yield* list(selections, live));
        const row = yield* first(artifacts, { ...live, accountId: { not: null } });
        const accountId = row?.accountId ?? grant?.accountId;
        return accountId && (yield* find(sessionUid, accountId, now));
      }),

    takeLease: (name, worker, now, leaseMs) =>
      engine.run(function* () {
        const held = yield* get(leases, name);
        const isOthers = held !== undefined && held.worker !== worker;
        if (isOthers && held.until > now && held.until <= now + 2 * leaseMs) return false;
        yield* put(leases, { name, worker, until: now + leaseMs });
        return true;
      }),

    addCounts: (added, batchId, now) =>
      engine.run(function* () {
        if (added.length === 0) return;
        if (!(yield* call("takeSlot", hash(countsThrottle(batchId)), ONE_BATCH, now)).taken) return;
        for (const { hour, name, count } of added) {
          const id = keyOf(hour, name);
          const before = (yield* get(counters, id))?.count ?? 0;
          yield* put(counters, { id, hour, name, count: before + count });
        }
      }),

    counts: (from, to) =>
      engine.run(function* () {
        const between = { hour: { gte: from, lt: to } };
        const rows = yield* list(counters, between, { order: ["hour", "name"] });
        return rows.map(({ name, hour, count }) => ({ name, hour, count }));
      }),
  };
}

export function createSweep(engine: Engine): Store["sweep"] {
  return async (now, run) => {
    const inTurns = (sweep: (limit: number) => Promise<number>) =>
      new Pace({ least: 20, most: 500 }).turns(async (size) => {
        const done = await sweep(size);
        return { done, isLast: done < size };
      }, run);
    /** Each removes up to so many rows, and says how many. */
    const sweeps: readonly ((limit: number) => Steps<number>)[] = [
      (limit) => sweepArtifacts(now, limit),
      (limit) => remove(counters, { hour: { lt: now - COUNTS_RETENTION_MS } }, limit),
      ...EXPIRING.map((table) => (limit: number) => remove(table, { expiresAt: { lte: now } }, limit)),
    ];
    let removed = await inTurns((limit) => sweepSelections(engine, now, limit));
    for (const sweep of sweeps) removed += await inTurns((limit) => engine.run(() => sweep(limit)));
    return removed;
  };
}

/** A session's clients end with the last of its rows. */
function* sweepArtifacts(now: Instant, limit: number): Steps<number> {
  const over = yield* list(artifacts, { expiresAt: { lte: now } }, { limit });
  yield* remove(artifacts, { id: { in: over.map(({ id }) => id) } });
  for (const sessionUid of new Set(over.flatMap((row) => row.sessionUid ?? []))) {
    if ((yield* first(artifacts, { sessionUid })) === undefined) yield* remove(shares, { sessionUid });
  }
  return over.length;
}
