/** The pages of API keys, and of the keys that tokens are signed with. */

import { type Calendar, createCalendar } from "../../domain/calendar.ts";
import { keyFields } from "../../ui/console/forms.ts";
import type { FormState } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { Typed } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { attempt } from "./attempt.ts";
import { newOnce, one } from "./form-values.ts";
import type { Shell } from "./shell.ts";
import type { Visit } from "./visit.ts";

export function keyRoutes(shell: Shell, { timeZone }: { timeZone: string }): void {
  const calendar = createCalendar(timeZone);
  shell.get("/keys", section, (visit) => showKeys(visit, null));
  shell.get("/keys/new", section, offerNewKey);
  shell.post("/keys/new", section, (visit) => createKey(visit, calendar));
  shell.get("/keys/:id/remove", section, askToRemove);
  shell.post("/keys/:id/remove", section, removeKey);
}

const section = "keys" as const;

/** @param made an API key that was just made, which is shown this once */
async function showKeys(visit: Visit, made: { name: string; key: string } | null): Promise<void> {
  const { items: keys } = await visit.call(operations.apiKeys.list, {});
  const { items: signing } = await visit.call(operations.signingKeys.list, {});
  const view = { keys, signing, made, mayWrite: visit.may("admins:write") };
  visit.send(consolePages.keys(visit.site, visit.frame, view));
}

async function offerNewKey(visit: Visit): Promise<void> {
  showForm(visit, visit.fresh("/keys/new", { scopes: ["admin:read"] }, { once: newOnce() }));
}

async function createKey(visit: Visit, calendar: Calendar): Promise<void> {
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
}

async function askToRemove(visit: Visit): Promise<void> {
  const t = messages(visit.site.locale);
  const id = visit.parameter("id");
  const { items } = await visit.call(operations.apiKeys.list, {});
  const name = items.find((key) => key.id === id)?.name ?? id;
  const page = {
    section,
    heading: t.text("admin.keys.removeTitle", { name }),
    back: listOf(visit),
    submit: t.text("admin.keys.removeSubmit"),
    consequences: [t.text("admin.keys.removeAfter")],
    form: visit.form(`/keys/${encodeURIComponent(id)}/remove`),
  };
  visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
}

async function removeKey(visit: Visit): Promise<void> {
  await visit.call(operations.apiKeys.remove, { id: visit.parameter("id") });
  visit.go("/keys", "key_removed");
}

function showForm(visit: Visit, state: FormState, status = 200): void {
  const t = messages(visit.site.locale);
  const page = {
    section,
    heading: t.text("admin.keys.newTitle"),
    back: listOf(visit),
    submit: t.text("admin.keys.submit"),
  };
  visit.send(consolePages.formPage(visit.site, visit.frame, page, state, keyFields(visit.site)), status);
}

function listOf(visit: Visit): { url: string; label: string } {
  return { url: visit.url("/keys"), label: messages(visit.site.locale).text("admin.section.keys") };
}
