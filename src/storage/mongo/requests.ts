/**
 * Link requests in MongoDB, and every transition of their states but `bound` and `cancelled`, which are
 * links.ts's.
 */

import type { ClientSession } from "mongodb";
import type { Instant } from "../../clock.ts";
import { asLinkRequestId } from "../../domain/ids.ts";
import type { LinkRequestId, OrganizationId, ProfileId } from "../../domain/records.ts";
import type { NewLink } from "../contract.ts";
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
  /** Those of them that wait for proof, and haven't lapsed. */
  pending(
    session: ClientSession,
    requestIds: readonly LinkRequestId[],
    now: Instant,
  ): Promise<ReadonlySet<LinkRequestId>>;
  /** Starts the lives of those of them that are pending, and says which these are. Of no transaction. */
  startLives(requestIds: readonly LinkRequestId[], expiresAt: Instant): Promise<ReadonlySet<LinkRequestId>>;
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
    async pending(session, requestIds, now) {
      if (requestIds.length === 0) return new Set();
      const isPending = {
        _id: { $in: [...requestIds] },
        state: "pending",
        expiresAt: { $gt: at(now) },
      } as const;
      const found = await linkRequests.find(isPending, { session, projection: { _id: 1 } }).toArray();
      return new Set(found.map(({ _id }) => asLinkRequestId(_id)));
    },
    async startLives(requestIds, expiresAt) {
      if (requestIds.length === 0) return new Set();
      const isPending = { _id: { $in: [...requestIds] }, state: "pending" } as const;
      const { matchedCount } = await linkRequests.updateMany(isPending, {
        $set: { expiresAt: at(expiresAt) },
      });
      if (matchedCount === requestIds.length) return new Set(requestIds);
      const found = await linkRequests.find(isPending, { projection: { _id: 1 } }).toArray();
      return new Set(found.map(({ _id }) => asLinkRequestId(_id)));
    },
  };
}
