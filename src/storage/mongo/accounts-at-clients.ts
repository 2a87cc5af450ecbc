/**
 * Selections and remembered choices in MongoDB, and the two reads that every decision about an account or a
 * grant rests on. Each read is one aggregation: operations on the store are what this service costs.
 */

import { type ClientSession, ObjectId } from "mongodb";
import type { GrantId, OrganizationId } from "../../domain/ids.ts";
import type { Selection } from "../../domain/records.ts";
import { planSelection } from "../../domain/selecting.ts";
import type { AccountAtClientStore } from "../contract.ts";
import { toIdentity } from "../intentions/accounts.ts";
import { toSelection } from "../intentions/listings.ts";
import { revokeGrants } from "../intentions/revoking.ts";
import { identities, selections as selectionTable } from "../tables.ts";
import type { MongoDatabase } from "./database.ts";
import { at, type Documents, type SelectionDocument } from "./documents.ts";
import { endingStages, numberOfEndings, standingStages } from "./endings.ts";
import { type MongoEngine, toRow } from "./engine.ts";
import {
  type MembershipDocument,
  toMembership,
  toMembershipStages,
  withMembershipStages,
} from "./memberships.ts";
import type { Pipeline } from "./typed-collection.ts";

/** What selecting a profile reads of it. */
interface SelectingDocument {
  organizationId: OrganizationId;
  /** The selections of the session at the client that stand. */
  current: SelectionDocument[];
  /** How many endings the new selection is under. */
  endings: number;
}

/** One read of a bound profile, for a selection of it. */
function selectingStages({
  profileId,
  accountId,
  sessionUid,
  clientId,
}: Selection): Pipeline<Documents["profiles"]> {
  const literal = (value: string) => ({ $literal: value });
  return [
    { $match: { _id: profileId, accountId } },
    {
      $lookup: {
        from: "selections",
        pipeline: [{ $match: { sessionUid, clientId } }, ...standingStages],
        as: "current",
      },
    },
    ...endingStages({
      client: literal(clientId),
      organization: "$organizationId",
      profile: "$_id",
      session: literal(sessionUid),
    }),
    { $project: { organizationId: 1, current: 1, endings: numberOfEndings } },
  ];
}

const selectionOf = (document: SelectionDocument) => toSelection(toRow(selectionTable, document));

interface AccountAtClientDocument {
  memberships: MembershipDocument[];
  current: SelectionDocument[];
  remembered: Documents["rememberedChoices"][];
  identity: Documents["identities"][];
}

export function createAccountAtClientStore(
  database: MongoDatabase,
  engine: MongoEngine,
): AccountAtClientStore {
  const { accounts, profiles, selections, rememberedChoices } = database.collections;

  const remember = async (session: ClientSession, { accountId, clientId, profileId }: Selection) => {
    const known = await rememberedChoices.findOne({ accountId, clientId }, { session });
    if (known?.profileId === profileId) return;
    await rememberedChoices.updateOne(
      { accountId, clientId },
      { $set: { profileId }, $setOnInsert: { _id: new ObjectId() } },
      { session, upsert: true },
    );
  };

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

    select: (selection, now, { remember: isRemembered = true, byHand = true } = {}) =>
      database.transaction(async (session) => {
        const { grantId, sessionUid, clientId, profileId } = selection;
        const [found] = await profiles
          .aggregate<SelectingDocument>(selectingStages(selection), { session })
          .toArray();
        if (found === undefined) return undefined;
        const current = found.current.map((one) => ({
          selection: selectionOf(one),
          replacedBy: one.replacedBy ?? null,
        }));
        const plan = planSelection(selection, current, now, { byHand });
        if (plan.kind === "other_selected") return undefined;
        if (isRemembered) await remember(session, selection);
        if (plan.kind === "unchanged") return { grantId: plan.grantId, revokedGrants: [] };
        // Whoever unbinds or disables the profile meanwhile must see this selection: that is decided by the
        // profile.
        await profiles.updateOne({ _id: profileId }, { $inc: { selections: 1 } }, { session });
        await engine.drive(session, revokeGrants(plan.ended));
        await selections.updateMany({ sessionUid, clientId }, { $set: { replacedBy: grantId } }, { session });
        const { accountId, expiresAt } = selection;
        const { organizationId, endings } = found;
        const ids = { _id: grantId, sessionUid, clientId, accountId, profileId, organizationId };
        const made = { ...ids, expiresAt: at(expiresAt), replacedBy: null, endings };
        await selections.insertOne(made, { session });
        return { grantId, revokedGrants: plan.revoked };
      }),
  };
}
