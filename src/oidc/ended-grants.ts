/**
 * Removes what is left of grants that were ended many at a time (domain/endings.ts), in short turns: leased,
 * so that another broker goes on where a killed one was. Portals are told by what is queued with the rows
 * (back-channel-logout.ts).
 */

import { randomUUID } from "node:crypto";
import type { Clock, Milliseconds } from "../clock.ts";
import { Pace } from "../pace.ts";
import type { WorkStore } from "../storage/contract.ts";
import type { WorkerRun } from "../worker-loop.ts";

export interface EndedGrantsOptions {
  administration: Pick<WorkStore, "claimEnding" | "removeEnded">;
  clock: Clock;
  /** How long a turn may take, in milliseconds: the store's. */
  turnMs: Milliseconds;
  /** How many selections are looked at in a turn at the least: the store's. */
  grantsATurn: number;
}

export interface EndedGrantsWorker {
  /** Removes all that there is to be removed, unless it is stopped; returns how many grants that were. */
  runOnce(run: WorkerRun): Promise<number>;
}

/** Longer than a round of turns takes. */
const leaseMs: Milliseconds = 20_000;
/** How many endings take turns, so that one of many grants lets those of few by. */
const mostAtATime = 8;
/** How many selections are looked at in a turn at the most. */
const mostATurn = 400;

export function createEndedGrantsWorker({
  administration,
  clock,
  turnMs,
  grantsATurn: least,
}: EndedGrantsOptions): EndedGrantsWorker {
  const worker = randomUUID();
  const pace = new Pace({ least, most: mostATurn, turnMs });

  return {
    async runOnce({ signal, onStep }) {
      const leased: string[] = [];
      let removed = 0;
      while (!signal.aborted) {
        const claimed =
          leased.length < mostAtATime
            ? await administration.claimEnding(worker, clock.now(), leaseMs)
            : undefined;
        // It is claimed twice if its lease ran out meanwhile, or it was ended anew.
        if (claimed !== undefined && !leased.includes(claimed.key)) leased.unshift(claimed.key);
        const key = leased.shift();
        if (key === undefined) break;
        const part = await pace.turn((most) =>
          administration.removeEnded(key, worker, { most, now: clock.now(), leaseMs }),
        );
        onStep();
        if (part.result === "more") leased.push(key);
        if (part.result !== "lost") removed += part.grants.length;
      }
      return removed;
    },
  };
}
