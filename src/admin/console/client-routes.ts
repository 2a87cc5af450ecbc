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
import type { Changes } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { newValues, typedSettings, valuesOfSettings } from "./client-form.ts";
import { carryOutEdit, type Edit, showEdit } from "./edits.ts";
import { checkRedirect } from "./redirect-check.ts";
import { attempt, newOnce, one, type Shell, type Visit } from "./shell.ts";

export interface ClientRoutesParts {
  findClient(id: string): Promise<Client | undefined>;
  issuer: string;
  onChange(): void;
}

const path = (id: string) => `/clients/${encodeURIComponent(id)}`;

export function clientRoutes(shell: Shell, parts: ClientRoutesParts): void {
  const { findClient, issuer, onChange } = parts;
  const list = (visit: Visit) => ({
    url: shell.url("/clients"),
    label: messages(visit.site.locale).text("admin.section.clients"),
  });

  async function showClient(
    visit: Visit,
    client: ClientView,
    made: Partial<Pick<ClientPage, "secret" | "isNew" | "settings">> = {},
  ) {
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

  function showForm(visit: Visit, preset: Preset, state: FormState, client: ClientView | null, status = 200) {
    const t = messages(visit.site.locale);
    const page = {
      section: "clients" as const,
      heading: t.text(client === null ? "admin.clients.newTitle" : "admin.clients.editTitle"),
      lead: t.text(`admin.preset.${preset}`),
      back: client === null ? list(visit) : { url: shell.url(path(client.id)), label: client.name },
      submit: t.text(client === null ? "admin.clients.submit" : "admin.save"),
    };
    visit.send(
      consolePages.formPage(
        visit.site,
        visit.frame,
        page,
        state,
        clientFields(visit.site, preset, client === null),
      ),
      status,
    );
  }

  shell.get("/clients", "clients", async (visit) => {
    const { items } = await visit.call(operations.clients.list, {});
    visit.send(
      consolePages.clientList(visit.site, visit.frame, { items, mayWrite: visit.may("clients:write") }),
    );
  });

  shell.get("/clients/new", "clients", async (visit) => {
    const preset = presetOf(visit.query("preset"));
    if (preset === undefined) return visit.send(consolePages.clientPreset(visit.site, visit.frame));
    const state = visit.fresh(`/clients/new/${preset}`, newValues(preset), { once: newOnce() });
    showForm(visit, preset, state, null);
  });

  shell.post("/clients/new/:preset", "clients", async (visit) => {
    const preset = presetOf(visit.parameter("preset")) ?? "web";
    const values = visit.values();
    const once = one(values, "once");
    const made = await attempt(
      visit.submit(
        operations.clients.create,
        {
          preset,
          ...typedSettings(values, preset),
          id: one(values, "id"),
        },
        { idempotencyKey: once },
      ),
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
    await showClient(visit, client, {
      settings,
      isNew: true,
      secret: secret === null ? null : { value: secret, because: "registered" },
    });
  });

  shell.get("/clients/:id", "clients", async (visit) => {
    await showClient(visit, await visit.call(operations.clients.get, { id: visit.parameter("id") }));
  });

  const editOf = (
    visit: Visit,
    client: ClientView,
  ): Edit<ClientView, Changes<typeof operations.clients.edit>> => ({
    action: `${path(client.id)}/edit`,
    valuesOf: valuesOfSettings,
    typed: (values) => typedSettings(values, client.preset),
    carryOut: (changes, ifMatch) =>
      visit.submit(operations.clients.edit, { id: client.id, ...changes }, { ifMatch }),
    show: (state, status) => showForm(visit, client.preset, state, client, status),
  });

  shell.get("/clients/:id/edit", "clients", async (visit) => {
    const read = await visit.read(operations.clients.get, { id: visit.parameter("id") });
    showEdit(visit, editOf(visit, read.output), read);
  });

  shell.post("/clients/:id/edit", "clients", async (visit) => {
    const id = visit.parameter("id");
    const known = await visit.call(operations.clients.get, { id });
    const edited = await carryOutEdit(visit, editOf(visit, known), known);
    if (edited !== undefined) visit.go(path(id), edited === known ? "unchanged" : "client_saved");
  });

  shell.post("/clients/:id/secret", "clients", async (visit) => {
    const id = visit.parameter("id");
    // Without it, sent once more by a reload, it would end the secret that the app goes on with.
    const idempotencyKey = one(visit.values(), "once");
    const rotated = await visit.call(operations.clients.rotateSecret, { id }, { idempotencyKey });
    const client = await visit.call(operations.clients.get, { id });
    const secret = { value: rotated.client_secret, because: "rotated" as const };
    await showClient(visit, client, { settings: rotated.settings, secret });
  });
  // Where a browser asks again for what the POST showed, too: the secret is gone.
  shell.get("/clients/:id/secret", "clients", async (visit) => {
    const id = visit.parameter("id");
    const t = messages(visit.site.locale);
    const { name } = await visit.call(operations.clients.get, { id });
    const page = {
      section: "clients" as const,
      heading: t.text("admin.clients.rotateTitle", { client: name }),
      back: { url: shell.url(path(id)), label: name },
      submit: t.text("admin.clients.rotateButton"),
      form: { ...visit.form(`${path(id)}/secret`), once: newOnce() },
      consequences: [
        t.text("admin.clients.rotateOnce"),
        t.text("admin.clients.rotateHint"),
        t.text("admin.clients.rotateThird"),
      ],
    };
    visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
  });
  shell.get("/clients/new/:preset", "clients", async (visit) => visit.go("/clients"));

  shell.get("/clients/:id/remove", "clients", async (visit) => {
    const id = visit.parameter("id");
    const t = messages(visit.site.locale);
    const { name } = await visit.call(operations.clients.get, { id });
    const impact = await visit.call(operations.clients.impact, { id });
    const used = impact.last_used_at;
    const page = {
      section: "clients" as const,
      heading: t.text("admin.clients.removeTitle", { client: name }),
      back: { url: shell.url(path(id)), label: name },
      submit: t.text("admin.clients.removeSubmit"),
      form: visit.form(`${path(id)}/remove`),
      consequences: [
        t.text("admin.clients.removeSignIns", { count: impact.sign_ins }),
        used === null
          ? t.text("admin.clients.removeNever")
          : t.text("admin.clients.removeUsed", { date: formatShort(visit.site, Date.parse(used)) }),
        t.text("admin.clients.removeAfter"),
      ],
    };
    visit.send(consolePages.confirmPage(visit.site, visit.frame, page));
  });

  shell.post("/clients/:id/remove", "clients", async (visit) => {
    await visit.call(operations.clients.remove, { id: visit.parameter("id") });
    onChange();
    visit.go("/clients", "client_removed");
  });
}

function presetOf(text: string): Preset | undefined {
  return PRESETS.find((preset) => preset === text);
}
