/**
 * What the pages' routes share: who may see a page, what its frame says, how a form is read, what an error
 * looks like.
 */

import { isDeepStrictEqual } from "node:util";
import type Router from "@koa/router";
import type { Context } from "koa";
import type { z } from "zod";
import { randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import { form } from "../../http/declarations.ts";
import type { HttpDependencies } from "../../http/dependencies.ts";
import { responseTo } from "../../http/error-responses.ts";
import { formFields, queryValue } from "../../http/requests.ts";
import { seeOther, sendPage } from "../../http/responses.ts";
import type { ConsoleFrame, ConsoleSection, FormState } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Form, Site } from "../../ui/views.ts";
import type { Definition, Typed } from "../definitions/definition.ts";
import { EditConflict, InputError } from "../operation.ts";
import type { Scope } from "../scopes.ts";
import type { AdminService, CallOptions } from "../service.ts";
import type { Administrator, ConsoleSessions } from "./session.ts";

/**
 * What a page may be told by its address that was just done: one of these, never a text of somebody else's.
 */
const DONE = [
  ...([
    "saved",
    "unchanged",
    "address",
    "organization_added",
    "person_added",
    "unlinked",
    "sign_in_ended",
  ] as const),
  ...([
    "session_ended",
    "sessions_ended",
    "client_saved",
    "client_removed",
    "key_removed",
    "role_changed",
  ] as const),
  ...(["mail_queued"] as const),
];
type Done = (typeof DONE)[number];

/** A request of an administrator. */
export interface Visit {
  ctx: Context;
  site: Site;
  frame: ConsoleFrame;
  administrator: Administrator;
  may(scope: Scope): boolean;
  /** What stands in the path. */
  parameter(name: string): string;
  query(name: string): string;
  /** A posted form's values by name; a field that stands there several times has several. */
  values(): Record<string, string[]>;
  form(action: string): Form;
  /** Carries an operation out, and gives its output. */
  call<Input extends z.ZodObject, Output extends z.ZodObject>(
    definition: Definition<Input, Output>,
    input: z.input<Input>,
    options?: CallOptions,
  ): Promise<z.output<Output>>;
  /** The same with what a form says: fields of the input, whose values are checked there. */
  submit<Input extends z.ZodObject, Output extends z.ZodObject>(
    definition: Definition<Input, Output>,
    typed: Typed<Input>,
    options?: CallOptions,
  ): Promise<z.output<Output>>;
  /** The same as `call` with the record's revision. */
  read<Input extends z.ZodObject, Output extends z.ZodObject>(
    definition: Definition<Input, Output>,
    input: z.input<Input>,
  ): Promise<{ output: z.output<Output>; revision: string }>;
  send(html: string, status?: number): void;
  /** Goes on to a page below `/admin`, which says what was done. */
  go(path: string, done?: Done): void;
  /** A form that is new. */
  fresh(action: string, values: FormState["values"], more?: Partial<FormState>): FormState;
}

export interface Shell {
  kit: HttpDependencies;
  /** A page of a section, below `/admin`. */
  get(path: string, section: ConsoleSection, show: (visit: Visit) => Promise<void>): void;
  /** What a form there does; only with the form's token. */
  post(path: string, section: ConsoleSection, act: (visit: Visit) => Promise<void>): void;
  /**
   * Whatever else is asked for there: said in the administration's own frame, to administrators. Installed
   * behind all others.
   */
  missing(path: string): void;
  url(path: string): string;
}

const sections: ConsoleSection[] = [
  ...(["overview", "clients", "organizations", "people", "accounts", "links", "mail", "why"] as const),
  ...(["administrators", "keys", "audit"] as const),
];

export function createShell(
  router: Router,
  parts: { kit: HttpDependencies; sessions: ConsoleSessions; service: AdminService; issuer: string },
): Shell {
  const { kit, sessions, service, issuer } = parts;
  const url = (path: string) => `${issuer}/admin${path}`;

  function visitOf(ctx: Context, site: Site, administrator: Administrator): Visit {
    const { principal, role, membership } = administrator;
    const form = (action: string): Form => ({ action: url(action), csrfToken: kit.csrf.token(ctx) });
    return {
      ctx,
      site,
      administrator,
      form,
      frame: {
        who: membership.profile.name,
        role,
        signOut: form("/sign-out"),
        done: doneText(ctx, site),
        sections: sections.filter((section) => section !== "audit" || principal.scopes.has("audit:read")),
      },
      may: (scope) => principal.scopes.has(scope),
      parameter: (name) => String(ctx["params"][name]),
      query: (name) => queryValue(ctx, name) ?? "",
      values: () => valuesOf(ctx),
      call: async (definition, input, options) =>
        (await service.call(definition, principal, input, options)).output,
      submit: async (definition, typed, options) =>
        (await service.call(definition, principal, typed, options)).output,
      read: async (definition, input) => {
        const { output, revision = "" } = await service.call(definition, principal, input);
        return { output, revision };
      },
      send: (html, status) => sendPage(ctx, html, status),
      go: (path, done) => seeOther(ctx, url(done === undefined ? path : `${path}?done=${done}`)),
      fresh: (action, values, more = {}) => ({ form: form(action), values, faults: [], ...more }),
    };
  }

  /** The administrator behind a request; otherwise what there is to say has been said. */
  async function enter(ctx: Context): Promise<Visit | undefined> {
    const visitor = await sessions.visitor(ctx);
    if (visitor.kind === "administrator") return visitOf(ctx, await kit.site(), visitor);
    if (visitor.kind === "somebody") {
      const { profile, organization } = visitor.membership;
      const names = { profileName: profile.name, organizationName: organization.name };
      const page = consolePages.notAdministrator(await kit.site(), { ...names, anotherUrl: url("/another") });
      sendPage(ctx, page, 403);
      return undefined;
    }
    if (ctx.method === "POST") sendPage(ctx, consolePages.consoleLost(await kit.site()), 401);
    else await sessions.begin(ctx, `${ctx.path}${ctx.search}`);
    return undefined;
  }

  async function run(
    ctx: Context,
    section: ConsoleSection,
    work: (visit: Visit) => Promise<void>,
  ): Promise<void> {
    if (ctx.method === "POST") kit.csrf.verify(ctx, formFields(ctx)["csrf"]);
    const visit = await enter(ctx);
    if (visit === undefined) return;
    try {
      await work(visit);
    } catch (error) {
      const { status } = responseTo(error);
      if (!(error instanceof LiaisonError) || status >= 500) throw error;
      const label = messages(visit.site.locale).text(`admin.section.${section}`);
      const back = { url: url(section === "overview" ? "" : `/${section}`), label };
      const heading = messages(visit.site.locale).text(
        status === 404 ? "admin.missing.title" : "admin.refused.title",
      );
      const page = { section, heading, message: error.message, back };
      visit.send(consolePages.refusalPage(visit.site, visit.frame, page), status);
    }
  }

  return {
    kit,
    url,
    get: (path, section, show) => void router.get(`/admin${path}`, (ctx) => run(ctx, section, show)),
    missing: (path) =>
      void router.get(`/admin${path}`, async (ctx, next) => {
        const visitor = await sessions.visitor(ctx);
        if (visitor.kind !== "administrator") return await next();
        const visit = visitOf(ctx, await kit.site(), visitor);
        const t = messages(visit.site.locale);
        const back = { url: url(""), label: t.text("admin.section.overview") };
        const page = {
          section: null,
          heading: t.text("admin.missing.title"),
          message: t.text("admin.missing.page"),
          back,
        };
        visit.send(consolePages.refusalPage(visit.site, visit.frame, page), 404);
      }),
    post: (path, section, act) => void router.post(`/admin${path}`, form, (ctx) => run(ctx, section, act)),
  };
}

/** What was just done, and what happens next. What more there is to say of it, the page's own route says. */
function doneText(ctx: Context, site: Site): string | null {
  const done = DONE.find((one) => one === queryValue(ctx, "done"));
  return done === undefined || done === "person_added"
    ? null
    : messages(site.locale).text(`admin.done.${done}`);
}

function valuesOf(ctx: Context): Record<string, string[]> {
  const body = (ctx.request as { body?: unknown }).body;
  if (typeof body !== "object" || body === null) return {};
  const entries = Object.entries(body).map(([name, value]): [string, string[]] => [
    name,
    [value].flat().filter((one): one is string => typeof one === "string"),
  ]);
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<string, string[]>;
}

/** What makes a creation come true once, however often its form is sent. */
export const newOnce = () => randomId();

/** One value of a field, cut; undefined for an empty one. */
export function one(values: Record<string, string[]>, name: string): string | undefined {
  const text = values[name]?.[0]?.trim() ?? "";
  return text === "" ? undefined : text;
}

/** The lines of a field. */
export function linesOf(values: Record<string, string[]>, name: string): string[] {
  return (values[name] ?? [])
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

export const isTicked = (values: Record<string, string[]>, name: string) =>
  values[name]?.includes("true") ?? false;

/**
 * Runs what a form asks for. Undefined if its input is wrong or overtaken; then `again` has shown the form
 * once more, with the record as it is now where it was overtaken.
 */
export async function attempt<Output>(
  work: Promise<Output>,
  again: (state: Partial<FormState>, status: number, current?: unknown) => void | Promise<void>,
): Promise<{ output: Output } | undefined> {
  try {
    return { output: await work };
  } catch (error) {
    if (error instanceof EditConflict) {
      const differences = error.differences.flatMap(({ field, yours, current }) =>
        differencesIn(field, yours, current),
      );
      await again({ differences, revision: error.current.revision ?? "" }, 412, error.current.output);
      return undefined;
    }
    if (error instanceof InputError) {
      await again({ faults: [...error.faults] }, 400);
      return undefined;
    }
    if (error instanceof LiaisonError && error.code === "conflict") {
      await again({ faults: [{ field: "", problem: error.message }] }, 409);
      return undefined;
    }
    throw error;
  }
}

/** A line for a field; for a field of several values, one for each that differs. */
function differencesIn(
  field: string,
  yours: unknown,
  current: unknown,
): NonNullable<FormState["differences"]> {
  if (!isRecord(yours) || !isRecord(current))
    return [{ field, yours: shown(yours), current: shown(current) }];
  return Object.entries(yours)
    .filter(([name, value]) => !isDeepStrictEqual(value, current[name]))
    .map(([name, value]) => ({
      field: `${field}.${name}`,
      yours: shown(value),
      current: shown(current[name]),
    }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Where the next part of a list is. */
export function nextUrl({ ctx }: Visit, url: string, next: string | null): string | null {
  if (next === null) return null;
  const query = new URLSearchParams(ctx.querystring);
  query.delete("done");
  query.set("cursor", next);
  return `${url}?${query}`;
}

/** What a list is asked for by its address. */
export function listQuery(visit: Visit): {
  q: string | undefined;
  cursor: string | undefined;
  limit: number;
} {
  const [q, cursor] = [visit.query("q").trim(), visit.query("cursor")];
  return { q: q === "" ? undefined : q.slice(0, 200), cursor: cursor === "" ? undefined : cursor, limit: 25 };
}
