/**
 * The clock that is injected into every part, so that tests can move time without any production code for it.
 */

declare const unit: unique symbol;
type Of<Unit extends string> = number & { readonly [unit]?: Unit };

/**
 * A point in time: milliseconds since the Unix epoch. A plain number is taken for one, and for a duration,
 * too; what is known to be one of these three is neither of the others.
 */
export type Instant = Of<"instant">;
/** A duration. */
export type Milliseconds = Of<"milliseconds">;
/** A duration, as settings, cookies and the protocols count it. */
export type Seconds = Of<"seconds">;

export interface Clock {
  /** The present, in milliseconds since the Unix epoch. */
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };

/**
 * Whether less than so many milliseconds have passed since a moment; not where the clock has been set back
 * since.
 */
export function isWithin(now: Instant, since: Instant, milliseconds: Milliseconds): boolean {
  return since <= now && now < since + milliseconds;
}
