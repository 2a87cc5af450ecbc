/** Administrators, API keys, the audit. */

import { linkTo } from "../components.ts";
import { formatShort } from "../format.ts";
import { bdi, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Form, Site } from "../views.ts";
import {
  actButton,
  badge,
  code,
  copyBlock,
  doneNotice,
  faultNotice,
  goButton,
  isoTime,
  pager,
  plainInput,
  table,
  timeOr,
  word,
} from "./components.ts";
import { personUrl } from "./directory.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import { actorName, clientName, recordName, upstreamName } from "./names.ts";

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
  const invite = goButton(`${url}/invite`, t.text("admin.administrators.invite"), "primary");
  const { invited, mayWrite } = view;
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
    body: html`${invited !== null && doneNotice(t.html("admin.administrators.invited", { email: invited }))}
${headed(heading, ...(mayWrite ? [invite] : []))}
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
    body: html`${view.made && madeKey(site, view.made)}
${headed(heading, ...(view.mayWrite ? [goButton(`${url}/new`, t.text("admin.keys.new"), "primary")] : []))}
<p class="lead">${t.html("admin.keys.lead", { link: linkTo(`${site.basePath}/admin/api/v1`) })}</p>
${table(heading, columns, view.keys, t.text("admin.keys.none"))}
<h2>${t.text("admin.keys.signing")}</h2>
${table(t.text("admin.keys.signing"), signing, view.signing, "")}`,
  });
}

/** The key that was just made, which no page shows again. */
function madeKey(site: Site, { name, key }: NonNullable<KeysPage["made"]>): Html {
  const t = messages(site.locale);
  const heading = html`<h2>${t.html("admin.keys.made", { name })}</h2>`;
  const text = html`<p>${t.text("admin.keys.once")}</p>`;
  const block = copyBlock("key", t.text("admin.keys.key"), key);
  return html`<div class="done" role="status">${heading}${text}${block}</div>`;
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
  const columns = [
    { label: t.text("admin.at"), cell: (one: AuditEventView) => isoTime(site, one.at) },
    { label: t.text("admin.audit.action"), cell: (one: AuditEventView) => word(one.action) },
    {
      label: t.text("admin.audit.actor"),
      cell: (one: AuditEventView) => actorName(site, view.names, one.actor),
    },
    { label: t.text("admin.audit.about"), cell: (one: AuditEventView) => about(site, view.names, one) },
  ];
  const url = sectionUrl(site, "audit");
  const exportLink = (format: "jsonl" | "csv") => {
    const label = t.text(`admin.audit.${format}`);
    return html`<a class="button button-secondary" href="${view.exportUrl(format)}">${label}</a>`;
  };
  const verify = actButton(view.verify, t.text("admin.verification.now"));
  const verifications = html`<a href="${url}/verifications">${t.text("admin.verification.all")}</a>`;
  return renderConsole(site, frame, {
    section: "audit",
    heading,
    error: view.fault !== null,
    body: html`${headed(heading, exportLink("jsonl"), exportLink("csv"))}
${view.fault !== null && faultNotice(site, view.fault)}
<div class="console-actions">${verify} ${verifications}</div>
<form class="console-filter" role="search" method="get" action="${url}">${filterFields(site, view.filter)}
<p><button class="button button-secondary" type="submit">${t.text("admin.audit.apply")}</button></p></form>
${table(heading, columns, view.items, t.text("admin.audit.none"))}
${pager(site, view)}`,
  });
}

function filterFields(site: Site, filter: AuditPage["filter"]): Html[] {
  const field = (name: keyof AuditPage["filter"], type: "text" | "date") => {
    const label = html`<label for="${name}">${messages(site.locale).text(`admin.audit.${name}`)}</label>`;
    return html`<div class="field">${label}${plainInput(name, type, filter[name])}</div>`;
  };
  return [field("action", "text"), field("actor", "text"), field("from", "date"), field("to", "date")];
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
  const lines = records.map((one) => one && html`<div>${one}</div>`);
  return html`${lines}<span class="hint-inline">${bdi(entries.join("; "))}</span>`;
}

function detailOf(site: Site, name: string, value: string | number | boolean | null): string {
  if (/(At|Until)$/.test(name) && typeof value === "number") return formatShort(site, value);
  if (name === "upstream") return upstreamName(site, String(value));
  const client = name === "client" ? clientName(site, String(value)) : value;
  return client === value ? String(value) : `${client} (${value})`;
}
