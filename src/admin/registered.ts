/** Reads whoever is registered under an address, part by part: there may be very many. */

import { setImmediate } from "node:timers/promises";
import type { Membership, ProfileId } from "../domain/records.ts";
import type { DirectoryStore } from "../storage/contract.ts";

/** How many are read at a time. */
const PART = 100;

/**
 * The profiles under an address key, by id. Between two parts others get the event loop: an await on SQLite
 * lets nobody in.
 */
export async function* registeredUnder(
  directory: Pick<DirectoryStore, "membershipsByEmail">,
  emailKey: string,
): AsyncGenerator<Membership[]> {
  let after: ProfileId | null = null;
  do {
    const part: Membership[] = await directory.membershipsByEmail(emailKey, { after, limit: PART });
    yield part;
    after = part.length < PART ? null : (part.at(-1)?.profile.id ?? null);
    if (after !== null) await setImmediate();
  } while (after !== null);
}
