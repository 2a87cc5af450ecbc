/**
 * What people do at Fabrikam ID: sign in, cancel, create an account, set a new password. The protocol is
 * oidc-provider's.
 */

import Router from "@koa/router";
import type { Context } from "koa";
import { type Interaction, type Provider, errors as providerErrors } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { sendPage } from "./page.ts";
import { readForm, refuseForeignPosts } from "./servers.ts";
import type { UpstreamAccount, UpstreamAccounts } from "./upstream-accounts.ts";
import {
  aboutPage,
  createAccountPage,
  donePage,
  errorPage,
  forgotPasswordPage,
  signInPage,
  UPSTREAM_NAME,
} from "./upstream-pages.ts";

const MIN_PASSWORD = 8;

interface UpstreamParts {
  provider: Provider;
  accounts: UpstreamAccounts;
  /** What tells when somebody signed in. */
  clock: Clock;
}

/** The routes of a provider. Mounted in front of its own. */
export function upstreamRoutes(parts: UpstreamParts): Router {
  const { provider, accounts } = parts;
  const router = new Router();
  router.use(refuseForeignPosts);
  router.get("/", (ctx) => sendPage(ctx, aboutPage()));
  router.get("/about", (ctx) => sendPage(ctx, aboutPage()));
  for (const path of ["/create-account", "/interaction/:uid/create-account"]) {
    router.get(path, (ctx) => sendPage(ctx, createAccountPage({ ...formPlace(ctx), values: noValues })));
    router.post(
      path,
      withInteractionErrors((ctx) => createAccount(ctx, parts)),
    );
  }
  for (const path of ["/forgot-password", "/interaction/:uid/forgot-password"]) {
    router.get(path, (ctx) => sendPage(ctx, forgotPasswordPage({ ...formPlace(ctx), username: "" })));
    router.post(path, (ctx) => resetPassword(ctx, accounts));
  }
  router.get(
    "/interaction/:uid",
    withInteractionErrors((ctx) => showSignIn(ctx, provider, accounts)),
  );
  router.post(
    "/interaction/:uid",
    withInteractionErrors((ctx) => signIn(ctx, parts)),
  );
  router.get(
    "/interaction/:uid/cancel",
    withInteractionErrors((ctx) => cancel(ctx, provider)),
  );
  return router;
}

const noValues = { name: "", email: "", username: "" };

/** A form's own address, and the sign-in that it interrupts, if any. */
function formPlace(ctx: Context): { action: string; back: string } {
  const uid: unknown = ctx["params"]?.uid;
  return { action: ctx.path, back: typeof uid === "string" ? `/interaction/${uid}` : "/about" };
}

/** Turns a sign-in that is over, or was begun in another browser, into a page. */
function withInteractionErrors(handler: (ctx: Context) => Promise<void>): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    try {
      await handler(ctx);
    } catch (error) {
      if (!(error instanceof providerErrors.SessionNotFound)) throw error;
      sendPage(ctx, errorPage(400, "It has expired, was finished already, or was begun in another browser."));
    }
  };
}

async function signInView(ctx: Context, provider: Provider) {
  const { uid, params } = await provider.interactionDetails(ctx.req, ctx.res);
  const clientId = String(params["client_id"]);
  const client = await provider.Client.find(clientId);
  const hint = params["login_hint"];
  return {
    interactionPath: `/interaction/${uid}`,
    clientName: client?.clientName ?? clientId,
    hint: typeof hint === "string" ? hint : "",
  };
}

async function showSignIn(ctx: Context, provider: Provider, accounts: UpstreamAccounts): Promise<void> {
  const { hint, ...view } = await signInView(ctx, provider);
  sendPage(ctx, signInPage({ ...view, username: accounts.usernameFor(hint) }));
}

async function signIn(ctx: Context, parts: UpstreamParts): Promise<void> {
  const { provider, accounts } = parts;
  const { hint: _, ...view } = await signInView(ctx, provider);
  const form = await readForm(ctx);
  const username = form.get("username") ?? "";
  const account = await accounts.authenticate(username, form.get("password") ?? "");
  if (account !== undefined) return finishSignIn(ctx, parts, account);
  const error = `The username or the password isn't right. If you forgot the password, set a new one below.`;
  sendPage(ctx, { ...signInPage({ ...view, username, error }), status: 401 });
}

/** Ends the interaction as signed in. `select_account` is answered too, in case the client asked for that. */
async function finishSignIn(
  ctx: Context,
  { provider, clock }: UpstreamParts,
  account: UpstreamAccount,
): Promise<void> {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  await endSessionOfAnotherAccount(provider, interaction, account);
  const returnTo = await provider.interactionResult(ctx.req, ctx.res, {
    login: { accountId: account.subject, ts: Math.floor(clock.now() / 1000) },
    select_account: {},
  });
  ctx.redirect(returnTo);
  ctx.status = 303;
}

/**
 * Where another account has a session here, oidc-provider would sign it out by a page that submits itself.
 * Ending that session beforehand spares the person the page, and works without JavaScript.
 */
async function endSessionOfAnotherAccount(
  provider: Provider,
  interaction: Interaction,
  account: UpstreamAccount,
): Promise<void> {
  if (interaction.session === undefined || interaction.session.accountId === account.subject) return;
  const session = await provider.Session.findByUid(interaction.session.uid);
  await session?.destroy();
  delete interaction.session;
  await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
}

async function cancel(ctx: Context, provider: Provider): Promise<void> {
  const returnTo = await provider.interactionResult(
    ctx.req,
    ctx.res,
    { error: "access_denied", error_description: `The sign-in at ${UPSTREAM_NAME} was cancelled.` },
    { mergeWithLastSubmission: false },
  );
  ctx.redirect(returnTo);
  ctx.status = 303;
}

/** Creates the account. Amid a sign-in the person is signed in with it and goes on. */
async function createAccount(ctx: Context, parts: UpstreamParts): Promise<void> {
  const { accounts } = parts;
  const place = formPlace(ctx);
  const form = await readForm(ctx);
  const value = (name: string) => (form.get(name) ?? "").trim();
  const values = { name: value("name"), email: value("email"), username: value("username") };
  const password = form.get("password") ?? "";
  const refuse = (error: string) => sendPage(ctx, createAccountPage({ ...place, values, error }));

  if (values.name === "" || values.username === "") return refuse("Fill in every field.");
  if (!/^[^\s@]+@[^\s@]+$/.test(values.email))
    return refuse("Write an email address such as name@mail.example.");
  if (password.length < MIN_PASSWORD)
    return refuse(`Use at least ${MIN_PASSWORD} characters for the password.`);
  const account = await accounts.create({ ...values, password });
  if (account === undefined) return refuse(`The username "${values.username}" is taken. Choose another.`);

  if (place.back !== "/about") return finishSignIn(ctx, parts, account);
  const detail =
    `Your username is ${account.username}. Return to the site that you wanted to reach, and sign in with ` +
    "it.";
  sendPage(ctx, donePage("Your account is ready", detail, null));
}

async function resetPassword(ctx: Context, accounts: UpstreamAccounts): Promise<void> {
  const place = formPlace(ctx);
  const form = await readForm(ctx);
  const username = form.get("username") ?? "";
  const password = form.get("password") ?? "";
  const refuse = (error: string) => sendPage(ctx, forgotPasswordPage({ ...place, username, error }));

  if (password.length < MIN_PASSWORD)
    return refuse(`Use at least ${MIN_PASSWORD} characters for the password.`);
  if (!(await accounts.resetPassword(username, password)))
    return refuse(`There is no account "${username}".`);
  const next = place.back === "/about" ? null : { href: place.back, label: "Go on to sign in" };
  sendPage(ctx, donePage("Your password is changed", "Sign in with the new one from now on.", next));
}
