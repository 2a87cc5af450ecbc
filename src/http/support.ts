/** The form for people who don't know their registered address, under `/interaction/<uid>/support`. */

import type Router from "@koa/router";
import type { Context } from "koa";
import type { Seconds } from "../clock.ts";
import type { Support } from "../linking/support.ts";
import type { InteractionState } from "../oidc/dispatcher.ts";
import type { FieldError, SupportField } from "../ui/views.ts";
import { form, noHead } from "./declarations.ts";
import type { HttpDependencies } from "./dependencies.ts";
import type { InteractionPages } from "./interaction-pages.ts";
import { formFields, networkOf } from "./requests.ts";
import { seeOther, sendPage } from "./responses.ts";

export interface SupportDeps extends HttpDependencies {
  support: Support;
}

interface Parts {
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

export function supportRoutes(
  router: Router,
  {
    support,
    encryptedCookies,
    cookies,
    config,
  }: Pick<SupportDeps, "support" | "encryptedCookies" | "cookies" | "config">,
  { views, load }: Parts,
): void {
  const base = (uid: string) => `${config.issuer}/interaction/${uid}`;
  const sentAt = (uid: string) => cookies.below(new URL(`${base(uid)}/support`).pathname, "liaison.support");

  /** The interaction, unless nobody is signed in: then the way leads back. */
  async function loadSignedIn(ctx: Context): Promise<InteractionState | undefined> {
    const state = await load(ctx);
    if (state.accountAtClient !== undefined) return state;
    seeOther(ctx, base(state.uid));
    return undefined;
  }

  router.get("/interaction/:uid/support", noHead, async (ctx) => {
    const state = await loadSignedIn(ctx);
    if (state === undefined) return;
    const name = views.requester(state).displayName ?? "";
    sendPage(ctx, await views.support(ctx, state, { values: { ...nothing, name }, errors: [], full: null }));
  });

  router.post("/interaction/:uid/support", form, async (ctx) => {
    const state = await loadSignedIn(ctx);
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
    encryptedCookies.set(ctx, sentAt(state.uid), { reference }, sentLifetimeSeconds);
    seeOther(ctx, `${base(state.uid)}/support/sent`);
  });

  router.get("/interaction/:uid/support/sent", noHead, async (ctx) => {
    const state = await loadSignedIn(ctx);
    if (state === undefined) return;
    const { reference } = encryptedCookies.get(ctx, sentAt(state.uid)) ?? {};
    if (typeof reference !== "string") return seeOther(ctx, `${base(state.uid)}/support`);
    sendPage(ctx, await views.supportSent(state, reference));
  });
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
