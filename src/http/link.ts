/**
 * The mailed link. Opening it changes nothing: the secret moves from the address bar into a cookie of its own
 * path, the page says what would be linked to whom, and continuing or declining starts a fresh upstream
 * sign-in. Only that sign-in's callback (upstream-callback.ts) redeems or cancels.
 */

import { setTimeout as pause } from "node:timers/promises";
import type Router from "@koa/router";
import type { Context } from "koa";
import type { Clock, Seconds } from "../clock.ts";
import { refusals } from "../domain/access.ts";
import { asLinkRequestId } from "../domain/ids.ts";
import { isRedeemed, mailedSecret, sameIdentity } from "../domain/link.ts";
import { matchingCode } from "../domain/matching-code.ts";
import type { Client, InquiryId, LinkRequestId, Membership, Requester } from "../domain/records.ts";
import { hashSecret } from "../domain/secrets.ts";
import { unreachable } from "../errors.ts";
import {
  type DeclineOutcome,
  hasBoundTo,
  type LinkAttempt,
  type Linking,
  type LinkPreview,
  type RedeemOutcome,
} from "../linking/linking.ts";
import { type ClientDirectory, consoleClient, startUrl } from "../oidc/clients.ts";
import { interactionLifetimeSeconds } from "../oidc/provider.ts";
import type { ArtifactStore } from "../storage/contract.ts";
import type { LinkDeadPage, LinkLandingPage } from "../ui/views.ts";
import { form } from "./declarations.ts";
import { createDeclinedLinks } from "./declined-links.ts";
import { formFields, type HttpKit, hasQuery, seeOther, sendPage } from "./kit.ts";
import { allowFormTargets } from "./security-headers.ts";
import { accountLabel, membershipView, portalView } from "./site.ts";
import { createWaitingSignIns } from "./waiting-sign-in.ts";

export interface LinkDeps extends HttpKit {
  linking: Linking;
  artifacts: Pick<ArtifactStore, "upsert" | "find">;
  clients: ClientDirectory;
  clock: Clock;
  /** Called when a link was carried out, so that its notice is mailed soon. */
  onBound(): void;
}

/**
 * How often, and how many milliseconds apart, somebody whose callback is being answered elsewhere looks what
 * came of it.
 */
const [mostTurns, turnMs] = [20, 150];
/** Seconds for which the page after a callback can be reloaded. */
const resultLifetimeSeconds: Seconds = 600;

/**
 * What a callback came to, kept by the browser for the page behind the redirect; what it is about is read
 * again.
 */
type KeptResult =
  | { result: "bound" | "cancelled" | "unknown" }
  | { result: "wrong_account"; signedIn: { who: string; upstreamId: string } }
  | { result: "dead"; reason: LinkDeadPage["reason"] };

/** What came of a link, for the page that says so. */
export interface CarriedOut {
  requestId: LinkRequestId;
  kept: KeptResult;
  /** Whose link was declined. */
  declined: InquiryId | null;
}

export interface LinkPages {
  /**
   * Carries out what the person continued to, now that `attempt.identity` is proven. `isRepeated`: this
   * browser has asked for the same before, and the store's answer to it got lost.
   */
  carryOut(intent: "redeem" | "decline", attempt: LinkAttempt & { isRepeated: boolean }): Promise<CarriedOut>;
  /** Leads the browser to the page that says what came of it. */
  goOn(ctx: Context, carriedOut: CarriedOut): Promise<void>;
}

export function linkRoutes(router: Router, deps: LinkDeps): LinkPages {
  const {
    artifacts,
    linking,
    csrf,
    encryptedCookies,
    cookies,
    binding,
    pages,
    site,
    config,
    clients,
    clock,
    upstreams,
    costs,
  } = deps;
  const { issuer } = config;
  const base = (requestId: string) => `${issuer}/link/${requestId}`;
  const below = (requestId: string, name: string) =>
    cookies.below(new URL(base(requestId)).pathname, `${name}.${requestId}`);
  const secretAt = (requestId: string) => below(requestId, "liaison.link");
  /**
   * Apart from all else: of several callbacks of one person, one links, and what the others came to is no
   * news then.
   */
  const boundAt = (requestId: string) => below(requestId, "liaison.bound");
  const resultAt = (requestId: string) => below(requestId, "liaison.result");
  const waiting = createWaitingSignIns(issuer, cookies, encryptedCookies);
  const lifetimeSeconds: Seconds = interactionLifetimeSeconds(config.linking.link_lifetime_seconds);
  const declined = createDeclinedLinks({
    issuer,
    cookies,
    encryptedCookies,
    artifacts,
    clock,
    lifetimeSeconds,
  });
  const requestIdOf = (ctx: Context) => String(ctx["params"].requestId);
  const upstreamName = (id: string) => upstreams.list().find((upstream) => upstream.id === id)?.name ?? id;
  const requesterView = (who: Requester) => ({
    who: accountLabel(who),
    upstreamName: upstreamName(who.upstreamId),
  });

  async function showDead(ctx: Context, reason: LinkDeadPage["reason"], membership: Membership | null) {
    const opens = membership && (await opensOf(membership)).map(portalView);
    const view = { reason, membership: membership && membershipView(membership), opens };
    // Gone for good, or never here; a missing cookie is the browser's matter.
    const status = reason === "cookie_missing" ? 400 : reason === "unknown" ? 404 : 410;
    sendPage(ctx, pages.linkDead(await site(), view), status);
  }

  /**
   * The link whose secret this browser holds, alive or dead; otherwise the page that says why not has been
   * sent.
   */
  async function heldLink(ctx: Context): Promise<(LinkPreview & { secret: string }) | undefined> {
    const requestId = asLinkRequestId(requestIdOf(ctx));
    if (!/^[\w-]{22}$/.test(requestId)) {
      await showDead(ctx, "unknown", null);
      return undefined;
    }
    const secret = encryptedCookies.get(ctx, secretAt(requestId))?.["secret"];
    const preview = typeof secret === "string" ? await linking.view(requestId, secret) : undefined;
    if (typeof secret === "string" && preview !== undefined) return { ...preview, secret };
    await showDead(ctx, typeof secret === "string" ? "unknown" : "cookie_missing", null);
    return undefined;
  }

  async function liveLink(ctx: Context): Promise<(LinkPreview & { secret: string }) | undefined> {
    const held = await heldLink(ctx);
    if (held === undefined || held.verdict.alive) return held;
    await showDead(ctx, held.verdict.reason, held.membership);
    return undefined;
  }

  async function openMailedLink(ctx: Context): Promise<void> {
    const requestId = requestIdOf(ctx);
    const written = String(ctx["params"].secret);
    if (!/^[\w-]{22}$/.test(requestId)) return await showDead(ctx, "unknown", null);
    // An action's address without its form.
    if (written === "confirm" || written === "decline") return seeOther(ctx, base(requestId));
    const secret = mailedSecret(written);
    // What no mail of ours holds, such as a link that was cut off.
    if (secret === undefined) return await showDead(ctx, "unknown", null);
    // Longer than any link lives: an expired one still says that it expired.
    encryptedCookies.set(ctx, secretAt(requestId), { secret }, 86_400);
    for (const place of [boundAt(requestId), resultAt(requestId)]) encryptedCookies.clear(ctx, place);
    seeOther(ctx, base(requestId));
  }

  /**
   * From the page that somebody comes back to who cancelled: to the portal that this browser's sign-in is
   * for.
   */
  async function wayBack(ctx: Context): Promise<LinkLandingPage["back"]> {
    const found = await waiting.find(ctx);
    if (found === undefined) return null;
    const client = await clients.find(found.clientId);
    if (client === undefined) return null;
    allowFormTargets(ctx, [found.redirectUri]);
    const action = `${issuer}/interaction/${found.interactionUid}/cancel`;
    return { portal: portalView(client), form: { action, csrfToken: csrf.token(ctx) } };
  }

  router.get("/link/:requestId", async (ctx) => {
    const live = await liveLink(ctx);
    if (live === undefined) return;
    const { request, membership } = live;
    const isCancelled = hasQuery(ctx, "cancelled");
    allowFormTargets(ctx, upstreams.origins());
    const form = (action: string) => ({
      action: `${base(request.id)}/${action}`,
      csrfToken: csrf.token(ctx),
    });
    const html = pages.linkLanding(await site(), {
      membership: membershipView(membership),
      requester: requesterView(request.requester),
      code: matchingCode(request.inquiryId),
      expiresAt: request.expiresAt,
      now: clock.now(),
      isCancelled,
      back: isCancelled ? await wayBack(ctx) : null,
      confirm: form("confirm"),
      decline: form("decline"),
    });
    sendPage(ctx, html);
  });

  async function startFreshSignIn(ctx: Context, kind: "redeem" | "decline"): Promise<void> {
    csrf.verify(ctx, formFields(ctx)["csrf"]);
    const live = await liveLink(ctx);
    if (live === undefined) return;
    const { request, secret } = live;
    ctx.state["retryUrl"] = base(request.id);
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

  router.post("/link/:requestId/confirm", form, (ctx) => startFreshSignIn(ctx, "redeem"));
  router.post("/link/:requestId/decline", form, (ctx) => startFreshSignIn(ctx, "decline"));

  router.get("/link/:requestId/result", async (ctx) => {
    const requestId = requestIdOf(ctx);
    const kept =
      encryptedCookies.get(ctx, boundAt(requestId)) ?? encryptedCookies.get(ctx, resultAt(requestId));
    if (kept === undefined) return await showWithoutResult(ctx);
    const held = await heldLink(ctx);
    if (held !== undefined) await showResult(ctx, kept as KeptResult, held);
  });

  /**
   * The answer of a callback went to another request of this browser, maybe of another broker: the store
   * knows what it was.
   */
  async function showWithoutResult(ctx: Context): Promise<void> {
    let held = await heldLink(ctx);
    for (let turn = 0; hasQuery(ctx, "again") && held?.verdict.alive && turn < mostTurns; turn += 1) {
      await pause(turnMs);
      held = await heldLink(ctx);
    }
    if (held === undefined) return;
    const { request, membership } = held;
    if (isRedeemed(request, membership)) return sendPage(ctx, await linkedPage(membership));
    seeOther(ctx, base(request.id));
  }

  // Last, because the secret stands where the actions above have their names.
  router.get("/link/:requestId/:secret", openMailedLink);

  async function showResult(
    ctx: Context,
    kept: KeptResult,
    { request, membership }: LinkPreview,
  ): Promise<void> {
    const requester = requesterView(request.requester);
    switch (kept.result) {
      case "unknown":
        return await showDead(ctx, "unknown", null);
      case "dead":
        return await showDead(ctx, kept.reason, membership);
      case "cancelled":
        return sendPage(ctx, await cancelledPage(membership, requester));
      case "wrong_account": {
        allowFormTargets(ctx, upstreams.origins());
        const view = {
          membership: membershipView(membership),
          requester,
          signedInAs: { who: kept.signedIn.who, upstreamName: upstreamName(kept.signedIn.upstreamId) },
          retry: { action: `${base(request.id)}/confirm`, csrfToken: csrf.token(ctx) },
        };
        return sendPage(ctx, pages.wrongAccount(await site(), view), 403);
      }
      case "bound":
        return sendPage(ctx, await linkedPage(membership));
      default:
        return unreachable(kept);
    }
  }

  /** What a profile opens, once it is linked. */
  async function opensOf(membership: Membership): Promise<Client[]> {
    const own = membership.profile.adminRole === null ? [] : [consoleClient(issuer)];
    const all = [...own, ...(await clients.list())];
    return all.filter(({ policy }) => refusals(policy, membership, clock.now()).length === 0);
  }

  async function linkedPage(membership: Membership): Promise<string> {
    const opened = await opensOf(membership);
    return pages.linked(await site(), {
      membership: membershipView(membership),
      opens: opened.map((client) => ({ ...portalView(client), startUrl: startUrl(client, issuer) })),
    });
  }

  async function cancelledPage(
    membership: Membership,
    requester: { who: string; upstreamName: string },
  ): Promise<string> {
    const opens = (await opensOf(membership)).map(portalView);
    return pages.linkCancelled(await site(), { membership: membershipView(membership), requester, opens });
  }

  return {
    carryOut: async (intent, { isRepeated, ...attempt }) => {
      const tried = { ...attempt, isRepeated };
      const answer = intent === "redeem" ? await linking.redeem(tried) : await linking.decline(tried);
      const outcome = isRepeated && hasBoundTo(answer, attempt) ? ({ result: "bound" } as const) : answer;
      if (outcome.result === "bound") deps.onBound();
      const cancelled = outcome.result === "cancelled" ? outcome.request : undefined;
      if (cancelled !== undefined && sameIdentity(cancelled.requester, attempt.identity)) {
        await declined.noteForRequester(cancelled.inquiryId);
      }
      return {
        requestId: attempt.requestId,
        kept: keptResult(outcome, attempt),
        declined: cancelled?.inquiryId ?? null,
      };
    },
    goOn: async (ctx, { requestId, kept, declined: inquiryId }) => {
      if (inquiryId !== null) await declined.noteHere(ctx, inquiryId);
      const place = kept.result === "bound" ? boundAt(requestId) : resultAt(requestId);
      encryptedCookies.set(ctx, place, kept, resultLifetimeSeconds);
      seeOther(ctx, `${base(requestId)}/result`);
    },
  };
}

function keptResult(
  outcome: RedeemOutcome | DeclineOutcome | { result: "bound" },
  { identity }: LinkAttempt,
): KeptResult {
  if (outcome.result === "dead") return { result: "dead", reason: outcome.reason };
  if (outcome.result !== "wrong_account") return { result: outcome.result };
  return {
    result: "wrong_account",
    signedIn: { who: accountLabel(identity), upstreamId: identity.upstreamId },
  };
}
