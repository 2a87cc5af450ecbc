/** The step in which somebody signs in at an upstream: at once at the one that is known, or by choosing. */

import { setTimeout as pause } from "node:timers/promises";
import type { Context } from "koa";
import type { UpstreamConfig } from "../config/schema.ts";
import { demandOf } from "../domain/administration.ts";
import { asUpstreamId, type UpstreamId } from "../domain/ids.ts";
import type { InteractionState } from "../oidc/dispatcher.ts";
import type { SignInPage } from "../ui/views.ts";
import { isOffered } from "./interaction-pages.ts";
import { type InteractionSteps, loadInteraction } from "./interaction-steps.ts";
import { formFields, hasQuery, queryValue } from "./requests.ts";
import { seeOther, sendPage } from "./responses.ts";
import { upstreamCookie } from "./upstream-cookie.ts";

/**
 * How often, and how many milliseconds apart, somebody whose callback is being answered elsewhere looks what
 * came of it.
 */
const [mostLooks, lookAgainMs] = [10, 300];

/** The upstreams through which somebody may sign in there. */
const offered = ({ upstreams, config }: InteractionSteps, { client }: InteractionState): UpstreamConfig[] =>
  upstreams.list().filter(({ id }) => isOffered(config, client.id, asUpstreamId(id)));

async function beginUpstreamSignIn(
  steps: InteractionSteps,
  ctx: Context,
  state: InteractionState,
  upstreamId: UpstreamId,
  choosesAnother: boolean,
): Promise<void> {
  const { costs, signedOut, upstreams, binding, config, opened, urlOf } = steps;
  ctx.state["retryUrl"] = urlOf(state.uid);
  await costs.chargeUpstreamSignIn(ctx, state.uid);
  const isForced = state.forced || state.isInsufficient;
  const choosesAccount = choosesAnother || signedOut.has(ctx);
  const begun = await upstreams.begin({
    upstreamId,
    purpose: { kind: "sign_in", interactionUid: state.uid },
    browserHash: binding.begin(ctx),
    keeps: state.opened,
    sender: await costs.senderOf(ctx),
    forced: state.forced,
    choosesAccount,
    ...(isForced ? { prompt: "login" as const } : {}),
    ...(state.maxAge === undefined ? {} : { maxAge: state.maxAge }),
    // It may name the last person, whom some upstreams then sign in without a question.
    ...(state.loginHint === undefined || choosesAccount ? {} : { loginHint: state.loginHint }),
    acrValues: demandOf(state.client.id, config.administration)?.acr_values ?? [],
  });
  opened.noted(ctx);
  seeOther(ctx, begun.url.href);
}

async function showSignIn(
  { views }: InteractionSteps,
  ctx: Context,
  state: InteractionState,
  notice: SignInPage["notice"],
  choosesAnother: boolean,
): Promise<void> {
  sendPage(ctx, await views.signIn(ctx, state, notice, choosesAnother));
}

/**
 * Straight to the upstream that the portal names or this browser used last. The first visit chooses, and
 * who signed out.
 */
export async function signInOrChoose(
  steps: InteractionSteps,
  ctx: Context,
  state: InteractionState,
): Promise<void> {
  const { cookies, signedOut } = steps;
  const remembered = cookies.get(ctx, cookies.ofService(upstreamCookie));
  // Somebody whose sign-in doesn't suffice is told so, and goes on by their own hand.
  if (state.isInsufficient) return await showSignIn(steps, ctx, state, null, true);
  const known = offered(steps, state).map(({ id }) => id);
  const upstreamId = [state.upstreamHint, remembered].find((id) => id !== undefined && known.includes(id));
  if (upstreamId === undefined || state.prompt !== "login")
    return await showSignIn(steps, ctx, state, null, false);
  // Whatever the portal hints: on a computer that others use, the next person would be signed in as the
  // last.
  if (signedOut.has(ctx)) return await showSignIn(steps, ctx, state, "signed_out", false);
  await beginUpstreamSignIn(steps, ctx, state, asUpstreamId(upstreamId), false);
}

/**
 * The same callback may be under way for another request of this browser, maybe at another broker, or what
 * it left is being taken by one: what that comes to is there with the browser's next request.
 */
export async function lookAgain(
  steps: InteractionSteps,
  ctx: Context,
  state: InteractionState,
): Promise<void> {
  const { binding, urlOf } = steps;
  const look = Number(queryValue(ctx, "again") ?? (binding.hasReturnedFor(ctx, state.uid) ? 1 : mostLooks));
  if (!(look >= 1 && look < mostLooks)) return await showSignIn(steps, ctx, state, null, false);
  await pause(lookAgainMs);
  seeOther(ctx, `${urlOf(state.uid)}?returned&again=${look + 1}`);
}

/** `GET …/upstreams`: the choice, for whoever wants another upstream or cancelled there. */
export async function showUpstreams(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const notice = queryValue(ctx, "notice");
  const known = notice === "cancelled" || notice === "failed" ? notice : null;
  await showSignIn(steps, ctx, state, known, hasQuery(ctx, "fresh"));
}

/** `POST …/sign-in`: off to the upstream that was chosen. */
export async function signInAtChosen(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const upstreamId = asUpstreamId(formFields(ctx)["upstream"] ?? "");
  const isKnown = offered(steps, state).some(({ id }) => id === upstreamId);
  if (!isKnown) return await showSignIn(steps, ctx, state, null, false);
  await beginUpstreamSignIn(steps, ctx, state, upstreamId, hasQuery(ctx, "fresh"));
}

/** `POST …/use-another`: another account, at the only upstream or at one to be chosen. */
export async function useAnotherAccount(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  steps.inquiries.forget(ctx, state.uid);
  const [only, ...others] = offered(steps, state);
  if (only !== undefined && others.length === 0)
    return await beginUpstreamSignIn(steps, ctx, state, asUpstreamId(only.id), true);
  seeOther(ctx, `${steps.urlOf(state.uid)}/upstreams?fresh`);
}
