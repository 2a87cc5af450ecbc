/**
 * Reads an upstream's clock off its answer at the token endpoint: off the `Date` of the response (RFC 9110,
 * section 6.6.1), or off the ID token's `iat` where there is none. Which times then are believed is
 * freshness.ts's to say.
 */

import type { Instant, Milliseconds, Seconds } from "../clock.ts";
import { rejected } from "./failures.ts";
import type { TokenAnswer } from "./token-answer.ts";

/**
 * An upstream's clock at the moment of its answer. Offsets are what it is ahead of ours by; negative where it
 * is behind.
 */
export interface UpstreamClock {
  /** What it showed: whole seconds since the epoch. */
  seconds: number;
  /** Milliseconds. A clock that shows seconds, and an answer that takes a while, leave a range. */
  leastOffsetMs: Milliseconds;
  mostOffsetMs: Milliseconds;
}

/**
 * Two clocks that are further apart are wrong, not inexact: nothing that they say of each other's times is
 * worth anything.
 */
const DATE_LIMIT_SECONDS: Seconds = 600;

/**
 * An `iat` says when the token was made, not when it was delivered; it is believed to be the present within
 * this.
 */
const IAT_LIMIT_SECONDS: Seconds = 60;

/**
 * The format that every sender has to use (RFC 9110, section 5.6.7); anything else is taken for no date at
 * all.
 */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads the clock. `sentAt`: when we sent the person to the upstream; the token has the nonce made then, and
 * is no older.
 *
 * @throws LiaisonError `upstream_rejected` for a clock that is too far from ours.
 */
export function readClock(
  { askedAt, answeredAt, date }: TokenAnswer,
  { upstreamId, iat, sentAt }: { upstreamId: string; iat: number; sentAt: Instant },
): UpstreamClock {
  const shown = secondsOf(date);
  if (shown === undefined) {
    const clock = reading(iat, { from: sentAt, to: answeredAt });
    return closeEnough(clock, {
      limitSeconds: IAT_LIMIT_SECONDS,
      upstreamId,
      shownBy: "its iat, in want of a Date",
    });
  }
  const clock = reading(shown, { from: askedAt, to: answeredAt });
  return closeEnough(clock, {
    limitSeconds: DATE_LIMIT_SECONDS,
    upstreamId,
    shownBy: "the Date of its answer",
  });
}

/**
 * How far ahead of ours a server's clock is by a `Date`, in milliseconds, at least; undefined where it shows
 * none.
 */
export function offsetBy(date: string | null, answeredAt: Instant): number | undefined {
  const shown = secondsOf(date);
  if (shown === undefined) return undefined;
  const offsetMs: Milliseconds = shown * 1000 - answeredAt;
  return Math.abs(offsetMs) > DATE_LIMIT_SECONDS * 1000 ? undefined : offsetMs;
}

/** A clock that showed `seconds` at some moment of ours between `from` and `to`. */
function reading(seconds: number, { from, to }: { from: Instant; to: Instant }): UpstreamClock {
  return { seconds, leastOffsetMs: seconds * 1000 - to, mostOffsetMs: seconds * 1000 + 999 - from };
}

function closeEnough(
  clock: UpstreamClock,
  { limitSeconds, upstreamId, shownBy }: { limitSeconds: Seconds; upstreamId: string; shownBy: string },
): UpstreamClock {
  if (Math.abs(clock.leastOffsetMs) <= limitSeconds * 1000) return clock;
  const seconds = Math.round(clock.leastOffsetMs / 1000);
  const apart = `${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead of"} ours`;
  throw rejected(
    upstreamId,
    `the upstream's clock is ${apart} by ${shownBy}; the limit is ${limitSeconds} s`,
  );
}

function secondsOf(date: string | null): number | undefined {
  if (date === null || !HTTP_DATE.test(date)) return undefined;
  const milliseconds = Date.parse(date);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}
