/**
 * The rule of an inquiry's turn: for how long it waits at most for others of its client network. It goes by
 * how often its own identity has asked and by nothing else, so that its person can be told, and no crowd
 * behind one address is in the way of somebody who asks for the first time. The flow of a network, and what
 * an identity may ask at all, are the store's.
 */

import type { Instant, Milliseconds, Seconds } from "../clock.ts";
import type { Inquiry } from "./records.ts";

/** The longest that any waits, in milliseconds. */
const LONGEST_TURN_MS: Milliseconds = 3_600_000;

const MINUTE_MS: Milliseconds = 60_000;

/** From how long on a person is told of a wait, in milliseconds: less is what mail takes anyway. */
const TOLD_FROM_MS: Milliseconds = 5 * MINUTE_MS;

/**
 * For how long the `ordinal`-th inquiry of an identity within its window waits at most, in milliseconds: the
 * first not at all, each further one by the interval of its identity's limit longer, none beyond an hour.
 */
export function longestTurnMs(
  ordinal: number,
  limit: { limit: number; windowSeconds: Seconds },
): Milliseconds {
  const intervalMs: Milliseconds = Math.ceil((limit.windowSeconds * 1000) / limit.limit);
  return Math.min((ordinal - 1) * intervalMs, LONGEST_TURN_MS);
}

/**
 * By when an inquiry is looked at, to the full minute, where that is worth saying: null for an identity's
 * first, one that doesn't wait for long, and one that is throttled, whose own end the record has.
 */
export function lookedAtBy(
  { createdAt, ordinal, heldUntil }: Pick<Inquiry, "createdAt" | "ordinal" | "heldUntil">,
  limit: { limit: number; windowSeconds: Seconds },
  longestDelayMs: Milliseconds,
): Instant | null {
  const waitMs: Milliseconds = longestTurnMs(ordinal, limit);
  if (heldUntil !== null || waitMs < TOLD_FROM_MS) return null;
  return Math.ceil((createdAt + waitMs + longestDelayMs) / MINUTE_MS) * MINUTE_MS;
}
