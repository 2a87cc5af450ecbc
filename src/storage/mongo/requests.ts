/** Owns the link requests' states: every transition but `bound` and `cancelled`, which are links.ts's. */

import type { ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import type { NewLink } from "../contract.ts";
import type { LinkRequestId, OrganizationId, ProfileId } from "../records.ts";
import type { MongoDatabase } from "./database.ts";
import { at, toDocument } from "./documents.ts";

/** Writes link requests inside the transaction of their cause. */
export interface RequestWriter {
  /** Inserts a pending request; an older pending one of the same identity and profile is superseded. */
  insert(
    session: ClientSession,
    request: NewLink["request"],
    organizationId: OrganizationId,
    now: Instant,
  ): Promise<void>;
  /** Voids every pending request for a profile. */
  voidProfile(session: ClientSession, profileId: ProfileId, now: Instant): Promise<void>;
  /** Voids every pending request for the profiles of an organization. */
  voidOrganization(session: ClientSession, organizationId: OrganizationId, now: Instant): Promise<void>;
  isPending(session: ClientSession, requestId: LinkRequestId): Promise<boolean>;
  /** Starts the life of a pending request. False if it is pending no more. One write, of no transaction. */
  startLife(requestId: LinkRequestId, expiresAt: Instant): Promise<boolean>;
}

export function createRequestWriter({ collections }: MongoDatabase): RequestWriter {
  const { linkRequests } = collections;
  const settle = (state: "superseded" | "void", now: Instant) => ({ $set: { state, settledAt: at(now) } });

  return {
    async insert(session, request, organizationId, now) {
      const { profileId, requester } = request;
      const { issuer, subject } = requester;
      await linkRequests.updateMany(
        { profileId, "requester.issuer": issuer, "requester.subject": subject, state: "pending" },
        settle("superseded", now),
        { session },
      );
      const pending = { ...request, organizationId, state: "pending", settledAt: null } as const;
      await linkRequests.insertOne(toDocument(pending), { session });
    },
    async voidProfile(session, profileId, now) {
      await linkRequests.updateMany({ profileId, state: "pending" }, settle("void", now), { session });
    },
    async voidOrganization(session, organizationId, now) {
      await linkRequests.updateMany({ organizationId, state: "pending" }, settle("void", now), { session });
    },
    async isPending(session, requestId) {
      return (await linkRequests.findOne({ _id: requestId, state: "pending" }, { session })) !== null;
    },
    async startLife(requestId, expiresAt) {
      const { matchedCount } = await linkRequests.updateOne(
        { _id: requestId, state: "pending" },
        { $set: { expiresAt: at(expiresAt) } },
      );
      return matchedCount === 1;
    },
  };
}
