/** Administrators, API keys, the audit. */

import { formatShort } from "../format.ts";
import { bdi, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Form, Site } from "../views.ts";
import { personUrl } from "./directory.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import { actorName, clientName, recordName, upstreamName } from "./names.ts";
import { actButton, badge, code, copyBlock, goButton, isoTime, pager, table, timeOr, word } from "./parts.ts";
import type { ApiKeyView, AuditEventView, ConsoleFrame, Listing, Names, ProfileView } from "./views.ts";

export interface AdministratorsPage {
  items: ProfileView[];
  mayWrite: boolean;
  /** Who was just invited. */
  invited: string | null;
}

export function administrators(site: Site, frame: ConsoleFrame, view: AdministratorsPage): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.administrators");
  const url = sectionUrl(site, "administrators");
  const columns = [
    {
      label: t.text("admin.name"),
      cell: (one: ProfileView) => html`<a href="${personUrl(site, one.id)}">${bdi(one.name)}</a>`,
    },
    { label: t.text("admin.email"), cell: (one: ProfileView) => bdi(one.email) },
    {
      label: t.text("admin.adminRole"),
      cell: (one: ProfileView) => one.admin_role && t.text(`admin.role.${one.admin_role}`),
    },
    {
      label: t.text("admin.linked"),
      cell: (one: ProfileView) =>
        one.account_id === null
          ? html`${badge("quiet", t.text("admin.invited"))} ${timeOr(site, one.invited_at, "")}`
          : badge("good", t.text("admin.isLinked")),
    },
    ...(view.mayWrite
      ? [
          {
            label: t.text("admin.action"),
            cell: (one: ProfileView) =>
              html`<a href="${url}/${encodeURIComponent(one.id)}/role">${t.text("admin.changeRole")}</a>`,
          },
        ]
      : []),
  ];
  return renderConsole(site, frame, {
    section: "administrators",
    heading,
    body: html`${view.invited !== null && html`<div class="done" role="status"><p>${t.html("admin.administrators.invited", { email: view.invited })}</p></div>`}
${headed(heading, ...(view.mayWrite ? [goButton(`${url}/invite`, t.text("admin.administrators.invite"), "primary")] : []))}
<p class="lead">${t.text("admin.administrators.lead")}</p>
${table(heading, columns, view.items, t.text("admin.administrators.none"))}`,
  });
}

export interface KeysPage {
  keys: ApiKeyView[];
  signing: { kid: string; alg: string }[];
  mayWrite: boolean;
  /** The key that was just made. */
  made: { name: string; key: string } | null;
}

export function keys(site: Site, frame: ConsoleFrame, view: KeysPage): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.keys");
  const url = sectionUrl(site, "keys");
  const columns = [
    { label: t.text("admin.name"), cell: (one: ApiKeyView) => bdi(one.name) },
    { label: t.text("admin.scopes"), cell: (one: ApiKeyView) => one.scopes.join(" ") },
    {
      label: t.text("admin.lastUsed"),
      cell: (one: ApiKeyView) => timeOr(site, one.last_used_at, t.text("admin.never")),
    },
    { label: t.text("admin.expires"), cell: (one: ApiKeyView) => isoTime(site, one.expires_at) },
    ...(view.mayWrite
      ? [
          {
            label: t.text("admin.action"),
            cell: (one: ApiKeyView) =>
              html`<a href="${url}/${encodeURIComponent(one.id)}/remove">${t.text("admin.remove")}</a>`,
          },
        ]
      : []),
  ];
  const signing = [
    { label: t.text("admin.keys.kid"), cell: (one: KeysPage["signing"][number]) => code(one.kid) },
    { label: t.text("admin.keys.alg"), cell: (one: KeysPage["signing"][number]) => one.alg },
  ];
  return renderConsole(site, frame, {
    section: "keys",
    heading,
    body: html`${
      view.made &&
      html`<div class="done" role="status"><h2>${t.html("admin.keys.made", { name: view.made.name })}</h2><p>${t.text("admin.keys.once")}</p>${copyBlock("key", t.text("admin.keys.key"), view.made.key)}</div>`
    }
${headed(heading, ...(view.mayWrite ? [goButton(`${url}/new`, t.text("admin.keys.new"), "primary")] : []))}
<p class="lead">${t.html("admin.keys.lead", { link: (content: Html) => html`<a href="${site.basePath}/admin/api/v1">${content}</a>` })}</p>
${table(heading, columns, view.keys, t.text("admin.keys.none"))}
<h2>${t.text("admin.keys.signing")}</h2>
${table(t.text("admin.keys.signing"), signing, view.signing, "")}`,
  });
}

export interface AuditPage extends Pick<Listing<AuditEventView>, "items" | "nextUrl"> {
  filter: { action: string; actor: string; from: string; to: string };
  verify: Form;
  exportUrl: (format: "jsonl" | "csv") => string;
  fault: string | null;
  names: Names;
}

export function audit(site: Site, frame: ConsoleFrame, view: AuditPage): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.audit");
  const { filter } = view;
  const columns = [
    { label: t.text("admin.at"), cell: (one: AuditEventView) => isoTime(site, one.at) },
    { label: t.text("admin.audit.action"), cell: (one: AuditEventView) => word(one.action) },
    {
      label: t.text("admin.audit.actor"),
      cell: (one: AuditEventView) => actorName(site, view.names, one.actor),
    },
    { label: t.text("admin.audit.about"), cell: (one: AuditEventView) => about(site, view.names, one) },
  ];
  const field = (name: "action" | "actor" | "from" | "to", type: string) =>
    html`<div class="field"><label for="${name}">${t.text(`admin.audit.${name}`)}</label><input class="input" id="${name}" name="${name}" type="${type}" autocomplete="off" spellcheck="false" value="${filter[name]}"></div>`;
  return renderConsole(site, frame, {
    section: "audit",
    heading,
    error: view.fault !== null,
    body: html`${headed(heading, html`<a class="button button-secondary" href="${view.exportUrl("jsonl")}">${t.text("admin.audit.jsonl")}</a>`, html`<a class="button button-secondary" href="${view.exportUrl("csv")}">${t.text("admin.audit.csv")}</a>`)}
${view.fault !== null && html`<div class="problem" role="alert" tabindex="-1" data-focus><h2>${t.text("common.errorSummary")}</h2><p>${view.fault}</p></div>`}
<div class="console-actions">${actButton(view.verify, t.text("admin.verification.now"))} <a href="${sectionUrl(site, "audit")}/verifications">${t.text("admin.verification.all")}</a></div>
<form class="console-filter" role="search" method="get" action="${sectionUrl(site, "audit")}">${field("action", "text")}${field("actor", "text")}${field("from", "date")}${field("to", "date")}
<p><button class="button button-secondary" type="submit">${t.text("admin.audit.apply")}</button></p></form>
${table(heading, columns, view.items, t.text("admin.audit.none"))}
${pager(site, view)}`,
  });
}

function about(site: Site, names: Names, event: AuditEventView): Html {
  const { profile_id, organization_id, detail } = event;
  const records = [
    profile_id !== null && recordName(site, names, "profile", profile_id),
    organization_id !== null && recordName(site, names, "organization", organization_id),
  ];
  const entries = Object.entries(detail)
    // The day beside it says the same.
    .filter(([name]) => name !== "planExpiresAt")
    .map(([name, value]) => `${name}: ${detailOf(site, name, value)}`);
  return html`${records.map((one) => one && html`<div>${one}</div>`)}<span class="hint-inline">${bdi(entries.join("; "))}</span>`;
}

function detailOf(site: Site, name: string, value: string | number | boolean | null): string {
  if (/(At|Until)$/.test(name) && typeof value === "number") return formatShort(site, value);
  if (name === "upstream") return upstreamName(site, String(value));
  const client = name === "client" ? clientName(site, String(value)) : value;
  return client === value ? String(value) : `${client} (${value})`;
}
