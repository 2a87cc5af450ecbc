/** How a mail is queued in the transaction of its cause, or deferred where its mailbox has no room. */

import type { Instant } from "../../clock.ts";
import type { MailPlace } from "../../domain/deferred-mail.ts";
import { deferredUntil } from "../../domain/mailbox.ts";
import type { NewMail } from "../../domain/records.ts";
import { mailThrottleHashes } from "../../domain/throttle-keys.ts";
import { encryptContent, inquiryOf, type KeyHash } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { insert, list, type Steps, update } from "../steps.ts";
import { outbox } from "../tables.ts";
import { takeRoom } from "./mailboxes.ts";

/** Queues a mail, or defers it. Its place is that among those that wait for their mailbox. */
export type QueueMail = (mail: NewMail, now: Instant, place?: MailPlace) => Steps<void>;

export function createQueueMail(encryption: FieldEncryption, hash: KeyHash): QueueMail {
  return function* (
    { id, messageId, to, content, throttle },
    now,
    place = { rank: 0, askerHash: null },
  ): Steps<void> {
    const message = {
      id,
      messageId,
      to,
      sealedContent: encryptContent(encryption, id, content),
      requestId: content.kind === "link" ? content.requestId : null,
      kind: content.kind,
      inquiryId: inquiryOf(content),
      attempts: 0,
      createdAt: now,
      leaseWorker: null,
      sentAt: null,
      serverReply: null,
      lastError: null,
      bouncedAt: null,
      bounce: null,
      carriedBy: null,
    };
    if (throttle === undefined) {
      const free = { mailboxHash: null, profileHash: null, askerHash: null, rank: 0, placeAt: now };
      yield* insert(outbox, { ...message, ...free, state: "queued", nextAttemptAt: now, dueAt: now });
      return;
    }
    const keys = mailThrottleHashes(hash, throttle);
    const { askerHash } = place;
    const earlier = askerHash === null ? [] : yield* dropEarlier(keys.profile, askerHash, now);
    const room = yield* takeRoom(keys, throttle, now);
    const due = room.taken ? now : deferredUntil(room, now);
    yield* insert(outbox, {
      ...message,
      mailboxHash: keys.mailbox,
      profileHash: keys.profile,
      askerHash,
      rank: Math.min(place.rank, ...earlier.map(({ rank }) => rank)),
      placeAt: Math.min(now, ...earlier.map(({ placeAt, createdAt }) => placeAt ?? createdAt)),
      state: room.taken ? "queued" : "held",
      nextAttemptAt: due,
      dueAt: due,
    });
  };
}

/** Drops what waits of the same asker for the same profile. */
function* dropEarlier(profileHash: string, askerHash: string, now: Instant) {
  const theirs = { state: "held", profileHash, askerHash } as const;
  const found = yield* list(outbox, theirs, { by: "heldOfAsker" });
  if (found.length === 0) return [];
  const ids = found.map(({ id }) => id);
  yield* update(outbox, { id: { in: ids } }, { state: "dropped", sealedContent: null, nextAttemptAt: now });
  return found;
}
