/**
 * Seals audit events in order, and removes those that retention no longer keeps. Every broker runs it; one at a time has the
 * lease, and where two believe so all the same, the store lets one win.
 */

import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { chainMac, chainMark, firstBase } from "../storage/audit-chain.ts";
import type { AdminStore, AuditStore } from "../storage/contract.ts";

export interface SealerOptions {
  audit: AuditStore;
  administration: Pick<AdminStore, "takeLease">;
  clock: Clock;
  key: Buffer;
  /** For how long events are kept, in milliseconds; null: for ever. */
  retentionMs: number | null;
}

const LEASE = "audit.seal";
const LEASE_MS = 30_000;
const BATCH = 200;

export interface Sealer {
  /** Seals what waits and prunes what is old; returns how many were sealed. 0 while another broker does it. */
  runOnce(onStep?: () => void): Promise<number>;
}

export function createSealer({ audit, administration, clock, key, retentionMs }: SealerOptions): Sealer {
  const worker = randomUUID();

  async function sealBatch(): Promise<number> {
    const events = await audit.unsealed(BATCH);
    if (events.length === 0) return 0;
    const now = clock.now();
    const ends = await audit.chainEnds();
    const base = ends?.base ?? firstBase(key, now);
    let { seq, mac } = ends?.head ?? base;
    const after = seq;
    const sealed = events.map((event) => {
      seq += 1;
      mac = chainMac(key, mac, seq, event);
      return { id: event.id, seq, mac };
    });
    const head = chainMark(key, "head", { seq, mac, at: now });
    return (await audit.seal(sealed, { after, head, base })) ? sealed.length : 0;
  }

  /** Removes the oldest, as far as they are too old, a batch at a time. */
  async function prune(oldest: number, onStep: () => void): Promise<void> {
    for (;;) {
      onStep();
      const base = (await audit.chainEnds())?.base;
      if (base === undefined) return;
      const batch = await audit.chain(base.seq + 1, BATCH);
      const old = batch.filter(({ at }) => at < oldest);
      // In the order of the chain alone: an event that was written late keeps those behind it.
      const last = batch.find(({ at }) => at >= oldest);
      const gone = last === undefined ? old : old.filter(({ seq }) => seq < last.seq);
      const end = gone.at(-1);
      if (end === undefined) return;
      const now = clock.now();
      const event = {
        ...{ id: randomUUID(), at: now, action: "audit.pruned" as const, actor: "system" },
        ...{ profileId: null, organizationId: null, accountId: null, requestId: null },
        detail: { events: gone.length, until: end.seq },
      };
      if (!(await audit.prune(base.seq, chainMark(key, "base", { seq: end.seq, mac: end.mac, at: now }), event)))
        return;
      if (gone.length < BATCH) return;
    }
  }

  return {
    async runOnce(onStep = () => {}) {
      if (!(await administration.takeLease(LEASE, worker, clock.now(), LEASE_MS))) return 0;
      let count = 0;
      for (;;) {
        const sealed = await sealBatch();
        count += sealed;
        onStep();
        if (sealed < BATCH) break;
        if (!(await administration.takeLease(LEASE, worker, clock.now(), LEASE_MS))) return count;
      }
      if (retentionMs !== null) await prune(clock.now() - retentionMs, onStep);
      return count;
    },
  };
}
