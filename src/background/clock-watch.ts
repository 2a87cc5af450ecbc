/**
 * Notices that the clock was set back, while the service runs or while it didn't, and has the store bound
 * what waits.
 */

import type { Clock, Instant } from "../clock.ts";
import type { WorkStore } from "../storage/contract.ts";

export interface ClockWatchOptions {
  administration: Pick<WorkStore, "boundWaits">;
  clock: Clock;
  logger: { warn(fields: object, message: string): void };
}

export interface ClockWatch {
  /** Looks; returns how much of what waits was moved. */
  runOnce(): Promise<number>;
}

export function createClockWatch({ administration, clock, logger }: ClockWatchOptions): ClockWatch {
  /** Unknown at first: it may have been set back before. */
  let latest: Instant = Number.POSITIVE_INFINITY;
  return {
    async runOnce() {
      const now = clock.now();
      const moved = now < latest ? await administration.boundWaits(now) : 0;
      latest = now;
      if (moved > 0)
        logger.warn({ moved }, "the clock was set back; what waited for a time beyond waits from now on");
      return moved;
    },
  };
}
