/**
 * Revocation of many grants at once: what an ending of a client, an organization or a profile is called,
 * which endings a grant is under, and what goes at once. Pure, and the same for every back end.
 *
 * An ending is decided by one small write: it is counted under its key. A selection is stored with the number
 * of endings that its keys had by then, and stands while that is their number still. Nobody's clock is asked,
 * and whoever was selecting meanwhile is ended, too. The rows go in the background.
 */

import type { GrantId } from "./records.ts";

/**
 * What is ended. A selection is under the endings of its client, its profile and organization, and its
 * session. `…_console`: the sign-ins to the administration's pages alone. `grant`: what is left of the tokens
 * of a grant that is gone already.
 */
export interface Ending {
  kind:
    | "client"
    | "organization"
    | "profile"
    | "organization_console"
    | "profile_console"
    | "session"
    | "grant";
  id: string;
}

/** How many grants go in the transaction that ends them. Of more, all go in the background. */
export const MOST_AT_ONCE = 50;

/** How many tokens of one grant go in the transaction that removes it. */
export const MOST_OF_FAMILY = 100;

export const endingKey = ({ kind, id }: Ending): string => `${kind}:${id}`;

export function endingOf(key: string): Ending {
  const end = key.indexOf(":");
  return { kind: key.slice(0, end) as Ending["kind"], id: key.slice(end + 1) };
}

/**
 * Whether portals are told: not those of a client that is gone, and of a session they are told when it ends.
 */
export const tellsPortals = ({ kind }: Ending): boolean => kind !== "client" && kind !== "session";

/**
 * Whether its count stays when its rows are gone. Of a session's and a grant's it isn't: their ids are
 * never used again, so that there is nothing which could come back.
 */
export const isCountPermanent = ({ kind }: Ending): boolean => kind !== "session" && kind !== "grant";

/** An ending whose rows are being removed by a worker. */
export interface ClaimedEnding {
  key: string;
}

/**
 * What removing a part of an ending's rows came to. more: there are others · done: they are gone · lost:
 * another worker has it, or it was ended anew; nothing was removed.
 */
export type RemovedPart = { result: "more" | "done"; grants: GrantId[] } | { result: "lost" };
