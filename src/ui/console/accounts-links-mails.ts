/** Accounts, time lines, mails: what support looks at. */

import { bdi, type Child, type Html, html } from "../html.ts";
import { isMessageKey, messages } from "../messages.ts";
import type { Form, LinkDeadPage, Site } from "../views.ts";
import {
  actButton,
  badge,
  code,
  facts,
  goButton,
  isoTime,
  pager,
  plainInput,
  searchForm,
  type Tone,
  table,
  timeOr,
} from "./components.ts";
import { inquiryTable, organizationUrl, personUrl, portalName, sessionColumns } from "./directory.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import { detailText, idText, recordName, upstreamName } from "./names.ts";
import type {
  AccountSessionView,
  AccountView,
  ConsoleFrame,
  InquiryView,
  Listing,
  MailState,
  MailView,
  Names,
  ProfileView,
  TimelineView,
} from "./views.ts";

export function accountList(site: Site, frame: ConsoleFrame, view: Listing<AccountView>): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.accounts");
  const empty = t.text(view.search === "" ? "admin.accounts.none" : "admin.nothingFound");
  const url = sectionUrl(site, "accounts");
  const columns = [
    {
      label: t.text("admin.account"),
      cell: (one: AccountView) =>
        html`<a href="${url}/${encodeURIComponent(one.id)}">${bdi(accountName(one))}</a>`,
    },
    {
      label: t.text("admin.upstream"),
      cell: (one: AccountView) =>
        one.identities.map(({ upstream_id }) => upstreamName(site, upstream_id)).join(", "),
    },
    {
      label: t.text("admin.lastSignIn"),
      cell: (one: AccountView) => timeOr(site, one.identities[0]?.last_sign_in_at ?? null, ""),
    },
    { label: t.text("admin.created"), cell: (one: AccountView) => isoTime(site, one.created_at) },
  ];
  return renderConsole(site, frame, {
    section: "accounts",
    heading,
    body: html`${headed(heading)}
<p class="lead">${t.text("admin.accounts.lead")}</p>
${searchForm(site, url, t.text("admin.accounts.search"), view)}
${table(heading, columns, view.items, empty)}
${pager(site, view)}`,
  });
}

export interface AccountPage {
  account: AccountView & { profiles: ProfileView[] };
  inquiries: InquiryView[];
  sessions: AccountSessionView[];
  /** Where the sessions go on. */
  nextUrl: string | null;
  mayEnd: boolean;
}

/** What an account is called: by what the upstream says of who used it last. */
export function accountName({ id, identities: [first] }: AccountView): string {
  return first?.email ?? first?.name ?? first?.subject ?? id;
}

export function accountPage(site: Site, frame: ConsoleFrame, view: AccountPage): string {
  const t = messages(site.locale);
  const { account } = view;
  const heading = accountName(account);
  return renderConsole(site, frame, {
    section: "accounts",
    heading,
    back: { url: sectionUrl(site, "accounts"), label: t.text("admin.section.accounts") },
    body: html`${headed(bdi(heading))}
${account.identities.map((identity) => identityFacts(site, account, identity))}
<h2>${t.text("admin.accounts.profiles")}</h2>
${profileTable(site, account)}
<h2>${t.text("admin.people.timeline")}</h2>
${inquiryTable(site, view.inquiries, t.text("admin.accounts.noInquiries"))}
${accountSessions(site, view)}
${pager(site, view)}`,
  });
}

function identityFacts(site: Site, account: AccountView, identity: AccountView["identities"][number]): Html {
  const t = messages(site.locale);
  return facts([
    [t.text("admin.upstream"), bdi(upstreamName(site, identity.upstream_id))],
    [t.text("admin.subject"), code(identity.subject)],
    [t.text("admin.issuer"), code(identity.issuer)],
    [t.text("admin.emailThere"), identity.email && bdi(identity.email)],
    [t.text("admin.nameThere"), identity.name && bdi(identity.name)],
    [t.text("admin.lastSignIn"), isoTime(site, identity.last_sign_in_at)],
    [t.text("admin.sub"), idText(account.id)],
  ]);
}

function profileTable(site: Site, { profiles }: AccountPage["account"]): Html {
  const t = messages(site.locale);
  const columns = [
    {
      label: t.text("admin.name"),
      cell: (one: ProfileView) => html`<a href="${personUrl(site, one.id)}">${bdi(one.name)}</a>`,
    },
    {
      label: t.text("admin.organization"),
      cell: (one: ProfileView) =>
        html`<a href="${organizationUrl(site, one.organization.id)}">${bdi(one.organization.name)}</a>`,
    },
    { label: t.text("admin.isLinked"), cell: (one: ProfileView) => timeOr(site, one.linked_at, "") },
  ];
  return table(t.text("admin.accounts.profiles"), columns, profiles, t.text("admin.accounts.noProfiles"));
}

/** The sessions of an account, and the ways to end them. */
function accountSessions(site: Site, { account, sessions, nextUrl, mayEnd }: AccountPage): Html {
  const t = messages(site.locale);
  const url = `${sectionUrl(site, "accounts")}/${encodeURIComponent(account.id)}/end`;
  const columns = [
    ...sessionColumns<AccountSessionView>(site),
    {
      label: t.text("admin.portals"),
      cell: ({ client_ids }: AccountSessionView) =>
        client_ids.length === 0
          ? t.text("admin.sessionAlone")
          : client_ids.map((id, place) => html`${place > 0 && ", "}${portalName(site, id)}`),
    },
  ];
  if (mayEnd) {
    columns.push({
      label: t.text("admin.action"),
      cell: ({ id }) => html`<a href="${url}/${encodeURIComponent(id)}">${t.text("admin.endSession")}</a>`,
    });
  }
  const hasAny = sessions.length > 0 || nextUrl !== null;
  const endAll =
    mayEnd && hasAny && html`<p class="console-actions">${goButton(url, t.text("admin.endAll"))}</p>`;
  return html`<div class="console-head"><h2>${t.text("admin.sessions")}</h2>${endAll}</div>
${table(t.text("admin.sessions"), columns, sessions, t.text("admin.people.noSignIns"))}`;
}

export function linkList(
  site: Site,
  frame: ConsoleFrame,
  view: { items: InquiryView[]; email: string; nextUrl: string | null; fault: string | null },
): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.links");
  const label = html`<label for="email">${t.text("admin.links.search")}</label>`;
  const aria = view.fault !== null && html` aria-describedby="email-error" aria-invalid="true"`;
  return renderConsole(site, frame, {
    section: "links",
    heading,
    error: view.fault !== null,
    body: html`${headed(heading)}
<p class="lead">${t.text("admin.links.lead")}</p>
<form class="console-search" role="search" method="get" action="${sectionUrl(site, "links")}">${label}
${view.fault !== null && html`<p class="field-error" id="email-error">${view.fault}</p>`}
<div>${plainInput("email", "email", view.email, aria)}
<button class="button button-secondary" type="submit">${t.text("admin.search")}</button></div></form>
${inquiryTable(site, view.items, t.text("admin.links.none"))}
${pager(site, view)}`,
  });
}

/** Each reason for which a link is refused; the catalogue has words for all of them. */
type Refusal = Exclude<LinkDeadPage["reason"], "unknown" | "cookie_missing"> | "wrong_account";

const isRefusal = (reason: string): reason is Refusal => isMessageKey(`admin.refusedFor.${reason}`);

/** Why a link was refused, in words; of a reason that isn't known, its code. */
function refusedFor(site: Site, reason: string): string {
  return isRefusal(reason) ? messages(site.locale).text(`admin.refusedFor.${reason}`) : reason;
}

function detailOf(site: Site, names: Names, what: string, detail: string): Child {
  if (what === "refused") return refusedFor(site, detail);
  return what === "mail_carried" ? idText(detail) : detailText(site, names, detail);
}

/** How some entries of a time line are marked. */
const entryMarks: Partial<Record<TimelineView["entries"][number]["what"], "timeline-bad" | "timeline-good">> =
  {
    mail_failed: "timeline-bad",
    mail_dropped: "timeline-bad",
    mail_bounced: "timeline-bad",
    bound: "timeline-good",
    refused: "timeline-bad",
    expired: "timeline-bad",
  };

export function linkPage(site: Site, frame: ConsoleFrame, line: TimelineView & { names: Names }): string {
  const t = messages(site.locale);
  const { requester, names } = line;
  const heading = t.text("admin.links.title", { code: line.code });
  const accountUrl = `${sectionUrl(site, "accounts")}/${encodeURIComponent(requester.account_id)}`;
  const who = bdi(requester.email ?? requester.name ?? requester.subject);
  return renderConsole(site, frame, {
    section: "links",
    heading,
    back: { url: sectionUrl(site, "links"), label: t.text("admin.section.links") },
    body: html`${headed(heading)}
${facts([
  [t.text("admin.by"), html`<a href="${accountUrl}">${who}</a> ${idText(requester.account_id)}`],
  [t.text("admin.upstream"), bdi(upstreamName(site, requester.upstream_id))],
  [t.text("admin.asked"), isoTime(site, line.asked_at)],
  [t.text("admin.matched"), line.matched],
])}
<h2>${t.text("admin.links.happened")}</h2>
<ol class="timeline">${line.entries.map((entry) => timelineEntry(site, names, entry))}</ol>`,
  });
}

function timelineEntry(site: Site, names: Names, entry: TimelineView["entries"][number]): Html {
  const { at, what, profile_id, detail } = entry;
  const happened = messages(site.locale).text(`admin.what.${what}`);
  const more =
    detail !== null && html`<span class="hint-inline">${detailOf(site, names, what, detail)}</span> `;
  const whose = profile_id !== null && recordName(site, names, "profile", profile_id);
  return html`<li class="${entryMarks[what] ?? ""}">
<span class="timeline-at">${isoTime(site, at)}</span>
<span>${happened} ${more}${whose}</span></li>`;
}

const stateTones: Record<MailState, Tone> = {
  held: "warm",
  carried: "quiet",
  queued: "quiet",
  sent: "good",
  bounced: "bad",
  failed: "bad",
  dropped: "quiet",
};

export interface MailPage extends Listing<MailView> {
  state: MailState | null;
  mayAct: boolean;
  act: (id: string, word: "release" | "resend") => Form;
}

export function mailList(site: Site, frame: ConsoleFrame, view: MailPage): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.mail");
  const url = sectionUrl(site, "mail");
  const states = [null, "held", "carried", "queued", "sent", "failed", "bounced", "dropped"] as const;
  const stateLink = (state: MailState | null) => {
    const current = state === view.state && html` aria-current="true"`;
    const label = t.text(state === null ? "admin.mail.all" : `admin.mail.${state}`);
    return html`<a href="${url}${state === null ? "" : `?state=${state}`}"${current}>${label}</a>`;
  };
  const act = ({ id, state }: MailView) => {
    if (!view.mayAct) return null;
    if (state === "held") return actButton(view.act(id, "release"), t.text("admin.mail.release"));
    return state === "failed" ? actButton(view.act(id, "resend"), t.text("admin.mail.resend")) : null;
  };
  const columns = [
    { label: t.text("admin.created"), cell: (one: MailView) => isoTime(site, one.created_at) },
    { label: t.text("admin.mail.to"), cell: (one: MailView) => bdi(one.to) },
    { label: t.text("admin.mail.about"), cell: (one: MailView) => aboutMail(site, one) },
    {
      label: t.text("admin.status"),
      cell: (one: MailView) => badge(stateTones[one.state], t.text(`admin.mail.${one.state}`)),
    },
    {
      label: t.text("admin.mail.reason"),
      cell: (one: MailView) =>
        one.reason && html`<span class="hint-inline">${bdi(one.reason)}${nextAttempt(site, one)}</span>`,
    },
    ...(view.mayAct ? [{ label: t.text("admin.action"), cell: act }] : []),
  ];
  return renderConsole(site, frame, {
    section: "mail",
    heading,
    body: html`${headed(heading)}
<nav class="ranges" aria-label="${t.text("admin.mail.filter")}">${states.map(stateLink)}</nav>
${table(heading, columns, view.items, t.text("admin.mail.none"))}
${pager(site, view)}`,
  });
}

/** When a mail that a server didn't take is tried again. */
function nextAttempt(site: Site, { state, next_attempt_at }: MailView): Html | null {
  if (state !== "queued") return null;
  const time = isoTime(site, next_attempt_at);
  return html` ${messages(site.locale).html("admin.mail.nextAttempt", { time })}`;
}

const mailKinds = [
  "link",
  "already_linked",
  "linked_elsewhere",
  "not_active",
  "linked_notice",
  "support_request",
  "collected",
  "admin_invitation",
  "administrator_linked",
  "address_added",
  "address_removed",
] as const;

function aboutMail(site: Site, { kind, inquiry_id }: MailView) {
  const known = mailKinds.find((one) => one === kind);
  const text =
    known === undefined ? (kind ?? "") : messages(site.locale).text(`admin.mailKind.${known as "link"}`);
  return inquiry_id === null
    ? text
    : html`<a href="${sectionUrl(site, "links")}/${encodeURIComponent(inquiry_id)}">${text}</a>`;
}
