/**
 * Endings of many grants in MongoDB: the count by which every read of a selection sees that it stands no
 * more, written in the transaction of whatever ends them. Those whose rows are still there are a queue,
 * which is ended-rows.ts's.
 */

import type { ClientSession, Document } from "mongodb";
import type { Instant } from "../../clock.ts";
import { type Ending, endingKey } from "../../domain/endings.ts";
import { CONSOLE_CLIENT_ID } from "../../domain/records.ts";
import type { MongoDatabase } from "./database.ts";
import { at } from "./documents.ts";

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
export const standsStages: readonly Document[] = [
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

/** Writes endings, inside the transaction of whatever ends something. */
export interface EndingWriter {
  /** Counts it: all that was selected under it before stands no more. */
  count(session: ClientSession, ending: Ending, now: Instant): Promise<void>;
  /** Counts it, and has the rows removed in the background, from the first on. */
  begin(session: ClientSession, ending: Ending, now: Instant): Promise<void>;
}

export function createEndingWriter({ collections }: MongoDatabase): EndingWriter {
  const { endings } = collections;
  return {
    async count(session, ending, now) {
      const first = { dueAt: null, place: "", leaseWorker: null };
      const update = { $inc: { count: 1 }, $set: { endedAt: at(now) }, $setOnInsert: first };
      await endings.updateOne({ _id: endingKey(ending) }, update, { session, upsert: true });
    },
    async begin(session, ending, now) {
      const again = { endedAt: at(now), dueAt: at(now), place: "", leaseWorker: null };
      await endings.updateOne(
        { _id: endingKey(ending) },
        { $inc: { count: 1 }, $set: again },
        { session, upsert: true },
      );
    },
  };
}
