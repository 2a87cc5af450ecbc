/**
 * The rules of mail that asking for links causes at one mailbox: how many mails of their own it gets, when
 * one mail carries what is over that, and in which order. Counting and racing are the store's, which keeps a
 * MailboxUse for each mailbox; the limits themselves are `limits` of config/schema.ts.
 */

import type { Instant, Milliseconds, Seconds } from "../clock.ts";

/** At most `limit` within any stretch of so many seconds, wherever it begins. */
interface RollingLimit {
  limit: number;
  windowSeconds: Seconds;
}

/** How many mails of their own (one for each profile) a mailbox gets. */
export interface MailboxLimits {
  hourly: RollingLimit;
  daily: RollingLimit;
}

/** What a mailbox got lately. */
export interface MailboxUse {
  /** Mails of their own, oldest first: how many at each instant. */
  separate: readonly { at: Instant; count: number }[];
  /** When it got the last collected mail, or null. */
  collectedAt: Instant | null;
}

/** A mailbox that got nothing. */
export const UNUSED: MailboxUse = { separate: [], collectedAt: null };

const HOUR_MS: Milliseconds = 3_600_000;
const DAY_MS: Milliseconds = 24 * HOUR_MS;

/** From one collected mail to the next at the least, in milliseconds. */
const COLLECTED_EVERY_MS: Milliseconds = HOUR_MS;
/** How long the first request over a limit waits for others to go with it, in milliseconds. */
const GATHERING_MS: Milliseconds = 60_000;
/**
 * For how long after a collected mail a mailbox counts as crowded, in milliseconds: while others wait there
 * is one each hour.
 */
const CROWDED_MS: Milliseconds = 2 * COLLECTED_EVERY_MS;
/** How many requests a collected mail carries. */
export const MOST_COLLECTED = 50;
/**
 * How many instants are kept of a mailbox. Of more, two neighbours are taken for one, at the later instant.
 */
const MOST_INSTANTS = 500;

/**
 * What was counted, by a clock that has been set back since: nothing lies ahead of it. The same object where
 * nothing did.
 */
export function asOf(use: MailboxUse, now: Instant): MailboxUse {
  const { separate, collectedAt } = use;
  const isAhead = (collectedAt ?? now) > now || separate.some(({ at }) => at > now);
  if (!isAhead) return use;
  return {
    separate: separate.map(({ at, count }) => ({ at: Math.min(at, now), count })),
    collectedAt: collectedAt === null ? null : Math.min(collectedAt, now),
  };
}

/**
 * When the mailbox has room for a mail of its own: `now`, or later. While it is crowded, what is left of the
 * daily limit goes evenly, until the first that was counted is a day old: used up at once it would be missing
 * for the rest of a day, in which as many ask as collected mails carry.
 */
export function separateRoomAt(use: MailboxUse, limits: MailboxLimits, now: Instant): Instant {
  return Math.max(
    roomAt(use, limits.hourly, now),
    roomAt(use, limits.daily, now),
    evenRoomAt(use, limits.daily, now),
  );
}

function evenRoomAt({ separate, collectedAt }: MailboxUse, daily: RollingLimit, now: Instant): Instant {
  const windowMs: Milliseconds = daily.windowSeconds * 1000;
  const within = separate.filter(({ at }) => at > now - windowMs);
  const [oldest, last] = [within[0], within.at(-1)];
  if (oldest === undefined || last === undefined || collectedAt === null) return now;
  const left = daily.limit - within.reduce((sum, { count }) => sum + count, 0);
  const intervalMs: Milliseconds = Math.ceil((oldest.at + windowMs - last.at) / Math.max(1, left));
  return Math.max(now, Math.min(collectedAt + CROWDED_MS, last.at + intervalMs));
}

function roomAt({ separate }: MailboxUse, { limit, windowSeconds }: RollingLimit, now: Instant): Instant {
  const windowMs: Milliseconds = windowSeconds * 1000;
  if (limit < 1) return now + windowMs;
  const within = separate.filter(({ at }) => at > now - windowMs);
  let tooMany = within.reduce((sum, { count }) => sum + count, 0) - limit + 1;
  if (tooMany <= 0) return now;
  for (const { at, count } of within) {
    tooMany -= count;
    if (tooMany <= 0) return at + windowMs;
  }
  return now + windowMs;
}

/** When a collected mail may go: `now`, or later. */
export function collectedRoomAt({ collectedAt }: MailboxUse, now: Instant): Instant {
  return collectedAt === null ? now : Math.max(now, collectedAt + COLLECTED_EVERY_MS);
}

/**
 * When a request that is over a limit is looked at again, by when there is room for a mail of its own and for
 * a collected one.
 */
export function deferredUntil(room: { separateAt: Instant; collectedAt: Instant }, now: Instant): Instant {
  return Math.min(room.separateAt, Math.max(room.collectedAt, now + GATHERING_MS));
}

/** The use with one more mail of its own, without what no limit looks at any more. */
export function withSeparate(use: MailboxUse, limits: MailboxLimits, now: Instant): MailboxUse {
  const recent = use.separate.filter(({ at }) => at > now - longestWindowMs(limits));
  const last = recent.at(-1);
  const separate =
    last?.at === now
      ? [...recent.slice(0, -1), { at: now, count: last.count + 1 }]
      : [...recent, { at: now, count: 1 }];
  const [first, second, ...rest] = separate;
  if (separate.length <= MOST_INSTANTS || first === undefined || second === undefined)
    return { ...use, separate };
  return { ...use, separate: [{ at: second.at, count: first.count + second.count }, ...rest] };
}

/** The use with a collected mail that goes now. */
export function withCollected(use: MailboxUse, now: Instant): MailboxUse {
  return { ...use, collectedAt: now };
}

/** How long what happened at a mailbox matters, in milliseconds. */
export function longestWindowMs({ hourly, daily }: MailboxLimits): Milliseconds {
  return Math.max(COLLECTED_EVERY_MS, hourly.windowSeconds * 1000, daily.windowSeconds * 1000);
}

/** For how long it is counted what an identity asks for a mailbox, in seconds. */
export const ASKED_WINDOW_SECONDS: Seconds = 7 * 24 * 3600;

/** Whose upstream is trusted to know the address of its accounts, and says that this one is theirs. */
export const TRUSTED_RANK = 0;

/**
 * The rank of what an identity asks for a mailbox; the lowest goes first. 1 is for who asked on an earlier
 * day and no more than once a day since: however many new identities there are, they come behind. 2 is for
 * who asks once on an average day, this time included, and each doubling of that is 1 more: somebody who
 * asked a little more often than a crowd isn't behind all of it.
 * @param asked how often, this time included, and since when
 */
export function rankOf({ count, since }: { count: number; since: Instant }, now: Instant): number {
  const days = (now - since) / DAY_MS;
  const isKnownAndSeldom = days >= 1 && count <= Math.floor(days) + 1;
  if (isKnownAndSeldom) return TRUSTED_RANK + 1;
  return TRUSTED_RANK + 2 + Math.floor(Math.log2(Math.max(1, count / Math.max(1, days))));
}
