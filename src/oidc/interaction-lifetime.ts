/**
 * How long interactions are kept. One that an authorization request has just made goes soon unless a browser
 * opens its page, so that whoever floods the endpoint keeps little in the store. One whose page was opened is
 * kept for an hour from then, and from each sign-in that is begun there. Once somebody has signed in it is
 * kept for its whole life and a grace beyond it, in which the page still says why it ended, and which portal
 * it was for.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import { hashSecret } from "../domain/secrets.ts";
import type { ArtifactExtension } from "../storage/contract.ts";

/**
 * For how long it waits for the browser to follow the redirect, in milliseconds. Browsers do at once; the
 * rest is for people who are told to come back first, by whichever limit: those end within five minutes.
 */
const unopenedMs: Milliseconds = 600_000;
const graceMs: Milliseconds = 3_600_000;

/** Until when one is kept that lives until `endsAt`. */
export function interactionExpiresAt(
  endsAt: Instant,
  { isOpened, now }: { isOpened: boolean; now: Instant },
): Instant {
  return isOpened ? endsAt + graceMs : Math.min(endsAt, now + unopenedMs);
}

/**
 * What to tell the store once the page of one is opened, or a sign-in begun there: one that lives for so many
 * seconds more, and whose browser somebody is signed in with, or nobody yet.
 */
export function openedInteraction(
  uid: string,
  { secondsLeft, isSignedIn }: { secondsLeft: number; isSignedIn: boolean },
  now: Instant,
): ArtifactExtension {
  const most = interactionExpiresAt(now + secondsLeft * 1000, { isOpened: true, now });
  return {
    model: "Interaction",
    idHash: hashSecret(uid),
    until: isSignedIn ? most : Math.min(most, now + graceMs),
  };
}
