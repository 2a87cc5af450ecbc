/**
 * What a link comes to: carried out by the callback of its sign-in, kept by the browser for the page behind
 * the redirect, and shown there.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { Context } from "koa";
import type { Seconds } from "../clock.ts";
import { isRedeemed, sameIdentity } from "../domain/link.ts";
import type { InquiryId, LinkRequestId, Membership } from "../domain/records.ts";
import { unreachable } from "../errors.ts";
import {
  type DeclineOutcome,
  hasBoundTo,
  type LinkAttempt,
  type LinkPreview,
  type RedeemOutcome,
} from "../linking/linking.ts";
import { startUrl } from "../oidc/clients.ts";
import type { LinkDeadPage } from "../ui/views.ts";
import {
  type LinkSteps,
  openedLink,
  opensOf,
  requesterView,
  requestIdOf,
  showDead,
  upstreamName,
} from "./link-steps.ts";
import { hasQuery } from "./requests.ts";
import { seeOther, sendPage } from "./responses.ts";
import { allowFormTargets } from "./security-headers.ts";
import { accountLabel, membershipView, portalView } from "./site.ts";

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
type ResultCookie =
  | { result: "bound" | "cancelled" | "unknown" }
  | { result: "wrong_account"; signedIn: { who: string; upstreamId: string } }
  | { result: "dead"; reason: LinkDeadPage["reason"] };

/** What came of a link, for the page that says so. */
export interface CarriedOut {
  requestId: LinkRequestId;
  cookie: ResultCookie;
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

export function linkPages(steps: LinkSteps): LinkPages {
  return {
    carryOut: (intent, attempt) => carryOut(steps, intent, attempt),
    goOn: (ctx, carriedOut) => goOn(steps, ctx, carriedOut),
  };
}

async function carryOut(
  { linking, declined, onBound }: LinkSteps,
  intent: "redeem" | "decline",
  tried: LinkAttempt & { isRepeated: boolean },
): Promise<CarriedOut> {
  const { isRepeated, ...attempt } = tried;
  const answer = intent === "redeem" ? await linking.redeem(tried) : await linking.decline(tried);
  const outcome = isRepeated && hasBoundTo(answer, attempt) ? ({ result: "bound" } as const) : answer;
  if (outcome.result === "bound") onBound();
  const cancelled = outcome.result === "cancelled" ? outcome.request : undefined;
  if (cancelled !== undefined && sameIdentity(cancelled.requester, attempt.identity)) {
    await declined.noteForRequester(cancelled.inquiryId);
  }
  return {
    requestId: attempt.requestId,
    cookie: resultCookie(outcome, attempt),
    declined: cancelled?.inquiryId ?? null,
  };
}

async function goOn(
  { declined, encryptedCookies, boundAt, resultAt, urlOf }: LinkSteps,
  ctx: Context,
  { requestId, cookie, declined: inquiryId }: CarriedOut,
): Promise<void> {
  if (inquiryId !== null) await declined.noteHere(ctx, inquiryId);
  const place = cookie.result === "bound" ? boundAt(requestId) : resultAt(requestId);
  encryptedCookies.set(ctx, place, cookie, resultLifetimeSeconds);
  seeOther(ctx, `${urlOf(requestId)}/result`);
}

function resultCookie(
  outcome: RedeemOutcome | DeclineOutcome | { result: "bound" },
  { identity }: LinkAttempt,
): ResultCookie {
  if (outcome.result === "dead") return { result: "dead", reason: outcome.reason };
  if (outcome.result !== "wrong_account") return { result: outcome.result };
  return {
    result: "wrong_account",
    signedIn: { who: accountLabel(identity), upstreamId: identity.upstreamId },
  };
}

/** `GET …/result`. */
export async function showResultOfLink(steps: LinkSteps, ctx: Context): Promise<void> {
  const { encryptedCookies, boundAt, resultAt } = steps;
  const requestId = requestIdOf(ctx);
  const cookie =
    encryptedCookies.get(ctx, boundAt(requestId)) ?? encryptedCookies.get(ctx, resultAt(requestId));
  if (cookie === undefined) return await showWithoutResult(steps, ctx);
  const opened = await openedLink(steps, ctx);
  if (opened !== undefined) await showResult(steps, ctx, cookie as ResultCookie, opened);
}

/**
 * The answer of a callback went to another request of this browser, maybe of another broker: the store
 * knows what it was.
 */
async function showWithoutResult(steps: LinkSteps, ctx: Context): Promise<void> {
  let opened = await openedLink(steps, ctx);
  for (let turn = 0; hasQuery(ctx, "again") && opened?.verdict.alive && turn < mostTurns; turn += 1) {
    await pause(turnMs);
    opened = await openedLink(steps, ctx);
  }
  if (opened === undefined) return;
  const { request, membership } = opened;
  if (isRedeemed(request, membership)) return sendPage(ctx, await linkedPage(steps, membership));
  seeOther(ctx, steps.urlOf(request.id));
}

async function showResult(
  steps: LinkSteps,
  ctx: Context,
  cookie: ResultCookie,
  { request, membership }: LinkPreview,
): Promise<void> {
  const requester = requesterView(steps, request.requester);
  switch (cookie.result) {
    case "unknown":
      return await showDead(steps, ctx, "unknown", null);
    case "dead":
      return await showDead(steps, ctx, cookie.reason, membership);
    case "cancelled":
      return sendPage(ctx, await cancelledPage(steps, membership, requester));
    case "wrong_account": {
      allowFormTargets(ctx, steps.upstreams.origins());
      const view = {
        membership: membershipView(membership),
        requester,
        signedInAs: {
          who: cookie.signedIn.who,
          upstreamName: upstreamName(steps, cookie.signedIn.upstreamId),
        },
        retry: { action: `${steps.urlOf(request.id)}/confirm`, csrfToken: steps.csrf.token(ctx) },
      };
      return sendPage(ctx, steps.pages.wrongAccount(await steps.site(), view), 403);
    }
    case "bound":
      return sendPage(ctx, await linkedPage(steps, membership));
    default:
      return unreachable(cookie);
  }
}

async function linkedPage(steps: LinkSteps, membership: Membership): Promise<string> {
  const opened = await opensOf(steps, membership);
  return steps.pages.linked(await steps.site(), {
    membership: membershipView(membership),
    opens: opened.map((client) => ({
      ...portalView(client),
      startUrl: startUrl(client, steps.config.issuer),
    })),
  });
}

async function cancelledPage(
  steps: LinkSteps,
  membership: Membership,
  requester: { who: string; upstreamName: string },
): Promise<string> {
  const opens = (await opensOf(steps, membership)).map(portalView);
  return steps.pages.linkCancelled(await steps.site(), {
    membership: membershipView(membership),
    requester,
    opens,
  });
}
