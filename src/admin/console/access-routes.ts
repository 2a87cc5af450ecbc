/** The pages of administrators, API keys and the audit. */

import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { z } from "zod";
import { createCalendar } from "../../domain/calendar.ts";
import { LiaisonError } from "../../errors.ts";
import { invitationFields, keyFields, roleFields } from "../../ui/console/forms.ts";
import type { AuditEventView, FormState, ProfileView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import { AUDIT_CSV_HEADER, auditCsvLine } from "../csv-out.ts";
import type { Typed } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { LEAST_ROLE } from "../scopes.ts";
import { asShown, isChanged } from "./edits.ts";
import { namesOf } from "./names.ts";
import { attempt, newOnce, nextUrl, one, type Shell, type Visit } from "./shell.ts";
import { verificationRoutes } from "./verification-routes.ts";

export interface AccessRoutesParts {
  timeZone: string;
  onChange(): void;
}

export function accessRoutes(shell: Shell, parts: AccessRoutesParts): void {
  administratorRoutes(shell, parts);
  keyRoutes(shell, parts);
  auditRoutes(shell, parts);
  verificationRoutes(shell);
}

function administratorRoutes(shell: Shell, { onChange }: AccessRoutesParts): void {
  const section = "administrators" as const;
  const back = (visit: Visit) => ({
    url: shell.url("/administrators"),
    label: messages(visit.site.locale).text("admin.section.administrators"),
  });

  function showInvite(visit: Visit, state: FormState, status = 200) {
    const t = messages(visit.site.locale);
    const heading = t.text("admin.administrators.inviteTitle");
    const page = { section, heading, back: back(visit), submit: t.text("admin.administrators.submit") };
    visit.send(
      consolePages.formPage(visit.site, visit.frame, page, state, invitationFields(visit.site)),
      status,
    );
  }

  function showRole(visit: Visit, profile: ProfileView, state: FormState, status = 200) {
    const t = messages(visit.site.locale);
    const heading = t.text("admin.administrators.roleTitle", { profile: profile.name });
    const page = { section, heading, back: back(visit), submit: t.text("admin.save") };
    visit.send(consolePages.formPage(visit.site, visit.frame, page, state, roleFields(visit.site)), status);
  }

  shell.get("/administrators", section, async (visit) => {
    const { items } = await visit.call(operations.administrators.list, { limit: 200 });
    const invited = visit.query("invited") === "" ? null : visit.query("invited");
    const view = { items, mayWrite: visit.may("admins:write"), invited };
    visit.send(consolePages.administrators(visit.site, visit.frame, view));
  });

  shell.get("/administrators/invite", section, async (visit) => {
    showInvite(visit, visit.fresh("/administrators/invite", { role: [LEAST_ROLE] }, { once: newOnce() }));
  });

  shell.post("/administrators/invite", section, async (visit) => {
    const values = visit.values();
    const once = one(values, "once");
    const input: Typed<typeof operations.administrators.invite.input> = {
      email: one(values, "email") ?? "",
      role: one(values, "role") ?? "",
      name: one(values, "name"),
    };
    const made = await attempt(
      visit.submit(operations.administrators.invite, input, { idempotencyKey: once }),
      (state, status) =>
        showInvite(
          visit,
          visit.fresh("/administrators/invite", values, { once: once ?? newOnce(), ...state }),
          status,
        ),
    );
    if (made === undefined) return;
    onChange();
    visit.go(`/administrators?${new URLSearchParams({ invited: made.output.email })}`);
  });

  shell.get("/administrators/:id/role", section, async (visit) => {
    const id = visit.parameter("id");
    const profile = await visit.call(operations.profiles.get, { id });
    const values = { role: [profile.admin_role ?? "none"] };
    const state = { was: asShown(values) };
    showRole(visit, profile, visit.fresh(`/administrators/${encodeURIComponent(id)}/role`, values, state));
  });

  shell.post("/administrators/:id/role", section, async (visit) => {
    const id = visit.parameter("id");
    const values = visit.values();
    const profile = await visit.call(operations.profiles.get, { id });
    if (!isChanged(values, ["role"])) return visit.go("/administrators", "unchanged");
    const role = one(values, "role") ?? "";
    const was = one(values, "was") ?? "";
    const done = await attempt(
      visit.submit(operations.administrators.setRole, { id, role: role === "none" ? null : role }),
      (state, status) =>
        showRole(
          visit,
          profile,
          visit.fresh(`/administrators/${encodeURIComponent(id)}/role`, values, { was, ...state }),
          status,
        ),
    );
    if (done !== undefined) visit.go("/administrators", "role_changed");
  });
}

function keyRoutes(shell: Shell, { timeZone }: AccessRoutesParts): void {
  const section = "keys" as const;
  const calendar = createCalendar(timeZone);
  const back = (visit: Visit) => ({
    url: shell.url("/keys"),
    label: messages(visit.site.locale).text("admin.section.keys"),
  });

  async function showKeys(visit: Visit, made: { name: string; key: string } | null) {
    const { items: keys } = await visit.call(operations.apiKeys.list, {});
    const { items: signing } = await visit.call(operations.signingKeys.list, {});
    visit.send(
      consolePages.keys(visit.site, visit.frame, {
        keys,
        signing,
        made,
        mayWrite: visit.may("admins:write"),
      }),
    );
  }

  function showForm(visit: Visit, state: FormState, status = 200) {
    const t = messages(visit.site.locale);
    const page = {
      section,
      heading: t.text("admin.keys.newTitle"),
      back: back(visit),
      submit: t.text("admin.keys.submit"),
    };
    visit.send(consolePages.formPage(visit.site, visit.frame, page, state, keyFields(visit.site)), status);
  }

  shell.get("/keys", section, (visit) => showKeys(visit, null));

  shell.get("/keys/new", section, async (visit) => {
    showForm(visit, visit.fresh("/keys/new", { scopes: ["admin:read"] }, { once: newOnce() }));
  });

  shell.post("/keys/new", section, async (visit) => {
    const values = visit.values();
    const once = one(values, "once");
    const day = one(values, "expires_at");
    const end = day === undefined ? undefined : calendar.endOfDay(day);
    const input: Typed<typeof operations.apiKeys.create.input> = {
      name: one(values, "name") ?? "",
      scopes: values["scopes"] ?? [],
      expires_at: end === undefined ? day : new Date(end).toISOString(),
    };
    const made = await attempt(
      visit.submit(operations.apiKeys.create, input, { idempotencyKey: once }),
      (state, status) =>
        showForm(visit, visit.fresh("/keys/new", values, { once: once ?? newOnce(), ...state }), status),
    );
    if (made !== undefined) await showKeys(visit, { name: made.output.name, key: made.output.key });
  });

  shell.get("/keys/:id/remove", section, async (visit) => {
    const t = messages(visit.site.locale);
    const id = visit.parameter("id");
    const { items } = await visit.call(operations.apiKeys.list, {});
    const name = items.find((key) => key.id === id)?.name ?? id;
    const page = {
      section,
      heading: t.text("admin.keys.removeTitle", { name }),
      back: back(visit),
      submit: t.text("admin.keys.removeSubmit"),
      consequences: [t.text("admin.keys.removeAfter")],
      form: visit.form(`/keys/${encodeURIComponent(id)}/remove`),
    };
    visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
  });

  shell.post("/keys/:id/remove", section, async (visit) => {
    await visit.call(operations.apiKeys.remove, { id: visit.parameter("id") });
    visit.go("/keys", "key_removed");
  });
}

function auditRoutes(shell: Shell, { timeZone }: AccessRoutesParts): void {
  const calendar = createCalendar(timeZone);

  /** The filter as it was typed, and as the operation takes it: days are whole. */
  function filterOf(visit: Visit) {
    const [action, actor, from, to] = ["action", "actor", "from", "to"].map((name) =>
      visit.query(name).trim(),
    );
    const typed = { action: action ?? "", actor: actor ?? "", from: from ?? "", to: to ?? "" };
    const isUnread = [typed.from, typed.to].some((day) => day !== "" && calendar.endOfDay(day) === undefined);
    // Before the first day that the calendar has there is nothing to leave out.
    const begin = isUnread || typed.from === "" ? undefined : calendar.endOfDay(dayBefore(typed.from));
    const until = typed.to === "" ? undefined : calendar.endOfDay(typed.to);
    return {
      typed,
      fault: isUnread ? messages(visit.site.locale).text("admin.audit.dates") : null,
      input: {
        action: typed.action === "" ? undefined : typed.action,
        actor: typed.actor === "" ? undefined : typed.actor,
        from: begin === undefined ? undefined : new Date(begin).toISOString(),
        to: until === undefined ? undefined : new Date(until).toISOString(),
      } satisfies z.input<typeof operations.audit.list.input>,
    };
  }

  shell.get("/audit", "audit", async (visit) => {
    const { typed, input, fault } = filterOf(visit);
    const cursor = visit.query("cursor");
    const query = { ...input, limit: 50, cursor: cursor === "" ? undefined : cursor };
    const none = { items: [], next_cursor: null };
    const { items, next_cursor } = fault === null ? await visit.call(operations.audit.list, query) : none;
    const asked = new URLSearchParams(Object.entries(typed).filter(([, value]) => value !== ""));
    visit.send(
      consolePages.audit(visit.site, visit.frame, {
        items,
        nextUrl: nextUrl(visit, shell.url("/audit"), next_cursor),
        filter: typed,
        fault,
        names: await namesOf(visit, {
          profiles: items.map((event) => event.profile_id),
          organizations: items.map((event) => event.organization_id),
          actors: items.map((event) => event.actor),
        }),
        verify: visit.form("/audit/verifications"),
        exportUrl: (format) => `${shell.url(`/audit/export.${format}`)}?${asked}`,
      }),
      fault === null ? 200 : 400,
    );
  });

  for (const format of ["jsonl", "csv"] as const) {
    shell.get(`/audit/export.${format}`, "audit", async (visit) => {
      const { input, fault } = filterOf(visit);
      if (fault !== null) throw LiaisonError.badRequest(fault);
      const read = (cursor: string | null) =>
        visit.call(operations.audit.list, {
          ...input,
          limit: 200,
          cursor: cursor ?? undefined,
        });
      // Read before anything is sent, so that a refusal is a page.
      const first = await read(null);
      const { ctx } = visit;
      ctx.type = format === "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8";
      ctx.set("content-disposition", `attachment; filename="audit.${format}"`);
      const line = (event: AuditEventView) =>
        format === "csv" ? auditCsvLine(event) : `${JSON.stringify(event)}\n`;
      const lines = async function* () {
        if (format === "csv") yield AUDIT_CSV_HEADER;
        for (let page = first; ; page = await read(page.next_cursor)) {
          yield page.items.map(line).join("");
          if (page.next_cursor === null) return;
          // Neither an await on SQLite nor a reader who is fast lets anybody in.
          await setImmediate();
        }
      };
      ctx.body = Readable.from(lines());
    });
  }
}

/** The day before one that there is. */
function dayBefore(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - 1);
  return date.toISOString().slice(0, 10);
}
