/**
 * What each page is given. Typed data only: no request, no store, no upstream client. The pages themselves
 * are pure functions in pages/; http/ fills these and is the only caller.
 */

import type { Instant, Seconds } from "../clock.ts";
import type { ends } from "./messages/en-ends.ts";

/** What is the same on every page of one deployment. Made once at start. */
export interface Site {
  /** The deployment's own name, such as "Contoso sign-in". */
  name: string;
  /** Path prefix of every URL of ours: "" or "/auth". */
  basePath: string;
  support: Contact;
  /** IANA name; times are shown in it, with the zone named. */
  timeZone: string;
  locale: string;
  /** Those that may be named to anybody. */
  portals: PortalView[];
  upstreams: UpstreamView[];
}

export interface Contact {
  email: string;
  /** A page or form to write to instead, if there is one. */
  url: string | null;
  phone: string | null;
}

export interface PortalView {
  id: string;
  name: string;
  homeUrl: string;
  aboutUrl: string | null;
}

export interface UpstreamView {
  id: string;
  name: string;
  aboutUrl: string | null;
  createAccountUrl: string | null;
  forgotPasswordUrl: string | null;
  support: { email: string | null; url: string | null };
}

/** Whose session a page speaks in: *signed in as WHO at UPSTREAM*, with the way out. */
export interface SignedInAs {
  who: string;
  upstreamName: string;
  /** POST target of *use another account*, or null where there is none to offer. */
  useAnotherAction: string | null;
}

export interface Form {
  action: string;
  csrfToken: string;
  /** What makes it come true once, however often it is sent. */
  once?: string;
}

/** One entry of GOV.UK's error summary: links to the field. */
export interface FieldError {
  field: string;
  message: FieldErrorCode;
}
export type FieldErrorCode =
  | "email_missing"
  | "email_format"
  | "email_plain"
  | "profile_missing"
  | "name_missing"
  | "organization_missing";

export interface MembershipView {
  profileId: string;
  profileName: string;
  organizationName: string;
  accountNumber: string;
  kind: "customer" | "partner" | "operator";
}

/** Sign in: choose an upstream. One thing: one button an upstream. */
export interface SignInPage {
  portal: PortalView | null;
  form: Form;
  /**
   * Shown when an upstream sign-in has just failed or been cancelled, or somebody signed out in this browser
   * before.
   */
  notice: "cancelled" | "failed" | "signed_out" | null;
  /** Offered to who came back without a sign-in: back to the portal, which is told that nobody signed in. */
  back: Form;
  /** Somebody is signed in, but the administration asks for more: what an upstream's ID token must say. */
  insufficient: { acr: readonly string[]; amr: readonly string[] } | null;
}

/** The link step. */
export interface LinkStepPage {
  portal: PortalView | null;
  form: Form;
  signedInAs: SignedInAs;
  /** GET: the form for people who don't know the address. */
  supportUrl: string;
  /** What was typed, when it comes back with an error. */
  value: string;
  errors: FieldError[];
  /** Seconds until it may be asked again, where that was tried too early; else null. */
  askAgainInSeconds: Seconds | null;
}

export type SupportField = "name" | "organization" | "account_number" | "message";

/** A message to support, from somebody who doesn't know their registered address. */
export interface SupportPage {
  portal: PortalView | null;
  form: Form;
  signedInAs: SignedInAs;
  values: Record<SupportField, string>;
  errors: FieldError[];
  /** That no more is taken: until when, where that depends on this person alone. */
  full: { until: Instant | null } | null;
  now: Instant;
  backUrl: string;
}

/** The message was taken. The same whatever became of it. */
export interface SupportSentPage {
  portal: PortalView | null;
  reference: string;
  backUrl: string;
}

/** Check your email: the same for every address, but that it is shown where it was typed. */
export interface CheckEmailPage {
  now: Instant;
  portal: PortalView | null;
  signedInAs: SignedInAs;
  /** What was typed, in the browser that typed it; null where it isn't shown any more. */
  address: string | null;
  /** That a link of this request was declined, for whom that may be said to. */
  isDeclined: boolean;
  /** The matching code of the newest request; null where the browser doesn't know it. */
  code: string | null;
  senderAddress: string;
  linkLifetimeMinutes: number;
  /** POST target of *send it again*. */
  resend: Form;
  /** Seconds until it may be asked again; 0: now. */
  resendInSeconds: Seconds;
  /** Until when the request waits because this account has asked so often; null where it doesn't. */
  heldUntil: Instant | null;
  /**
   * By when the request is looked at, where its account has asked before within a short while; null where
   * that is at once.
   */
  lookedAtBy: Instant | null;
  /** True when *send it again* was pressed too early. */
  askedTooSoon: boolean;
  useAnotherAddressUrl: string;
  /** GET: the dispatcher; goes on if it can. */
  continueUrl: string;
  /** GET: this page, as the server has it now. */
  waitingUrl: string;
  /**
   * GET, JSON `{ state: "waiting" | "declined" | "continue", linked: string[] }`, asked by the page's script.
   * After a 4xx the script goes to `continueUrl`, and to `waitingUrl` when it is told first that a link was
   * declined: the server says what happened.
   */
  statusUrl: string;
  /** Profiles that got bound meanwhile but don't open this portal. */
  linkedMeanwhile: MembershipView[];
  /**
   * GET: the page that says for each of them why not; used where the portal is known and something was
   * linked.
   */
  whyNotUrl: string | null;
}

/** The page a mailed link opens. Changes nothing. */
export interface LinkLandingPage {
  membership: MembershipView;
  /** The account that asked: the one to sign in with. */
  requester: { who: string; upstreamName: string };
  /** The matching code of the request. */
  code: string;
  expiresAt: Instant;
  now: Instant;
  /** The sign-in that was to decide was cancelled or refused at the upstream. */
  isCancelled: boolean;
  /**
   * Then: back to the portal that this browser's sign-in is for, which is told that nobody signed in; null
   * where none waits.
   */
  back: { portal: PortalView; form: Form } | null;
  confirm: Form;
  decline: Form;
}

/** Requested as A, signed in as B. The link stays alive. */
export interface WrongAccountPage {
  membership: MembershipView;
  requester: { who: string; upstreamName: string };
  signedInAs: { who: string; upstreamName: string };
  /** Signs in again, this time with the right account. */
  retry: Form;
}

/** Linked. */
export interface LinkedPage {
  membership: MembershipView;
  /** Every portal it opens, with the address that starts signing in there. */
  opens: (PortalView & { startUrl: string })[];
}

type LinkDeadReason = ReasonIn<keyof typeof ends>;
type ReasonIn<Key> = Key extends `linkDead.${infer Reason}.why` ? Reason : never;

/** A link that can't be used, and why. */
export interface LinkDeadPage {
  /**
   * Each that there are words for. cookie_missing: the browser didn't keep the link's cookie, or the page was
   * opened without opening the link first.
   */
  reason: LinkDeadReason;
  membership: MembershipView | null;
  /** The portals that its profile opens; null where no profile is known. */
  opens: PortalView[] | null;
}

/** *Don't link* was carried out. */
export interface LinkCancelledPage {
  membership: MembershipView;
  requester: { who: string; upstreamName: string };
  /** The portals that the profile opens. */
  opens: PortalView[];
}

/** Choose profile. */
export interface ChooseProfilePage {
  portal: PortalView;
  form: Form;
  signedInAs: SignedInAs;
  choices: MembershipView[];
  /** The one in use or chosen last. */
  selectedProfileId: string | null;
  /** The one in use at the portal, also where it isn't among the choices any more. */
  currentProfileId: string | null;
  /** The one that the request asks for instead, by its `profile_hint`. */
  hintedProfileId: string | null;
  errors: FieldError[];
  linkAnotherUrl: string;
}

/** Why a profile doesn't open a portal. */
export type RefusalReason =
  | "profile_disabled"
  | "organization_disabled"
  | "kind_not_admitted"
  | "plan_missing"
  | "plan_suspended"
  | "plan_expired"
  | "role_missing";

/** Bound, but none admissible here. */
export interface NotAdmittedPage {
  portal: PortalView;
  signedInAs: SignedInAs;
  refusals: (MembershipView & {
    reasons: RefusalReason[];
    planExpiredAt: Instant | null;
    opens: PortalView[];
  })[];
  linkAnotherUrl: string;
  /** Back to the portal, which is told that nobody was let in. */
  back: Form;
  /** CSRF token for *use another account*. */
  csrfToken: string;
}

/**
 * A sign-in at the upstream failed: it can't be reached; it was cancelled or refused there; its answer was
 * another error or can't be trusted; it used an older sign-in where a fresh one was needed.
 */
export interface UpstreamProblemPage {
  upstream: UpstreamView | null;
  problem: "unavailable" | "refused" | "rejected" | "stale";
  /** GET: try again, or null when there is no way back into the sign-in. */
  retryUrl: string | null;
  requestId: string;
}

/**
 * A sign-in that expired, or whose session is gone or somebody else's by now; one whose cookie isn't in this
 * browser; a browser that keeps no cookies; or a sign-in that was finished or is so old that nothing is known
 * of it.
 */
export interface SignInLostPage {
  reason: "expired" | "cookies_blocked" | "other_browser" | "already_finished";
  /** The portal it was for, when that is still known. */
  portal: PortalView | null;
}

/** The provider's form that ends a session of ours. */
export interface SignOutPage {
  /**
   * `sign_out`: a portal asks for it (RP-initiated logout), the person decides; `nothing_left`: it asks, but
   * there is no session; `switch_account`: somebody signed in with another account than the session's, which
   * ends first.
   */
  purpose: "sign_out" | "nothing_left" | "switch_account";
  portal: PortalView | null;
  /** Who may still know the person afterwards. */
  staysKnown: StaysKnown;
  form: { action: string; xsrf: string };
  /**
   * True when nothing is left to decide, as when the portal proved that it means this very session: the page
   * may submit itself.
   */
  automatic: boolean;
}

export interface SignedOutPage {
  portal: PortalView | null;
  staysKnown: StaysKnown;
}

/** Where somebody may still be signed in after a sign-out here. */
export interface StaysKnown {
  /** The name of the upstream that the account is at; null where that isn't known, and any may be meant. */
  upstream: string | null;
  /** The names of the portals of the session that no sign-out reaches; null where they aren't known. */
  portals: readonly string[] | null;
}

/** The generic end: also what an OAuth error without a way back to the portal looks like. */
export interface ErrorPage {
  status: number;
  /** OAuth error code, when there is one. */
  code: string | null;
  kind:
    | "bad_request"
    | "forbidden"
    | "not_found"
    | "too_many"
    | "too_large"
    | "too_slow"
    | "unavailable"
    | "internal"
    | "portal_mistake";
  /** Empty for a request that was answered before it was given one. */
  requestId: string;
  /** For `too_many`: after how many seconds it is worth trying again, if that is known. */
  retryAfterSeconds: Seconds | null;
  portal: PortalView | null;
  /** GET: where what was interrupted can be begun anew, or null where reloading is the way. */
  retryUrl: string | null;
}

/** The whole journey on one printable page. */
export interface HelpPage {
  senderAddress: string;
  linkLifetimeMinutes: number;
}
