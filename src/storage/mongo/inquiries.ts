/** Link inquiries in MongoDB: what was typed, until a worker has turned it into requests and mails. */

import { type ClientSession, ObjectId } from "mongodb";
import type { Instant, Milliseconds } from "../../clock.ts";
import { linkRequested } from "../../domain/audit-entries.ts";
import { asInquiryId } from "../../domain/ids.ts";
import type { Inquiry } from "../../domain/records.ts";
import { clientThrottle, identityThrottle, pauseThrottle } from "../../domain/throttle-keys.ts";
import type { InquiryThrottles, LinkStore, NewInquiry } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { MongoDatabase } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
import { at, dated, type InquiryDocument, toLinkRequest, toRecord } from "./documents.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import type { RequestWriter } from "./requests.ts";
import type { ThrottleWriter } from "./throttles.ts";
import type { TypedCollection } from "./typed-collection.ts";

type Turn = Pick<Inquiry, "ordinal" | "heldUntil" | "notBefore">;
const unthrottled = ({ notBefore }: NewInquiry): Turn => ({ ordinal: 1, heldUntil: null, notBefore });

type InquiryMethods = Pick<
  LinkStore,
  "inquire" | "latestInquiry" | "claimInquiry" | "settleInquiry" | "history" | "inquiryOf" | "inquiries"
>;

/** What isn't of the record. */
const OWN_FIELDS = ["sealedAddress", "state", "leaseWorker", "leaseUntil", "dueAt", "answeredTo", "seq"];

/**
 * Gives waiting inquiries that have none the instant at which they are due, and returns how many there were.
 * Brokers of the version before go on making them; where there are none nothing is examined, for they stand
 * at the beginning of an index.
 */
export async function fillDueAt(inquiries: TypedCollection<InquiryDocument>): Promise<number> {
  const hasNone = { state: "waiting", dueAt: { $exists: false } } as const;
  let filled = 0;
  for (;;) {
    const found = await inquiries
      .find(hasNone, { projection: { _id: 1 }, limit: FILLED_AT_A_TIME })
      .toArray();
    if (found.length === 0) return filled;
    const { modifiedCount } = await inquiries.updateMany(
      { _id: { $in: found.map(({ _id }) => _id) }, ...hasNone },
      [{ $set: { dueAt: { $max: ["$notBefore", "$leaseUntil"] } } }],
    );
    filled += modifiedCount;
  }
}

const FILLED_AT_A_TIME = 1000;

interface InquiryParts {
  audit: AuditWriter;
  requests: RequestWriter;
  throttles: ThrottleWriter;
  mailboxes: MailboxWriter;
  queueMail: MailWriter;
}

/** What is true of an inquiry whose document says nothing of it. */
const unsaid = { ordinal: 1, heldUntil: null, matched: null };

export function createInquiryMethods(
  database: MongoDatabase,
  encryption: FieldEncryption,
  parts: InquiryParts,
): InquiryMethods {
  const { audit, requests, throttles, mailboxes, queueMail } = parts;
  const { inquiries, profiles, linkRequests } = database.collections;

  const toInquiry = (document: InquiryDocument | null): Inquiry | undefined => {
    if (document === null) return undefined;
    const { _id: id, sealedAddress: encrypted } = document;
    return {
      ...unsaid,
      ...toRecord<Omit<Inquiry, "address">>(document, ...OWN_FIELDS),
      address: encrypted === null ? null : encryption.decrypt(encrypted, contextOf.address(asInquiryId(id))),
    };
  };

  /** When it is its turn. Nobody can tell from what they know of the throttles when its work begins. */
  const throttle = async (
    session: ClientSession,
    { requester, createdAt, notBefore }: NewInquiry,
    { identity, client }: InquiryThrottles,
  ): Promise<Turn> => {
    const { issuer, subject } = requester;
    const begins = (from: Instant) => Math.max(createdAt, from) + notBefore - createdAt;
    const slot = await throttles.take(
      throttles.hash(identityThrottle(requester)),
      identity,
      createdAt,
      session,
    );
    if (!slot.taken) {
      const throttled = {
        "requester.issuer": issuer,
        "requester.subject": subject,
        state: "waiting",
        heldUntil: { $type: "date" },
      } as const;
      // Of one that nothing was written for, its repetition takes the place: asking again and again leaves
      // one document.
      await inquiries.deleteMany({ ...throttled, matched: null }, { session });
      await inquiries.updateMany(
        throttled,
        { $set: { state: "settled", settledAt: at(createdAt), sealedAddress: null, leaseWorker: null } },
        { session },
      );
      return { ordinal: slot.count, heldUntil: slot.resetsAt, notBefore: begins(slot.resetsAt) };
    }
    const longestMs = client.longestMs(slot.count);
    if (longestMs === 0) return { ordinal: slot.count, heldUntil: null, notBefore };
    const flow = throttles.hash(clientThrottle(client.key));
    const place = await throttles.reserve(flow, client, createdAt, longestMs, session);
    return { ordinal: slot.count, heldUntil: null, notBefore: begins(place) };
  };

  /** When the identity may ask again, if it has asked only just now. */
  const tooSoon = async (
    session: ClientSession,
    { requester, createdAt }: NewInquiry,
    { pauseSeconds }: InquiryThrottles,
  ): Promise<Instant | undefined> => {
    const pause = { limit: 1, windowSeconds: pauseSeconds };
    const { taken, resetsAt } = await throttles.take(
      throttles.hash(pauseThrottle(requester)),
      pause,
      createdAt,
      session,
    );
    return taken ? undefined : resetsAt;
  };

  /** Claims the one that is due longest. */
  const claimDue = (worker: string, now: Instant, leaseMs: Milliseconds) =>
    inquiries.findOneAndUpdate(
      // A broker of the version before moves the lease alone: what it holds is due and passed over.
      { state: "waiting", dueAt: { $lte: at(now) }, leaseUntil: { $lte: at(now) } },
      { $set: { leaseWorker: worker, leaseUntil: at(now + leaseMs), dueAt: at(now + leaseMs) } },
      { sort: { dueAt: 1, seq: 1 }, returnDocument: "after" },
    );

  return {
    inquire: (asked, limits) =>
      database.transaction(async (session) => {
        const askAgainAt = limits === undefined ? undefined : await tooSoon(session, asked, limits);
        if (askAgainAt !== undefined) return { asked: false, askAgainAt };
        const turn = limits === undefined ? unthrottled(asked) : await throttle(session, asked, limits);
        const inquiry: Inquiry = { ...asked, ...turn, matched: null };
        const { id, address, ...fields } = inquiry;
        await inquiries.insertOne(
          {
            _id: id,
            ...dated(fields),
            state: fields.settledAt === null ? "waiting" : "settled",
            sealedAddress: address === null ? null : encryption.encrypt(address, contextOf.address(id)),
            leaseWorker: null,
            leaseUntil: at(0),
            dueAt: at(inquiry.notBefore),
            seq: new ObjectId(),
          },
          { session },
        );
        return { asked: true, inquiry };
      }),

    latestInquiry: (interactionCid) =>
      database.run(async () =>
        toInquiry(await inquiries.findOne({ interactionCid }, { sort: { createdAt: -1, seq: -1 } })),
      ),

    history: (id, limit) =>
      database.run(async () => {
        const inquiry = toInquiry(await inquiries.findOne({ _id: id }));
        if (inquiry === undefined) return undefined;
        const newest = { sort: { createdAt: -1, _id: -1 }, limit } as const;
        const requests = await linkRequests.find({ inquiryId: id }, newest).toArray();
        return { inquiry, requests: requests.map(toLinkRequest).toReversed() };
      }),

    inquiryOf: (requestId) =>
      database.run(async () => (await linkRequests.findOne({ _id: requestId }))?.inquiryId),

    inquiries: ({ accountId, profileId, before, limit }) =>
      database.run(async () => {
        const past = before === undefined ? { $gte: at(0) } : { $lt: at(before) };
        const ofAccount = accountId === undefined ? {} : { "requester.accountId": accountId };
        const sort = { createdAt: -1, seq: -1 } as const;
        if (profileId === undefined) {
          const found = await inquiries.find({ createdAt: past, ...ofAccount }, { sort, limit }).toArray();
          return found.flatMap((document) => toInquiry(document) ?? []);
        }
        const requests = await linkRequests
          .find({ profileId, createdAt: past }, { sort: { createdAt: -1 }, limit })
          .toArray();
        const ids = requests.map(({ inquiryId }) => inquiryId);
        const found = await inquiries.find({ _id: { $in: ids }, ...ofAccount }, { sort }).toArray();
        return found.flatMap((document) => toInquiry(document) ?? []);
      }),

    claimInquiry: (worker, now, leaseMs) =>
      database.run(async () => {
        let claimed = await claimDue(worker, now, leaseMs);
        if (claimed === null && (await fillDueAt(inquiries)) > 0)
          claimed = await claimDue(worker, now, leaseMs);
        const inquiry = toInquiry(claimed);
        return inquiry && { ...inquiry, answeredTo: claimed?.answeredTo ?? null };
      }),

    settleInquiry: (inquiryId, worker, { links, mails, asker, matched = null, more }, now) =>
      database.transaction(async (session) => {
        const until = at(now + (more?.leaseMs ?? 0));
        const change =
          more === undefined
            ? { state: "settled", settledAt: at(now), sealedAddress: null, leaseWorker: null }
            : { leaseUntil: until, dueAt: until, answeredTo: { $literal: more.answeredTo } };
        const soFar = matched === null ? "$matched" : { $add: [{ $ifNull: ["$matched", 0] }, matched] };
        const before = await inquiries.findOneAndUpdate(
          { _id: inquiryId, state: "waiting", leaseWorker: worker },
          [{ $set: { ...change, matched: soFar } }],
          { session, projection: { answeredTo: 1 } },
        );
        if (before === null) return false;
        const isFirstPart = before.answeredTo == null;
        const place = asker && (await mailboxes.placeOf(session, asker, isFirstPart, now));
        const ids = links.map(({ request }) => request.profileId);
        const found = await profiles.find({ _id: { $in: ids } }, { session }).toArray();
        const organizationOf = new Map(found.map((profile) => [profile._id, profile.organizationId]));
        for (const { request, mail } of links) {
          const organizationId = organizationOf.get(request.profileId);
          if (organizationId === undefined)
            throw new Error("a link request names a profile that isn't there");
          await requests.insert(session, request, organizationId, now);
          await queueMail(session, mail, now, place);
          await audit(session, linkRequested(request, organizationId, now));
        }
        for (const mail of mails) await queueMail(session, mail, now, place);
        return true;
      }),
  };
}
