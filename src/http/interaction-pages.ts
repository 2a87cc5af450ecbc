/**
 * Fills the pages of an interaction from its state. Reads nothing; interaction.ts decides which page it is.
 */

import type { Context } from "koa";
import type { Clock, Instant } from "../clock.ts";
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
    fresh: boolean,
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

export function createInteractionPages(deps: InteractionPagesDeps): InteractionPages {
  const { config, csrf, pages, site, clock, upstreams } = deps;
  const url = (state: InteractionState, rest: string) => `${config.issuer}/interaction/${state.uid}${rest}`;
  const form = (ctx: Context, action: string): Form => ({ action, csrfToken: csrf.token(ctx) });

  const requester: InteractionPages["requester"] = ({ accountAtClient }) => {
    const identity = accountAtClient?.identity;
    if (identity == null) throw LiaisonError.signInExpired("Nobody is signed in here any more.");
    const { issuer, subject, upstreamId, accountId, email, emailVerified, displayName } = identity;
    const requester = { issuer, subject, upstreamId, accountId, email, displayName };
    return emailVerified ? { ...requester, emailVerified } : requester;
  };

  function signedInAs(state: InteractionState): SignedInAs {
    const who = requester(state);
    return {
      who: accountLabel(who),
      upstreamName: upstreams.list().find(({ id }) => id === who.upstreamId)?.name ?? who.issuer,
      useAnotherAction: url(state, "/use-another"),
    };
  }

  const linkedSince: InteractionPages["linkedSince"] = (state, askedAt) => {
    if (askedAt === undefined) return [];
    const memberships = state.accountAtClient?.memberships ?? [];
    return memberships.filter(({ profile }) => (profile.boundAt ?? 0) >= askedAt).map(membershipView);
  };

  const askAgainAt: InteractionPages["askAgainAt"] = ({ askedAt, heldUntil }) => {
    const now = clock.now();
    // Asked before the clock was set back: the store knows whether it is too soon.
    if (askedAt > now) return now;
    return Math.max(askedAt + config.linking.resend_after_seconds * 1000, heldUntil ?? 0);
  };

  const ahead = (at: Instant | null) => (at !== null && at > clock.now() ? at : null);
  const secondsUntil = (at: Instant) => Math.max(0, Math.ceil((at - clock.now()) / 1000));

  return {
    askAgainAt,
    requester,
    linkedSince,

    signIn: async (ctx, state, notice, fresh) => {
      const { upstreams: all, ...shown } = await site();
      const demand = state.isInsufficient ? demandOf(state.client.id, config.administration) : undefined;
      return pages.signIn(
        { ...shown, upstreams: all.filter(({ id }) => isOffered(config, state.client.id, asUpstreamId(id))) },
        {
          portal: portalView(state.client),
          form: form(ctx, url(state, fresh ? "/sign-in?fresh" : "/sign-in")),
          notice,
          back: form(ctx, url(state, "/cancel")),
          insufficient: demand === undefined ? null : { acr: demand.acr_values, amr: demand.amr_values },
        },
      );
    },

    linkStep: async (ctx, state, value, errors, askAgainAt) =>
      pages.linkStep(await site(), {
        portal: portalView(state.client),
        form: form(ctx, url(state, "/address")),
        signedInAs: signedInAs(state),
        supportUrl: url(state, "/support"),
        value,
        errors,
        askAgainInSeconds: askAgainAt === undefined ? null : secondsUntil(askAgainAt),
      }),

    support: async (ctx, state, { values, errors, full }) =>
      pages.support(await site(), {
        portal: portalView(state.client),
        form: form(ctx, url(state, "/support")),
        signedInAs: signedInAs(state),
        values,
        errors,
        full,
        now: clock.now(),
        backUrl: url(state, "/address"),
      }),

    supportSent: async (state, reference) =>
      pages.supportSent(await site(), {
        portal: portalView(state.client),
        reference,
        backUrl: url(state, "/address"),
      }),

    checkEmail: async (
      ctx,
      state,
      { askedAt, heldUntil, lookedAtBy, since, typed, isDeclined, askedTooSoon, code },
    ) => {
      return pages.checkEmail(await site(), {
        now: clock.now(),
        portal: portalView(state.client),
        signedInAs: signedInAs(state),
        address: typed,
        isDeclined,
        code,
        senderAddress: config.mail.from_address,
        linkLifetimeMinutes: Math.round(config.linking.link_lifetime_seconds / 60),
        resend: form(ctx, url(state, "/resend")),
        resendInSeconds: secondsUntil(askAgainAt({ askedAt, heldUntil })),
        heldUntil: ahead(heldUntil),
        lookedAtBy: ahead(lookedAtBy),
        askedTooSoon,
        useAnotherAddressUrl: url(state, "/address"),
        continueUrl: url(state, ""),
        waitingUrl: url(state, "/waiting"),
        statusUrl: url(state, "/status"),
        linkedMeanwhile: linkedSince(state, since),
        whyNotUrl: state.admission?.kind === "not_admitted" ? url(state, "/admission") : null,
      });
    },

    chooseProfile: async (ctx, state, { choices, selected, current, hinted }, errors) =>
      pages.chooseProfile(await site(), {
        portal: portalView(state.client),
        form: form(ctx, url(state, "/profile")),
        signedInAs: signedInAs(state),
        choices: choices.map(membershipView),
        selectedProfileId: selected,
        currentProfileId: current,
        hintedProfileId: hinted,
        errors,
        linkAnotherUrl: url(state, "/address"),
      }),

    notAdmitted: async (ctx, state, admission) => {
      const portals = await deps.clients.list();
      return pages.notAdmitted(await site(), {
        portal: portalView(state.client),
        signedInAs: signedInAs(state),
        refusals: admission.refusals.map(({ membership, reasons }) => ({
          ...membershipView(membership),
          reasons,
          planExpiredAt: membership.organization.plan.expiresAt,
          opens: portals
            .filter(({ policy }) => refusals(policy, membership, clock.now()).length === 0)
            .map(portalView),
        })),
        linkAnotherUrl: url(state, "/address"),
        back: form(ctx, url(state, "/cancel")),
        csrfToken: csrf.token(ctx),
      });
    },
  };
}
