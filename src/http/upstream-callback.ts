/**
 * Where upstreams send people back: completes the sign-in and hands its result, for the browser that brought
 * it alone, to what it was for. Also where upstreams fetch our public keys.
 */

import type Router from "@koa/router";
import type { Context } from "koa";
import { koaBody } from "koa-body";
import type { Clock, Seconds } from "../clock.ts";
import { asUpstreamId } from "../domain/ids.ts";
import type { SecretHash, SignInPurpose } from "../domain/records.ts";
import { hashSecret, randomSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { SignInStore } from "../storage/contract.ts";
import { withPurpose } from "../upstream/failures.ts";
import { stateOf } from "../upstream/state.ts";
import type { CallbackProgress } from "../upstream/upstreams.ts";
import type { CookiePlace } from "./cookies.ts";
import { noHead } from "./declarations.ts";
import type { EncryptedState } from "./encrypted-state.ts";
import { formFields, type HttpKit, queryValue, seeOther } from "./kit.ts";
import type { CarriedOut, LinkPages } from "./link.ts";
import { createSingleFlight } from "./single-flight.ts";
import { upstreamCookie } from "./upstream-cookie.ts";

export interface CallbackDeps extends HttpKit {
  signIns: SignInStore;
  links: LinkPages;
  encryptedState: EncryptedState;
  clock: Clock;
}

/** Seconds for which a finished sign-in waits to be picked up by the very next request. */
const outcomeLifetimeSeconds: Seconds = 300;
/** Seconds for which a browser keeps what an upstream proved while the store can't be reached. */
const keptSeconds: Seconds = 120;
const rememberUpstreamSeconds: Seconds = 365 * 24 * 3600;

/**
 * What is taken of a posted answer. Apple's `user`, which nobody has signed, is not: its ID token says who it
 * is.
 */
const answerParameters = ["code", "state", "iss", "error", "error_description"];

/** What a callback came to, for every response that it is answered with. */
type Completed = { upstreamId: string } & (
  | { kind: "sign_in"; interactionUid: string; proof: string }
  | { kind: "link"; carriedOut: CarriedOut }
);

/** A callback under way: what it came to, and how far it had come if it failed. */
interface Attempt {
  result: { completed: Completed } | { error: unknown };
  progress: CallbackProgress | undefined;
}

/**
 * Seconds for which a posted answer, encrypted in the address that its POST is sent on to, is good. A POST
 * from another site comes without the SameSite=Lax cookie that a sign-in is bound to; the GET behind a 303
 * has it, and no code is left in a history or in the log of a proxy.
 */
const postedSeconds: Seconds = 60;
const postedTo = (upstreamId: string) => `upstream return\n${upstreamId}`;

/** Encrypted, an answer of this size still fits into an address. */
const readAnswer = koaBody({
  json: false,
  text: false,
  multipart: false,
  formLimit: "8kb",
  queryString: { depth: 0 },
});

export function callbackRoutes(router: Router, deps: CallbackDeps): void {
  const { upstreams, signIns, encryptedState, clock, config, cookies, binding, encryptedCookies, costs } =
    deps;
  // The same callback is sent again while the first is under way, by an impatient person or a browser: both
  // end alike.
  const flights = createSingleFlight<Attempt>();

  // Built on the issuer, whatever the request calls us.
  const callbackOf = (upstreamId: string) =>
    new URL(`${config.issuer}/upstream/${encodeURIComponent(upstreamId)}/callback`);

  router.get("/upstream/jwks", noHead, (ctx) => {
    ctx.body = JSON.stringify(upstreams.jwks());
    ctx.type = "application/jwk-set+json";
    ctx.set("cache-control", "public, max-age=3600");
  });

  // response_mode=form_post: nothing is decided here, because the cookie of the sign-in can't have come
  // along.
  router.post("/upstream/:upstreamId/callback", async (ctx) => {
    const upstreamId = String(ctx["params"]["upstreamId"]);
    const upstream = upstreams.list().find(({ id }) => id === upstreamId);
    if (upstream?.response_mode !== "form_post")
      throw new LiaisonError("not_found", "Nothing is posted here.");
    await readAnswer(ctx as Parameters<typeof readAnswer>[0], async () => {});
    const fields = formFields(ctx);
    const given = answerParameters.flatMap((name): [string, string][] => {
      const value = fields[name];
      return value === undefined ? [] : [[name, value]];
    });
    const url = callbackOf(upstreamId);
    const posted = encryptedState.encrypt(Object.fromEntries(given), postedTo(upstreamId), postedSeconds);
    url.searchParams.set("posted", posted);
    seeOther(ctx, url.href);
  });

  /** The answer of an upstream, as it came in the address or as it was posted. */
  function answerOf(ctx: Context, upstreamId: string): URL {
    const url = callbackOf(upstreamId);
    url.search = ctx.search;
    const posted = queryValue(ctx, "posted");
    if (posted === undefined) return url;
    const parameters = encryptedState.decrypt(posted, postedTo(upstreamId)) as
      | Record<string, string>
      | undefined;
    if (parameters === undefined) {
      throw new LiaisonError("sign_in_expired", "This answer was posted too long ago, or not here.", {
        upstreamId,
      });
    }
    url.search = new URLSearchParams(parameters).toString();
    return url;
  }

  router.get("/upstream/:upstreamId/callback", noHead, async (ctx) => {
    const upstreamId = asUpstreamId(String(ctx["params"]["upstreamId"]));
    const url = answerOf(ctx, upstreamId);
    const place = keptAt(upstreamId, url);
    const kept = encryptedCookies.get(ctx, place) as CallbackProgress | undefined;
    const browsers = binding.begunWith(ctx, stateOf(url));
    const sender = costs.senderOf(ctx);
    const { result, progress } = await flights.run(flightKey(url, browsers, kept), () =>
      attempt({ upstreamId, url, browsers, kept, sender }),
    );
    if ("completed" in result) {
      if (kept !== undefined) encryptedCookies.clear(ctx, place);
      return await goOn(ctx, result.completed);
    }
    const { error } = result;
    // The sign-in may be taken, and the upstream's code spent: loading the address again leads on only from
    // what is kept, which is the browser's to do while the store can't. What is proven is kept once: it
    // doesn't stay so for longer.
    const isPassing = error instanceof LiaisonError && error.code === "store_unavailable";
    if (isPassing && progress !== undefined && kept?.proven === undefined) {
      encryptedCookies.set(ctx, place, progress, keptSeconds);
    }
    wayBack(ctx, error);
  });

  async function attempt(
    answer: Omit<Parameters<typeof upstreams.complete>[0], "onProgress">,
  ): Promise<Attempt> {
    let progress: CallbackProgress | undefined;
    const onProgress = (made: CallbackProgress) => {
      progress = made;
    };
    try {
      return { result: { completed: await complete({ ...answer, onProgress }) }, progress };
    } catch (error) {
      return { result: { error }, progress };
    }
  }

  /**
   * Completes a sign-in and does what it was for. Whatever fails once it is spent says of the error what it
   * was for.
   */
  async function complete(answer: Parameters<typeof upstreams.complete>[0]): Promise<Completed> {
    const { upstreamId } = answer;
    const { transaction, identity, accountId, authTime, authentication } = await upstreams.complete(answer);
    const { purpose } = transaction;
    try {
      if (purpose.kind === "sign_in") {
        const proof = randomSecret();
        const outcome = { accountId, upstreamId, authTime, authentication, proofHash: hashSecret(proof) };
        const expiresAt = clock.now() + outcomeLifetimeSeconds * 1000;
        await signIns.leaveOutcome(hashSecret(purpose.interactionUid), outcome, expiresAt);
        return { kind: "sign_in", upstreamId, interactionUid: purpose.interactionUid, proof };
      }
      const { kind, requestId, secretHash } = purpose;
      const isRepeated = answer.kept !== undefined;
      const tried = { requestId, secretHash, identity, accountId, isRepeated };
      return { kind: "link", upstreamId, carriedOut: await deps.links.carryOut(kind, tried) };
    } catch (error) {
      throw withPurpose(error, transaction);
    }
  }

  /** Leads one of the browser's requests on. */
  async function goOn(ctx: Context, completed: Completed): Promise<void> {
    cookies.set(ctx, cookies.ofService(upstreamCookie), completed.upstreamId, rememberUpstreamSeconds);
    if (completed.kind === "link") return await deps.links.goOn(ctx, completed.carriedOut);
    binding.give(ctx, completed.proof, completed.interactionUid);
    seeOther(ctx, `${config.issuer}/interaction/${completed.interactionUid}?returned`);
  }

  /**
   * A sign-in that the person cancelled goes back to where it began, and one that is spent to what came of
   * it; everything else is a page of its own.
   */
  function wayBack(ctx: Context, error: unknown): void {
    if (!(error instanceof LiaisonError) || error.purpose === undefined) throw error;
    const { purpose, code } = error;
    const begunAt = config.issuer + beginning(purpose);
    if (code === "upstream_refused") {
      seeOther(
        ctx,
        purpose.kind === "sign_in" ? `${begunAt}/upstreams?notice=cancelled` : `${begunAt}?cancelled`,
      );
    } else if (code === "sign_in_expired") {
      seeOther(ctx, purpose.kind === "sign_in" ? `${begunAt}?returned&again=1` : `${begunAt}/result?again`);
    } else {
      ctx.state["retryUrl"] = begunAt;
      throw error;
    }
  }

  function beginning(purpose: SignInPurpose): string {
    return purpose.kind === "sign_in"
      ? `/interaction/${purpose.interactionUid}`
      : `/link/${purpose.requestId}`;
  }

  /**
   * Where the progress of a callback is kept, sent to callbacks alone: one place for each answer, code and
   * all, so that whoever knows the state alone can have nobody go on from there.
   */
  function keptAt(upstreamId: string, url: URL): CookiePlace {
    const name = hashSecret(url.search).slice(0, 12);
    return cookies.below(callbackOf(upstreamId).pathname, `liaison.proven.${name}`);
  }
}

/**
 * The same for the same answer in the same browser, as far as that browser has come with it: whoever doesn't
 * know the upstream's code, or doesn't hold what was kept instead of it, joins nobody.
 */
function flightKey(url: URL, browsers: readonly SecretHash[], kept: CallbackProgress | undefined): string {
  return hashSecret([url.pathname, url.search, kept?.attempt ?? "", ...browsers].join("\n"));
}
