/**
 * The life of an invitation: a role that was given to a profile which nobody has linked. However it was given
 * (an invitation, a changed role, an unlinked administrator), it lapses after a week, so that no mailbox that
 * somebody comes to control later makes them an administrator. Pure, and the same for every back end.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { AdminRole, Profile } from "./records.ts";

/** How long a role waits for its profile to be linked, in milliseconds. */
export const INVITATION_LIFE_MS: Milliseconds = 7 * 24 * 3_600_000;

/** Since when a role waits: from `now` on, unless the profile is linked or has none. */
export function invitedSince(
  { accountId }: Pick<Profile, "accountId">,
  adminRole: AdminRole | null,
  now: Instant,
): Instant | null {
  return adminRole !== null && accountId === null ? now : null;
}

/**
 * Whether a profile's role has waited too long, swept or not. It is taken away then, by whoever finds it so
 * first: the worker, or the redemption of a link, which binds the profile as one without a role. The last
 * owner keeps theirs, or the service would be nobody's: whether another is left is the caller's to ask.
 */
export function hasLapsed({ adminRole, accountId, invitedAt }: Profile, now: Instant): boolean {
  return adminRole !== null && accountId === null && invitedAt !== null && invitedAt <= lapsedUntil(now);
}

/** Invitations made at this instant or before have lapsed. */
export const lapsedUntil = (now: Instant): Instant => now - INVITATION_LIFE_MS;
