/**
 * Where upstreams send people back: completes the sign-in and hands its result to what it was for. Also where upstreams fetch
 * our public keys.
 */

import type Router from "@koa/router";
import type { Context } from "koa";
import { koaBody } from "koa-body";
import type { Clock } from "../clock.ts";
import { hashSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { SignInStore } from "../storage/contract.ts";
import type { SignInPurpose } from "../storage/records.ts";
import type { CallbackProgress } from "../upstream/upstreams.ts";
import { upstreamCookie } from "./interaction.ts";
import { formFields, type HttpKit, seeOther } from "./kit.ts";
import type { LinkPages } from "./link.ts";
import type { SealedReturns } from "./sealed-return.ts";

export interface CallbackDeps extends HttpKit {
  signIns: SignInStore;
  links: LinkPages;
  returns: SealedReturns;
  clock: Clock;
}

/** Seconds for which a finished sign-in waits to be picked up by the very next request. */
const outcomeLifetimeSeconds = 300;
/** Seconds for which a browser keeps what an upstream proved while the store can't be reached. */
const keptSeconds = 120;
const rememberUpstreamSeconds = 365 * 24 * 3600;

/** What is taken of a posted answer. Apple's `user`, which nobody has signed, is not: its ID token says who it is. */
const answerParameters = ["code", "state", "iss", "error", "error_description"];

/** Encrypted, an answer of this size still fits into an address. */
const readAnswer = koaBody({ json: false, text: false, multipart: false, formLimit: "8kb", queryString: { depth: 0 } });

export function callbackRoutes(router: Router, deps: CallbackDeps): void {
  const { upstreams, signIns, returns, clock, config, cookies, sealed } = deps;
  const issuer = new URL(config.issuer);

  // Built on the issuer, whatever the request calls us.
  const callbackOf = (upstreamId: string) =>
    new URL(`${config.issuer}/upstream/${encodeURIComponent(upstreamId)}/callback`);

  router.get("/upstream/jwks", (ctx) => {
    ctx.body = JSON.stringify(upstreams.jwks());
    ctx.type = "application/jwk-set+json";
    ctx.set("cache-control", "public, max-age=3600");
  });

  // response_mode=form_post: nothing is decided here, because the cookie of the sign-in can't have come along.
  router.post("/upstream/:upstreamId/callback", async (ctx) => {
    const upstreamId = String(ctx["params"]["upstreamId"]);
    const upstream = upstreams.list().find(({ id }) => id === upstreamId);
    if (upstream?.response_mode !== "form_post") throw new LiaisonError("not_found", "Nothing is posted here.");
    await readAnswer(ctx as Parameters<typeof readAnswer>[0], async () => {});
    const fields = formFields(ctx);
    const given = answerParameters.flatMap((name): [string, string][] => {
      const value = fields[name];
      return value === undefined ? [] : [[name, value]];
    });
    const url = callbackOf(upstreamId);
    url.searchParams.set("posted", await returns.seal(upstreamId, Object.fromEntries(given)));
    seeOther(ctx, url.href);
  });

  /** The answer of an upstream, as it came in the address or as it was posted. */
  async function answerOf(ctx: Context, upstreamId: string): Promise<URL> {
    const url = callbackOf(upstreamId);
    url.search = ctx.search;
    const posted = url.searchParams.get("posted");
    if (posted === null) return url;
    const parameters = await returns.open(upstreamId, posted);
    if (parameters === undefined) {
      throw new LiaisonError("sign_in_expired", "This answer was posted too long ago, or not here.", { upstreamId });
    }
    url.search = new URLSearchParams(parameters).toString();
    return url;
  }

  router.get("/upstream/:upstreamId/callback", async (ctx) => {
    const upstreamId = String(ctx["params"]["upstreamId"]);
    const url = await answerOf(ctx, upstreamId);
    const place = keptCookie(upstreams.cookieOf(upstreamId, url));
    const kept = (await sealed.get(ctx, place.name)) as CallbackProgress | undefined;
    let progress: CallbackProgress | undefined;
    const onProgress = (made: CallbackProgress) => {
      progress = made;
    };
    try {
      if (!(await carryOut(ctx, { upstreamId, url, kept, onProgress }))) return;
    } catch (error) {
      // The sign-in may be taken, and the upstream's code spent: loading the address again leads on only from what is kept,
      // which is the browser's to do while the store can't. What is proven is kept once: it doesn't stay so for longer.
      const isPassing = error instanceof LiaisonError && error.code === "store_unavailable";
      if (isPassing && progress !== undefined && kept?.proven === undefined) {
        await sealed.set(ctx, { ...place, maxAgeSeconds: keptSeconds }, progress);
      }
      throw error;
    }
    forget(ctx, upstreams.cookieOf(upstreamId, url));
    if (kept !== undefined) sealed.clear(ctx, place);
  });

  /** Completes a sign-in and does what it was for. False if the person went back instead. */
  async function carryOut(
    ctx: Context,
    answer: Omit<Parameters<typeof upstreams.complete>[0], "cookies">,
  ): Promise<boolean> {
    const { upstreamId } = answer;
    const completed = await upstreams
      .complete({ ...answer, cookies: (name) => ctx.cookies.get(name, { signed: false }) })
      .catch((error: unknown) => wayBack(ctx, error));
    if (completed === undefined) return false;
    const { transaction, identity, accountId, authTime, authentication } = completed;
    rememberUpstream(ctx, upstreamId);
    // The sign-in is spent: whatever fails from here on, the person can begin it anew.
    ctx.state["retryUrl"] = config.issuer + beginning(transaction.purpose);
    if (transaction.purpose.kind === "sign_in") {
      const { interactionUid } = transaction.purpose;
      const expiresAt = clock.now() + outcomeLifetimeSeconds * 1000;
      const outcome = { accountId, upstreamId, authTime, authentication };
      await signIns.leaveOutcome(hashSecret(interactionUid), outcome, expiresAt);
      seeOther(ctx, `${config.issuer}/interaction/${interactionUid}?returned`);
      return true;
    }
    const { kind, requestId, secretHash } = transaction.purpose;
    const isRepeated = answer.kept !== undefined;
    await deps.links.complete(ctx, kind, { requestId, secretHash, identity, accountId, isRepeated });
    return true;
  }

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

  /** Where it is kept: one place for each sign-in, sent to callbacks alone. */
  function keptCookie(cookie: ReturnType<typeof upstreams.cookieOf>): { name: string; path: string } {
    const name = cookie?.name.slice(cookie.name.lastIndexOf(".") + 1) ?? "none";
    return { name: `liaison.proven.${name}`, path: cookie?.path ?? issuer.pathname };
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
