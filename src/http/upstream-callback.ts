/** Where upstreams send people back: completes the sign-in and hands its result to what it was for. */

import type Router from "@koa/router";
import type { Context } from "koa";
import type { Clock } from "../clock.ts";
import { hashSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { SignInStore } from "../storage/contract.ts";
import type { SignInPurpose } from "../storage/records.ts";
import { upstreamCookie } from "./interaction.ts";
import { type HttpKit, seeOther } from "./kit.ts";
import type { LinkPages } from "./link.ts";

export interface CallbackDeps extends HttpKit {
  signIns: SignInStore;
  links: LinkPages;
  clock: Clock;
}

/** Seconds for which a finished sign-in waits to be picked up by the very next request. */
const outcomeLifetimeSeconds = 300;
const rememberUpstreamSeconds = 365 * 24 * 3600;

export function callbackRoutes(router: Router, deps: CallbackDeps): void {
  const { upstreams, signIns, clock, config, cookies } = deps;
  const issuer = new URL(config.issuer);

  router.get("/upstream/:upstreamId/callback", async (ctx) => {
    const upstreamId = String(ctx["params"]["upstreamId"]);
    // Built on the issuer, whatever the request calls us.
    const url = new URL(`${config.issuer}/upstream/${encodeURIComponent(upstreamId)}/callback`);
    url.search = ctx.search;
    const completed = await upstreams
      .complete({ upstreamId, url, cookies: (name) => ctx.cookies.get(name, { signed: false }) })
      .catch((error: unknown) => wayBack(ctx, error));
    if (completed === undefined) return;
    forget(ctx, upstreams.cookieOf(upstreamId, url));
    const { transaction, identity, accountId, authTime } = completed;
    rememberUpstream(ctx, upstreamId);
    // The sign-in is spent: whatever fails from here on, the person begins it anew.
    ctx.state["retryUrl"] = config.issuer + beginning(transaction.purpose);
    if (transaction.purpose.kind === "sign_in") {
      const { interactionUid } = transaction.purpose;
      const expiresAt = clock.now() + outcomeLifetimeSeconds * 1000;
      await signIns.leaveOutcome(hashSecret(interactionUid), { accountId, upstreamId, authTime }, expiresAt);
      return seeOther(ctx, `${config.issuer}/interaction/${interactionUid}?returned`);
    }
    const { kind, requestId, secretHash } = transaction.purpose;
    await deps.links.complete(ctx, kind, { requestId, secretHash, identity, accountId });
  });

  /** A sign-in that the person cancelled goes back to where it began; everything else is a page of its own. */
  function wayBack(ctx: Context, error: unknown): undefined {
    if (!(error instanceof LiaisonError) || error.purpose === undefined) throw error;
    const { purpose } = error;
    const begunAt = config.issuer + beginning(purpose);
    if (error.code !== "upstream_refused") {
      ctx.state["retryUrl"] = begunAt;
      throw error;
    }
    seeOther(ctx, purpose.kind === "sign_in" ? `${begunAt}/upstreams?notice=cancelled` : begunAt);
    return undefined;
  }

  function beginning(purpose: SignInPurpose): string {
    return purpose.kind === "sign_in" ? `/interaction/${purpose.interactionUid}` : `/link/${purpose.requestId}`;
  }

  function forget(ctx: Context, cookie: ReturnType<typeof upstreams.cookieOf>): void {
    if (cookie === undefined) return;
    const { name, path, secure } = cookie;
    ctx.cookies.set(name, null, { path, secure, httpOnly: true, sameSite: "lax", signed: false });
  }

  function rememberUpstream(ctx: Context, upstreamId: string): void {
    ctx.cookies.set(cookies.prefix + upstreamCookie, upstreamId, {
      httpOnly: true,
      sameSite: "lax",
      secure: cookies.secure,
      signed: false,
      path: issuer.pathname,
      maxAge: rememberUpstreamSeconds * 1000,
    });
  }
}
