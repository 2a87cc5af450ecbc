/** The clock that is injected into every part, so that tests can move time without any production code for it. */

/** A point in time: milliseconds since the Unix epoch. */
export type Instant = number;

export interface Clock {
  /** The present, in milliseconds since the Unix epoch. */
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Whether less than so many milliseconds have passed since a moment; not where the clock has been set back since. */
export function isWithin(now: Instant, since: Instant, milliseconds: number): boolean {
  return since <= now && now < since + milliseconds;
}
