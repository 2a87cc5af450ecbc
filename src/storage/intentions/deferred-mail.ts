/**
 * Deferred mail, which waits for room at its mailbox or profile (stored as `held`): how it is queued when
 * there is room, and how one mail carries those for which there is none. The rules are domain/mailbox.ts's.
 */

import type { Instant } from "../../clock.ts";
import { answerIn, collect, type DeferredMail } from "../../domain/deferred-mail.ts";
import { MOST_COLLECTED } from "../../domain/mailbox.ts";
import type { MailThrottleHashes } from "../../domain/throttle-keys.ts";
import { Pace, type Turn } from "../../pace.ts";
import type { OutboxStore } from "../contract.ts";
import { DAMAGED_CONTENT, decryptContent } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { type Engine, list, type Steps, some, update, type Values } from "../steps.ts";
import { type OutboxRow, outbox } from "../tables.ts";
import type { QueueMail } from "./mail.ts";
import { noteCollected, takeRoom } from "./mailboxes.ts";
import { pendingAmong } from "./requests.ts";

type Limits = Parameters<OutboxStore["releaseDeferred"]>[0];

/** Whose room is lacking, and until when: so long all that it has at the mailbox stays deferred. */
interface Lack extends MailThrottleHashes {
  lacking: keyof MailThrottleHashes;
  until: Instant;
}

/** What became of the deferred message whose turn it is, or of those that one mail carries. */
type Release = "none" | "queued" | "collected" | "dropped" | Lack;

const IN_ORDER = { order: ["rank", "placeAt", "dueAt", "seq"], by: "heldInOrder" } as const;
const isDue = (now: Instant) => ({ state: "held", dueAt: { lte: now } }) as const;

export interface DeferredMailParts {
  encryption: FieldEncryption;
  queueMail: QueueMail;
  /** How many are dealt with in one transaction, and how many are put off at a time. */
  pace: { least: number; most: number; turnMs: number; aTransaction: number };
}

export function createDeferredMail(
  engine: Engine,
  parts: DeferredMailParts,
): Pick<OutboxStore, "releaseDeferred"> {
  const { pace } = parts;
  return {
    async releaseDeferred(limits, now, run) {
      let lack: Lack | undefined;
      const releaseSome = async (size: number): Promise<Turn> => {
        // Nothing is deferred most of the time: a read outside of a transaction says so.
        if ((await engine.run(() => longestDue(now))) === undefined) return { done: 0, isLast: true };
        const count = Math.min(size, pace.aTransaction);
        const released = await engine.transaction(() => releaseUpTo(count, limits, now, parts));
        lack = released.lack;
        return released;
      };
      const deferSome = async (given: Lack, size: number): Promise<Turn> => {
        if ((await engine.run(() => defer(given, now, size))) < size) lack = undefined;
        return { done: 0, isLast: false };
      };
      return await new Pace(pace).turns(
        (size) => (lack === undefined ? releaseSome(size) : deferSome(lack, size)),
        run,
      );
    },
  };
}

/** Whose mailbox has what is due longest. */
function* longestDue(now: Instant): Steps<Pick<OutboxRow, "mailboxHash"> | undefined> {
  return (yield* some(outbox, ["mailboxHash"], isDue(now), { order: ["dueAt"], by: "held", limit: 1 }))[0];
}

function* releaseUpTo(
  size: number,
  limits: Limits,
  now: Instant,
  parts: DeferredMailParts,
): Steps<Turn & { lack: Lack | undefined }> {
  let done = 0;
  for (let count = 0; count < size; count += 1) {
    const released = yield* releaseNext(limits, now, parts);
    if (released === "none") return { done, isLast: true, lack: undefined };
    if (released === "queued") done += 1;
    // One of these is as much as a turn may take.
    if (released === "collected") return { done: done + 1, isLast: false, lack: undefined };
    if (typeof released === "object") return { done, isLast: false, lack: released };
  }
  return { done, isLast: false, lack: undefined };
}

/** Deals with the message whose turn it is: queues or drops it, or says what has no room for it. */
function* releaseNext(limits: Limits, now: Instant, parts: DeferredMailParts): Steps<Release> {
  const longest = yield* longestDue(now);
  if (longest === undefined) return "none";
  const mailbox = longest.mailboxHash;
  const its = { ...isDue(now), mailboxHash: mailbox };
  const firstOne = { ...IN_ORDER, limit: 1 };
  const [next] = yield* some(outbox, ["id", "requestId", "profileHash"], its, firstOne);
  if (mailbox === null || next === undefined || next.profileHash === null)
    throw new Error("a deferred message is of no mailbox");
  const { id, requestId } = next;
  if (requestId !== null && !(yield* pendingAmong([requestId], now)).has(requestId)) {
    yield* drop([id], now);
    return "dropped";
  }
  const hashes = { mailbox, profile: next.profileHash };
  const room = yield* takeRoom(hashes, limits, now);
  if (room.taken) {
    yield* change([id], { state: "queued", nextAttemptAt: now, dueAt: now });
    return "queued";
  }
  const { lacking, separateAt, collectedAt } = room;
  if (collectedAt > now) return { ...hashes, lacking, until: Math.min(separateAt, collectedAt) };
  const released = yield* releaseTogether(mailbox, now, parts);
  if (released === "collected") yield* noteCollected(mailbox, limits.mailbox, now);
  return released;
}

/**
 * Queues the mail that carries what comes first at a mailbox; while something dead stands there, drops that
 * instead.
 */
function* releaseTogether(
  mailboxHash: string,
  now: Instant,
  { encryption, queueMail }: DeferredMailParts,
): Steps<"collected" | "dropped"> {
  const listing = { ...IN_ORDER, limit: MOST_COLLECTED };
  const found = yield* list(outbox, { state: "held", mailboxHash }, listing);
  const asked = found.flatMap(({ requestId }) => requestId ?? []);
  const pending = yield* pendingAmong(asked, now);
  const deferred: DeferredMail[] = [];
  const damaged: string[] = [];
  const dead: string[] = [];
  for (const { id, messageId, to, sealedContent, requestId } of found) {
    const content = sealedContent === null ? undefined : decryptContent(encryption, id, sealedContent);
    const answer = answerIn(content);
    if (answer === undefined) damaged.push(id);
    else if (requestId !== null && !pending.has(requestId)) dead.push(id);
    else deferred.push({ id, messageId, to, answer });
  }
  yield* change(damaged, { state: "failed", lastError: DAMAGED_CONTENT, nextAttemptAt: now });
  yield* drop(dead, now);
  const [one, ...others] = deferred;
  if (dead.length > 0 || damaged.length > 0 || one === undefined) return "dropped";
  if (others.length === 0) {
    yield* change([one.id], { state: "queued", nextAttemptAt: now, dueAt: now });
    return "collected";
  }
  const mail = collect([one, ...others]);
  yield* queueMail(mail, now);
  const carried = { state: "carried", sealedContent: null, carriedBy: mail.id, nextAttemptAt: now } as const;
  yield* change(
    deferred.map(({ id }) => id),
    carried,
  );
  return "collected";
}

function* change(ids: readonly string[], set: Values<OutboxRow>): Steps<void> {
  if (ids.length > 0) yield* update(outbox, { id: { in: ids }, state: "held" }, set);
}

const drop = (ids: readonly string[], now: Instant) =>
  change(ids, { state: "dropped", sealedContent: null, nextAttemptAt: now });

/** Defers some that are due, of those for which there is no room, until there may be. Returns how many. */
function* defer({ lacking, mailbox, profile, until }: Lack, now: Instant, limit: number): Steps<number> {
  const of =
    lacking === "mailbox" ? { mailboxHash: mailbox } : { profileHash: profile, mailboxHash: mailbox };
  const by = lacking === "mailbox" ? "heldOfMailboxDue" : "heldOfProfileDue";
  const found = yield* some(outbox, ["id"], { ...isDue(now), ...of }, { order: ["dueAt"], limit, by });
  const ids = found.map(({ id }) => id);
  if (ids.length > 0)
    yield* update(outbox, { ...isDue(now), id: { in: ids } }, { nextAttemptAt: until, dueAt: until });
  return ids.length;
}
