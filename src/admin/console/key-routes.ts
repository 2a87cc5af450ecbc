/** The pages of API keys, and of the keys that tokens are signed with. */

import { type Calendar, createCalendar } from "../../domain/calendar.ts";
import { keyFields } from "../../ui/console/forms.ts";
import type { FormState } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Typed } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { attempt } from "./attempt.ts";
import { fieldValue, newOnce } from "./form-values.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function keyRoutes(router: ConsoleRouter, { timeZone }: { timeZone: string }): void {
  const calendar = createCalendar(timeZone);
  router.get("/keys", section, (request) => showKeys(request, null));
  router.get("/keys/new", section, offerNewKey);
  router.post("/keys/new", section, (request) => createKey(request, calendar));
  router.get("/keys/:id/remove", section, askToRemove);
  router.post("/keys/:id/remove", section, removeKey);
}

const section = "keys" as const;

/** @param made an API key that was just made, which is shown this once */
async function showKeys(request: ConsoleRequest, made: { name: string; key: string } | null): Promise<void> {
  const { items: keys } = await request.call(operations.apiKeys.list, {});
  const { items: signing } = await request.call(operations.signingKeys.list, {});
  const view = { keys, signing, made, mayWrite: request.may("admins:write") };
  request.send(consolePages.keys(request.site, request.frame, view));
}

async function offerNewKey(request: ConsoleRequest): Promise<void> {
  showForm(request, request.newForm("/keys/new", { scopes: ["admin:read"] }, { once: newOnce() }));
}

async function createKey(request: ConsoleRequest, calendar: Calendar): Promise<void> {
  const values = request.values();
  const once = fieldValue(values, "once");
  const day = fieldValue(values, "expires_at");
  const end = day === undefined ? undefined : calendar.endOfDay(day);
  const input: Typed<typeof operations.apiKeys.create.input> = {
    name: fieldValue(values, "name") ?? "",
    scopes: values["scopes"] ?? [],
    expires_at: end === undefined ? day : new Date(end).toISOString(),
  };
  const made = await attempt(
    request.submit(operations.apiKeys.create, input, { idempotencyKey: once }),
    (state, status) =>
      showForm(request, request.newForm("/keys/new", values, { once: once ?? newOnce(), ...state }), status),
  );
  if (made !== undefined) await showKeys(request, { name: made.output.name, key: made.output.key });
}

async function askToRemove(request: ConsoleRequest): Promise<void> {
  const t = messages(request.site.locale);
  const id = request.parameter("id");
  const { items } = await request.call(operations.apiKeys.list, {});
  const name = items.find((key) => key.id === id)?.name ?? id;
  const page = {
    section,
    heading: t.text("admin.keys.removeTitle", { name }),
    back: listOf(request),
    submit: t.text("admin.keys.removeSubmit"),
    consequences: [t.text("admin.keys.removeAfter")],
    form: request.form(`/keys/${encodeURIComponent(id)}/remove`),
  };
  request.send(consolePages.confirmPage(request.site, request.frame, page));
}

async function removeKey(request: ConsoleRequest): Promise<void> {
  await request.call(operations.apiKeys.remove, { id: request.parameter("id") });
  request.redirect("/keys", "key_removed");
}

function showForm(request: ConsoleRequest, state: FormState, status = 200): void {
  const t = messages(request.site.locale);
  const page = {
    section,
    heading: t.text("admin.keys.newTitle"),
    back: listOf(request),
    submit: t.text("admin.keys.submit"),
  };
  request.send(
    consolePages.formPage(request.site, request.frame, page, state, keyFields(request.site)),
    status,
  );
}

function listOf(request: ConsoleRequest): { url: string; label: string } {
  return { url: request.url("/keys"), label: messages(request.site.locale).text("admin.section.keys") };
}
