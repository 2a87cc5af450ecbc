/**
 * The part of the store contract that mail rests on: the outbox. What holds for every method stands in
 * ../contract.ts, which is where it is imported from.
 */

import type { Instant, Milliseconds } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import type { MailboxLimits } from "../../domain/mailbox.ts";
import type { Delivery, InquiryId, NewMail, OutboxMessage, OutboxState } from "../../domain/records.ts";
import type { WorkerRun } from "../../worker-loop.ts";

/** States that somebody may want to look after. */
export type TroubledState = Extract<OutboxState, "held" | "failed" | "bounced">;

export interface OutboxStore {
  /**
   * Claims the queued message whose attempt is due longest, until `now + leaseMs`; of equals the one that was
   * queued first. What isn't due costs nothing. For a link mail the request's life starts before this returns
   * (`expiresAt = now + linkLifetimeMs`) if it is still pending; if it no longer is, the message becomes
   * `dropped` and the next one is tried. Of a collected mail that is so of each request; what is pending no
   * more is left out. Racers never hold the same message. `attempts` counts this claim. `linkExpiresAt` is
   * set for mails with links.
   */
  claim(
    worker: string,
    now: Instant,
    leaseMs: Milliseconds,
    linkLifetimeMs: Milliseconds,
  ): Promise<{ message: OutboxMessage; linkExpiresAt: Instant | null } | undefined>;
  /**
   * Queues a mail that has no other cause, in one transaction with a slot of each throttle. Where one has
   * none left nothing is queued or taken, and the throttle's key with the end of its window is returned.
   */
  enqueue(
    mail: NewMail,
    slots: readonly (Limit & { key: string })[],
    now: Instant,
  ): Promise<{ queued: true } | { queued: false; key: string; resetsAt: Instant }>;
  /** Marks a claimed message sent and erases its content. False if the lease was lost. */
  markSent(id: string, worker: string, serverReply: string, now: Instant): Promise<boolean>;
  /**
   * Gives a claimed message back for `nextAttemptAt`, or fails it for good when that is null. False if the
   * lease was lost.
   */
  markDeferred(
    id: string,
    worker: string,
    error: string,
    nextAttemptAt: Instant | null,
    now: Instant,
  ): Promise<boolean>;
  /**
   * Queues deferred messages by the rules of domain/mailbox.ts: each by itself where its mailbox and its
   * profile have room by now; otherwise, once an hour and mailbox, one new message that carries those that
   * come first, which are `carried` from then on. First comes the lowest rank, of equals whoever waits
   * longest. One whose link is dead is dropped. In short turns (pace.ts), until the run is told to end.
   * Returns how many were queued. Racers: each slot and each message once.
   */
  releaseDeferred(
    limits: { mailbox: MailboxLimits; profile: Limit },
    now: Instant,
    run?: WorkerRun,
  ): Promise<number>;
  /** The earliest instant at which a queued message may be due, or undefined when none is queued. */
  nextDueAt(): Promise<Instant | undefined>;
  find(id: string): Promise<Delivery | undefined>;
  /** Those in one of the states, or those that answer an inquiry; newest first. */
  list(
    filter: { states: readonly TroubledState[]; limit: number } | { inquiryId: InquiryId; limit: number },
  ): Promise<Delivery[]>;
  /** Queues a deferred message past its throttles, audited. False if it isn't deferred. */
  release(id: string, actor: string, now: Instant): Promise<boolean>;
  /**
   * Queues a message anew that was given up, as if it were made now; audited, of a collected one for each of
   * its requests. False if it isn't `failed`.
   */
  resend(id: string, actor: string, now: Instant): Promise<boolean>;
  /**
   * Notes what a mail server reported of a sent message: a bounce for good makes it `bounced`, at the time of
   * the first such report; anything else is only noted. Returns it as it is then, or undefined if no sent
   * message has this Message-ID.
   */
  noteBounce(
    messageId: string,
    bounce: { reason: string; permanent: boolean },
    now: Instant,
  ): Promise<Delivery | undefined>;
}
