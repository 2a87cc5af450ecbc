/**
 * The mailed link. Opening it changes nothing: the secret moves from the address bar into a cookie of its own
 * path, the page says what would be linked to whom, and continuing or declining starts a fresh upstream
 * sign-in. Only that sign-in's callback (upstream-callback.ts) redeems or cancels; link-result.ts says what
 * came of it.
 */

import type Router from "@koa/router";
import type { Context } from "koa";
import { mailedSecret } from "../domain/link.ts";
import { matchingCode } from "../domain/matching-code.ts";
import { hashSecret } from "../domain/secrets.ts";
import type { LinkLandingPage } from "../ui/views.ts";
import { form } from "./declarations.ts";
import { type LinkPages, linkPages, showResultOfLink } from "./link-result.ts";
import {
  createLinkSteps,
  type LinkDeps,
  type LinkSteps,
  liveLink,
  requesterView,
  requestIdOf,
  showDead,
} from "./link-steps.ts";
import { formFields, hasQuery } from "./requests.ts";
import { seeOther, sendPage } from "./responses.ts";
import { allowFormTargets } from "./security-headers.ts";
import { membershipView, portalView } from "./site.ts";

export function linkRoutes(router: Router, deps: LinkDeps): LinkPages {
  const steps = createLinkSteps(deps);
  router.get("/link/:requestId", (ctx) => showLanding(steps, ctx));
  router.post("/link/:requestId/confirm", form, (ctx) => startFreshSignIn(steps, ctx, "redeem"));
  router.post("/link/:requestId/decline", form, (ctx) => startFreshSignIn(steps, ctx, "decline"));
  router.get("/link/:requestId/result", (ctx) => showResultOfLink(steps, ctx));
  // Last, because the secret stands where the actions above have their names.
  router.get("/link/:requestId/:secret", (ctx) => openMailedLink(steps, ctx));
  return linkPages(steps);
}

/** Moves the secret from the address into a cookie. */
async function openMailedLink(steps: LinkSteps, ctx: Context): Promise<void> {
  const { encryptedCookies, secretAt, boundAt, resultAt, urlOf } = steps;
  const requestId = requestIdOf(ctx);
  const written = String(ctx["params"].secret);
  if (!/^[\w-]{22}$/.test(requestId)) return await showDead(steps, ctx, "unknown", null);
  // An action's address without its form.
  if (written === "confirm" || written === "decline") return seeOther(ctx, urlOf(requestId));
  const secret = mailedSecret(written);
  // What no mail of ours holds, such as a link that was cut off.
  if (secret === undefined) return await showDead(steps, ctx, "unknown", null);
  // Longer than any link lives: an expired one still says that it expired.
  encryptedCookies.set(ctx, secretAt(requestId), { secret }, 86_400);
  for (const place of [boundAt(requestId), resultAt(requestId)]) encryptedCookies.clear(ctx, place);
  seeOther(ctx, urlOf(requestId));
}

/** Says what would be linked to whom. */
async function showLanding(steps: LinkSteps, ctx: Context): Promise<void> {
  const live = await liveLink(steps, ctx);
  if (live === undefined) return;
  const { request, membership } = live;
  const isCancelled = hasQuery(ctx, "cancelled");
  allowFormTargets(ctx, steps.upstreams.origins());
  const form = (action: string) => ({
    action: `${steps.urlOf(request.id)}/${action}`,
    csrfToken: steps.csrf.token(ctx),
  });
  const html = steps.pages.linkLanding(await steps.site(), {
    membership: membershipView(membership),
    requester: requesterView(steps, request.requester),
    code: matchingCode(request.inquiryId),
    expiresAt: request.expiresAt,
    now: steps.clock.now(),
    isCancelled,
    back: isCancelled ? await wayBack(steps, ctx) : null,
    confirm: form("confirm"),
    decline: form("decline"),
  });
  sendPage(ctx, html);
}

/**
 * From the page that somebody comes back to who cancelled: to the portal that this browser's sign-in is
 * for.
 */
async function wayBack(
  { waiting, clients, config, csrf }: LinkSteps,
  ctx: Context,
): Promise<LinkLandingPage["back"]> {
  const found = await waiting.find(ctx);
  if (found === undefined) return null;
  const client = await clients.find(found.clientId);
  if (client === undefined) return null;
  allowFormTargets(ctx, [found.redirectUri]);
  const action = `${config.issuer}/interaction/${found.interactionUid}/cancel`;
  return { portal: portalView(client), form: { action, csrfToken: csrf.token(ctx) } };
}

/** Sends whoever continued, or declined, to sign in anew: the callback does what they wanted. */
async function startFreshSignIn(steps: LinkSteps, ctx: Context, kind: "redeem" | "decline"): Promise<void> {
  const { csrf, costs, upstreams, binding, linking, urlOf } = steps;
  csrf.verify(ctx, formFields(ctx)["csrf"]);
  const live = await liveLink(steps, ctx);
  if (live === undefined) return;
  const { request, secret } = live;
  ctx.state["retryUrl"] = urlOf(request.id);
  await costs.chargeUpstreamSignIn(ctx, request.id);
  const loginHint = kind === "redeem" ? request.requester.email : null;
  const begun = await upstreams.begin({
    upstreamId: request.requester.upstreamId,
    purpose: { kind, requestId: request.id, secretHash: hashSecret(secret) },
    browserHash: binding.begin(ctx),
    sender: await costs.senderOf(ctx),
    prompt: "login",
    // Where an upstream can't be asked to sign in anew, it shows the accounts: the browser may be somebody
    // else's, too.
    choosesAccount: true,
    forced: true,
    ...(loginHint === null ? {} : { loginHint }),
  });
  await linking.opened(live);
  seeOther(ctx, begun.url.href);
}
