/**
 * Whether a selection stands, as stages: by the count of endings that it is under (domain/endings.ts). Hot
 * reads ask it in their own pipeline; whoever isn't one asks intentions/endings.ts.
 */

import type { Document } from "mongodb";
import type { Ending } from "../../domain/endings.ts";
import { CONSOLE_CLIENT_ID } from "../../domain/records.ts";

const key = (kind: Ending["kind"], id: string) => ({ $concat: [`${kind}:`, id] });
const keys = [
  key("client", "$clientId"),
  key("organization", "$organizationId"),
  key("profile", "$profileId"),
  key("session", "$sessionUid"),
];
const ofConsole = [key("organization_console", "$organizationId"), key("profile_console", "$profileId")];
const isConsole = { $eq: ["$clientId", CONSOLE_CLIENT_ID] };
// A broker of the version before leaves the number out.
const stands = { $eq: [{ $ifNull: ["$endings", 0] }, { $sum: "$ended.count" }] };

/**
 * Stages that leave those selections alone which nothing has ended since they were made. Whatever reads
 * selections for somebody goes through them.
 */
export const standingStages: readonly Document[] = [
  { $set: { endingKeys: { $concatArrays: [keys, { $cond: [isConsole, ofConsole, []] }] } } },
  { $lookup: { from: "endings", localField: "endingKeys", foreignField: "_id", as: "ended" } },
  { $set: { stands } },
  { $unset: ["endingKeys", "ended"] },
  { $match: { stands: true } },
  { $unset: "stands" },
];
