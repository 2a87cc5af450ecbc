/**
 * The steps of a sign-in under `/interaction/<uid>`. Each request loads the interaction, asks the dispatcher,
 * and shows a page or goes on; a POST that did something comes back with a 303, one that couldn't shows its
 * page again. Rules live in oidc/ and linking/.
 */

import { setTimeout as pause } from "node:timers/promises";
import type Router from "@koa/router";
import type { Context } from "koa";
import type { Instant, Seconds } from "../clock.ts";
import { looksLikeAddress, plainAddress } from "../domain/address.ts";
import { demandOf } from "../domain/administration.ts";
import { asUpstreamId, type UpstreamId } from "../domain/ids.ts";
import { matchingCode } from "../domain/matching-code.ts";
import { LiaisonError } from "../errors.ts";
import type { Linking } from "../linking/linking.ts";
import type { Dispatcher, InteractionState } from "../oidc/dispatcher.ts";
import { interactionLifetimeSeconds } from "../oidc/provider.ts";
import type { ArtifactStore } from "../storage/contract.ts";
import type { FieldError, SignInPage } from "../ui/views.ts";
import { form, noHead } from "./declarations.ts";
import { createDeclinedLinks } from "./declined-links.ts";
import { withoutItsCookie } from "./errors.ts";
import {
  createInteractionPages,
  type InteractionPages,
  type InteractionPagesDeps,
  isOffered,
} from "./interaction-pages.ts";
import { createKeptInquiries, type KeptInquiry } from "./kept-inquiry.ts";
import { formFields, hasQuery, networkOf, queryValue, seeOther, sendPage } from "./kit.ts";
import { createOpenedInteractions } from "./opened-interactions.ts";
import { allowFormTargets } from "./security-headers.ts";
import { forgetCookies } from "./shadowed-cookies.ts";
import { type SupportDeps, supportRoutes } from "./support.ts";
import { upstreamCookie } from "./upstream-cookie.ts";
import { createWaitingSignIns } from "./waiting-sign-in.ts";

export interface InteractionDeps extends InteractionPagesDeps, SupportDeps {
  artifacts: Pick<ArtifactStore, "extend" | "upsert" | "find">;
  dispatcher: Dispatcher;
  linking: Linking;
}

/**
 * How often, and how many milliseconds apart, somebody whose callback is being answered elsewhere looks what
 * came of it.
 */
const [mostLooks, lookAgainMs] = [10, 300];

/** Characters of a typed address that are kept: RFC 5321 allows 254, and the whole must fit into a cookie. */
const maxTyped = 320;

export function interactionRoutes(router: Router, deps: InteractionDeps): void {
  const {
    artifacts,
    dispatcher,
    linking,
    csrf,
    encryptedCookies,
    cookies,
    binding,
    signedOut,
    clock,
    upstreams,
    config,
    costs,
  } = deps;
  const { issuer } = config;
  const views: InteractionPages = createInteractionPages(deps);
  const opened = createOpenedInteractions(deps);
  const base = (uid: string) => `${issuer}/interaction/${uid}`;
  const belowOf = (uid: string, name: string) => cookies.below(new URL(base(uid)).pathname, name);
  const lifetimeSeconds: Seconds = interactionLifetimeSeconds(config.linking.link_lifetime_seconds);
  const inquiries = createKeptInquiries({ issuer, cookies, encryptedCookies, lifetimeSeconds });
  const declined = createDeclinedLinks({
    issuer,
    cookies,
    encryptedCookies,
    artifacts,
    clock,
    lifetimeSeconds,
  });
  const waiting = createWaitingSignIns(issuer, cookies, encryptedCookies);

  /** Loads the interaction of the path, for a POST only after its form was verified. */
  async function load(ctx: Context): Promise<InteractionState> {
    if (ctx.method === "POST") csrf.verify(ctx, formFields(ctx)["csrf"]);
    const uid = String(ctx["params"].uid);
    const state = await dispatcher
      .load(ctx.req, ctx.res, uid, binding.proofs(ctx))
      .catch(async (error: unknown) => {
        throw await explainLost(ctx, uid, error);
      });
    allowFormTargets(ctx, [...upstreams.origins(), state.redirectUri]);
    opened.arrived(ctx, state);
    return state;
  }

  router.use("/interaction/:uid", opened.middleware);

  async function explainLost(ctx: Context, uid: string, error: unknown): Promise<unknown> {
    if (!(error instanceof LiaisonError) || !error.code.startsWith("sign_in_")) return error;
    const { client, state } = await dispatcher.lost(uid);
    ctx.state["portal"] = client;
    // Alive, and its cookie is here: then it is the session that it stands on which is gone, or now somebody
    // else's.
    const isOurs = ctx.cookies.get(belowOf(uid, "liaison.interaction").name) === uid;
    // It came back from an upstream for an interaction that it doesn't have: somebody else began, and put his
    // cookies here.
    if (state === "alive" && !isOurs && binding.hasReturnedFor(ctx, uid)) forgetCookies(ctx);
    if (state === "gone") ctx.state["lostReason"] = "already_finished";
    else if (isOurs && error.code === "sign_in_mismatch") ctx.state["lostReason"] = "other_browser";
    else if (state === "expired" || isOurs) ctx.state["lostReason"] = "expired";
    else ctx.state["lostReason"] = withoutItsCookie(ctx);
    return error;
  }

  /** The upstreams through which somebody may sign in there. */
  const offered = ({ client }: InteractionState) =>
    upstreams.list().filter(({ id }) => isOffered(config, client.id, asUpstreamId(id)));

  async function begin(
    ctx: Context,
    state: InteractionState,
    upstreamId: UpstreamId,
    fresh: boolean,
  ): Promise<void> {
    ctx.state["retryUrl"] = base(state.uid);
    await costs.chargeUpstreamSignIn(ctx, state.uid);
    const isForced = state.forced || state.isInsufficient;
    const choosesAccount = fresh || signedOut.has(ctx);
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
    ctx: Context,
    state: InteractionState,
    notice: SignInPage["notice"],
    fresh: boolean,
  ) {
    sendPage(ctx, await views.signIn(ctx, state, notice, fresh));
  }

  /**
   * Straight to the upstream that the portal names or this browser used last. The first visit chooses, and
   * who signed out.
   */
  async function signInOrChoose(ctx: Context, state: InteractionState): Promise<void> {
    const remembered = cookies.get(ctx, cookies.ofService(upstreamCookie));
    // Somebody whose sign-in doesn't suffice is told so, and goes on by their own hand.
    if (state.isInsufficient) return await showSignIn(ctx, state, null, true);
    const known = offered(state).map(({ id }) => id);
    const upstreamId = [state.upstreamHint, remembered].find((id) => id !== undefined && known.includes(id));
    if (upstreamId === undefined || state.prompt !== "login")
      return await showSignIn(ctx, state, null, false);
    // Whatever the portal hints: on a computer that others use, the next person would be signed in as the
    // last.
    if (signedOut.has(ctx)) return await showSignIn(ctx, state, "signed_out", false);
    await begin(ctx, state, asUpstreamId(upstreamId), false);
  }

  async function showLinkStep(ctx: Context, state: InteractionState, value = "", errors: FieldError[] = []) {
    sendPage(ctx, await views.linkStep(ctx, state, value, errors), errors.length > 0 ? 400 : 200);
  }

  /** Whether this browser may know that a link of its inquiry was declined. */
  async function wasDeclined(ctx: Context, { inquiryId }: KeptInquiry): Promise<boolean> {
    return inquiryId !== null && (await declined.isTold(ctx, inquiryId));
  }

  async function showWaiting(ctx: Context, state: InteractionState, kept: KeptInquiry, askedTooSoon = false) {
    const typed = (await inquiries.typed(ctx, state.uid)) ?? null;
    const isDeclined = await wasDeclined(ctx, kept);
    sendPage(ctx, await views.checkEmail(ctx, state, { ...kept, typed, isDeclined, askedTooSoon }));
  }

  async function finish(ctx: Context, result: Parameters<Dispatcher["finish"]>[2]): Promise<void> {
    const goesOnAt = await dispatcher.finish(ctx.req, ctx.res, result);
    inquiries.forgetTyped(ctx, String(ctx["params"].uid));
    opened.noted(ctx);
    seeOther(ctx, goesOnAt);
  }

  supportRoutes(router, deps, { views, load });

  /**
   * The same callback may be under way for another request of this browser, maybe at another broker, or what
   * it left is being taken by one: what that comes to is there with the browser's next request.
   */
  async function lookAgain(ctx: Context, state: InteractionState): Promise<void> {
    const look = Number(queryValue(ctx, "again") ?? (binding.hasReturnedFor(ctx, state.uid) ? 1 : mostLooks));
    if (!(look >= 1 && look < mostLooks)) return await showSignIn(ctx, state, null, false);
    await pause(lookAgainMs);
    seeOther(ctx, `${base(state.uid)}?returned&again=${look + 1}`);
  }

  router.get("/interaction/:uid", noHead, async (ctx) => {
    const state = await load(ctx);
    const hasReturned = hasQuery(ctx, "returned");
    const next = await dispatcher.next(state, hasReturned);
    switch (next.step) {
      case "sign_in":
        // Back without anything: whoever is sent to the upstream again at once may go round for ever.
        if (hasReturned) return await lookAgain(ctx, state);
        return await signInOrChoose(ctx, state);
      case "finish":
        return await finish(ctx, next.result);
      case "choose":
        return sendPage(ctx, await views.chooseProfile(ctx, state, next, []));
      case "link":
      case "not_admitted": {
        const kept = await inquiries.find(ctx, state.uid);
        if (kept !== undefined) return await showWaiting(ctx, state, kept);
        if (next.step === "link") return await showLinkStep(ctx, state);
        return sendPage(ctx, await views.notAdmitted(ctx, state, next.admission));
      }
    }
  });

  router.get("/interaction/:uid/upstreams", noHead, async (ctx) => {
    const state = await load(ctx);
    const notice = queryValue(ctx, "notice");
    await showSignIn(
      ctx,
      state,
      notice === "cancelled" || notice === "failed" ? notice : null,
      hasQuery(ctx, "fresh"),
    );
  });

  router.post("/interaction/:uid/sign-in", form, async (ctx) => {
    const state = await load(ctx);
    const upstreamId = asUpstreamId(formFields(ctx)["upstream"] ?? "");
    if (!offered(state).some(({ id }) => id === upstreamId)) return await showSignIn(ctx, state, null, false);
    await begin(ctx, state, upstreamId, hasQuery(ctx, "fresh"));
  });

  // Why profiles that got linked meanwhile don't open the portal, for the page that goes on waiting.
  router.get("/interaction/:uid/admission", noHead, async (ctx) => {
    const state = await load(ctx);
    if (state.admission?.kind !== "not_admitted") return seeOther(ctx, base(state.uid));
    sendPage(ctx, await views.notAdmitted(ctx, state, state.admission));
  });

  // Where a browser asks again for the page that a POST showed.
  for (const step of ["sign-in", "use-another", "resend", "profile", "cancel"]) {
    router.get(`/interaction/:uid/${step}`, noHead, (ctx) =>
      seeOther(ctx, base(String(ctx["params"]["uid"]))),
    );
  }

  router.post("/interaction/:uid/use-another", form, async (ctx) => {
    const state = await load(ctx);
    inquiries.forget(ctx, state.uid);
    const [only, ...others] = offered(state);
    if (only !== undefined && others.length === 0)
      return await begin(ctx, state, asUpstreamId(only.id), true);
    seeOther(ctx, `${base(state.uid)}/upstreams?fresh`);
  });

  // The way back to the portal without a sign-in, which it is told (RFC 6749, section 4.1.2.1).
  router.post("/interaction/:uid/cancel", form, async (ctx) => {
    const state = await load(ctx);
    const isRefused = state.admission?.kind === "not_admitted";
    await finish(ctx, {
      error: "access_denied",
      error_description: isRefused
        ? "no linked profile is admitted by the client"
        : "the sign-in was cancelled",
    });
  });

  router.get("/interaction/:uid/address", noHead, async (ctx) => {
    const state = await load(ctx);
    if (state.standing === undefined) return seeOther(ctx, base(state.uid));
    await showLinkStep(ctx, state, await inquiries.typed(ctx, state.uid));
  });

  /**
   * Stores the inquiry and nothing else; looking it up begins when the answer has left. Where this person has
   * asked only just now nothing is stored, and when they may ask again is returned.
   */
  async function inquire(
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
    const kept: KeptInquiry = { inquiryId: id, address, askedAt, since, code, heldUntil, lookedAtBy };
    await inquiries.keep(ctx, state.uid, kept, isShown);
    const { redirectUri, client } = state;
    await waiting.note(ctx, { interactionUid: state.uid, clientId: client.id, redirectUri }, lifetimeSeconds);
    seeOther(ctx, `${base(state.uid)}/waiting`);
    return undefined;
  }

  router.post("/interaction/:uid/address", form, async (ctx) => {
    const state = await load(ctx);
    if (state.standing === undefined) return seeOther(ctx, base(state.uid));
    const all = formFields(ctx)["email"] ?? "";
    const typed = all.slice(0, maxTyped);
    if (typed.trim() === "") {
      return await showLinkStep(ctx, state, "", [{ field: "email", message: "email_missing" }]);
    }
    // By the spelling alone, so that it tells nothing of the directory: whoever agrees sends the plain form.
    const plain = typed === all ? plainAddress(typed) : undefined;
    if (plain !== undefined) {
      return await showLinkStep(ctx, state, plain, [{ field: "email", message: "email_plain" }]);
    }
    if (!looksLikeAddress(typed)) {
      return await showLinkStep(ctx, state, typed, [{ field: "email", message: "email_format" }]);
    }
    const askAgainAt = await inquire(ctx, state, typed, true);
    if (askAgainAt !== undefined) sendPage(ctx, await views.linkStep(ctx, state, typed, [], askAgainAt), 429);
  });

  router.get("/interaction/:uid/waiting", noHead, async (ctx) => {
    const state = await load(ctx);
    const kept = await inquiries.find(ctx, state.uid);
    if (kept === undefined || state.standing === undefined) return seeOther(ctx, base(state.uid));
    await showWaiting(ctx, state, kept);
  });

  router.post("/interaction/:uid/resend", form, async (ctx) => {
    const state = await load(ctx);
    const kept = await inquiries.find(ctx, state.uid);
    if (kept === undefined || state.standing === undefined) return seeOther(ctx, base(state.uid));
    const isShown = (await inquiries.typed(ctx, state.uid)) !== undefined;
    const latest = await linking.latestInquiry(state.cid);
    const askedAt = Math.max(kept.askedAt, latest?.createdAt ?? 0);
    const heldUntil = latest?.heldUntil ?? null;
    if (clock.now() < views.askAgainAt({ askedAt, heldUntil })) {
      return await showWaiting(ctx, state, { ...kept, askedAt, heldUntil }, true);
    }
    const askAgainAt = await inquire(ctx, state, kept.address, isShown);
    if (askAgainAt === undefined) return;
    // It was in another sign-in of theirs that they asked.
    const elsewhere = askAgainAt - config.linking.resend_after_seconds * 1000;
    await showWaiting(ctx, state, { ...kept, askedAt: elsewhere, heldUntil }, true);
  });

  router.get("/interaction/:uid/status", noHead, async (ctx) => {
    const state = await load(ctx);
    const kept = await inquiries.find(ctx, state.uid);
    const linked = views.linkedSince(state, kept?.since);
    const admitted = state.admission?.kind === "admitted" || state.admission?.kind === "choose";
    const goesOn = admitted && (state.prompt === "link" || linked.length > 0);
    const isDeclined = kept !== undefined && (await wasDeclined(ctx, kept));
    ctx.body = {
      state: goesOn ? "continue" : isDeclined ? "declined" : "waiting",
      linked: linked.map((view) => `${view.profileName}, ${view.organizationName}`),
    };
  });

  router.post("/interaction/:uid/profile", form, async (ctx) => {
    const state = await load(ctx);
    const next = await dispatcher.next(state, false);
    if (next.step !== "choose") return seeOther(ctx, base(state.uid));
    const profileId = formFields(ctx)["profile_id"];
    if (!next.choices.some(({ profile }) => profile.id === profileId)) {
      const page = await views.chooseProfile(ctx, state, next, [
        { field: "profile_id", message: "profile_missing" },
      ]);
      return sendPage(ctx, page, 400);
    }
    await finish(ctx, { select_account: { profile_id: profileId } });
  });
}
