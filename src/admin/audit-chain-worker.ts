/**
 * The worker of the audit's chain: appends events to it in order, and removes those that retention no longer
 * keeps. Every broker runs it; one at a time has the lease, and where two believe so all the same, the store
 * lets one win.
 */

import { randomUUID } from "node:crypto";
import type { Clock, Milliseconds } from "../clock.ts";
import { chainMac, chainMark, firstBase } from "../domain/audit-chain.ts";
import { Pace, TURN_MS } from "../pace.ts";
import type { AuditStore, WorkStore } from "../storage/contract.ts";
import { runAlone, type WorkerRun } from "../worker-loop.ts";

export interface AuditChainWorkerOptions {
  audit: AuditStore;
  administration: Pick<WorkStore, "takeLease">;
  clock: Clock;
  key: Buffer;
  /** For how long events are kept, in milliseconds; null: for ever. */
  retentionMs: Milliseconds | null;
  /** How long a turn may take, in milliseconds: the store's. Default: that of a store with one write lock. */
  turnMs?: Milliseconds;
}

/** As it stands in stores: brokers of the version before take the same one. */
const LEASE = "audit.seal";
const LEASE_MS: Milliseconds = 30_000;
/** How many events a turn takes. */
const BATCH = { least: 50, most: 200 };

export interface AuditChainWorker {
  /**
   * Appends what waits and prunes what is old, in short turns; returns how many were appended. 0 while
   * another broker does it.
   */
  runOnce(run?: WorkerRun): Promise<number>;
}

export function createAuditChainWorker({
  audit,
  administration,
  clock,
  key,
  retentionMs,
  turnMs = TURN_MS,
}: AuditChainWorkerOptions): AuditChainWorker {
  const worker = randomUUID();
  const appending = new Pace({ ...BATCH, turnMs });
  const pruning = new Pace({ ...BATCH, turnMs });
  const chain: Chain = { audit, clock, key };

  /** Whether this worker has the lease, which is renewed when a third of it is over. */
  function createLease(): () => Promise<boolean> {
    let renewAt = 0;
    return async () => {
      const now = clock.now();
      if (now < renewAt) return true;
      renewAt = now + LEASE_MS / 3;
      return await administration.takeLease(LEASE, worker, now, LEASE_MS);
    };
  }

  return {
    async runOnce({ signal, onStep } = runAlone) {
      const haveLease = createLease();
      let count = 0;
      let isLast = false;
      while (!isLast && !signal.aborted) {
        if (!(await haveLease())) return count;
        const turn = await appending.turn((size) => appendBatch(chain, size));
        count += turn.appended;
        onStep();
        isLast = turn.isLast;
      }
      if (retentionMs === null) return count;
      const oldest = clock.now() - retentionMs;
      let goesOn = true;
      while (goesOn && !signal.aborted && (await haveLease())) {
        goesOn = await pruning.turn((size) => pruneBatch(chain, oldest, size));
        onStep();
      }
      return count;
    },
  };
}

type Chain = Pick<AuditChainWorkerOptions, "audit" | "clock" | "key">;

/** Appends up to so many; whether there may be more of them. */
async function appendBatch(
  { audit, clock, key }: Chain,
  size: number,
): Promise<{ appended: number; isLast: boolean }> {
  const events = await audit.unsealed(size);
  if (events.length === 0) return { appended: 0, isLast: true };
  const now = clock.now();
  const ends = await audit.chainEnds();
  const base = ends?.base ?? firstBase(key, now);
  let { seq, mac } = ends?.head ?? base;
  const after = seq;
  const placed = events.map((event) => {
    seq += 1;
    mac = chainMac(key, mac, seq, event);
    return { id: event.id, seq, mac };
  });
  const head = chainMark(key, "head", { seq, mac, at: now });
  const isOurs = await audit.seal(placed, { after, head, base });
  return { appended: isOurs ? placed.length : 0, isLast: !isOurs || placed.length < size };
}

/** Removes the oldest, as far as they are too old, up to so many; whether there may be more of them. */
async function pruneBatch({ audit, clock, key }: Chain, oldest: number, size: number): Promise<boolean> {
  const base = (await audit.chainEnds())?.base;
  if (base === undefined) return false;
  const batch = await audit.chain(base.seq + 1, size);
  // In the order of the chain alone: an event that was written late keeps those behind it.
  const young = batch.findIndex(({ at }) => at >= oldest);
  const gone = young === -1 ? batch : batch.slice(0, young);
  const end = gone.at(-1);
  if (end === undefined) return false;
  const now = clock.now();
  const event = {
    id: randomUUID(),
    at: now,
    action: "audit.pruned" as const,
    actor: "system",
    profileId: null,
    organizationId: null,
    accountId: null,
    requestId: null,
    detail: { events: gone.length, until: end.seq },
  };
  const mark = chainMark(key, "base", { seq: end.seq, mac: end.mac, at: now });
  return (await audit.prune(base.seq, mark, event)) && gone.length === size;
}
