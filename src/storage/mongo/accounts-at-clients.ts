/**
 * The two reads that every decision about an account or a grant rests on, in MongoDB. Each is one
 * aggregation: operations on the store are what this service costs.
 */

import type { GrantId } from "../../domain/ids.ts";
import type { AccountAtClientStore } from "../contract.ts";
import { toIdentity } from "../intentions/accounts.ts";
import { toSelection } from "../intentions/listings.ts";
import { identities, selections as selectionTable } from "../tables.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type Documents, type SelectionDocument } from "./documents.ts";
import { standingStages } from "./endings.ts";
import { toRow } from "./engine.ts";
import {
  type MembershipDocument,
  toMembership,
  toMembershipStages,
  withMembershipStages,
} from "./memberships.ts";

const selectionOf = (document: SelectionDocument) => toSelection(toRow(selectionTable, document));

interface AccountAtClientDocument {
  memberships: MembershipDocument[];
  current: SelectionDocument[];
  remembered: Documents["rememberedChoices"][];
  identity: Documents["identities"][];
}

export function createAccountAtClientStore(database: MongoDatabase): Omit<AccountAtClientStore, "select"> {
  const { accounts, selections } = database.collections;

  return {
    forClient: (accountId, clientId, sessionUid, now) =>
      database.run(async () => {
        const [found] = await accounts
          .aggregate<AccountAtClientDocument>([
            { $match: { _id: accountId } },
            {
              $lookup: {
                from: "profiles",
                pipeline: [{ $match: { accountId } }, { $sort: { _id: 1 } }, ...toMembershipStages],
                as: "memberships",
              },
            },
            {
              $lookup: {
                from: "selections",
                pipeline: [
                  { $match: { sessionUid, clientId, accountId, expiresAt: { $gt: at(now) } } },
                  // Null comes before every id: which no other replaced, or else the newest.
                  { $sort: { replacedBy: 1, expiresAt: -1, _id: -1 } },
                  ...standingStages,
                  { $limit: 1 },
                ],
                as: "current",
              },
            },
            {
              $lookup: {
                from: "rememberedChoices",
                pipeline: [{ $match: { accountId, clientId } }],
                as: "remembered",
              },
            },
            {
              $lookup: {
                from: "identities",
                pipeline: [
                  { $match: { accountId } },
                  { $sort: { lastSignInAt: -1, _id: -1 } },
                  { $limit: 1 },
                ],
                as: "identity",
              },
            },
          ])
          .toArray();
        if (found === undefined) return undefined;
        const [current] = found.current;
        const [identity] = found.identity;
        return {
          accountId,
          memberships: found.memberships.map(toMembership),
          current: current === undefined ? null : selectionOf(current),
          rememberedProfileId: found.remembered[0]?.profileId ?? null,
          identity: identity === undefined ? null : toIdentity(toRow(identities, identity)),
        };
      }),

    forGrant: (grantId, now) =>
      database.run(async () => {
        const [found] = await selections
          .aggregate<SelectionDocument & MembershipDocument & { replaces: { _id: GrantId }[] }>([
            { $match: { _id: grantId, expiresAt: { $gt: at(now) } } },
            ...standingStages,
            ...withMembershipStages,
            {
              $lookup: {
                from: "selections",
                pipeline: [{ $match: { replacedBy: grantId } }, { $project: { _id: 1 } }],
                as: "replaces",
              },
            },
          ])
          .toArray();
        if (found === undefined || found.profile.accountId !== found.accountId) return undefined;
        const { profile, organization, replaces, ...selection } = found;
        return {
          selection: selectionOf(selection),
          membership: toMembership({ profile, organization }),
          replaces: replaces.map(({ _id }) => _id),
        };
      }),
  };
}
