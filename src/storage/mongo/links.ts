/** How a link request in MongoDB ends (redeemed, cancelled or refused), and the unbinding of a profile. */

import type { ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import { linkCancelled, profileBound, profileUnbound } from "../../domain/audit-entries.ts";
import { isAdministrators } from "../../domain/edits.ts";
import type { SecretHash } from "../../domain/ids.ts";
import { linkedNotice, ownersNotices } from "../../domain/linked-notice.ts";
import type { AccountId, ProfileId, SignedInIdentity } from "../../domain/records.ts";
import type { LinkStore, LinkView, Revocation } from "../contract.ts";
import { assertComparable } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { AuditWriter } from "./audit.ts";
import type { MongoDatabase } from "./database.ts";
import type { MailWriter } from "./deferred-mail.ts";
import { at, type LinkRequestDocument, toLinkRequest, toProfile } from "./documents.ts";
import { createInquiryMethods } from "./inquiries.ts";
import type { MailboxWriter } from "./mailboxes.ts";
import { type MembershipDocument, toMembership, withMembershipStages } from "./memberships.ts";
import type { OwnerGuard } from "./owners.ts";
import type { RequestWriter } from "./requests.ts";
import type { Revoker } from "./revoker.ts";
import type { RoleWriter } from "./roles.ts";
import type { ThrottleWriter } from "./throttles.ts";

export interface LinkParts {
  audit: AuditWriter;
  requests: RequestWriter;
  throttles: ThrottleWriter;
  mailboxes: MailboxWriter;
  queueMail: MailWriter;
  bindings: BindingWriter;
  roles: RoleWriter;
  owners: OwnerGuard;
}

/** Removes bindings, inside the transaction of whatever removes them. */
export interface BindingWriter {
  /** See LinkStore.unbind. */
  unbind(
    session: ClientSession,
    profileId: ProfileId,
    actor: string,
    now: Instant,
    onlyFrom?: AccountId,
  ): Promise<Revocation | undefined>;
}

export function createBindingWriter(
  { collections }: MongoDatabase,
  { audit, requests, revoker }: { audit: AuditWriter; requests: RequestWriter; revoker: Revoker },
): BindingWriter {
  const { profiles, rememberedChoices } = collections;
  return {
    async unbind(session, profileId, actor, now, onlyFrom) {
      const found = await profiles.findOneAndUpdate(
        { _id: profileId, accountId: onlyFrom ?? { $ne: null } },
        [
          {
            $set: {
              accountId: null,
              boundAt: null,
              provenEmailVersion: null,
              invitedAt: invitedIfAdministrators(now),
            },
          },
        ],
        { session, returnDocument: "before" },
      );
      if (found === null || found.accountId === null) return undefined;
      const { accountId } = found;
      await requests.voidProfile(session, profileId, now);
      await rememberedChoices.deleteMany({ accountId, profileId }, { session });
      await audit(session, profileUnbound(toProfile(found), accountId, actor, now));
      return await revoker.end(session, { kind: "profile", id: profileId }, now);
    },
  };
}

/** An administrator's role waits again, for the next who links the profile. */
const invitedIfAdministrators = (now: Instant) => ({
  $cond: [{ $gt: ["$adminRole", null] }, { $literal: at(now) }, null],
});

interface Attempt {
  requestId: string;
  secretHash: SecretHash;
}

export function createLinkStore(
  database: MongoDatabase,
  encryption: FieldEncryption,
  parts: LinkParts,
): LinkStore {
  const { audit, requests, queueMail, bindings, roles, owners } = parts;
  const { linkRequests, identities, profiles } = database.collections;

  const view = async (
    { requestId, secretHash }: Attempt,
    session?: ClientSession,
  ): Promise<LinkView | undefined> => {
    const [found] = await linkRequests
      .aggregate<LinkRequestDocument & MembershipDocument>(
        [{ $match: { _id: requestId, secretHash } }, ...withMembershipStages],
        session === undefined ? {} : { session },
      )
      .toArray();
    if (found === undefined) return undefined;
    const { profile, organization, ...request } = found;
    return { request: toLinkRequest(request), membership: toMembership({ profile, organization }) };
  };

  const owns = async (session: ClientSession, { issuer, subject }: SignedInIdentity, accountId: AccountId) =>
    (await identities.findOne({ issuer, subject }, { session }))?.accountId === accountId;

  /** Settles a pending, unexpired request. False if a condition fails. */
  const settle = async (
    session: ClientSession,
    { requestId, secretHash }: Attempt,
    state: "bound" | "cancelled",
    now: Instant,
  ) => {
    const { modifiedCount } = await linkRequests.updateOne(
      { _id: requestId, secretHash, state: "pending", expiresAt: { $gt: at(now) } },
      { $set: { state, settledAt: at(now) } },
      { session },
    );
    return modifiedCount === 1;
  };

  return {
    ...createInquiryMethods(database, encryption, parts),

    view: (requestId, secretHash) => database.run(() => view({ requestId, secretHash })),

    // All is read and written at one instant: whoever disables, edits, binds or voids meanwhile writes the
    // request or the profile, too, so that one of the two transactions is run again.
    redeem: (attempt, notice, now) =>
      database.transaction(async (session) => {
        const { identity, accountId } = attempt;
        assertComparable(identity);
        const seen = await view(attempt, session);
        if (seen === undefined) return { result: "unknown" };
        const holds = isFor(seen, identity) && (await owns(session, identity, accountId));
        if (!holds || !(await settle(session, attempt, "bound", now))) return { result: "refused", ...seen };
        const { id: profileId, emailVersion } = seen.membership.profile;
        await roles.lapse(session, profileId, now);
        const bound = { accountId, boundAt: at(now), provenEmailVersion: emailVersion, invitedAt: null };
        const profile = await profiles.findOneAndUpdate(
          { _id: profileId, accountId: null },
          { $set: bound },
          { session, returnDocument: "after" },
        );
        if (profile === null) throw new Error("a consumed link found its profile bound");
        await requests.voidProfile(session, profileId, now);
        const membership = { ...seen.membership, profile: toProfile(profile) };
        await audit(session, profileBound(attempt, membership.profile, now));
        await queueMail(session, linkedNotice(notice, membership, identity, now), now);
        if (isAdministrators(membership)) {
          const told = { owners: await owners.all(session), linkedAt: now };
          for (const mail of ownersNotices(notice, membership, identity, told))
            await queueMail(session, mail, now);
        }
        return { result: "bound", membership };
      }),

    cancel: (attempt, now) =>
      database.transaction(async (session) => {
        const isCancelled = await settle(session, attempt, "cancelled", now);
        const seen = await view(attempt, session);
        if (seen === undefined) return { result: "unknown" };
        if (!isCancelled) return { result: "refused", ...seen };
        await audit(session, linkCancelled(attempt, seen.membership.profile, now));
        return { result: "cancelled", ...seen };
      }),

    unbind: (profileId, actor, now, onlyFrom) =>
      database.transaction((session) => bindings.unbind(session, profileId, actor, now, onlyFrom)),
  };
}

/**
 * Whether the request is this identity's, byte for byte, and its profile still as it was when it was made.
 */
function isFor(
  { request, membership }: LinkView,
  { issuer, subject, upstreamId }: SignedInIdentity,
): boolean {
  const { requester, purpose, emailVersion } = request;
  const { profile, organization } = membership;
  return (
    purpose === "link_profile" &&
    requester.issuer === issuer &&
    requester.subject === subject &&
    requester.upstreamId === upstreamId &&
    profile.emailVersion === emailVersion &&
    profile.enabled &&
    organization.enabled &&
    profile.accountId === null
  );
}
