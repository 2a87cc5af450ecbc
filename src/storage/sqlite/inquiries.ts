/** Link inquiries in SQLite: what was typed, until a worker has turned it into requests and mails. */

import type { Instant } from "../../clock.ts";
import { linkRequested } from "../../domain/audit-entries.ts";
import { asInquiryId, asOrganizationId, asProfileId } from "../../domain/ids.ts";
import type { Inquiry } from "../../domain/records.ts";
import { clientThrottle, identityThrottle, pauseThrottle } from "../../domain/throttle-keys.ts";
import { as, nullable, type RowOf, text } from "../../sql-columns.ts";
import type { InquiryThrottles, LinkStore, NewInquiry } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
import { type Fields, object, stored } from "./json.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import type { RequestWriter } from "./requests.ts";
import { REQUEST_JSON } from "./rows.ts";
import type { ThrottleWriter } from "./throttles.ts";

/** Of inquiries without an alias. */
export const INQUIRY_FIELDS: Fields<Omit<Inquiry, "address">> = {
  id: "id",
  requester: stored("requester"),
  interactionCid: "interaction_cid",
  createdAt: "created_at",
  notBefore: "not_before",
  ordinal: "ordinal",
  heldUntil: "held_until",
  settledAt: "settled_at",
  matched: "matched",
};
const INQUIRY_JSON = object(INQUIRY_FIELDS);

const INQUIRY = { record: INQUIRY_JSON, sealed_address: nullable(text) };

type Turn = Pick<Inquiry, "ordinal" | "heldUntil" | "notBefore">;
const unthrottled = ({ notBefore }: NewInquiry): Turn => ({ ordinal: 1, heldUntil: null, notBefore });

type InquiryMethods = Pick<
  LinkStore,
  "inquire" | "latestInquiry" | "claimInquiry" | "settleInquiry" | "history" | "inquiryOf" | "inquiries"
>;

interface InquiryParts {
  audit: AuditWriter;
  requests: RequestWriter;
  throttles: ThrottleWriter;
  mailboxes: MailboxWriter;
  queueMail: MailWriter;
}

export function createInquiryMethods(
  database: Database,
  encryption: FieldEncryption,
  parts: InquiryParts,
): InquiryMethods {
  const { audit, requests, throttles, mailboxes, queueMail } = parts;
  const insert = database.prepare(`
    INSERT INTO inquiries (
      id, requester, sealed_address, interaction_cid, created_at, not_before, ordinal, held_until, settled_at)
    VALUES (:id, :requester, :address, :interactionCid, :createdAt, :notBefore, :ordinal, :heldUntil,
      :settledAt)`);
  // Of one that nothing was written for, its repetition takes the place: asking again and again leaves one
  // row.
  const removeThrottled = database.prepare(`
    DELETE FROM inquiries
    WHERE issuer = :issuer AND subject = :subject
      AND settled_at IS NULL AND held_until IS NOT NULL AND matched IS NULL`);
  const dismissThrottled = database.prepare(`
    UPDATE inquiries SET settled_at = :now, sealed_address = NULL, lease_worker = NULL
    WHERE issuer = :issuer AND subject = :subject AND settled_at IS NULL AND held_until IS NOT NULL`);
  const latest = database.prepare(
    `
    SELECT ${INQUIRY_JSON} AS record, sealed_address FROM inquiries
    WHERE interaction_cid = :interactionCid ORDER BY created_at DESC, rowid DESC LIMIT 1`,
    INQUIRY,
  );
  const claim = database.prepare(
    `
    UPDATE inquiries SET lease_worker = :worker, lease_until = :until
    WHERE rowid = (
      SELECT rowid FROM inquiries INDEXED BY inquiries_due
      WHERE settled_at IS NULL AND due_at <= :now ORDER BY due_at, rowid LIMIT 1)
    RETURNING ${INQUIRY_JSON} AS record, sealed_address, answered_to`,
    { ...INQUIRY, answered_to: nullable(as(text, asProfileId)) },
  );
  const settle = database.prepare(`
    UPDATE inquiries SET settled_at = :now, sealed_address = NULL, lease_worker = NULL,
      matched = iif(:matched IS NULL, matched, ifnull(matched, 0) + :matched)
    WHERE id = :id AND settled_at IS NULL AND lease_worker = :worker`);
  const goOn = database.prepare(`
    UPDATE inquiries SET lease_until = :until, answered_to = :answeredTo,
      matched = iif(:matched IS NULL, matched, ifnull(matched, 0) + :matched)
    WHERE id = :id AND settled_at IS NULL AND lease_worker = :worker`);
  const beforeFirst = database.prepare("SELECT 1 FROM inquiries WHERE id = :id AND answered_to IS NULL");
  const select = (condition: string) =>
    database.prepare(
      `SELECT ${INQUIRY_JSON} AS record, sealed_address FROM inquiries WHERE ${condition}`,
      INQUIRY,
    );
  const newest = "created_at < :before ORDER BY created_at DESC, rowid DESC LIMIT :limit";
  const byId = select("id = :id");
  const all = select(newest);
  const ofAccount = select(`account_id = :accountId AND ${newest}`);
  const idsOfProfile = database.prepare(
    `
    SELECT inquiry_id FROM link_requests
    WHERE profile_id = :profileId AND created_at < :before ORDER BY created_at DESC LIMIT :limit`,
    { inquiry_id: as(text, asInquiryId) },
  );
  const requestsOf = database.prepare(
    `
    SELECT ${REQUEST_JSON} AS record FROM link_requests r
    WHERE r.inquiry_id = :id ORDER BY r.created_at DESC, r.rowid DESC LIMIT :limit`,
    { record: REQUEST_JSON },
  );
  const inquiryOf = database.prepare("SELECT inquiry_id FROM link_requests WHERE id = :requestId", {
    inquiry_id: as(text, asInquiryId),
  });
  const organizationOf = database.prepare("SELECT organization_id FROM profiles WHERE id = :profileId", {
    organization_id: as(text, asOrganizationId),
  });

  const toInquiry = ({ record, sealed_address: encrypted }: RowOf<typeof INQUIRY>): Inquiry => {
    return {
      ...record,
      address: encrypted === null ? null : encryption.decrypt(encrypted, contextOf.address(record.id)),
    };
  };

  /** When it is its turn. Nobody can tell from what they know of the throttles when its work begins. */
  const throttle = (
    { requester, createdAt, notBefore }: NewInquiry,
    { identity, client }: InquiryThrottles,
  ): Turn => {
    const { issuer, subject } = requester;
    const begins = (from: Instant) => Math.max(createdAt, from) + notBefore - createdAt;
    const slot = throttles.take(throttles.hash(identityThrottle(requester)), identity, createdAt);
    if (!slot.taken) {
      removeThrottled.run({ issuer, subject });
      dismissThrottled.run({ issuer, subject, now: createdAt });
      return { ordinal: slot.count, heldUntil: slot.resetsAt, notBefore: begins(slot.resetsAt) };
    }
    const longestMs = client.longestMs(slot.count);
    if (longestMs === 0) return { ordinal: slot.count, heldUntil: null, notBefore };
    const flow = throttles.hash(clientThrottle(client.key));
    const place = throttles.reserve(flow, client, createdAt, longestMs);
    return { ordinal: slot.count, heldUntil: null, notBefore: begins(place) };
  };

  /** When the identity may ask again, if it has asked only just now. */
  const tooSoon = (
    { requester, createdAt }: NewInquiry,
    { pauseSeconds }: InquiryThrottles,
  ): Instant | undefined => {
    const pause = { limit: 1, windowSeconds: pauseSeconds };
    const { taken, resetsAt } = throttles.take(throttles.hash(pauseThrottle(requester)), pause, createdAt);
    return taken ? undefined : resetsAt;
  };

  return {
    inquire: (asked, limits) =>
      database.transaction(() => {
        const askAgainAt = limits === undefined ? undefined : tooSoon(asked, limits);
        if (askAgainAt !== undefined) return { asked: false, askAgainAt };
        const { id, requester, address, interactionCid, createdAt, settledAt } = asked;
        const turn = limits === undefined ? unthrottled(asked) : throttle(asked, limits);
        insert.run({
          id,
          interactionCid,
          createdAt,
          settledAt,
          ...turn,
          requester: JSON.stringify(requester),
          address: address === null ? null : encryption.encrypt(address, contextOf.address(id)),
        });
        return { asked: true, inquiry: { ...asked, ...turn, matched: null } };
      }),

    latestInquiry: (interactionCid) =>
      database.run(() => {
        const row = latest.get({ interactionCid });
        return row && toInquiry(row);
      }),

    history: (id, limit) =>
      database.run(() => {
        const row = byId.get({ id });
        if (row === undefined) return undefined;
        const requests = requestsOf.all({ id, limit }).map(({ record }) => record);
        return { inquiry: toInquiry(row), requests: requests.toReversed() };
      }),

    inquiryOf: (requestId) => database.run(() => inquiryOf.get({ requestId })?.inquiry_id),

    inquiries: ({ accountId, profileId, before = Number.MAX_SAFE_INTEGER, limit }) =>
      database.run(() => {
        if (profileId === undefined) {
          const rows =
            accountId === undefined
              ? all.all({ before, limit })
              : ofAccount.all({ accountId, before, limit });
          return rows.map(toInquiry);
        }
        const ids = idsOfProfile.all({ profileId, before, limit }).map((row) => row.inquiry_id);
        const found = [...new Set(ids)].flatMap((id) => byId.all({ id })).map(toInquiry);
        return accountId === undefined
          ? found
          : found.filter(({ requester }) => requester.accountId === accountId);
      }),

    claimInquiry: (worker, now, leaseMs) =>
      database.run(() => {
        const row = claim.get({ worker, now, until: now + leaseMs });
        return row && { ...toInquiry(row), answeredTo: row.answered_to };
      }),

    settleInquiry: (inquiryId, worker, { links, mails, asker, matched = null, more }, now) =>
      database.transaction(() => {
        const mine = { id: inquiryId, worker, matched };
        const isFirstPart = beforeFirst.isAny({ id: inquiryId });
        const changed =
          more === undefined
            ? settle.run({ ...mine, now })
            : goOn.run({ ...mine, answeredTo: more.answeredTo, until: now + more.leaseMs });
        if (changed === 0) return false;
        const place = asker && mailboxes.placeOf(asker, isFirstPart, now);
        for (const { request, mail } of links) {
          requests.insert(request, now);
          queueMail(mail, now, place);
          const profile = organizationOf.get({ profileId: request.profileId });
          if (profile === undefined) throw new Error("a link is asked for a profile that isn't there");
          audit(linkRequested(request, profile.organization_id, now));
        }
        for (const mail of mails) queueMail(mail, now, place);
        return true;
      }),
  };
}
