/**
 * Routes of the administration's pages: each is for administrators alone, and what goes wrong in one is said
 * in the administration's own frame.
 */

import type Router from "@koa/router";
import type { Context } from "koa";
import { LiaisonError } from "../../errors.ts";
import { form } from "../../http/declarations.ts";
import { responseTo } from "../../http/error-responses.ts";
import { formFields } from "../../http/requests.ts";
import { sendPage } from "../../http/responses.ts";
import type { ConsoleSection } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { ConsoleSessions, Visitor } from "./administrator-session.ts";
import { type ConsoleRequest, consoleRequest, consoleUrl, type RequestDependencies } from "./request.ts";

export interface ConsoleRouter {
  /** A page of a section, below `/admin`. */
  get(path: string, section: ConsoleSection, show: (request: ConsoleRequest) => Promise<void>): void;
  /** What a form there does; only with the form's token. */
  post(path: string, section: ConsoleSection, act: (request: ConsoleRequest) => Promise<void>): void;
  /**
   * Whatever else is asked for there: said in the administration's own frame, to administrators. Installed
   * behind all others.
   */
  missing(path: string): void;
}

export interface ConsoleRouterDependencies extends RequestDependencies {
  sessions: ConsoleSessions;
}

export function createConsoleRouter(router: Router, dependencies: ConsoleRouterDependencies): ConsoleRouter {
  return {
    get: (path, section, show) =>
      void router.get(`/admin${path}`, (ctx) => run(dependencies, ctx, section, show)),
    post: (path, section, act) =>
      void router.post(`/admin${path}`, form, (ctx) => run(dependencies, ctx, section, act)),
    missing: (path) =>
      void router.get(`/admin${path}`, (ctx, next) => answerMissing(dependencies, ctx, next)),
  };
}

async function run(
  dependencies: ConsoleRouterDependencies,
  ctx: Context,
  section: ConsoleSection,
  work: (request: ConsoleRequest) => Promise<void>,
): Promise<void> {
  const { csrf } = dependencies.http;
  if (ctx.method === "POST") csrf.verify(ctx, formFields(ctx)["csrf"]);
  const request = await enter(dependencies, ctx);
  if (request === undefined) return;
  try {
    await work(request);
  } catch (error) {
    const { status } = responseTo(error);
    if (!(error instanceof LiaisonError) || status >= 500) throw error;
    sendRefusal(request, section, error, status);
  }
}

/** The administrator behind a request; otherwise what there is to say has been said. */
async function enter(
  dependencies: ConsoleRouterDependencies,
  ctx: Context,
): Promise<ConsoleRequest | undefined> {
  const { http, sessions } = dependencies;
  const visitor = await sessions.visitor(ctx);
  if (visitor.kind === "administrator") return consoleRequest(dependencies, ctx, await http.site(), visitor);
  if (visitor.kind === "somebody") await sendNotAdministrator(dependencies, ctx, visitor);
  else if (ctx.method === "POST") sendPage(ctx, consolePages.consoleLost(await http.site()), 401);
  else await sessions.begin(ctx, `${ctx.path}${ctx.search}`);
  return undefined;
}

async function sendNotAdministrator(
  { http, issuer }: ConsoleRouterDependencies,
  ctx: Context,
  { membership }: Extract<Visitor, { kind: "somebody" }>,
): Promise<void> {
  const page = consolePages.notAdministrator(await http.site(), {
    profileName: membership.profile.name,
    organizationName: membership.organization.name,
    anotherUrl: consoleUrl(issuer, "/another"),
  });
  sendPage(ctx, page, 403);
}

function sendRefusal(
  request: ConsoleRequest,
  section: ConsoleSection,
  error: LiaisonError,
  status: number,
): void {
  const t = messages(request.site.locale);
  const page = {
    section,
    heading: t.text(status === 404 ? "admin.missing.title" : "admin.refused.title"),
    message: error.message,
    back: {
      url: request.url(section === "overview" ? "" : `/${section}`),
      label: t.text(`admin.section.${section}`),
    },
  };
  request.send(consolePages.refusalPage(request.site, request.frame, page), status);
}

async function answerMissing(
  dependencies: ConsoleRouterDependencies,
  ctx: Context,
  next: () => Promise<unknown>,
): Promise<unknown> {
  const { http, sessions } = dependencies;
  const visitor = await sessions.visitor(ctx);
  if (visitor.kind !== "administrator") return await next();
  const request = consoleRequest(dependencies, ctx, await http.site(), visitor);
  const t = messages(request.site.locale);
  const page = {
    section: null,
    heading: t.text("admin.missing.title"),
    message: t.text("admin.missing.page"),
    back: { url: request.url(""), label: t.text("admin.section.overview") },
  };
  request.send(consolePages.refusalPage(request.site, request.frame, page), 404);
  return undefined;
}
