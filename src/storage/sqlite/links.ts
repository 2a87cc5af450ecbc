/** How a link request in SQLite ends (redeemed, cancelled or refused), and the unbinding of a profile. */

import type { Instant } from "../../clock.ts";
import { linkCancelled, profileBound, profileUnbound } from "../../domain/audit-entries.ts";
import { isAdministrators } from "../../domain/edits.ts";
import { linkedNotice, ownersNotices } from "../../domain/linked-notice.ts";
import type { AccountId, ProfileId } from "../../domain/records.ts";
import type { LinkStore, LinkView, Revocation } from "../contract.ts";
import { assertComparable } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { Database } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
import { createInquiryMethods } from "./inquiries.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import type { RequestWriter } from "./requests.ts";
import type { Revoker } from "./revoker.ts";
import type { RoleWriter } from "./roles.ts";
import { MEMBERSHIP_JSON, REQUEST_JSON } from "./rows.ts";
import type { ThrottleWriter } from "./throttles.ts";

export interface LinkParts {
  audit: AuditWriter;
  requests: RequestWriter;
  throttles: ThrottleWriter;
  mailboxes: MailboxWriter;
  queueMail: MailWriter;
  revoker: Revoker;
  bindings: BindingWriter;
  roles: RoleWriter;
}

/** Removes bindings, inside the transaction of whatever removes them. */
export interface BindingWriter {
  /** See LinkStore.unbind. */
  unbind(profileId: ProfileId, actor: string, now: Instant, onlyFrom?: AccountId): Revocation | undefined;
}

export function createBindingWriter(
  database: Database,
  { audit, requests, revoker }: Pick<LinkParts, "audit" | "requests" | "revoker">,
): BindingWriter {
  const selectBound = database.prepare(
    `
    SELECT ${MEMBERSHIP_JSON} AS membership FROM profiles p JOIN organizations o ON o.id = p.organization_id
    WHERE p.id = :profileId AND p.account_id IS NOT NULL`,
    { membership: MEMBERSHIP_JSON },
  );
  const unbind = database.prepare(`
    UPDATE profiles SET account_id = NULL, bound_at = NULL, proven_email_version = NULL,
      invited_at = iif(admin_role IS NULL, NULL, :now)
    WHERE id = :profileId AND account_id = :accountId`);
  const forget = database.prepare(`
    DELETE FROM remembered_choices WHERE account_id = :accountId AND profile_id = :profileId`);

  return {
    unbind(profileId, actor, now, onlyFrom) {
      const profile = selectBound.get({ profileId })?.membership.profile;
      const accountId = onlyFrom ?? profile?.accountId ?? null;
      if (profile === undefined || accountId === null || unbind.run({ profileId, accountId, now }) === 0)
        return undefined;
      requests.voidProfile(profileId, now);
      forget.run({ accountId, profileId });
      audit(profileUnbound(profile, accountId, actor, now));
      return revoker.end({ kind: "profile", id: profileId }, now);
    },
  };
}

export function createLinkStore(
  database: Database,
  encryption: FieldEncryption,
  parts: LinkParts,
): LinkStore {
  const { audit, requests, queueMail, bindings, roles } = parts;
  const select = database.prepare(
    `
    SELECT ${REQUEST_JSON} AS request, ${MEMBERSHIP_JSON} AS membership
    FROM link_requests r JOIN profiles p ON p.id = r.profile_id JOIN organizations o ON o.id =
      p.organization_id
    WHERE r.id = :requestId AND r.secret_hash = :secretHash`,
    { request: REQUEST_JSON, membership: MEMBERSHIP_JSON },
  );
  const consume = database.prepare(`
    UPDATE link_requests AS r SET state = 'bound', settled_at = :now
    WHERE r.id = :requestId AND r.secret_hash = :secretHash AND r.purpose = 'link_profile'
      AND r.state = 'pending' AND r.expires_at > :now
      AND r.issuer = :issuer AND r.subject = :subject AND r.upstream_id = :upstreamId
      AND EXISTS (
        SELECT 1 FROM identities i
        WHERE i.issuer = r.issuer AND i.subject = r.subject AND i.account_id = :accountId)
      AND EXISTS (
        SELECT 1 FROM profiles p JOIN organizations o ON o.id = p.organization_id
        WHERE p.id = r.profile_id AND p.email_version = r.email_version
          AND p.enabled = 1 AND o.enabled = 1 AND p.account_id IS NULL)`);
  const bind = database.prepare(`
    UPDATE profiles SET account_id = :accountId, bound_at = :now, proven_email_version = email_version,
      invited_at = NULL
    WHERE id = :profileId AND account_id IS NULL`);
  const cancel = database.prepare(`
    UPDATE link_requests SET state = 'cancelled', settled_at = :now
    WHERE id = :requestId AND secret_hash = :secretHash AND state = 'pending' AND expires_at > :now`);
  const view = (attempt: { requestId: string; secretHash: string }): LinkView | undefined => {
    const { requestId, secretHash } = attempt;
    return select.get({ requestId, secretHash });
  };
  const viewChanged = (attempt: { requestId: string; secretHash: string }): LinkView => {
    const found = view(attempt);
    if (found === undefined) throw new Error("a request vanished in its own transaction");
    return found;
  };
  const refusal = (attempt: { requestId: string; secretHash: string }) => {
    const found = view(attempt);
    return found === undefined
      ? ({ result: "unknown" } as const)
      : ({ result: "refused", ...found } as const);
  };

  return {
    ...createInquiryMethods(database, encryption, parts),

    view: (requestId, secretHash) => database.run(() => view({ requestId, secretHash })),

    redeem: (attempt, notice, now) =>
      database.transaction(() => {
        const { requestId, secretHash, identity, accountId } = attempt;
        const { issuer, subject, upstreamId } = identity;
        assertComparable(identity);
        if (consume.run({ requestId, secretHash, issuer, subject, upstreamId, accountId, now }) === 0) {
          return refusal(attempt);
        }
        const { profileId } = viewChanged(attempt).request;
        roles.lapse(profileId, now);
        if (bind.run({ profileId, accountId, now }) === 0)
          throw new Error("a consumed link found its profile bound");
        requests.voidProfile(profileId, now);
        const { membership } = viewChanged(attempt);
        audit(profileBound(attempt, membership.profile, now));
        queueMail(linkedNotice(notice, membership, identity, now), now);
        if (isAdministrators(membership)) {
          const told = { owners: roles.owners(), linkedAt: now };
          for (const mail of ownersNotices(notice, membership, identity, told)) queueMail(mail, now);
        }
        return { result: "bound", membership };
      }),

    cancel: (attempt, now) =>
      database.transaction(() => {
        const { requestId, secretHash } = attempt;
        if (cancel.run({ requestId, secretHash, now }) === 0) return refusal(attempt);
        const cancelled = viewChanged(attempt);
        audit(linkCancelled(attempt, cancelled.membership.profile, now));
        return { result: "cancelled", ...cancelled };
      }),

    unbind: (profileId, actor, now, onlyFrom) =>
      database.transaction(() => bindings.unbind(profileId, actor, now, onlyFrom)),
  };
}
