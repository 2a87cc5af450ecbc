/**
 * The step in which somebody links a profile: types its registered address and waits for the mail. What was
 * typed is looked up when the answer has left; nothing here depends on what that finds.
 */

import type { Context } from "koa";
import type { Instant } from "../clock.ts";
import { looksLikeAddress, plainAddress } from "../domain/address.ts";
import { matchingCode } from "../domain/matching-code.ts";
import type { InteractionState } from "../oidc/dispatcher.ts";
import type { FieldError } from "../ui/views.ts";
import type { InquiryCookie } from "./inquiry-cookie.ts";
import { type InteractionSteps, loadInteraction } from "./interaction-steps.ts";
import { formFields, networkOf } from "./requests.ts";
import { seeOther, sendPage } from "./responses.ts";

/** Characters of a typed address that are kept: RFC 5321 allows 254, and the whole must fit into a cookie. */
const maxTyped = 320;

/** The page that asks for the address. */
export async function showLinkStep(
  { views }: InteractionSteps,
  ctx: Context,
  state: InteractionState,
  value = "",
  errors: FieldError[] = [],
): Promise<void> {
  sendPage(ctx, await views.linkStep(ctx, state, value, errors), errors.length > 0 ? 400 : 200);
}

/** Whether this browser may know that a link of its inquiry was declined. */
async function wasDeclined(
  { declined }: InteractionSteps,
  ctx: Context,
  { inquiryId }: InquiryCookie,
): Promise<boolean> {
  return inquiryId !== null && (await declined.isTold(ctx, inquiryId));
}

/** The page that waits for the mailed link to be opened. */
export async function showWaiting(
  steps: InteractionSteps,
  ctx: Context,
  state: InteractionState,
  inquiry: InquiryCookie,
  askedTooSoon = false,
): Promise<void> {
  const typed = (await steps.inquiries.typed(ctx, state.uid)) ?? null;
  const isDeclined = await wasDeclined(steps, ctx, inquiry);
  sendPage(ctx, await steps.views.checkEmail(ctx, state, { ...inquiry, typed, isDeclined, askedTooSoon }));
}

/** `GET …/address`: the page that asks for it, again or for another profile. */
export async function askForAddress(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  if (state.accountAtClient === undefined) return seeOther(ctx, steps.urlOf(state.uid));
  await showLinkStep(steps, ctx, state, await steps.inquiries.typed(ctx, state.uid));
}

/**
 * Stores the inquiry and nothing else; looking it up begins when the answer has left. Where this person has
 * asked only just now nothing is stored, and when they may ask again is returned.
 */
async function inquire(
  { views, linking, inquiries, waiting, lifetimeSeconds, urlOf }: InteractionSteps,
  ctx: Context,
  state: InteractionState,
  address: string,
  isShown: boolean,
): Promise<Instant | undefined> {
  const requester = views.requester(state);
  const { cid: interactionCid } = state;
  const clientAddress = networkOf(ctx);
  const outcome = await linking.inquire({ requester, typed: address, interactionCid, clientAddress });
  if (!outcome.asked) return outcome.askAgainAt;
  const { id, heldUntil, createdAt: askedAt } = outcome.inquiry;
  const since = (await inquiries.find(ctx, state.uid))?.since ?? askedAt;
  const lookedAtBy = linking.lookedAtBy(outcome.inquiry);
  const code = matchingCode(id);
  const inquiry: InquiryCookie = { inquiryId: id, address, askedAt, since, code, heldUntil, lookedAtBy };
  await inquiries.set(ctx, state.uid, inquiry, isShown);
  const { redirectUri, client } = state;
  await waiting.note(ctx, { interactionUid: state.uid, clientId: client.id, redirectUri }, lifetimeSeconds);
  seeOther(ctx, `${urlOf(state.uid)}/waiting`);
  return undefined;
}

/** `POST …/address`: an inquiry for what was typed, if that may be an address. */
export async function submitAddress(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  if (state.accountAtClient === undefined) return seeOther(ctx, steps.urlOf(state.uid));
  const all = formFields(ctx)["email"] ?? "";
  const typed = all.slice(0, maxTyped);
  if (typed.trim() === "") {
    return await showLinkStep(steps, ctx, state, "", [{ field: "email", message: "email_missing" }]);
  }
  // By the spelling alone, so that it tells nothing of the directory: whoever agrees sends the plain form.
  const plain = typed === all ? plainAddress(typed) : undefined;
  if (plain !== undefined) {
    return await showLinkStep(steps, ctx, state, plain, [{ field: "email", message: "email_plain" }]);
  }
  if (!looksLikeAddress(typed)) {
    return await showLinkStep(steps, ctx, state, typed, [{ field: "email", message: "email_format" }]);
  }
  const askAgainAt = await inquire(steps, ctx, state, typed, true);
  if (askAgainAt !== undefined)
    sendPage(ctx, await steps.views.linkStep(ctx, state, typed, [], askAgainAt), 429);
}

/** `GET …/waiting`. */
export async function waitForLink(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const inquiry = await steps.inquiries.find(ctx, state.uid);
  if (inquiry === undefined || state.accountAtClient === undefined)
    return seeOther(ctx, steps.urlOf(state.uid));
  await showWaiting(steps, ctx, state, inquiry);
}

/** `POST …/resend`: the same inquiry once more, unless that is too soon. */
export async function inquireAgain(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const inquiry = await steps.inquiries.find(ctx, state.uid);
  if (inquiry === undefined || state.accountAtClient === undefined)
    return seeOther(ctx, steps.urlOf(state.uid));
  const isShown = (await steps.inquiries.typed(ctx, state.uid)) !== undefined;
  const latest = await steps.linking.latestInquiry(state.cid);
  const askedAt = Math.max(inquiry.askedAt, latest?.createdAt ?? 0);
  const heldUntil = latest?.heldUntil ?? null;
  if (steps.clock.now() < steps.views.askAgainAt({ askedAt, heldUntil })) {
    return await showWaiting(steps, ctx, state, { ...inquiry, askedAt, heldUntil }, true);
  }
  const askAgainAt = await inquire(steps, ctx, state, inquiry.address, isShown);
  if (askAgainAt === undefined) return;
  // It was in another sign-in of theirs that they asked.
  const elsewhere = askAgainAt - steps.config.linking.resend_after_seconds * 1000;
  await showWaiting(steps, ctx, state, { ...inquiry, askedAt: elsewhere, heldUntil }, true);
}

/** `GET …/status`: for the script of the waiting page, whether there is news. */
export async function tellStatus(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const inquiry = await steps.inquiries.find(ctx, state.uid);
  const linked = steps.views.linkedSince(state, inquiry?.since);
  const admitted = state.admission?.kind === "admitted" || state.admission?.kind === "choose";
  const goesOn = admitted && (state.prompt === "link" || linked.length > 0);
  const isDeclined = inquiry !== undefined && (await wasDeclined(steps, ctx, inquiry));
  ctx.body = {
    state: goesOn ? "continue" : isDeclined ? "declined" : "waiting",
    linked: linked.map((view) => `${view.profileName}, ${view.organizationName}`),
  };
}
