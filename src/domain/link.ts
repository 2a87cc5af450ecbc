/**
 * The rules of a link's life: whether a request can still bind its profile, why not, and what an inquiry is
 * answered. Whether it *does* bind is decided by the store's conditional write; these rules explain and never
 * decide that.
 */

import type { Instant } from "../clock.ts";
import { unreachable } from "../errors.ts";
import type { AccountId, IdentityKey, LinkRequest, Membership, SignedInIdentity } from "./records.ts";

/** Why a link binds nothing any more. */
export type LinkDeadReason =
  | "used"
  | "cancelled"
  | "superseded"
  | "expired"
  | "email_changed"
  | "not_active"
  | "bound_to_you"
  | "bound_elsewhere";

export type LinkVerdict = { alive: true } | { alive: false; reason: LinkDeadReason };

/** What a time line tells of an inquiry and its links, in words that scripts may rely on. */
export const TIMELINE_WORDS = [
  "asked",
  "held",
  "dismissed",
  "matched",
  "requested",
  "mail_held",
  "mail_carried",
  "mail_released",
  "mail_sent",
  "mail_deferred",
  "mail_failed",
  "mail_dropped",
  "mail_bounced",
  "mail_resent",
  "opened",
  "reauthenticated",
  "bound",
  "refused",
  "cancelled",
  "superseded",
  "void",
  "expired",
] as const;
export type TimelineWhat = (typeof TIMELINE_WORDS)[number];

/** What the worker does for one profile that an inquiry's address matched. */
export type InquiryAnswer = "link" | "already_linked" | "linked_elsewhere" | "not_active";

/** Letters of a mailed secret: 256 bits in base64url. */
const SECRET_LENGTH = 43;

/**
 * The secret in what stands at the end of a mailed link's address, where mail programs and people leave
 * something behind it (`>`, a full stop, a blank) or in it (the `=` and the line break of quoted-printable).
 * Undefined where letters are missing or there are more.
 */
export function mailedSecret(text: string): string | undefined {
  const [whole] = /^[\w-]*/.exec(text) ?? [""];
  const secret = whole.length === SECRET_LENGTH ? whole : text.replace(/[^\w-]+/g, "");
  return secret.length === SECRET_LENGTH ? secret : undefined;
}

/**
 * Judges a link request against its profile as both stand now. `viewer` is the account that *you* in
 * `bound_to_you` means: the requesting one, unless the person signed in with another.
 *
 * Where several reasons hold, the one that tells the person most wins: what somebody did to this very
 * request, then its age, then what became of its profile.
 */
export function judgeLink(
  request: LinkRequest,
  membership: Membership,
  now: Instant,
  viewer: AccountId = request.requester.accountId,
): LinkVerdict {
  const reason = deadReason(request, membership, now, viewer);
  return reason === undefined ? { alive: true } : { alive: false, reason };
}

/** Whether two identities are the same: issuer and subject byte for byte, and neither of them empty. */
export function sameIdentity(one: IdentityKey, other: IdentityKey): boolean {
  return (
    isPresent(one.issuer) &&
    isPresent(one.subject) &&
    one.issuer === other.issuer &&
    one.subject === other.subject
  );
}

/**
 * Whether a request is this identity's, byte for byte, and its profile still as it was when it was made: what
 * redeeming rests on besides the request's own state.
 */
export function isFor(
  { requester, purpose, emailVersion }: LinkRequest,
  membership: Membership,
  { issuer, subject, upstreamId }: Pick<SignedInIdentity, "issuer" | "subject" | "upstreamId">,
): boolean {
  const { profile } = membership;
  return (
    purpose === "link_profile" &&
    requester.issuer === issuer &&
    requester.subject === subject &&
    requester.upstreamId === upstreamId &&
    profile.emailVersion === emailVersion &&
    isActive(membership) &&
    profile.accountId === null
  );
}

/**
 * How an inquiry of this account is answered for one profile at the typed address. A profile that is switched
 * off is answered so, bound or not: that is what keeps the person out.
 */
export function answerInquiry(membership: Membership, accountId: AccountId): InquiryAnswer {
  if (!isActive(membership)) return "not_active";
  if (membership.profile.accountId === null) return "link";
  return membership.profile.accountId === accountId ? "already_linked" : "linked_elsewhere";
}

/** Whether a request bound its profile, and that still is whom it bound it to. */
export function isRedeemed({ state, requester }: LinkRequest, { profile }: Membership): boolean {
  switch (state) {
    case "bound":
      return profile.accountId === requester.accountId;
    case "pending":
    case "cancelled":
    case "superseded":
    case "void":
      return false;
    default:
      return unreachable(state);
  }
}

/** The end of a request, as the time line tells it; nothing where an audit event says so, and who did it. */
export function endOf(
  { state, expiresAt, settledAt }: LinkRequest,
  now: Instant,
): { at: Instant; what: TimelineWhat } | undefined {
  switch (state) {
    case "pending":
      return now >= expiresAt ? { at: expiresAt, what: "expired" } : undefined;
    case "superseded":
    case "void":
      return settledAt === null ? undefined : { at: settledAt, what: state };
    case "bound":
    case "cancelled":
      return undefined;
    default:
      return unreachable(state);
  }
}

function deadReason(
  request: LinkRequest,
  membership: Membership,
  now: Instant,
  viewer: AccountId,
): LinkDeadReason | undefined {
  switch (request.state) {
    case "bound":
      return "used";
    case "cancelled":
      return "cancelled";
    case "superseded":
      return "superseded";
    case "pending":
      return now >= request.expiresAt ? "expired" : reasonOfProfile(request, membership, viewer);
    case "void":
      // Where its profile is as it was, that was linked and unlinked meanwhile. Nothing is left to say but
      // that its time is over.
      return reasonOfProfile(request, membership, viewer) ?? "expired";
    default:
      return unreachable(request.state);
  }
}

function reasonOfProfile(
  request: LinkRequest,
  membership: Membership,
  viewer: AccountId,
): LinkDeadReason | undefined {
  const { profile } = membership;
  if (profile.emailVersion !== request.emailVersion) return "email_changed";
  if (!isActive(membership)) return "not_active";
  if (profile.accountId === null) return undefined;
  return profile.accountId === viewer ? "bound_to_you" : "bound_elsewhere";
}

function isActive(membership: Membership): boolean {
  return membership.profile.enabled && membership.organization.enabled;
}

/**
 * Types say that these are strings; a row or a token read wrongly may say otherwise (CVE-2025-7365's kind of
 * mistake).
 */
function isPresent(value: unknown): boolean {
  return typeof value === "string" && value.length > 0;
}
