/**
 * The routes of a sign-in under `/interaction/<uid>`. Each request loads the interaction, asks the
 * dispatcher, and shows a page or goes on; a POST that did something comes back with a 303, one that
 * couldn't shows its page again. The steps are interaction-sign-in.ts's, interaction-link.ts's and
 * support.ts's; rules live in oidc/ and linking/.
 */

import type Router from "@koa/router";
import type { Context } from "koa";
import { form, noHead } from "./declarations.ts";
import {
  askForAddress,
  inquireAgain,
  showLinkStep,
  showWaiting,
  submitAddress,
  tellStatus,
  waitForLink,
} from "./interaction-link.ts";
import {
  lookAgain,
  showUpstreams,
  signInAtChosen,
  signInOrChoose,
  useAnotherAccount,
} from "./interaction-sign-in.ts";
import {
  createInteractionSteps,
  finishStep,
  type InteractionDeps,
  type InteractionSteps,
  loadInteraction,
} from "./interaction-steps.ts";
import { formFields, hasQuery } from "./requests.ts";
import { seeOther, sendPage } from "./responses.ts";
import { supportRoutes } from "./support.ts";

/** What a browser may ask for again that a POST showed. */
const shownByPosts = ["sign-in", "use-another", "resend", "profile", "cancel"];

export function interactionRoutes(router: Router, deps: InteractionDeps): void {
  const steps = createInteractionSteps(deps);
  const at = (step: (steps: InteractionSteps, ctx: Context) => Promise<void>) => (ctx: Context) =>
    step(steps, ctx);

  router.use("/interaction/:uid", steps.opened.middleware);
  supportRoutes(router, { ...steps, load: (ctx) => loadInteraction(steps, ctx) });
  router.get("/interaction/:uid", noHead, at(showNextStep));
  router.get("/interaction/:uid/upstreams", noHead, at(showUpstreams));
  router.post("/interaction/:uid/sign-in", form, at(signInAtChosen));
  router.post("/interaction/:uid/use-another", form, at(useAnotherAccount));
  router.get("/interaction/:uid/admission", noHead, at(showAdmission));
  router.post("/interaction/:uid/cancel", form, at(cancel));
  router.get("/interaction/:uid/address", noHead, at(askForAddress));
  router.post("/interaction/:uid/address", form, at(submitAddress));
  router.get("/interaction/:uid/waiting", noHead, at(waitForLink));
  router.post("/interaction/:uid/resend", form, at(inquireAgain));
  router.get("/interaction/:uid/status", noHead, at(tellStatus));
  router.post("/interaction/:uid/profile", form, at(chooseProfile));
  for (const step of shownByPosts) {
    router.get(`/interaction/:uid/${step}`, noHead, (ctx) =>
      seeOther(ctx, steps.urlOf(String(ctx["params"]["uid"]))),
    );
  }
}

/** Whatever comes next, by what is stored. */
async function showNextStep(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const hasReturned = hasQuery(ctx, "returned");
  const next = await steps.dispatcher.next(state, hasReturned);
  switch (next.step) {
    case "sign_in":
      // Back without anything: whoever is sent to the upstream again at once may go round for ever.
      if (hasReturned) return await lookAgain(steps, ctx, state);
      return await signInOrChoose(steps, ctx, state);
    case "finish":
      return await finishStep(steps, ctx, next.result);
    case "choose":
      return sendPage(ctx, await steps.views.chooseProfile(ctx, state, next, []));
    case "link":
    case "not_admitted": {
      const inquiry = await steps.inquiries.find(ctx, state.uid);
      if (inquiry !== undefined) return await showWaiting(steps, ctx, state, inquiry);
      if (next.step === "link") return await showLinkStep(steps, ctx, state);
      return sendPage(ctx, await steps.views.notAdmitted(ctx, state, next.admission));
    }
  }
}

/** Why profiles that got linked meanwhile don't open the portal, for the page that goes on waiting. */
async function showAdmission(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  if (state.admission?.kind !== "not_admitted") return seeOther(ctx, steps.urlOf(state.uid));
  sendPage(ctx, await steps.views.notAdmitted(ctx, state, state.admission));
}

/** The way back to the portal without a sign-in, which it is told (RFC 6749, section 4.1.2.1). */
async function cancel(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const isRefused = state.admission?.kind === "not_admitted";
  await finishStep(steps, ctx, {
    error: "access_denied",
    error_description: isRefused
      ? "no linked profile is admitted by the client"
      : "the sign-in was cancelled",
  });
}

/** The profile that was chosen. */
async function chooseProfile(steps: InteractionSteps, ctx: Context): Promise<void> {
  const state = await loadInteraction(steps, ctx);
  const next = await steps.dispatcher.next(state, false);
  if (next.step !== "choose") return seeOther(ctx, steps.urlOf(state.uid));
  const profileId = formFields(ctx)["profile_id"];
  if (!next.choices.some(({ profile }) => profile.id === profileId)) {
    const page = await steps.views.chooseProfile(ctx, state, next, [
      { field: "profile_id", message: "profile_missing" },
    ]);
    return sendPage(ctx, page, 400);
  }
  await finishStep(steps, ctx, { select_account: { profile_id: profileId } });
}
