/**
 * Succession of selections in MongoDB: what becomes of those that a grant replaced once that grant is gone,
 * inside the transaction that removes it.
 */

import type { ClientSession } from "mongodb";
import type { GrantId } from "../../domain/records.ts";
import { signInKey } from "../../domain/selecting.ts";
import type { Collections } from "./documents.ts";

/**
 * Points what removed selections had replaced at the current one of its sign-in; where none is left, the
 * newest becomes that. All that goes must be gone before: each of the others is then written once, however
 * many go.
 */
export async function succeed(
  { selections }: Collections,
  session: ClientSession,
  gone: readonly GrantId[],
): Promise<void> {
  const left = await selections
    .find({ replacedBy: { $in: [...gone] } }, { session })
    .sort({ expiresAt: -1, _id: -1 })
    .toArray();
  if (left.length === 0) return;
  const sessionUids = [...new Set(left.map(({ sessionUid }) => sessionUid))];
  const current = await selections
    .find({ sessionUid: { $in: sessionUids }, replacedBy: null }, { session })
    .toArray();
  const heirs = new Map(current.map((one) => [signInKey(one), one._id]));
  const promoted: GrantId[] = [];
  const followers = new Map<GrantId, GrantId[]>();
  for (const one of left) {
    const heir = heirs.get(signInKey(one));
    if (heir === undefined) {
      heirs.set(signInKey(one), one._id);
      promoted.push(one._id);
    } else {
      const ids = followers.get(heir) ?? [];
      ids.push(one._id);
      followers.set(heir, ids);
    }
  }
  await selections.updateMany({ _id: { $in: promoted } }, { $set: { replacedBy: null } }, { session });
  if (followers.size === 0) return;
  await selections.bulkWrite(
    [...followers].map(([replacedBy, ids]) => {
      return { updateMany: { filter: { _id: { $in: ids } }, update: { $set: { replacedBy } } } };
    }),
    { session },
  );
}
