/** Organizations and the people in them. */

import type { Instant } from "../../clock.ts";
import { bdi, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import {
  badge,
  type Column,
  code,
  facts,
  goButton,
  isoTime,
  onOff,
  pager,
  searchForm,
  table,
  timeOr,
} from "./components.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import { clientName, idText } from "./names.ts";
import { organizationFieldsOf } from "./organization-fields.ts";
import type {
  ConsoleFrame,
  GrantView,
  InquiryView,
  Listing,
  OrganizationView,
  ProfileView,
  SessionView,
} from "./views.ts";

export const organizationUrl = (site: Site, id: string) =>
  `${sectionUrl(site, "organizations")}/${encodeURIComponent(id)}`;
export const personUrl = (site: Site, id: string) =>
  `${sectionUrl(site, "people")}/${encodeURIComponent(id)}`;

export function organizationList(
  site: Site,
  frame: ConsoleFrame,
  view: Listing<OrganizationView> & { mayWrite: boolean; now: Instant },
): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.organizations");
  const url = sectionUrl(site, "organizations");
  const { name, ...others } = organizationFieldsOf(site);
  const columns = [
    {
      label: name.label,
      cell: (one: OrganizationView) =>
        html`<a href="${organizationUrl(site, one.id)}">${name.shown(one, view.now)}</a>`,
    },
    ...Object.values(others)
      .filter(({ isListed }) => isListed)
      .map(({ label, shown }) => ({ label, cell: (one: OrganizationView) => shown(one, view.now) })),
  ];
  const add = goButton(`${url}/new`, t.text("admin.organizations.new"), "primary");
  const empty = t.text(view.search === "" ? "admin.organizations.none" : "admin.nothingFound");
  return renderConsole(site, frame, {
    section: "organizations",
    heading,
    body: html`${headed(heading, ...(view.mayWrite ? [add] : []))}
${searchForm(site, url, t.text("admin.organizations.search"), view)}
${table(heading, columns, view.items, empty)}
${pager(site, view)}`,
  });
}

function peopleColumns(site: Site, withOrganization: boolean) {
  const t = messages(site.locale);
  return [
    {
      label: t.text("admin.name"),
      cell: (one: ProfileView) => html`<a href="${personUrl(site, one.id)}">${bdi(one.name)}</a>`,
    },
    { label: t.text("admin.email"), cell: (one: ProfileView) => bdi(one.email) },
    ...(withOrganization
      ? [
          {
            label: t.text("admin.organization"),
            cell: (one: ProfileView) =>
              html`<a href="${organizationUrl(site, one.organization.id)}">${bdi(one.organization.name)}</a>`,
          },
        ]
      : []),
    { label: t.text("admin.linked"), cell: (one: ProfileView) => linkedText(site, one) },
    { label: t.text("admin.status"), cell: (one: ProfileView) => onOff(site, one.enabled) },
  ];
}

function linkedText(site: Site, { account_id }: ProfileView): Html {
  const t = messages(site.locale);
  return account_id === null
    ? badge("quiet", t.text("admin.notLinked"))
    : badge("good", t.text("admin.isLinked"));
}

export interface OrganizationPage {
  organization: OrganizationView;
  people: Listing<ProfileView>;
  mayWrite: boolean;
  now: Instant;
}

export function organizationPage(site: Site, frame: ConsoleFrame, view: OrganizationPage): string {
  const t = messages(site.locale);
  const { organization, people, mayWrite } = view;
  const url = organizationUrl(site, organization.id);
  const title = t.text("admin.people");
  const { name: _, ...others } = organizationFieldsOf(site);
  const fields = Object.values(others).map(
    ({ label, shown }) => [label, shown(organization, view.now)] as const,
  );
  const edit = goButton(`${url}/edit`, t.text("admin.edit"));
  const add = goButton(`${url}/people/new`, t.text("admin.people.new"), "primary");
  return renderConsole(site, frame, {
    section: "organizations",
    heading: organization.name,
    back: { url: sectionUrl(site, "organizations"), label: t.text("admin.section.organizations") },
    body: html`${headed(bdi(organization.name), ...(mayWrite ? [edit] : []))}
${facts([...fields, [t.text("admin.id"), idText(organization.id)]])}
<div class="console-head"><h2>${title}</h2>${mayWrite && html`<p class="console-actions">${add}</p>`}</div>
${table(title, peopleColumns(site, false), people.items, t.text("admin.people.noneHere"))}
${pager(site, people)}`,
  });
}

export function peopleList(site: Site, frame: ConsoleFrame, view: Listing<ProfileView>): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.people");
  const empty = t.text(view.search === "" ? "admin.people.none" : "admin.nothingFound");
  return renderConsole(site, frame, {
    section: "people",
    heading,
    body: html`${headed(heading)}
${searchForm(site, sectionUrl(site, "people"), t.text("admin.people.search"), view)}
${table(heading, peopleColumns(site, true), view.items, empty)}
${pager(site, view)}`,
  });
}

export interface PersonPage {
  profile: ProfileView;
  inquiries: InquiryView[];
  grants: GrantView[];
  may: { edit: boolean; unlink: boolean; endSessions: boolean };
}

export function personPage(site: Site, frame: ConsoleFrame, view: PersonPage): string {
  const t = messages(site.locale);
  const { profile, may } = view;
  const { organization } = profile;
  const url = personUrl(site, profile.id);
  const accountUrl =
    profile.account_id !== null &&
    `${sectionUrl(site, "accounts")}/${encodeURIComponent(profile.account_id)}`;
  const endAll =
    may.endSessions &&
    accountUrl &&
    view.grants.length > 0 &&
    html`<p class="console-actions">${goButton(`${accountUrl}/end`, t.text("admin.endAll"))}</p>`;
  const proven = profile.email_proven
    ? badge("good", t.text("admin.proven"))
    : badge("quiet", t.text("admin.notProven"));
  const actions = [
    ...(may.edit ? [goButton(`${url}/edit`, t.text("admin.edit"))] : []),
    ...(may.unlink && profile.account_id !== null ? [goButton(`${url}/unlink`, t.text("admin.unlink"))] : []),
    goButton(
      `${sectionUrl(site, "why")}?profile_id=${encodeURIComponent(profile.id)}`,
      t.text("admin.people.why"),
    ),
  ];
  return renderConsole(site, frame, {
    section: "people",
    heading: profile.name,
    back: { url: organizationUrl(site, organization.id), label: organization.name },
    body: html`${headed(bdi(profile.name), ...actions)}
${facts([
  [t.text("admin.email"), html`${bdi(profile.email)} ${proven}`],
  [
    t.text("admin.organization"),
    html`<a href="${organizationUrl(site, organization.id)}">${bdi(organization.name)}</a>`,
  ],
  [t.text("admin.roles"), profile.roles.join(", ")],
  [t.text("admin.adminRole"), profile.admin_role && t.text(`admin.role.${profile.admin_role}`)],
  [t.text("admin.status"), onOff(site, profile.enabled)],
  [
    t.text("admin.linked"),
    accountUrl
      ? html`<a href="${accountUrl}">${t.text("admin.isLinked")}</a> ${timeOr(site, profile.linked_at, "")}`
      : t.text("admin.notLinked"),
  ],
  [t.text("admin.id"), idText(profile.id)],
])}
<h2>${t.text("admin.people.timeline")}</h2>
${inquiryTable(site, view.inquiries, t.text("admin.people.noInquiries"))}
<div class="console-head"><h2>${t.text("admin.people.signIns")}</h2>${endAll}</div>
${grantTable(site, view)}`,
  });
}

export function inquiryTable(site: Site, inquiries: readonly InquiryView[], empty: string): Html {
  const t = messages(site.locale);
  const url = sectionUrl(site, "links");
  const columns = [
    {
      label: t.text("admin.asked"),
      cell: (one: InquiryView) =>
        html`<a href="${url}/${encodeURIComponent(one.id)}">${isoTime(site, one.asked_at)}</a>`,
    },
    { label: t.text("admin.code"), cell: (one: InquiryView) => code(one.code) },
    {
      label: t.text("admin.by"),
      cell: (one: InquiryView) => bdi(one.requester.email ?? one.requester.name ?? one.requester.subject),
    },
    { label: t.text("admin.matched"), cell: (one: InquiryView) => matchedText(site, one) },
  ];
  return table(t.text("admin.section.links"), columns, inquiries, empty);
}

function matchedText(site: Site, { settled_at, held_until, matched }: InquiryView): string {
  const t = messages(site.locale);
  if (settled_at === null) return t.text(held_until === null ? "admin.inquiry.waits" : "admin.inquiry.held");
  return matched === null
    ? t.text("admin.inquiry.dismissed")
    : t.text("admin.inquiry.matched", { count: matched });
}

/** The columns of where a session is used. */
export function sessionColumns<Row extends { session: SessionView | null }>(site: Site): Column<Row>[] {
  const t = messages(site.locale);
  const unknown = t.text("admin.unknown");
  return [
    {
      label: t.text("admin.browser"),
      cell: ({ session }) => (session === null ? t.text("admin.sessionOver") : (session.browser ?? unknown)),
    },
    { label: t.text("admin.network"), cell: ({ session }) => session?.network && bdi(session.network) },
    {
      label: t.text("admin.begun"),
      cell: ({ session }) => session && timeOr(site, session.begun_at, unknown),
    },
    {
      label: t.text("admin.lastUsed"),
      cell: ({ session }) => session && timeOr(site, session.last_used_at, unknown),
    },
  ];
}

function grantTable(
  site: Site,
  { profile, grants, may }: Pick<PersonPage, "profile" | "grants" | "may">,
): Html {
  const t = messages(site.locale);
  const url = `${personUrl(site, profile.id)}/end`;
  const end = ({ id }: GrantView) =>
    html`<a href="${url}/${encodeURIComponent(id)}">${t.text("admin.endSignIn")}</a>`;
  const columns = [
    { label: t.text("admin.portal"), cell: (one: GrantView) => portalName(site, one.client_id) },
    ...sessionColumns<GrantView>(site),
    { label: t.text("admin.expires"), cell: (one: GrantView) => isoTime(site, one.expires_at) },
    ...(may.endSessions ? [{ label: t.text("admin.action"), cell: end }] : []),
  ];
  return table(t.text("admin.people.signIns"), columns, grants, t.text("admin.people.noSignIns"));
}

/** A portal by its name; the administration's own pages are a client, too, and have no page here. */
export function portalName(site: Site, clientId: string): Html {
  const name = bdi(clientName(site, clientId));
  if (site.portals.every(({ id }) => id !== clientId)) return name;
  return html`<a href="${sectionUrl(site, "clients")}/${encodeURIComponent(clientId)}">${name}</a>`;
}
