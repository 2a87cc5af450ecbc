/** Metrics: counts of what happens, by the hour, and their sums over a range. */

import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Clock, Instant, Milliseconds } from "../clock.ts";
import type { AdminStore } from "../storage/contract.ts";
import { METRICS } from "./definitions/overview.ts";
import { time } from "./fields.ts";

export type Metric = (typeof METRICS)[number];

const hourMs: Milliseconds = 3_600_000;
const dayMs: Milliseconds = 24 * hourMs;
const RANGES = {
  "24h": { stepMs: hourMs, steps: 24 },
  "7d": { stepMs: dayMs, steps: 7 },
  "30d": { stepMs: dayMs, steps: 30 },
} as const;

export type Range = keyof typeof RANGES;

const isOfUpstreams = (metric: Metric) => metric.startsWith("upstream_");
const keyOf = (metric: Metric, upstreamId: string | null) =>
  upstreamId === null ? metric : `${metric}:${upstreamId}`;

/** Every series over a range that ends with the hour under way. */
export async function metricsOver(
  { administration, upstreams }: { administration: Pick<AdminStore, "counts">; upstreams: readonly string[] },
  range: Range,
  now: Instant,
) {
  const { stepMs, steps } = RANGES[range];
  const to = (Math.floor(now / hourMs) + 1) * hourMs;
  const from = to - steps * stepMs;
  const sums = new Map<string, number[]>();
  for (let day = from; day < to; day += dayMs) {
    for (const { name, hour, count } of await administration.counts(day, Math.min(day + dayMs, to))) {
      const points = sums.get(name) ?? Array.from({ length: steps }, () => 0);
      const place = Math.floor((hour - from) / stepMs);
      points[place] = (points[place] ?? 0) + count;
      sums.set(name, points);
    }
    // An await on SQLite lets nobody in, and a month of many upstreams' counts is long.
    await setImmediate();
  }
  const series = METRICS.flatMap((name) =>
    (isOfUpstreams(name) ? upstreams : [null]).map((upstreamId) => {
      const points = sums.get(keyOf(name, upstreamId)) ?? Array.from({ length: steps }, () => 0);
      return {
        name,
        upstream_id: upstreamId,
        total: points.reduce((sum, count) => sum + count, 0),
        points: points.map((count, index) => ({ at: time(from + index * stepMs), count })),
      };
    }),
  );
  return { from: time(from), to: time(to), step_seconds: stepMs / 1000, series };
}

/** So many of something within an hour. */
export interface MetricCount {
  /** A metric, or one of an upstream: `metric:upstream`. */
  name: string;
  /** Where the hour begins. */
  hour: number;
  count: number;
}

/** Counts what happens in this process. */
export interface Counters {
  count(metric: Metric, upstreamId?: string): void;
}

/** Passes each count on at once, to whoever adds them up. */
export function createCounters({
  now,
  onCount,
}: {
  now: () => number;
  onCount: (one: MetricCount) => void;
}): Counters {
  return {
    count: (metric, upstreamId = undefined) =>
      onCount({
        name: keyOf(metric, upstreamId ?? null),
        hour: Math.floor(now() / hourMs) * hourMs,
        count: 1,
      }),
  };
}

/** Adds counts up and gives the sums to the store now and then: a process that is killed loses a little. */
export interface CountBuffer {
  add(one: MetricCount): void;
  /**
   * Gives what was added to the store. What it couldn't take is owed, and given again first the next time: as
   * the same batch, for the store may have added it and only the answer was lost.
   */
  flush(): Promise<void>;
}

interface CountBufferDependencies {
  administration: Pick<AdminStore, "addCounts">;
  clock: Clock;
}

export function createCountBuffer({ administration, clock }: CountBufferDependencies): CountBuffer {
  let sums = new Map<string, MetricCount>();
  let owed: { id: string; counts: readonly MetricCount[] } | undefined;

  async function give(batch: NonNullable<typeof owed>): Promise<void> {
    await administration.addCounts(batch.counts, batch.id, clock.now());
    if (owed === batch) owed = undefined;
  }

  return {
    add({ name, hour, count }) {
      const key = `${hour}:${name}`;
      const known = sums.get(key);
      if (known === undefined) sums.set(key, { name, hour, count });
      else known.count += count;
    },
    async flush() {
      if (owed !== undefined) await give(owed);
      if (sums.size === 0) return;
      owed = { id: randomUUID(), counts: [...sums.values()] };
      sums = new Map();
      await give(owed);
    },
  };
}
