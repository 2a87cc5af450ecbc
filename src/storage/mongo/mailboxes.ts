/**
 * Mailboxes' use in MongoDB: what each got lately of the mail that asking causes, and what identities asked
 * for it, the counts behind the rules of domain/mailbox.ts. Keys hold addresses, so only a keyed hash is
 * stored. What one transaction reads of a mailbox and another changes meanwhile makes the second of them
 * begin anew, so that racers never take the same room.
 */

import type { ClientSession } from "mongodb";
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
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";
import type { ThrottleWriter } from "./throttles.ts";

/** Counts mails inside the transaction that queues them. */
export interface MailboxWriter {
  /** Counts an inquiry among what its identity asked for the mailbox, once for all parts of its answer. */
  placeOf(session: ClientSession, asker: Asker, isFirstPart: boolean, now: Instant): Promise<MailPlace>;
  /** Takes room at the profile and the mailbox, or at neither. */
  takeRoom(
    session: ClientSession,
    keys: MailThrottleHashes,
    limits: { mailbox: MailboxLimits; profile: Limit },
    now: Instant,
  ): Promise<Room>;
  /** Notes that a collected mail goes now. */
  noteCollected(session: ClientSession, mailbox: string, limits: MailboxLimits, now: Instant): Promise<void>;
}

export function createMailboxWriter(
  { collections }: MongoDatabase,
  throttles: ThrottleWriter,
): MailboxWriter {
  const { mailboxes } = collections;

  const write = async (
    session: ClientSession,
    _id: string,
    { separate, collectedAt }: MailboxUse,
    { limits, now }: { limits: MailboxLimits; now: Instant },
  ) => {
    const use = {
      separate: [...separate],
      collectedAt: collectedAt === null ? null : at(collectedAt),
      expiresAt: at(now + longestWindowMs(limits)),
    };
    await mailboxes.replaceOne({ _id }, use, { session, upsert: true });
  };
  const read = async (
    session: ClientSession,
    _id: string,
    limits: MailboxLimits,
    now: Instant,
  ): Promise<MailboxUse> => {
    const found = await mailboxes.findOne({ _id }, { session });
    if (found === null) return UNUSED;
    const stored = { separate: found.separate, collectedAt: found.collectedAt?.getTime() ?? null };
    const use = asOf(stored, now);
    // Whatever a clock that was set back makes of it begins to end now, once.
    if (use !== stored) await write(session, _id, use, { limits, now });
    return use;
  };

  return {
    async placeOf(session, asker, isFirstPart, now) {
      const keyHash = throttles.hash(askedThrottle(asker.identity, asker.mailbox));
      const { count, resetsAt } = await throttles.take(keyHash, ASKED_WINDOW, now, session);
      if (!isFirstPart) await throttles.giveBack(keyHash, session);
      const asked = { count: isFirstPart ? count : count - 1, resetsAt };
      return placeOf(asker, asked, { hash: throttles.hash, now });
    },

    async takeRoom(session, keys, limits, now) {
      const use = await read(session, keys.mailbox, limits.mailbox, now);
      const collectedAt = collectedRoomAt(use, now);
      const profile = await throttles.take(keys.profile, limits.profile, now, session);
      if (!profile.taken)
        return { taken: false, lacking: "profile", separateAt: profile.resetsAt, collectedAt };
      const separateAt = separateRoomAt(use, limits.mailbox, now);
      if (separateAt > now) {
        await throttles.giveBack(keys.profile, session);
        return { taken: false, lacking: "mailbox", separateAt, collectedAt };
      }
      const taken = withSeparate(use, limits.mailbox, now);
      await write(session, keys.mailbox, taken, { limits: limits.mailbox, now });
      return { taken: true };
    },

    async noteCollected(session, mailbox, limits, now) {
      const use = await read(session, mailbox, limits, now);
      await write(session, mailbox, withCollected(use, now), { limits, now });
    },
  };
}
