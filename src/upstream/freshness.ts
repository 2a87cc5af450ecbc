/**
 * Plans what is asked for so that a sign-in is fresh (`prompt`, `max_age`), and judges every time in an
 * upstream's ID token (`iat`, `exp`, `nbf`, `auth_time`): whether it can be true by the upstream's own clock,
 * and whether the authentication is as recent as was asked for (ASVS 5.0, 6.8.4). OpenID Connect Core 1.0,
 * section 3.1.2.1: with `max_age` an upstream has to return `auth_time`.
 * docs/decisions/0012-the-upstreams-clock.md says why.
 */

import type { Instant, Milliseconds, Seconds } from "../clock.ts";
import { rejected, stale } from "./failures.ts";
import { type Dialect, NO_AUTH_TIME } from "./quirks.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { readClock, type UpstreamClock } from "./upstream-clock.ts";

export interface FreshnessWish {
  prompt?: "login";
  /**
   * Whether the upstream must show whose account it is before it signs somebody in; how old the sign-in is
   * doesn't matter.
   */
  choosesAccount?: boolean;
  /** Seconds, as the portal asked. */
  maxAge?: number;
  /** Whether the person must authenticate now, whatever session the upstream holds. */
  forced: boolean;
}

export interface FreshnessPlan {
  prompt: "login" | "select_account" | undefined;
  /** What `auth_time` is held to; null where its age doesn't matter. */
  maxAgeSeconds: Seconds | null;
  /** Whether it is also sent, as `max_age`; then an ID token without `auth_time` is refused. */
  sendsMaxAge: boolean;
}

/** The times of an ID token as they arrive: of any type, of any size. */
export interface TokenTimes {
  iat: unknown;
  exp: unknown;
  nbf?: unknown;
  auth_time?: unknown;
}

/** What an authentication is held to. */
export interface FreshnessRule {
  upstreamId: string;
  /** When the person was sent to the upstream, by our clock. */
  sentAt: Instant;
  /** Counted back from `sentAt`; null where the age doesn't matter. */
  maxAgeSeconds: Seconds | null;
  /**
   * Whether an ID token without `auth_time` is refused where an age matters; otherwise `iat` stands in, which
   * is never old.
   */
  requiresAuthTime: boolean;
}

/**
 * Seconds by which a time may lie in the future of the upstream's clock: its servers' clocks differ among
 * themselves.
 */
const FUTURE_SKEW_SECONDS: Seconds = 60;

/** Seconds for which an expired token is still taken: those that openid-client gives by default. */
const EXPIRY_TOLERANCE_SECONDS: Seconds = 30;

/** What whole seconds hide of the moment of an authentication, and of the upstream's clock. */
const ROUNDING_MS: Milliseconds = 2_000;

/** The end of the year 9999. What is later was counted in another unit than seconds. */
const LATEST_SECONDS = 253_402_300_799;

/**
 * What to ask of an upstream. One that isn't sent `max_age` doesn't know how old an authentication may be, so
 * it's told to make a new one wherever its age matters.
 */
export function planFreshness(
  { sendsMaxAge, sendsPromptLogin, promptForAccount }: Omit<Dialect, "sendsNonce" | "sendsPkce">,
  { prompt, choosesAccount = false, maxAge, forced }: FreshnessWish,
): FreshnessPlan {
  const maxAgeSeconds = forced ? 0 : (maxAge ?? null);
  const mustBeNew = forced || (!sendsMaxAge && maxAge !== undefined);
  const wished = mustBeNew ? "login" : prompt;
  return {
    prompt: (sendsPromptLogin ? wished : undefined) ?? (choosesAccount ? promptForAccount : undefined),
    maxAgeSeconds,
    sendsMaxAge: sendsMaxAge && maxAgeSeconds !== null,
  };
}

/**
 * Judges the times of an ID token whose signature was verified, and returns when the person authenticated, in
 * whole seconds since the epoch by our clock: never later than now, and never older than the rule asks. The
 * age counts from the moment the person was sent off: what they then take at the upstream, for a second
 * factor or a form, doesn't count.
 *
 * @throws LiaisonError `upstream_rejected` for a time that can't be true, for a token that isn't valid now,
 *   and for an upstream whose clock is too far from ours; `upstream_stale` for an authentication that is
 *   older than asked, or doesn't show its age.
 */
export function judgeTimes(times: TokenTimes, answer: TokenAnswer, rule: FreshnessRule): number {
  const { upstreamId, maxAgeSeconds } = rule;
  const iat = wholeSeconds(times.iat, "iat", upstreamId);
  const exp = wholeSeconds(times.exp, "exp", upstreamId);
  const nbf = times.nbf === undefined ? iat : wholeSeconds(times.nbf, "nbf", upstreamId);
  const given = rule.requiresAuthTime || times.auth_time !== NO_AUTH_TIME ? times.auth_time : undefined;
  const authTime = given === undefined ? undefined : wholeSeconds(given, "auth_time", upstreamId);
  const clock = readClock(answer, { upstreamId, iat, sentAt: rule.sentAt });

  refuseFuture({ iat, nbf, auth_time: authTime }, clock, upstreamId);
  if (exp <= clock.seconds - EXPIRY_TOLERANCE_SECONDS) {
    const late = `${clock.seconds - exp} s before the upstream's clock (${clock.seconds})`;
    throw rejected(upstreamId, `exp is ${exp}, which was ${late}`);
  }
  if (authTime === undefined && maxAgeSeconds !== null && rule.requiresAuthTime) {
    throw stale(upstreamId, "auth_time is missing: nothing shows the fresh authentication asked for");
  }
  const ours = byOurClock(authTime ?? iat, clock, answer.answeredAt);
  if (maxAgeSeconds === null) return ours;

  const earliest = rule.sentAt + clock.leastOffsetMs - maxAgeSeconds * 1000 - ROUNDING_MS;
  if (authTime !== undefined && authTime * 1000 < earliest) {
    const atLeast = Math.ceil(earliest / 1000);
    const asked = `more than ${maxAgeSeconds} s old when the person was sent there`;
    throw stale(
      upstreamId,
      `auth_time is ${authTime}, earlier than ${atLeast} by ${atLeast - authTime} s: ${asked}`,
    );
  }
  // What rounding alone puts before the moment asked for counts as asked: portals compare to the second.
  const asked = Math.floor(Math.min(rule.sentAt, answer.answeredAt) / 1000) - maxAgeSeconds;
  return Math.max(ours, asked);
}

/** RFC 7519, section 2: a NumericDate may be a fraction. Whole seconds are kept, the earlier ones. */
function wholeSeconds(value: unknown, name: string, upstreamId: string): number {
  if (typeof value === "number" && value >= 0 && value <= LATEST_SECONDS) return Math.floor(value);
  const seen = typeof value === "number" ? String(value) : `of type ${typeof value}`;
  throw rejected(upstreamId, `${name} is ${seen}, which is no time in seconds since 1970`);
}

function refuseFuture(
  times: Record<string, number | undefined>,
  clock: UpstreamClock,
  upstreamId: string,
): void {
  for (const [name, seconds] of Object.entries(times)) {
    if (seconds === undefined || seconds <= clock.seconds + FUTURE_SKEW_SECONDS) continue;
    const early = `${seconds - clock.seconds} s later than the upstream's clock (${clock.seconds})`;
    throw rejected(upstreamId, `${name} is ${seconds}, ${early}; the limit is ${FUTURE_SKEW_SECONDS} s`);
  }
}

/** In whole seconds. Two clocks that agree as far as can be seen are taken to agree. */
function byOurClock(seconds: number, clock: UpstreamClock, now: Instant): number {
  const agrees = clock.leastOffsetMs <= 0 && clock.mostOffsetMs >= 0;
  const offsetMs = agrees ? 0 : clock.leastOffsetMs;
  const ours = Math.floor((seconds * 1000 - offsetMs) / 1000);
  return Math.max(0, Math.min(ours, Math.floor(now / 1000)));
}
