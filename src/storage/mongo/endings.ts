/**
 * Whether a selection stands, as stages: by the count of endings that it is under (domain/endings.ts). Hot
 * reads ask it in their own pipeline; whoever isn't one asks intentions/endings.ts.
 */

import type { Document } from "mongodb";
import type { Ending } from "../../domain/endings.ts";
import { CONSOLE_CLIENT_ID } from "../../domain/records.ts";

/**
 * Stages that add to documents, as `ended`, the endings that a selection is under whose fields these
 * expressions give.
 */
export function endingStages(of: {
  client: unknown;
  organization: unknown;
  profile: unknown;
  session: unknown;
}) {
  const key = (kind: Ending["kind"], id: unknown) => ({ $concat: [`${kind}:`, id] });
  const keys = [key("client", of.client), key("organization", of.organization), key("profile", of.profile)];
  const ofConsole = [key("organization_console", of.organization), key("profile_console", of.profile)];
  const isConsole = { $eq: [of.client, CONSOLE_CLIENT_ID] };
  const all = [...keys, key("session", of.session)];
  return [
    { $set: { endingKeys: { $concatArrays: [all, { $cond: [isConsole, ofConsole, []] }] } } },
    { $lookup: { from: "endings", localField: "endingKeys", foreignField: "_id", as: "ended" } },
  ] satisfies Document[];
}

/** How many endings there are among the documents that endingStages() added. */
export const numberOfEndings = { $sum: "$ended.count" };

/** Stages that add `stands` to selections: whether nothing has ended them since they were made. */
const standsStages: readonly Document[] = [
  ...endingStages({
    client: "$clientId",
    organization: "$organizationId",
    profile: "$profileId",
    session: "$sessionUid",
  }),
  // A broker of the version before leaves the number out.
  { $set: { stands: { $eq: [{ $ifNull: ["$endings", 0] }, numberOfEndings] } } },
  { $unset: ["endingKeys", "ended"] },
];

/**
 * Stages that leave those selections alone which stand. Whatever reads selections for somebody goes through
 * them.
 */
export const standingStages: readonly Document[] = [
  ...standsStages,
  { $match: { stands: true } },
  { $unset: "stands" },
];
