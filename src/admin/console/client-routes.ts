/** The pages of client apps. */

import { PRESETS } from "../../domain/client-settings.ts";
import type { Client } from "../../domain/records.ts";
import { startUrl } from "../../oidc/clients.ts";
import type { ClientPage } from "../../ui/console/clients.ts";
import { clientFields } from "../../ui/console/forms.ts";
import type { ClientView, FormState, Preset } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { formatShort } from "../../ui/format.ts";
import { messages } from "../../ui/messages.ts";
import type { Changes, OutputOf } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { attempt } from "./attempt.ts";
import { newValues, typedSettings, valuesOfSettings } from "./client-form.ts";
import { carryOutEdit, type Edit, showEdit } from "./edits.ts";
import { newOnce, one } from "./form-values.ts";
import { checkRedirect } from "./redirect-check.ts";
import type { Shell } from "./shell.ts";
import type { Visit } from "./visit.ts";

export interface ClientRoutesParts {
  findClient(id: string): Promise<Client | undefined>;
  issuer: string;
}

export function clientRoutes(shell: Shell, parts: ClientRoutesParts): void {
  shell.get("/clients", "clients", listClients);
  shell.get("/clients/new", "clients", offerNewClient);
  shell.post("/clients/new/:preset", "clients", (visit) => registerClient(visit, parts));
  shell.get("/clients/:id", "clients", (visit) => readClient(visit, parts));
  shell.get("/clients/:id/edit", "clients", offerEdit);
  shell.post("/clients/:id/edit", "clients", editClient);
  shell.post("/clients/:id/secret", "clients", (visit) => rotateSecret(visit, parts));
  // Where a browser asks again for what the POST showed, too: the secret is gone.
  shell.get("/clients/:id/secret", "clients", askToRotateSecret);
  shell.get("/clients/new/:preset", "clients", async (visit) => visit.go("/clients"));
  shell.get("/clients/:id/remove", "clients", askToRemove);
  shell.post("/clients/:id/remove", "clients", removeClient);
}

const path = (id: string) => `/clients/${encodeURIComponent(id)}`;

async function listClients(visit: Visit): Promise<void> {
  const { items } = await visit.call(operations.clients.list, {});
  const view = { items, mayWrite: visit.may("clients:write") };
  visit.send(consolePages.clientList(visit.site, visit.frame, view));
}

async function offerNewClient(visit: Visit): Promise<void> {
  const preset = presetOf(visit.query("preset"));
  if (preset === undefined) return visit.send(consolePages.clientPreset(visit.site, visit.frame));
  const state = visit.fresh(`/clients/new/${preset}`, newValues(preset), { once: newOnce() });
  showForm(visit, preset, state, null);
}

async function registerClient(visit: Visit, parts: ClientRoutesParts): Promise<void> {
  const preset = presetOf(visit.parameter("preset")) ?? "web";
  const values = visit.values();
  const once = one(values, "once");
  const input = { preset, ...typedSettings(values, preset), id: one(values, "id") };
  const made = await attempt(
    visit.submit(operations.clients.create, input, { idempotencyKey: once }),
    (state, status) =>
      showForm(
        visit,
        preset,
        visit.fresh(`/clients/new/${preset}`, values, { once: once ?? newOnce(), ...state }),
        null,
        status,
      ),
  );
  if (made === undefined) return;
  const { client_secret: secret, settings, ...client } = made.output;
  await showClient(visit, parts, client, {
    settings,
    isNew: true,
    secret: secret === null ? null : { value: secret, because: "registered" },
  });
}

async function readClient(visit: Visit, parts: ClientRoutesParts): Promise<void> {
  const client = await visit.call(operations.clients.get, { id: visit.parameter("id") });
  await showClient(visit, parts, client);
}

async function offerEdit(visit: Visit): Promise<void> {
  const read = await visit.read(operations.clients.get, { id: visit.parameter("id") });
  showEdit(visit, editOf(visit, read.output), read);
}

async function editClient(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const known = await visit.call(operations.clients.get, { id });
  const edited = await carryOutEdit(visit, editOf(visit, known), known);
  if (edited !== undefined) visit.go(path(id), edited === known ? "unchanged" : "client_saved");
}

async function rotateSecret(visit: Visit, parts: ClientRoutesParts): Promise<void> {
  const id = visit.parameter("id");
  // Without it, sent once more by a reload, it would end the secret that the app goes on with.
  const idempotencyKey = one(visit.values(), "once");
  const rotated = await visit.call(operations.clients.rotateSecret, { id }, { idempotencyKey });
  const client = await visit.call(operations.clients.get, { id });
  const secret = { value: rotated.client_secret, because: "rotated" as const };
  await showClient(visit, parts, client, { settings: rotated.settings, secret });
}

async function askToRotateSecret(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const t = messages(visit.site.locale);
  const { name } = await visit.call(operations.clients.get, { id });
  const page = {
    section: "clients" as const,
    heading: t.text("admin.clients.rotateTitle", { client: name }),
    back: { url: visit.url(path(id)), label: name },
    submit: t.text("admin.clients.rotateButton"),
    form: { ...visit.form(`${path(id)}/secret`), once: newOnce() },
    consequences: [
      t.text("admin.clients.rotateOnce"),
      t.text("admin.clients.rotateHint"),
      t.text("admin.clients.rotateThird"),
    ],
  };
  visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
}

async function askToRemove(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const t = messages(visit.site.locale);
  const { name } = await visit.call(operations.clients.get, { id });
  const impact = await visit.call(operations.clients.impact, { id });
  const page = {
    section: "clients" as const,
    heading: t.text("admin.clients.removeTitle", { client: name }),
    back: { url: visit.url(path(id)), label: name },
    submit: t.text("admin.clients.removeSubmit"),
    form: visit.form(`${path(id)}/remove`),
    consequences: [
      t.text("admin.clients.removeSignIns", { count: impact.sign_ins }),
      lastUsedText(visit, impact),
      t.text("admin.clients.removeAfter"),
    ],
  };
  visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
}

function lastUsedText(
  visit: Visit,
  { last_used_at: used }: OutputOf<typeof operations.clients.impact>,
): string {
  const t = messages(visit.site.locale);
  if (used === null) return t.text("admin.clients.removeNever");
  return t.text("admin.clients.removeUsed", { date: formatShort(visit.site, Date.parse(used)) });
}

async function removeClient(visit: Visit): Promise<void> {
  await visit.call(operations.clients.remove, { id: visit.parameter("id") });
  visit.changed();
  visit.go("/clients", "client_removed");
}

async function showClient(
  visit: Visit,
  { findClient, issuer }: ClientRoutesParts,
  client: ClientView,
  made: Partial<Pick<ClientPage, "secret" | "isNew" | "settings">> = {},
): Promise<void> {
  // What makes a secret gives the settings with it; asked for anew they have none.
  const settings = made.settings ?? (await visit.call(operations.clients.settings, { id: client.id }));
  const stored = await findClient(client.id);
  const uri = visit.query("check").trim();
  visit.send(
    consolePages.clientPage(visit.site, visit.frame, {
      client,
      secret: null,
      isNew: false,
      mayWrite: visit.may("clients:write"),
      ...made,
      settings,
      startUrl: stored === undefined || client.home_url === "" ? null : startUrl(stored, issuer),
      check: uri === "" ? null : checkRedirect(uri, client.redirect_uris),
    }),
  );
}

/** @param client the one that is edited; null for a new one */
function showForm(
  visit: Visit,
  preset: Preset,
  state: FormState,
  client: ClientView | null,
  status = 200,
): void {
  const t = messages(visit.site.locale);
  const list = { url: visit.url("/clients"), label: t.text("admin.section.clients") };
  const page = {
    section: "clients" as const,
    heading: t.text(client === null ? "admin.clients.newTitle" : "admin.clients.editTitle"),
    lead: t.text(`admin.preset.${preset}`),
    back: client === null ? list : { url: visit.url(path(client.id)), label: client.name },
    submit: t.text(client === null ? "admin.clients.submit" : "admin.save"),
  };
  const fields = clientFields(visit.site, preset, client === null);
  visit.send(consolePages.formPage(visit.site, visit.frame, page, state, fields), status);
}

function editOf(visit: Visit, client: ClientView): Edit<ClientView, Changes<typeof operations.clients.edit>> {
  return {
    action: `${path(client.id)}/edit`,
    valuesOf: valuesOfSettings,
    typed: (values) => typedSettings(values, client.preset),
    carryOut: (changes, ifMatch) =>
      visit.submit(operations.clients.edit, { id: client.id, ...changes }, { ifMatch }),
    show: (state, status) => showForm(visit, client.preset, state, client, status),
  };
}

function presetOf(text: string): Preset | undefined {
  return PRESETS.find((preset) => preset === text);
}
