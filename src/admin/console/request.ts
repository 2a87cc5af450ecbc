/** A request of an administrator: who asks, what it says, and the ways to answer it. */

import type { Context } from "koa";
import type { z } from "zod";
import type { HttpDependencies } from "../../http/dependencies.ts";
import { queryValue } from "../../http/requests.ts";
import { seeOther, sendPage } from "../../http/responses.ts";
import type { ConsoleFrame, ConsoleSection, FormState } from "../../ui/console/views.ts";
import { messages } from "../../ui/messages.ts";
import type { Form, Site } from "../../ui/views.ts";
import type { Definition, Typed } from "../definitions/definition.ts";
import type { Scope } from "../scopes.ts";
import type { AdminService, CallOptions } from "../service.ts";
import type { Administrator } from "./administrator-session.ts";
import { type FormValues, valuesOf } from "./form-values.ts";

/**
 * What a page may be told by its address that was just done: one of these, never a text of somebody else's.
 */
const DONE = [
  "saved",
  "unchanged",
  "address",
  "organization_added",
  "person_added",
  "unlinked",
  "sign_in_ended",
  "session_ended",
  "sessions_ended",
  "client_saved",
  "client_removed",
  "key_removed",
  "role_changed",
  "mail_queued",
] as const;
type Done = (typeof DONE)[number];

/** A request of an administrator. */
export interface ConsoleRequest {
  ctx: Context;
  /** Where a page below `/admin` is. */
  url(path: string): string;
  site: Site;
  frame: ConsoleFrame;
  administrator: Administrator;
  may(scope: Scope): boolean;
  /** What stands in the path. */
  parameter(name: string): string;
  query(name: string): string;
  /** A posted form's values by name; a field that stands there several times has several. */
  values(): FormValues;
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
  /** Redirects to a page below `/admin`, which says what was done. */
  redirect(path: string, done?: Done): void;
  /** Something was done that mails or portals are to be told of. */
  changed(): void;
  /** A form that is new. */
  newForm(action: string, values: FormState["values"], more?: Partial<FormState>): FormState;
}

const sections: readonly ConsoleSection[] = [
  "overview",
  "clients",
  "organizations",
  "people",
  "accounts",
  "links",
  "mail",
  "why",
  "administrators",
  "keys",
  "audit",
];

export interface RequestDependencies {
  http: HttpDependencies;
  service: AdminService;
  issuer: string;
  onChange(): void;
}

/** Where a page below `/admin` is. */
export const consoleUrl = (issuer: string, path: string) => `${issuer}/admin${path}`;

export function consoleRequest(
  { http, service, issuer, onChange }: RequestDependencies,
  ctx: Context,
  site: Site,
  administrator: Administrator,
): ConsoleRequest {
  const { principal } = administrator;
  const url = (path: string) => consoleUrl(issuer, path);
  const form = (action: string): Form => ({ action: url(action), csrfToken: http.csrf.token(ctx) });
  return {
    ctx,
    url,
    site,
    administrator,
    form,
    frame: frameOf(ctx, site, administrator, form("/sign-out")),
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
    redirect: (path, done) => seeOther(ctx, url(done === undefined ? path : `${path}?done=${done}`)),
    changed: onChange,
    newForm: (action, values, more = {}) => ({ form: form(action), values, faults: [], ...more }),
  };
}

function frameOf(
  ctx: Context,
  site: Site,
  { principal, role, membership }: Administrator,
  signOut: Form,
): ConsoleFrame {
  return {
    who: membership.profile.name,
    role,
    signOut,
    done: doneText(ctx, site),
    sections: sections.filter((section) => section !== "audit" || principal.scopes.has("audit:read")),
  };
}

/** What was just done, and what happens next. What more there is to say of it, the page's own route says. */
function doneText(ctx: Context, site: Site): string | null {
  const done = DONE.find((one) => one === queryValue(ctx, "done"));
  return done === undefined || done === "person_added"
    ? null
    : messages(site.locale).text(`admin.done.${done}`);
}

/** Where the next part of a list is. */
export function nextUrl({ ctx }: ConsoleRequest, url: string, next: string | null): string | null {
  if (next === null) return null;
  const query = new URLSearchParams(ctx.querystring);
  query.delete("done");
  query.set("cursor", next);
  return `${url}?${query}`;
}

/** What a list is asked for by its address. */
export function listQuery(request: ConsoleRequest): {
  q: string | undefined;
  cursor: string | undefined;
  limit: number;
} {
  const [q, cursor] = [request.query("q").trim(), request.query("cursor")];
  return { q: q === "" ? undefined : q.slice(0, 200), cursor: cursor === "" ? undefined : cursor, limit: 25 };
}
