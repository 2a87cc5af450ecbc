/**
 * Routes of the administration's pages: each is for administrators alone, and what goes wrong in one is said
 * in the administration's own frame.
 */

import type Router from "@koa/router";
import type { Context } from "koa";
import { LiaisonError } from "../../errors.ts";
import { form } from "../../http/declarations.ts";
import { statusFor } from "../../http/errors.ts";
import { formFields, sendPage } from "../../http/kit.ts";
import type { ConsoleSection } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { ConsoleSessions, Visitor } from "./session.ts";
import { consoleUrl, type Visit, type VisitParts, visitOf } from "./visit.ts";

export interface Shell {
  /** A page of a section, below `/admin`. */
  get(path: string, section: ConsoleSection, show: (visit: Visit) => Promise<void>): void;
  /** What a form there does; only with the form's token. */
  post(path: string, section: ConsoleSection, act: (visit: Visit) => Promise<void>): void;
  /**
   * Whatever else is asked for there: said in the administration's own frame, to administrators. Installed
   * behind all others.
   */
  missing(path: string): void;
}

export interface ShellParts extends VisitParts {
  sessions: ConsoleSessions;
}

export function createShell(router: Router, parts: ShellParts): Shell {
  return {
    get: (path, section, show) => void router.get(`/admin${path}`, (ctx) => run(parts, ctx, section, show)),
    post: (path, section, act) =>
      void router.post(`/admin${path}`, form, (ctx) => run(parts, ctx, section, act)),
    missing: (path) => void router.get(`/admin${path}`, (ctx, next) => answerMissing(parts, ctx, next)),
  };
}

async function run(
  parts: ShellParts,
  ctx: Context,
  section: ConsoleSection,
  work: (visit: Visit) => Promise<void>,
): Promise<void> {
  const { csrf } = parts.kit;
  if (ctx.method === "POST") csrf.verify(ctx, formFields(ctx)["csrf"]);
  const visit = await enter(parts, ctx);
  if (visit === undefined) return;
  try {
    await work(visit);
  } catch (error) {
    const status = error instanceof LiaisonError ? statusFor(error) : 500;
    if (!(error instanceof LiaisonError) || status >= 500) throw error;
    sendRefusal(visit, section, error, status);
  }
}

/** The administrator behind a request; otherwise what there is to say has been said. */
async function enter(parts: ShellParts, ctx: Context): Promise<Visit | undefined> {
  const { kit, sessions } = parts;
  const visitor = await sessions.visitor(ctx);
  if (visitor.kind === "administrator") return visitOf(parts, ctx, await kit.site(), visitor);
  if (visitor.kind === "somebody") await sendNotAdministrator(parts, ctx, visitor);
  else if (ctx.method === "POST") sendPage(ctx, consolePages.consoleLost(await kit.site()), 401);
  else await sessions.begin(ctx, `${ctx.path}${ctx.search}`);
  return undefined;
}

async function sendNotAdministrator(
  { kit, issuer }: ShellParts,
  ctx: Context,
  { membership }: Extract<Visitor, { kind: "somebody" }>,
): Promise<void> {
  const page = consolePages.notAdministrator(await kit.site(), {
    profileName: membership.profile.name,
    organizationName: membership.organization.name,
    anotherUrl: consoleUrl(issuer, "/another"),
  });
  sendPage(ctx, page, 403);
}

function sendRefusal(visit: Visit, section: ConsoleSection, error: LiaisonError, status: number): void {
  const t = messages(visit.site.locale);
  const page = {
    section,
    heading: t.text(status === 404 ? "admin.missing.title" : "admin.refused.title"),
    message: error.message,
    back: {
      url: visit.url(section === "overview" ? "" : `/${section}`),
      label: t.text(`admin.section.${section}`),
    },
  };
  visit.send(consolePages.refusalPage(visit.site, visit.frame, page), status);
}

async function answerMissing(
  parts: ShellParts,
  ctx: Context,
  next: () => Promise<unknown>,
): Promise<unknown> {
  const { kit, sessions } = parts;
  const visitor = await sessions.visitor(ctx);
  if (visitor.kind !== "administrator") return await next();
  const visit = visitOf(parts, ctx, await kit.site(), visitor);
  const t = messages(visit.site.locale);
  const page = {
    section: null,
    heading: t.text("admin.missing.title"),
    message: t.text("admin.missing.page"),
    back: { url: visit.url(""), label: t.text("admin.section.overview") },
  };
  visit.send(consolePages.refusalPage(visit.site, visit.frame, page), 404);
  return undefined;
}
