/**
 * What each mailbox got lately of the mail that asking causes, and what identities asked for it: the counts
 * behind the rules of domain/mailbox.ts. Keys hold addresses, so only a keyed hash is stored. What one
 * transaction reads of a mailbox and another changes meanwhile makes the second of them begin anew, so that
 * racers never take the same room.
 */

import type { Instant } from "../../clock.ts";
import { ASKED_WINDOW, type MailPlace, placeOf, type Room } from "../../domain/deferred-mail.ts";
import type { Limit } from "../../domain/limit.ts";
import {
  asOf,
  collectedRoomAt,
  longestWindowMs,
  type MailboxLimits,
  type MailboxUse,
  separateRoomAt,
  UNUSED,
  withCollected,
  withSeparate,
} from "../../domain/mailbox.ts";
import type { Asker } from "../../domain/records.ts";
import { askedThrottle, type MailThrottleHashes } from "../../domain/throttle-keys.ts";
import type { KeyHash } from "../encrypted-fields.ts";
import { call, get, put, type Steps } from "../steps.ts";
import { mailboxes } from "../tables.ts";

/** Counts an inquiry among what its identity asked for the mailbox, once for all parts of its answer. */
export function* countAsked(
  asker: Asker,
  isFirstPart: boolean,
  hash: KeyHash,
  now: Instant,
): Steps<MailPlace> {
  const keyHash = hash(askedThrottle(asker.identity, asker.mailbox));
  const { count, resetsAt } = yield* call("takeSlot", keyHash, ASKED_WINDOW, now);
  if (!isFirstPart) yield* call("giveSlotBack", keyHash);
  return placeOf(asker, { count: isFirstPart ? count : count - 1, resetsAt }, { hash, now });
}

/** Takes room at the profile and the mailbox, or at neither. */
export function* takeRoom(
  keys: MailThrottleHashes,
  limits: { mailbox: MailboxLimits; profile: Limit },
  now: Instant,
): Steps<Room> {
  const use = yield* readUse(keys.mailbox, limits.mailbox, now);
  const collectedAt = collectedRoomAt(use, now);
  const profile = yield* call("takeSlot", keys.profile, limits.profile, now);
  if (!profile.taken) return { taken: false, lacking: "profile", separateAt: profile.resetsAt, collectedAt };
  const separateAt = separateRoomAt(use, limits.mailbox, now);
  if (separateAt > now) {
    yield* call("giveSlotBack", keys.profile);
    return { taken: false, lacking: "mailbox", separateAt, collectedAt };
  }
  yield* writeUse(keys.mailbox, withSeparate(use, limits.mailbox, now), limits.mailbox, now);
  return { taken: true };
}

/** Notes that a collected mail goes now. */
export function* noteCollected(mailbox: string, limits: MailboxLimits, now: Instant): Steps<void> {
  const use = yield* readUse(mailbox, limits, now);
  yield* writeUse(mailbox, withCollected(use, now), limits, now);
}

function* readUse(keyHash: string, limits: MailboxLimits, now: Instant): Steps<MailboxUse> {
  const row = yield* get(mailboxes, keyHash);
  if (row === undefined) return UNUSED;
  const use = asOf(row, now);
  // Whatever a clock that was set back makes of it begins to end now, once.
  if (use !== row) yield* writeUse(keyHash, use, limits, now);
  return use;
}

function* writeUse(
  keyHash: string,
  { separate, collectedAt }: MailboxUse,
  limits: MailboxLimits,
  now: Instant,
): Steps<void> {
  yield* put(mailboxes, { keyHash, separate, collectedAt, expiresAt: now + longestWindowMs(limits) });
}
