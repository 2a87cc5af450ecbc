/** Link inquiries: what was typed, until a worker has turned it into requests and mails. */

import type { Instant } from "../../clock.ts";
import { linkRequested } from "../../domain/audit-entries.ts";
import type { Inquiry } from "../../domain/records.ts";
import { clientThrottle, identityThrottle, pauseThrottle } from "../../domain/throttle-keys.ts";
import type {
  InquiryAnswerPart,
  InquiryOutcome,
  InquiryThrottles,
  LinkStore,
  NewInquiry,
} from "../contract.ts";
import { contextOf, type KeyHash } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import {
  add,
  call,
  type Engine,
  first,
  get,
  getAll,
  insert,
  list,
  remove,
  type Steps,
  take,
  update,
} from "../steps.ts";
import { type InquiryRow, inquiries, linkRequests, profiles } from "../tables.ts";
import { audit } from "./audit.ts";
import type { QueueMail } from "./mail.ts";
import { countAsked } from "./mailboxes.ts";
import { toLinkRequest } from "./memberships.ts";
import { insertRequest } from "./requests.ts";

type Turn = Pick<Inquiry, "ordinal" | "heldUntil" | "notBefore">;
const unthrottled = ({ notBefore }: NewInquiry): Turn => ({ ordinal: 1, heldUntil: null, notBefore });

type InquiryMethods = Pick<
  LinkStore,
  "inquire" | "latestInquiry" | "claimInquiry" | "settleInquiry" | "history" | "inquiryOf" | "inquiries"
>;

interface InquiryParts {
  encryption: FieldEncryption;
  queueMail: QueueMail;
  hash: KeyHash;
}

const newestFirst = { order: ["createdAt", "seq"], isDescending: true } as const;

export function createInquiryMethods(engine: Engine, parts: InquiryParts): InquiryMethods {
  const { encryption, hash } = parts;

  const toInquiry = (row: InquiryRow): Inquiry => {
    const { id, requester, interactionCid, createdAt, notBefore, ordinal, heldUntil, settledAt, matched } =
      row;
    const { sealedAddress: encrypted } = row;
    const address = encrypted === null ? null : encryption.decrypt(encrypted, contextOf.address(id));
    const times = { createdAt, notBefore, ordinal, heldUntil, settledAt, matched };
    return { id, requester, address, interactionCid, ...times };
  };

  return {
    inquire: (asked, limits) => engine.transaction(() => inquire(asked, limits, { encryption, hash })),

    latestInquiry: (interactionCid) =>
      engine.run(function* () {
        const row = yield* first(inquiries, { interactionCid }, newestFirst);
        return row && toInquiry(row);
      }),

    history: (id, limit) =>
      engine.run(function* () {
        const row = yield* get(inquiries, id);
        if (row === undefined) return undefined;
        const found = yield* list(linkRequests, { inquiryId: id }, { ...newestFirst, limit });
        return { inquiry: toInquiry(row), requests: found.map(toLinkRequest).toReversed() };
      }),

    inquiryOf: (requestId) =>
      engine.run(function* () {
        return (yield* get(linkRequests, requestId))?.inquiryId;
      }),

    inquiries: ({ accountId, profileId, before, limit }) =>
      engine.run(function* () {
        const past = before === undefined ? { gte: 0 } : { lt: before };
        if (profileId === undefined) {
          const whose = accountId === undefined ? {} : { accountId };
          const found = yield* list(inquiries, { ...whose, createdAt: past }, { ...newestFirst, limit });
          return found.map(toInquiry);
        }
        const listing = { order: ["createdAt"], isDescending: true, limit } as const;
        const requests = yield* list(linkRequests, { profileId, createdAt: past }, listing);
        const ids = [...new Set(requests.map(({ inquiryId }) => inquiryId))];
        const byId = new Map((yield* getAll(inquiries, ids)).map((row) => [row.id, row]));
        const found = ids.flatMap((id) => byId.get(id) ?? []).map(toInquiry);
        return accountId === undefined
          ? found
          : found.filter(({ requester }) => requester.accountId === accountId);
      }),

    claimInquiry: (worker, now, leaseMs) =>
      engine.run(function* () {
        const until = now + leaseMs;
        // A broker of the version before moves the lease alone: what it holds is due and passed over.
        const due = { state: "waiting", dueAt: { lte: now }, leaseUntil: { lte: now } } as const;
        const leased = { leaseWorker: worker, leaseUntil: until, dueAt: until };
        const row = yield* take(inquiries, due, leased, { order: ["dueAt", "seq"], by: "due" });
        return row && { ...toInquiry(row), answeredTo: row.answeredTo };
      }),

    settleInquiry: (inquiryId, worker, part, now) =>
      engine.transaction(() => settle({ id: inquiryId, worker }, part, now, parts)),
  };
}

/** See LinkStore.inquire. */
function* inquire(
  asked: NewInquiry,
  limits: InquiryThrottles | undefined,
  { encryption, hash }: Pick<InquiryParts, "encryption" | "hash">,
): Steps<InquiryOutcome> {
  const askAgainAt = limits === undefined ? undefined : yield* tooSoon(asked, limits, hash);
  if (askAgainAt !== undefined) return { asked: false, askAgainAt };
  const turn = limits === undefined ? unthrottled(asked) : yield* throttle(asked, limits, hash);
  const inquiry: Inquiry = { ...asked, ...turn, matched: null };
  const { address, ...fields } = inquiry;
  const { issuer, subject, accountId } = fields.requester;
  yield* insert(inquiries, {
    ...fields,
    issuer,
    subject,
    accountId,
    state: fields.settledAt === null ? "waiting" : "settled",
    sealedAddress: address === null ? null : encryption.encrypt(address, contextOf.address(inquiry.id)),
    leaseWorker: null,
    leaseUntil: 0,
    dueAt: inquiry.notBefore,
    answeredTo: null,
  });
  return { asked: true, inquiry };
}

/** When the identity may ask again, if it has asked only just now. */
function* tooSoon(
  { requester, createdAt }: NewInquiry,
  { pauseSeconds }: InquiryThrottles,
  hash: KeyHash,
): Steps<Instant | undefined> {
  const pause = { limit: 1, windowSeconds: pauseSeconds };
  const { taken, resetsAt } = yield* call("takeSlot", hash(pauseThrottle(requester)), pause, createdAt);
  return taken ? undefined : resetsAt;
}

/** When it is its turn. Nobody can tell from what they know of the throttles when its work begins. */
function* throttle(
  { requester, createdAt, notBefore }: NewInquiry,
  { identity, client }: InquiryThrottles,
  hash: KeyHash,
): Steps<Turn> {
  const { issuer, subject } = requester;
  const begins = (from: Instant) => Math.max(createdAt, from) + notBefore - createdAt;
  const slot = yield* call("takeSlot", hash(identityThrottle(requester)), identity, createdAt);
  if (!slot.taken) {
    const throttled = { issuer, subject, state: "waiting", heldUntil: { not: null } } as const;
    // Of one that nothing was written for, its repetition takes the place: asking again and again leaves one.
    yield* remove(inquiries, { ...throttled, matched: null });
    const dismissed = {
      state: "settled",
      settledAt: createdAt,
      sealedAddress: null,
      leaseWorker: null,
    } as const;
    yield* update(inquiries, throttled, dismissed);
    return { ordinal: slot.count, heldUntil: slot.resetsAt, notBefore: begins(slot.resetsAt) };
  }
  const longestMs = client.longestMs(slot.count);
  if (longestMs === 0) return { ordinal: slot.count, heldUntil: null, notBefore };
  const flow = hash(clientThrottle(client.key));
  const place = yield* call("reservePlace", flow, client, createdAt, longestMs);
  return { ordinal: slot.count, heldUntil: null, notBefore: begins(place) };
}

/** See LinkStore.settleInquiry. */
function* settle(
  { id, worker }: { id: Inquiry["id"]; worker: string },
  { links, mails, asker, matched, more }: InquiryAnswerPart,
  now: Instant,
  { queueMail, hash }: InquiryParts,
): Steps<boolean> {
  const before = yield* get(inquiries, id);
  if (before === undefined) return false;
  const until = now + (more?.leaseMs ?? 0);
  const then =
    more === undefined
      ? ({ state: "settled", settledAt: now, sealedAddress: null, leaseWorker: null } as const)
      : { leaseUntil: until, dueAt: until, answeredTo: more.answeredTo };
  const counted = matched === undefined ? {} : { matched: add(matched) };
  if (
    (yield* update(inquiries, { id, state: "waiting", leaseWorker: worker }, { ...then, ...counted })) === 0
  )
    return false;
  const isFirstPart = before.answeredTo === null;
  const place = asker && (yield* countAsked(asker, isFirstPart, hash, now));
  const found = yield* getAll(
    profiles,
    links.map(({ request }) => request.profileId),
  );
  const organizationOf = new Map(found.map((profile) => [profile.id, profile.organizationId]));
  for (const { request, mail } of links) {
    const organizationId = organizationOf.get(request.profileId);
    if (organizationId === undefined) throw new Error("a link is asked for a profile that isn't there");
    yield* insertRequest(request, organizationId, now);
    yield* queueMail(mail, now, place);
    yield* audit(linkRequested(request, organizationId, now));
  }
  for (const mail of mails) yield* queueMail(mail, now, place);
  return true;
}
