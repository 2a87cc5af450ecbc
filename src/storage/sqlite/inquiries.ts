/** Owns link inquiries: what was typed, until a worker has turned it into requests and mails. */

import { linkRequested } from "../audit-entries.ts";
import type { LinkStore } from "../contract.ts";
import type { Inquiry } from "../records.ts";
import type { Seal } from "../seal.ts";
import { sealedAt } from "../sealed-fields.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database, Row } from "./database.ts";
import type { MailWriter } from "./outbox.ts";
import type { RequestWriter } from "./requests.ts";
import { parse, text } from "./rows.ts";

const INQUIRY_JSON = `json_object(
  'id', id, 'requester', json(requester), 'interactionCid', interaction_cid, 'createdAt', created_at,
  'notBefore', not_before, 'settledAt', settled_at)`;

type InquiryMethods = Pick<LinkStore, "inquire" | "latestInquiry" | "claimInquiry" | "settleInquiry">;

export function createInquiryMethods(
  database: Database,
  seal: Seal,
  parts: { audit: AuditWriter; requests: RequestWriter; queueMail: MailWriter },
): InquiryMethods {
  const { audit, requests, queueMail } = parts;
  const insert = database.prepare(`
    INSERT INTO inquiries (id, requester, sealed_address, interaction_cid, created_at, not_before, settled_at)
    VALUES (:id, :requester, :address, :interactionCid, :createdAt, :notBefore, :settledAt)`);
  const latest = database.prepare(`
    SELECT ${INQUIRY_JSON} AS record, sealed_address FROM inquiries
    WHERE interaction_cid = :interactionCid ORDER BY created_at DESC, rowid DESC LIMIT 1`);
  const claim = database.prepare(`
    UPDATE inquiries SET lease_worker = :worker, lease_until = :until
    WHERE rowid = (
      SELECT rowid FROM inquiries
      WHERE settled_at IS NULL AND created_at <= :now AND not_before <= :now AND lease_until <= :now
      ORDER BY created_at, rowid LIMIT 1)
    RETURNING ${INQUIRY_JSON} AS record, sealed_address`);
  const settle = database.prepare(`
    UPDATE inquiries SET settled_at = :now, sealed_address = NULL, lease_worker = NULL
    WHERE id = :id AND settled_at IS NULL AND lease_worker = :worker`);
  const organizationOf = database.prepare("SELECT organization_id FROM profiles WHERE id = :profileId");

  const toInquiry = (row: Row): Inquiry => {
    const inquiry = parse<Omit<Inquiry, "address">>(row["record"]);
    const sealed = row["sealed_address"];
    return { ...inquiry, address: sealed === null ? null : seal.open(text(sealed), sealedAt.address(inquiry.id)) };
  };

  return {
    inquire: ({ id, requester, address, interactionCid, createdAt, notBefore, settledAt }) =>
      database.run(() => {
        insert.run({
          ...{ id, interactionCid, createdAt, notBefore, settledAt },
          requester: JSON.stringify(requester),
          address: address === null ? null : seal.seal(address, sealedAt.address(id)),
        });
      }),

    latestInquiry: (interactionCid) =>
      database.run(() => {
        const row = latest.get({ interactionCid });
        return row && toInquiry(row);
      }),

    claimInquiry: (worker, now, leaseMs) =>
      database.run(() => {
        const row = claim.get({ worker, now, until: now + leaseMs });
        return row && toInquiry(row);
      }),

    settleInquiry: (inquiryId, worker, { links, mails }, now) =>
      database.transaction(() => {
        if (settle.run({ id: inquiryId, worker, now }) === 0) return false;
        for (const { request, mail } of links) {
          requests.insert(request, now);
          queueMail(mail, now);
          const organization = organizationOf.get({ profileId: request.profileId });
          audit(linkRequested(request, text(organization?.["organization_id"]), now));
        }
        for (const mail of mails) queueMail(mail, now);
        return true;
      }),
  };
}
