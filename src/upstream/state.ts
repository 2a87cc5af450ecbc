/** The `state` of a sign-in at an upstream: made of random characters and a tag of its browser's secret. */

import type { SecretHash } from "../domain/records.ts";
import { randomSecret } from "../domain/secrets.ts";

/** Characters of a state that name its browser's secret; the others are random: 186 bits. */
const TAG_LENGTH = 12;

/** What tells a browser's secrets apart: the beginning of the SHA-256, which no state keeps secret. */
export function tagOf(browserHash: SecretHash): string {
  return browserHash.slice(0, TAG_LENGTH);
}

/**
 * A new state, which says by which of its browser's secrets the sign-in is bound: a callback has to look at
 * one alone.
 */
export function newState(browserHash: SecretHash): string {
  return randomSecret().slice(TAG_LENGTH) + tagOf(browserHash);
}

/** The tag of the secret that a sign-in of this state was begun with. */
export function tagIn(state: string): string {
  return state.slice(-TAG_LENGTH);
}

/** The `state` of a callback. */
export function stateOf(url: URL): string | undefined {
  const [state, ...others] = url.searchParams.getAll("state");
  return state === "" || others.length > 0 ? undefined : state;
}
