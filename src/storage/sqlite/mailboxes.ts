/**
 * Mailboxes' use in SQLite: what each got lately of the mail that asking causes, and what identities asked
 * for it, the counts behind the rules of domain/mailbox.ts. Keys hold addresses, so only a keyed hash is
 * stored.
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
import type { Database } from "./database.ts";
import { object, stored } from "./json.ts";
import type { ThrottleWriter } from "./throttles.ts";

/** Counts mails inside the transaction that queues them. */
export interface MailboxWriter {
  /** Counts an inquiry among what its identity asked for the mailbox, once for all parts of its answer. */
  placeOf(asker: Asker, isFirstPart: boolean, now: Instant): MailPlace;
  /** Takes room at the profile and the mailbox, or at neither. */
  takeRoom(keys: MailThrottleHashes, limits: { mailbox: MailboxLimits; profile: Limit }, now: Instant): Room;
  /** Notes that a collected mail goes now. */
  noteCollected(mailbox: string, limits: MailboxLimits, now: Instant): void;
}

const USE_JSON = object<MailboxUse>({ separate: stored("separate"), collectedAt: "collected_at" });

export function createMailboxWriter(database: Database, throttles: ThrottleWriter): MailboxWriter {
  const select = database.prepare(`SELECT ${USE_JSON} AS record FROM mailboxes WHERE key_hash = :keyHash`, {
    record: USE_JSON,
  });
  const put = database.prepare(`
    INSERT INTO mailboxes (key_hash, separate, collected_at, expires_at)
    VALUES (:keyHash, :separate, :collectedAt, :expiresAt)
    ON CONFLICT (key_hash) DO UPDATE SET
      separate = excluded.separate, collected_at = excluded.collected_at, expires_at = excluded.expires_at`);

  const write = (
    keyHash: string,
    { separate, collectedAt }: MailboxUse,
    limits: MailboxLimits,
    now: Instant,
  ) => {
    const expiresAt = now + longestWindowMs(limits);
    put.run({ keyHash, separate: JSON.stringify(separate), collectedAt, expiresAt });
  };
  const read = (keyHash: string, limits: MailboxLimits, now: Instant): MailboxUse => {
    const before = select.get({ keyHash })?.record;
    if (before === undefined) return UNUSED;
    const use = asOf(before, now);
    // Whatever a clock that was set back makes of it begins to end now, once.
    if (use !== before) write(keyHash, use, limits, now);
    return use;
  };

  return {
    placeOf(asker, isFirstPart, now) {
      const keyHash = throttles.hash(askedThrottle(asker.identity, asker.mailbox));
      const { count, resetsAt } = throttles.take(keyHash, ASKED_WINDOW, now);
      if (!isFirstPart) throttles.giveBack(keyHash);
      const asked = { count: isFirstPart ? count : count - 1, resetsAt };
      return placeOf(asker, asked, { hash: throttles.hash, now });
    },

    takeRoom(keys, limits, now) {
      const use = read(keys.mailbox, limits.mailbox, now);
      const collectedAt = collectedRoomAt(use, now);
      const profile = throttles.take(keys.profile, limits.profile, now);
      if (!profile.taken)
        return { taken: false, lacking: "profile", separateAt: profile.resetsAt, collectedAt };
      const separateAt = separateRoomAt(use, limits.mailbox, now);
      if (separateAt > now) {
        throttles.giveBack(keys.profile);
        return { taken: false, lacking: "mailbox", separateAt, collectedAt };
      }
      write(keys.mailbox, withSeparate(use, limits.mailbox, now), limits.mailbox, now);
      return { taken: true };
    },

    noteCollected(mailbox, limits, now) {
      write(mailbox, withCollected(read(mailbox, limits, now), now), limits, now);
    },
  };
}
