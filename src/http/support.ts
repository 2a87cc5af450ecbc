/** The form for people who don't know their registered address, under `/interaction/<uid>/support`. */

import type Router from "@koa/router";
import type { Context } from "koa";
import type { Seconds } from "../clock.ts";
import type { Support } from "../linking/support.ts";
import type { InteractionState } from "../oidc/dispatcher.ts";
import type { FieldError, SupportField } from "../ui/views.ts";
import type { CookiePlace } from "./cookies.ts";
import { form, noHead } from "./declarations.ts";
import type { HttpDependencies } from "./dependencies.ts";
import type { InteractionPages } from "./interaction-pages.ts";
import { formFields, networkOf } from "./requests.ts";
import { seeOther, sendPage } from "./responses.ts";

export interface SupportDeps extends HttpDependencies {
  support: Support;
}

/** What a step of the form is given. */
interface SupportSteps extends Pick<SupportDeps, "support" | "encryptedCookies" | "cookies" | "config"> {
  views: InteractionPages;
  load(ctx: Context): Promise<InteractionState>;
}

/** Seconds for which the page after sending can be reloaded. */
const sentLifetimeSeconds: Seconds = 600;

/** The longest of each that is kept, in characters. */
const longest: Record<SupportField, number> = {
  name: 200,
  organization: 200,
  account_number: 200,
  message: 2000,
};
const nothing: Record<SupportField, string> = { name: "", organization: "", account_number: "", message: "" };

/** Installs the form. `load` finds the interaction that a request belongs to. */
export function supportRoutes(router: Router, steps: SupportSteps): void {
  router.get("/interaction/:uid/support", noHead, (ctx) => showForm(steps, ctx));
  router.post("/interaction/:uid/support", form, (ctx) => send(steps, ctx));
  router.get("/interaction/:uid/support/sent", noHead, (ctx) => showSent(steps, ctx));
}

async function showForm(steps: SupportSteps, ctx: Context): Promise<void> {
  const { views } = steps;
  const state = await loadSignedIn(steps, ctx);
  if (state === undefined) return;
  const name = views.requester(state).displayName ?? "";
  sendPage(ctx, await views.support(ctx, state, { values: { ...nothing, name }, errors: [], full: null }));
}

async function send(steps: SupportSteps, ctx: Context): Promise<void> {
  const { views, support, encryptedCookies } = steps;
  const state = await loadSignedIn(steps, ctx);
  if (state === undefined) return;
  const values = valuesOf(ctx);
  const errors: FieldError[] = [];
  if (values.name === "") errors.push({ field: "name", message: "name_missing" });
  if (values.organization === "") errors.push({ field: "organization", message: "organization_missing" });
  if (errors.length > 0)
    return sendPage(ctx, await views.support(ctx, state, { values, errors, full: null }), 400);
  const outcome = await support.send({
    requester: views.requester(state),
    clientAddress: networkOf(ctx),
    portalName: state.client.name,
    name: values.name,
    organization: values.organization,
    accountNumber: values.account_number,
    message: values.message,
  });
  if (outcome.result === "full") {
    const full = { until: outcome.until };
    return sendPage(ctx, await views.support(ctx, state, { values, errors: [], full }), 429);
  }
  const { reference } = outcome;
  encryptedCookies.set(ctx, sentCookie(steps, state.uid), { reference }, sentLifetimeSeconds);
  seeOther(ctx, `${interactionUrl(steps, state.uid)}/support/sent`);
}

async function showSent(steps: SupportSteps, ctx: Context): Promise<void> {
  const state = await loadSignedIn(steps, ctx);
  if (state === undefined) return;
  const { reference } = steps.encryptedCookies.get(ctx, sentCookie(steps, state.uid)) ?? {};
  if (typeof reference !== "string") return seeOther(ctx, `${interactionUrl(steps, state.uid)}/support`);
  sendPage(ctx, await steps.views.supportSent(state, reference));
}

/** The interaction, unless nobody is signed in: then the way leads back. */
async function loadSignedIn(steps: SupportSteps, ctx: Context): Promise<InteractionState | undefined> {
  const state = await steps.load(ctx);
  if (state.accountAtClient !== undefined) return state;
  seeOther(ctx, interactionUrl(steps, state.uid));
  return undefined;
}

function interactionUrl({ config }: SupportSteps, uid: string): string {
  return `${config.issuer}/interaction/${uid}`;
}

/** Where the reference of what was sent is kept, for the page that shows it. */
function sentCookie(steps: SupportSteps, uid: string): CookiePlace {
  const { pathname } = new URL(`${interactionUrl(steps, uid)}/support`);
  return steps.cookies.below(pathname, "liaison.support");
}

/** What was typed, cut to what is kept, without control characters but line breaks in the message. */
function valuesOf(ctx: Context): Record<SupportField, string> {
  const fields = formFields(ctx);
  const clean = (field: SupportField) => {
    const text = (fields[field] ?? "").replace(/\r\n?/g, "\n");
    const one = field === "message" ? text.replace(/[^\P{Cc}\n]/gu, " ") : text.replace(/\p{Cc}+/gu, " ");
    return one.toWellFormed().trim().slice(0, longest[field]);
  };
  return {
    name: clean("name"),
    organization: clean("organization"),
    account_number: clean("account_number"),
    message: clean("message"),
  };
}
