/** The pages of clients. */

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
import { applyEdit, type Edit, showEdit } from "./edits.ts";
import { fieldValue, newOnce } from "./form-values.ts";
import { checkRedirectUri } from "./redirect-uri-check.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export interface ClientRoutesDependencies {
  findClient(id: string): Promise<Client | undefined>;
  issuer: string;
}

export function clientRoutes(router: ConsoleRouter, dependencies: ClientRoutesDependencies): void {
  router.get("/clients", "clients", listClients);
  router.get("/clients/new", "clients", offerNewClient);
  router.post("/clients/new/:preset", "clients", (request) => registerClient(request, dependencies));
  router.get("/clients/:id", "clients", (request) => readClient(request, dependencies));
  router.get("/clients/:id/edit", "clients", offerEdit);
  router.post("/clients/:id/edit", "clients", editClient);
  router.post("/clients/:id/secret", "clients", (request) => rotateSecret(request, dependencies));
  // Where a browser asks again for what the POST showed, too: the secret is gone.
  router.get("/clients/:id/secret", "clients", askToRotateSecret);
  router.get("/clients/new/:preset", "clients", async (request) => request.redirect("/clients"));
  router.get("/clients/:id/remove", "clients", askToRemove);
  router.post("/clients/:id/remove", "clients", removeClient);
}

const path = (id: string) => `/clients/${encodeURIComponent(id)}`;

async function listClients(request: ConsoleRequest): Promise<void> {
  const { items } = await request.call(operations.clients.list, {});
  const view = { items, mayWrite: request.may("clients:write") };
  request.send(consolePages.clientList(request.site, request.frame, view));
}

async function offerNewClient(request: ConsoleRequest): Promise<void> {
  const preset = presetOf(request.query("preset"));
  if (preset === undefined) return request.send(consolePages.clientPreset(request.site, request.frame));
  const state = request.newForm(`/clients/new/${preset}`, newValues(preset), { once: newOnce() });
  showForm(request, preset, state, null);
}

async function registerClient(
  request: ConsoleRequest,
  dependencies: ClientRoutesDependencies,
): Promise<void> {
  const preset = presetOf(request.parameter("preset")) ?? "web";
  const values = request.values();
  const once = fieldValue(values, "once");
  const input = { preset, ...typedSettings(values, preset), id: fieldValue(values, "id") };
  const made = await attempt(
    request.submit(operations.clients.create, input, { idempotencyKey: once }),
    (state, status) =>
      showForm(
        request,
        preset,
        request.newForm(`/clients/new/${preset}`, values, { once: once ?? newOnce(), ...state }),
        null,
        status,
      ),
  );
  if (made === undefined) return;
  const { client_secret: secret, settings, ...client } = made.output;
  await showClient(request, dependencies, client, {
    settings,
    isNew: true,
    secret: secret === null ? null : { value: secret, because: "registered" },
  });
}

async function readClient(request: ConsoleRequest, dependencies: ClientRoutesDependencies): Promise<void> {
  const client = await request.call(operations.clients.get, { id: request.parameter("id") });
  await showClient(request, dependencies, client);
}

async function offerEdit(request: ConsoleRequest): Promise<void> {
  const read = await request.read(operations.clients.get, { id: request.parameter("id") });
  showEdit(request, editOf(request, read.output), read);
}

async function editClient(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const known = await request.call(operations.clients.get, { id });
  const edited = await applyEdit(request, editOf(request, known), known);
  if (edited !== undefined) request.redirect(path(id), edited === known ? "unchanged" : "client_saved");
}

async function rotateSecret(request: ConsoleRequest, dependencies: ClientRoutesDependencies): Promise<void> {
  const id = request.parameter("id");
  // Without it, sent once more by a reload, it would end the secret that the app goes on with.
  const idempotencyKey = fieldValue(request.values(), "once");
  const rotated = await request.call(operations.clients.rotateSecret, { id }, { idempotencyKey });
  const client = await request.call(operations.clients.get, { id });
  const secret = { value: rotated.client_secret, because: "rotated" as const };
  await showClient(request, dependencies, client, { settings: rotated.settings, secret });
}

async function askToRotateSecret(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const t = messages(request.site.locale);
  const { name } = await request.call(operations.clients.get, { id });
  const page = {
    section: "clients" as const,
    heading: t.text("admin.clients.rotateTitle", { client: name }),
    back: { url: request.url(path(id)), label: name },
    submit: t.text("admin.clients.rotateButton"),
    form: { ...request.form(`${path(id)}/secret`), once: newOnce() },
    consequences: [
      t.text("admin.clients.rotateOnce"),
      t.text("admin.clients.rotateHint"),
      t.text("admin.clients.rotateThird"),
    ],
  };
  request.send(consolePages.confirmPage(request.site, request.frame, page));
}

async function askToRemove(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const t = messages(request.site.locale);
  const { name } = await request.call(operations.clients.get, { id });
  const impact = await request.call(operations.clients.impact, { id });
  const page = {
    section: "clients" as const,
    heading: t.text("admin.clients.removeTitle", { client: name }),
    back: { url: request.url(path(id)), label: name },
    submit: t.text("admin.clients.removeSubmit"),
    form: request.form(`${path(id)}/remove`),
    consequences: [
      t.text("admin.clients.removeSignIns", { count: impact.sign_ins }),
      lastUsedText(request, impact),
      t.text("admin.clients.removeAfter"),
    ],
  };
  request.send(consolePages.confirmPage(request.site, request.frame, page));
}

function lastUsedText(
  request: ConsoleRequest,
  { last_used_at: used }: OutputOf<typeof operations.clients.impact>,
): string {
  const t = messages(request.site.locale);
  if (used === null) return t.text("admin.clients.removeNever");
  return t.text("admin.clients.removeUsed", { date: formatShort(request.site, Date.parse(used)) });
}

async function removeClient(request: ConsoleRequest): Promise<void> {
  await request.call(operations.clients.remove, { id: request.parameter("id") });
  request.changed();
  request.redirect("/clients", "client_removed");
}

async function showClient(
  request: ConsoleRequest,
  { findClient, issuer }: ClientRoutesDependencies,
  client: ClientView,
  made: Partial<Pick<ClientPage, "secret" | "isNew" | "settings">> = {},
): Promise<void> {
  // What makes a secret gives the settings with it; asked for anew they have none.
  const settings = made.settings ?? (await request.call(operations.clients.settings, { id: client.id }));
  const stored = await findClient(client.id);
  const uri = request.query("check").trim();
  request.send(
    consolePages.clientPage(request.site, request.frame, {
      client,
      secret: null,
      isNew: false,
      mayWrite: request.may("clients:write"),
      ...made,
      settings,
      startUrl: stored === undefined || client.home_url === "" ? null : startUrl(stored, issuer),
      check: uri === "" ? null : checkRedirectUri(uri, client.redirect_uris),
    }),
  );
}

/** @param client the one that is edited; null for a new one */
function showForm(
  request: ConsoleRequest,
  preset: Preset,
  state: FormState,
  client: ClientView | null,
  status = 200,
): void {
  const t = messages(request.site.locale);
  const list = { url: request.url("/clients"), label: t.text("admin.section.clients") };
  const page = {
    section: "clients" as const,
    heading: t.text(client === null ? "admin.clients.newTitle" : "admin.clients.editTitle"),
    lead: t.text(`admin.preset.${preset}`),
    back: client === null ? list : { url: request.url(path(client.id)), label: client.name },
    submit: t.text(client === null ? "admin.clients.submit" : "admin.save"),
  };
  const fields = clientFields(request.site, preset, client === null);
  request.send(consolePages.formPage(request.site, request.frame, page, state, fields), status);
}

function editOf(
  request: ConsoleRequest,
  client: ClientView,
): Edit<ClientView, Changes<typeof operations.clients.edit>> {
  return {
    action: `${path(client.id)}/edit`,
    valuesOf: valuesOfSettings,
    typed: (values) => typedSettings(values, client.preset),
    apply: (changes, ifMatch) =>
      request.submit(operations.clients.edit, { id: client.id, ...changes }, { ifMatch }),
    show: (state, status) => showForm(request, client.preset, state, client, status),
  };
}

function presetOf(text: string): Preset | undefined {
  return PRESETS.find((preset) => preset === text);
}
