/**
 * Fills the pages of an interaction from its state. Reads nothing; interaction.ts decides which page it is.
 */

import type { Context } from "koa";
import type { Clock, Instant, Seconds } from "../clock.ts";
import { refusals } from "../domain/access.ts";
import { demandOf } from "../domain/administration.ts";
import type { Admission } from "../domain/admission.ts";
import { asUpstreamId } from "../domain/ids.ts";
import type { ClientId, Requester, UpstreamId } from "../domain/records.ts";
import { LiaisonError } from "../errors.ts";
import type { ClientDirectory } from "../oidc/clients.ts";
import type { InteractionState, Step } from "../oidc/dispatcher.ts";
import type { FieldError, Form, MembershipView, SignedInAs, SignInPage, SupportPage } from "../ui/views.ts";
import type { HttpDependencies } from "./dependencies.ts";
import { accountLabel, membershipView, portalView } from "./site.ts";

/** When an inquiry was sent, and what its account is told because it has asked so often. */
interface Asked {
  askedAt: Instant;
  /** Until when it is held. */
  heldUntil: Instant | null;
  /** By when it is looked at. */
  lookedAtBy: Instant | null;
}

/** What else the waiting page shows of an inquiry. */
interface WaitingView {
  since: Instant;
  code: string | null;
  /** The address, in the browser that typed it; null where it isn't shown any more. */
  typed: string | null;
  /** Whether this browser may know that a link of it was declined. */
  isDeclined: boolean;
  askedTooSoon: boolean;
}

export interface InteractionPages {
  /** When the same may be asked again. It depends on this person's own requests alone. */
  askAgainAt(asked: Pick<Asked, "askedAt" | "heldUntil">): Instant;
  signIn(
    ctx: Context,
    state: InteractionState,
    notice: SignInPage["notice"],
    choosesAnother: boolean,
  ): Promise<string>;
  /** @param askAgainAt where it was asked too soon */
  linkStep(
    ctx: Context,
    state: InteractionState,
    value: string,
    errors: FieldError[],
    askAgainAt?: Instant,
  ): Promise<string>;
  support(
    ctx: Context,
    state: InteractionState,
    view: Pick<SupportPage, "values" | "errors" | "full">,
  ): Promise<string>;
  supportSent(state: InteractionState, reference: string): Promise<string>;
  checkEmail(ctx: Context, state: InteractionState, view: Asked & WaitingView): Promise<string>;
  chooseProfile(
    ctx: Context,
    state: InteractionState,
    step: Extract<Step, { step: "choose" }>,
    errors: FieldError[],
  ): Promise<string>;
  notAdmitted(
    ctx: Context,
    state: InteractionState,
    admission: Extract<Admission, { kind: "not_admitted" }>,
  ): Promise<string>;
  /** Who asks, for an inquiry. @throws LiaisonError `sign_in_expired` if nobody is signed in. */
  requester(state: InteractionState): Requester;
  /** The profiles bound since an inquiry was sent. */
  linkedSince(state: InteractionState, askedAt: Instant | undefined): MembershipView[];
}

export interface InteractionPagesDeps extends HttpDependencies {
  clients: ClientDirectory;
  clock: Clock;
}

/** Whether a portal's sign-in may be made at an upstream: the administration's perhaps at some alone. */
export function isOffered(
  { administration }: HttpDependencies["config"],
  clientId: ClientId,
  upstreamId: UpstreamId,
): boolean {
  const named = demandOf(clientId, administration)?.upstreams ?? [];
  return named.length === 0 || named.includes(upstreamId);
}

/** Makes the pages. */
export function createInteractionPages(deps: InteractionPagesDeps): InteractionPages {
  return {
    requester,
    linkedSince,
    askAgainAt: (asked) => askAgainAt(deps, asked),
    signIn: async (...page) => await signInPage(deps, ...page),
    linkStep: async (...page) => await linkStepPage(deps, ...page),
    support: async (...page) => await supportPage(deps, ...page),
    supportSent: async (state, reference) =>
      deps.pages.supportSent(await deps.site(), {
        portal: portalView(state.client),
        reference,
        backUrl: urlOf(deps, state, "/address"),
      }),
    checkEmail: async (...page) => await checkEmailPage(deps, ...page),
    chooseProfile: async (...page) => await chooseProfilePage(deps, ...page),
    notAdmitted: async (...page) => await notAdmittedPage(deps, ...page),
  };
}

function requester({ accountAtClient }: InteractionState): Requester {
  const identity = accountAtClient?.identity;
  if (identity == null) throw LiaisonError.signInExpired("Nobody is signed in here any more.");
  const { issuer, subject, upstreamId, accountId, email, emailVerified, displayName } = identity;
  const requester = { issuer, subject, upstreamId, accountId, email, displayName };
  return emailVerified ? { ...requester, emailVerified } : requester;
}

function linkedSince(state: InteractionState, askedAt: Instant | undefined): MembershipView[] {
  if (askedAt === undefined) return [];
  const memberships = state.accountAtClient?.memberships ?? [];
  return memberships.filter(({ profile }) => (profile.boundAt ?? 0) >= askedAt).map(membershipView);
}

function askAgainAt(
  { clock, config }: InteractionPagesDeps,
  { askedAt, heldUntil }: Pick<Asked, "askedAt" | "heldUntil">,
): Instant {
  const now = clock.now();
  // Asked before the clock was set back: the store knows whether it is too soon.
  if (askedAt > now) return now;
  return Math.max(askedAt + config.linking.resend_after_seconds * 1000, heldUntil ?? 0);
}

async function signInPage(
  deps: InteractionPagesDeps,
  ...[ctx, state, notice, choosesAnother]: Parameters<InteractionPages["signIn"]>
): Promise<string> {
  const { config, pages, site } = deps;
  const { client } = state;
  const { upstreams: all, ...shown } = await site();
  const demand = state.isInsufficient ? demandOf(client.id, config.administration) : undefined;
  return pages.signIn(
    { ...shown, upstreams: all.filter(({ id }) => isOffered(config, client.id, asUpstreamId(id))) },
    {
      portal: portalView(client),
      form: formTo(deps, ctx, state, choosesAnother ? "/sign-in?fresh" : "/sign-in"),
      notice,
      back: formTo(deps, ctx, state, "/cancel"),
      insufficient: demand === undefined ? null : { acr: demand.acr_values, amr: demand.amr_values },
    },
  );
}

async function linkStepPage(
  deps: InteractionPagesDeps,
  ...[ctx, state, value, errors, againAt]: Parameters<InteractionPages["linkStep"]>
): Promise<string> {
  return deps.pages.linkStep(await deps.site(), {
    portal: portalView(state.client),
    form: formTo(deps, ctx, state, "/address"),
    signedInAs: signedInAs(deps, state),
    supportUrl: urlOf(deps, state, "/support"),
    value,
    errors,
    askAgainInSeconds: againAt === undefined ? null : secondsUntil(deps, againAt),
  });
}

async function supportPage(
  deps: InteractionPagesDeps,
  ...[ctx, state, { values, errors, full }]: Parameters<InteractionPages["support"]>
): Promise<string> {
  return deps.pages.support(await deps.site(), {
    portal: portalView(state.client),
    form: formTo(deps, ctx, state, "/support"),
    signedInAs: signedInAs(deps, state),
    values,
    errors,
    full,
    now: deps.clock.now(),
    backUrl: urlOf(deps, state, "/address"),
  });
}

async function checkEmailPage(
  deps: InteractionPagesDeps,
  ...[ctx, state, inquiry]: Parameters<InteractionPages["checkEmail"]>
): Promise<string> {
  const { pages, site, clock, config } = deps;
  const { heldUntil, lookedAtBy, since, typed, isDeclined, askedTooSoon, code } = inquiry;
  const ahead = (at: Instant | null) => (at !== null && at > clock.now() ? at : null);
  return pages.checkEmail(await site(), {
    now: clock.now(),
    portal: portalView(state.client),
    signedInAs: signedInAs(deps, state),
    address: typed,
    isDeclined,
    code,
    senderAddress: config.mail.from_address,
    linkLifetimeMinutes: Math.round(config.linking.link_lifetime_seconds / 60),
    resend: formTo(deps, ctx, state, "/resend"),
    resendInSeconds: secondsUntil(deps, askAgainAt(deps, inquiry)),
    heldUntil: ahead(heldUntil),
    lookedAtBy: ahead(lookedAtBy),
    askedTooSoon,
    useAnotherAddressUrl: urlOf(deps, state, "/address"),
    continueUrl: urlOf(deps, state, ""),
    waitingUrl: urlOf(deps, state, "/waiting"),
    statusUrl: urlOf(deps, state, "/status"),
    linkedMeanwhile: linkedSince(state, since),
    whyNotUrl: state.admission?.kind === "not_admitted" ? urlOf(deps, state, "/admission") : null,
  });
}

async function chooseProfilePage(
  deps: InteractionPagesDeps,
  ...[ctx, state, { choices, selected, current, hinted }, errors]: Parameters<
    InteractionPages["chooseProfile"]
  >
): Promise<string> {
  return deps.pages.chooseProfile(await deps.site(), {
    portal: portalView(state.client),
    form: formTo(deps, ctx, state, "/profile"),
    signedInAs: signedInAs(deps, state),
    choices: choices.map(membershipView),
    selectedProfileId: selected,
    currentProfileId: current,
    hintedProfileId: hinted,
    errors,
    linkAnotherUrl: urlOf(deps, state, "/address"),
  });
}

async function notAdmittedPage(
  deps: InteractionPagesDeps,
  ...[ctx, state, admission]: Parameters<InteractionPages["notAdmitted"]>
): Promise<string> {
  const { pages, site, clock, csrf, clients } = deps;
  const portals = await clients.list();
  return pages.notAdmitted(await site(), {
    portal: portalView(state.client),
    signedInAs: signedInAs(deps, state),
    refusals: admission.refusals.map(({ membership, reasons }) => ({
      ...membershipView(membership),
      reasons,
      planExpiredAt: membership.organization.plan.expiresAt,
      opens: portals
        .filter(({ policy }) => refusals(policy, membership, clock.now()).length === 0)
        .map(portalView),
    })),
    linkAnotherUrl: urlOf(deps, state, "/address"),
    back: formTo(deps, ctx, state, "/cancel"),
    csrfToken: csrf.token(ctx),
  });
}

function signedInAs(deps: InteractionPagesDeps, state: InteractionState): SignedInAs {
  const who = requester(state);
  return {
    who: accountLabel(who),
    upstreamName: deps.upstreams.list().find(({ id }) => id === who.upstreamId)?.name ?? who.issuer,
    useAnotherAction: urlOf(deps, state, "/use-another"),
  };
}

function urlOf({ config }: InteractionPagesDeps, { uid }: InteractionState, rest: string): string {
  return `${config.issuer}/interaction/${uid}${rest}`;
}

function formTo(deps: InteractionPagesDeps, ctx: Context, state: InteractionState, rest: string): Form {
  return { action: urlOf(deps, state, rest), csrfToken: deps.csrf.token(ctx) };
}

function secondsUntil({ clock }: InteractionPagesDeps, at: Instant): Seconds {
  return Math.max(0, Math.ceil((at - clock.now()) / 1000));
}
