/**
 * What every back end does alike with mails that wait for room: their place, the mail that carries them
 * together, and what is left out of it because it is dead by the time it is sent.
 */

import type { Instant } from "../clock.ts";
import { mailIds } from "./address-notices.ts";
import { ASKED_WINDOW_SECONDS, rankOf, TRUSTED_RANK } from "./mailbox.ts";
import type { Asker, InquiryAnswer, LinkRequestId, MailContent, NewMail } from "./records.ts";
import { askerKey, type MailThrottleHashes } from "./throttle-keys.ts";

/**
 * Whether there is room for a mail of its own; where there is none, whose lacks, and when there is room
 * again.
 */
export type Room =
  | { taken: true }
  | { taken: false; lacking: keyof MailThrottleHashes; separateAt: Instant; collectedAt: Instant };

/** The place of an inquiry's mails among those that wait for their mailbox. */
export interface MailPlace {
  rank: number;
  /** The fingerprint of who asked; null where nobody did. */
  askerHash: string | null;
}

/** The window in which it is counted what an identity asks for a mailbox. */
export const ASKED_WINDOW = { limit: Number.MAX_SAFE_INTEGER, windowSeconds: ASKED_WINDOW_SECONDS };

/**
 * The place of somebody who has asked so often in a window that ends then. @param hash gives a key's
 * fingerprint
 */
export function placeOf(
  { identity, isTrusted }: Asker,
  asked: { count: number; resetsAt: Instant },
  { hash, now }: { hash: (key: string) => string; now: Instant },
): MailPlace {
  const since = asked.resetsAt - ASKED_WINDOW_SECONDS * 1000;
  return {
    rank: isTrusted ? TRUSTED_RANK : rankOf({ count: asked.count, since }, now),
    askerHash: hash(askerKey(identity)),
  };
}

/** A deferred mail whose turn has come. */
export interface DeferredMail extends Pick<NewMail, "id" | "messageId" | "to"> {
  answer: InquiryAnswer;
}

/** One mail for all of them, to the address of the first, whose Message-ID names the domain of its own. */
export function collect(deferred: readonly [DeferredMail, ...DeferredMail[]]): NewMail {
  const [{ messageId, to }] = deferred;
  const mailDomain = messageId.slice(messageId.lastIndexOf("@") + 1);
  return {
    ...mailIds(mailDomain),
    to,
    content: { kind: "collected", answers: deferred.map(({ answer }) => answer) },
  };
}

/** What a deferred mail was to say, if it is one that can be carried. */
export function answerIn(content: MailContent | undefined): InquiryAnswer | undefined {
  switch (content?.kind) {
    case "link":
    case "already_linked":
    case "linked_elsewhere":
    case "not_active":
      return content;
    default:
      return undefined;
  }
}

/** The requests whose links a mail holds. */
export function requestsIn(content: MailContent): LinkRequestId[] {
  const answers = content.kind === "collected" ? content.answers : [content];
  return answers.flatMap((answer) => (answer.kind === "link" ? [answer.requestId] : []));
}

/** The content without the links of all but these requests; undefined where nothing is left to say. */
export function withLinksOf(
  content: MailContent,
  alive: ReadonlySet<LinkRequestId>,
): MailContent | undefined {
  if (content.kind === "link") return alive.has(content.requestId) ? content : undefined;
  if (content.kind !== "collected") return content;
  const answers = content.answers.filter((answer) => answer.kind !== "link" || alive.has(answer.requestId));
  return answers.length === 0 ? undefined : { kind: "collected", answers };
}
