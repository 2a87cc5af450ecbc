/**
 * What the steps of an interaction share: where it is, its pages and cookies, loading it and finishing it.
 * Which step is next is the dispatcher's to say; interaction.ts has the routes.
 */

import type { Context } from "koa";
import type { Seconds } from "../clock.ts";
import { LiaisonError } from "../errors.ts";
import type { Linking } from "../linking/linking.ts";
import type { Dispatcher, InteractionState } from "../oidc/dispatcher.ts";
import { interactionLifetimeSeconds } from "../oidc/provider.ts";
import type { ArtifactStore } from "../storage/contract.ts";
import type { CookiePlace } from "./cookies.ts";
import { createDeclinedLinks, type DeclinedLinks } from "./declined-links.ts";
import { withoutItsCookie } from "./errors.ts";
import { createInquiryCookies, type InquiryCookies } from "./inquiry-cookie.ts";
import {
  createInteractionPages,
  type InteractionPages,
  type InteractionPagesDeps,
} from "./interaction-pages.ts";
import { createOpenedInteractions, type OpenedInteractions } from "./opened-interactions.ts";
import { formFields } from "./requests.ts";
import { seeOther } from "./responses.ts";
import { allowFormTargets } from "./security-headers.ts";
import { forgetCookies } from "./shadowed-cookies.ts";
import type { SupportDeps } from "./support.ts";
import { createWaitingSignIns, type WaitingSignIns } from "./waiting-sign-in.ts";

export interface InteractionDeps extends InteractionPagesDeps, SupportDeps {
  artifacts: Pick<ArtifactStore, "extend" | "upsert" | "find">;
  dispatcher: Dispatcher;
  linking: Linking;
}

export interface InteractionSteps extends InteractionDeps {
  views: InteractionPages;
  opened: OpenedInteractions;
  inquiries: InquiryCookies;
  declined: DeclinedLinks;
  waiting: WaitingSignIns;
  /** Of an interaction, while its link may be opened. */
  lifetimeSeconds: Seconds;
  urlOf(uid: string): string;
  /** Where a cookie of one interaction is. */
  cookieOf(uid: string, name: string): CookiePlace;
}

export function createInteractionSteps(deps: InteractionDeps): InteractionSteps {
  const { artifacts, encryptedCookies, cookies, clock, config } = deps;
  const { issuer } = config;
  const urlOf = (uid: string) => `${issuer}/interaction/${uid}`;
  const lifetimeSeconds = interactionLifetimeSeconds(config.linking.link_lifetime_seconds);
  const ofInquiries = { issuer, cookies, encryptedCookies, lifetimeSeconds };
  return {
    ...deps,
    views: createInteractionPages(deps),
    opened: createOpenedInteractions(deps),
    inquiries: createInquiryCookies(ofInquiries),
    declined: createDeclinedLinks({ ...ofInquiries, artifacts, clock }),
    waiting: createWaitingSignIns(issuer, cookies, encryptedCookies),
    lifetimeSeconds,
    urlOf,
    cookieOf: (uid, name) => cookies.below(new URL(urlOf(uid)).pathname, name),
  };
}

/** Loads the interaction of the path, for a POST only after its form was verified. */
export async function loadInteraction(steps: InteractionSteps, ctx: Context): Promise<InteractionState> {
  const { csrf, dispatcher, binding, upstreams, opened } = steps;
  if (ctx.method === "POST") csrf.verify(ctx, formFields(ctx)["csrf"]);
  const uid = String(ctx["params"].uid);
  const state = await dispatcher
    .load(ctx.req, ctx.res, uid, binding.proofs(ctx))
    .catch(async (error: unknown) => {
      throw await explainLost(steps, ctx, uid, error);
    });
  allowFormTargets(ctx, [...upstreams.origins(), state.redirectUri]);
  opened.arrived(ctx, state);
  return state;
}

async function explainLost(
  { dispatcher, binding, cookieOf }: InteractionSteps,
  ctx: Context,
  uid: string,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof LiaisonError) || !error.code.startsWith("sign_in_")) return error;
  const { client, state } = await dispatcher.lost(uid);
  ctx.state["portal"] = client;
  // Alive, and its cookie is here: then it is the session that it stands on which is gone, or now somebody
  // else's.
  const isOurs = ctx.cookies.get(cookieOf(uid, "liaison.interaction").name) === uid;
  // It came back from an upstream for an interaction that it doesn't have: somebody else began, and put his
  // cookies here.
  if (state === "alive" && !isOurs && binding.hasReturnedFor(ctx, uid)) forgetCookies(ctx);
  if (state === "gone") ctx.state["lostReason"] = "already_finished";
  else if (isOurs && error.code === "sign_in_mismatch") ctx.state["lostReason"] = "other_browser";
  else if (state === "expired" || isOurs) ctx.state["lostReason"] = "expired";
  else ctx.state["lostReason"] = withoutItsCookie(ctx);
  return error;
}

/** Hands the result of a step to oidc-provider, which goes on with the authorization request. */
export async function finishStep(
  { dispatcher, inquiries, opened }: InteractionSteps,
  ctx: Context,
  result: Parameters<Dispatcher["finish"]>[2],
): Promise<void> {
  const goesOnAt = await dispatcher.finish(ctx.req, ctx.res, result);
  inquiries.forgetTyped(ctx, String(ctx["params"].uid));
  opened.noted(ctx);
  seeOther(ctx, goesOnAt);
}
