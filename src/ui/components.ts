/** The pieces that several pages are made of. Pure functions of data, like the pages. */

import type { Seconds } from "../clock.ts";
import { formatSeconds } from "./format.ts";
import { bdi, type Child, type Html, html } from "./html.ts";
import { messages } from "./messages.ts";
import type {
  Contact,
  FieldError,
  Form,
  MembershipView,
  PortalView,
  SignedInAs,
  Site,
  StaysKnown,
  UpstreamView,
} from "./views.ts";

/**
 * A link to somewhere else. An address that isn't http(s) becomes plain text: configuration refuses it long
 * before.
 */
export function webLink(url: string, label: Child): Html {
  return /^https?:\/\//i.test(url)
    ? html`<a href="${url}" rel="noreferrer">${label}</a>`
    : html`<span>${label}</span>`;
}

/** What makes a link of ours of the words that a text puts into it. */
export const linkTo = (url: string) => (content: Html) => html`<a href="${url}">${content}</a>`;

/** A link that looks like a button, for going somewhere without changing anything. */
export function linkButton(url: string, label: Child, kind: "primary" | "secondary"): Html {
  return html`<a class="button button-${kind}" href="${url}" rel="noreferrer">${label}</a>`;
}

interface MailDraft {
  subject: string;
  body: string;
}

/** `mailto:` with subject and body filled in (RFC 6068: lines end in CRLF). */
function mailLink(address: string, draft?: MailDraft): Html {
  const encode = (text: string): string => encodeURIComponent(text.replaceAll("\n", "\r\n"));
  const query = draft === undefined ? "" : `?subject=${encode(draft.subject)}&body=${encode(draft.body)}`;
  const mailbox = encodeURIComponent(address).replace("%40", "@");
  return html`<a href="mailto:${mailbox}${query}">${bdi(address)}</a>`;
}

/** Every way to reach the deployment's support, one link each. */
export function contactLinks(site: Site): Html[] {
  const t = messages(site.locale);
  const { email, url, phone }: Contact = site.support;
  return [
    mailLink(email),
    ...(url === null ? [] : [webLink(url, t.text("common.contactPage"))]),
    ...(phone === null ? [] : [phoneLink(phone)]),
  ];
}

/** The same inside a sentence, after "write to". */
export function contactInline(site: Site, draft?: MailDraft): Html {
  const t = messages(site.locale);
  const { email, url, phone }: Contact = site.support;
  const address = mailLink(email, draft);
  const link = (content: Html): Html => (url === null ? content : webLink(url, content));
  if (url !== null && phone !== null) {
    return t.html("common.contactAll", { email: address, link, phone: phoneLink(phone) });
  }
  if (url !== null) return t.html("common.contactOrPage", { email: address, link });
  if (phone !== null) return t.html("common.contactOrPhone", { email: address, phone: phoneLink(phone) });
  return address;
}

function phoneLink(phone: string): Html {
  return html`<a class="whole" href="tel:${phone.replace(/[^+\d]/g, "")}">${bdi(phone)}</a>`;
}

/** "a, b or c", in the order and with the words of the language. */
export function alternatives(
  site: Site,
  items: readonly Html[],
  type: "disjunction" | "conjunction" = "disjunction",
): Html {
  const parts = new Intl.ListFormat(site.locale, { type }).formatToParts(
    items.map((_, index) => String(index)),
  );
  return html`${parts.map((part) => (part.type === "element" ? items[Number(part.value)] : part.value))}`;
}

/** The support of an upstream, for what concerns the consumer account itself; null when none is known. */
export function upstreamSupport(site: Site, upstream: UpstreamView): Html | null {
  const t = messages(site.locale);
  const { email, url } = upstream.support;
  const links = [
    ...(email === null ? [] : [mailLink(email)]),
    ...(url === null ? [] : [webLink(url, t.html("common.supportOf", { name: upstream.name }))]),
  ];
  return links.length === 0 ? null : alternatives(site, links);
}

/** The block that ends every dead end: whom to write to. */
export function whomToAsk(site: Site, upstream: UpstreamView | null = null): Html {
  const t = messages(site.locale);
  const theirs = upstream === null ? null : upstreamSupport(site, upstream);
  const toUpstream =
    upstream && theirs && t.html("common.writeToUpstream", { upstream: upstream.name, contact: theirs });
  return html`<section class="ask" aria-labelledby="ask">
<h2 id="ask">${t.text("common.whomToAsk")}</h2>
<ul class="plain">
<li>${t.html("common.writeTo", { contact: contactInline(site) })}</li>
${toUpstream && html`<li>${toUpstream}</li>`}
</ul>
</section>`;
}

/**
 * Who may still know a person that signs out here: their account's provider, and portals that no sign-out
 * reaches.
 */
export function staysKnown(site: Site, { upstream, portals }: StaysKnown): Html {
  const t = messages(site.locale);
  const upstreams = upstream === null ? site.upstreams.map(({ name }) => name) : [upstream];
  const whichUpstream =
    upstreams.length > 0 &&
    t.html("staysKnown.upstream", { upstream: alternatives(site, upstreams.map(bdi)) });
  const whichPortals =
    portals === null
      ? t.text("staysKnown.somePortals")
      : portals.length > 0 &&
        t.html("staysKnown.portals", { portals: alternatives(site, portals.map(bdi), "conjunction") });
  return html`<section class="ask" aria-labelledby="stays-known">
<h2 id="stays-known">${t.text("staysKnown.title")}</h2>
<ul>
${whichUpstream && html`<li>${whichUpstream}</li>`}
${whichPortals && html`<li>${whichPortals}</li>`}
</ul>
<p>${t.text("staysKnown.do")}</p>
</section>`;
}

/** "Signing in to PORTAL" above the heading. */
export function eyebrow(site: Site, portal: PortalView | null): Html | null {
  if (portal === null) return null;
  const text = messages(site.locale).html("common.signingInTo", { portal: portal.name });
  return html`<p class="eyebrow">${text}</p>`;
}

export function csrfInput(token: string): Html {
  return html`<input type="hidden" name="csrf" value="${token}">`;
}

/** *Signed in as WHO at UPSTREAM*. */
export function signedInStrip(site: Site, { who, upstreamName }: SignedInAs): Html {
  const t = messages(site.locale);
  return html`<div class="who">
<p>${t.html("common.signedInAs", { who: strongName(who), upstream: upstreamName })}</p>
</div>`;
}

/** The way to another account than the one that the strip names. */
export function useAnotherAccount(
  site: Site,
  { useAnotherAction }: SignedInAs,
  csrfToken: string,
): Html | null {
  if (useAnotherAction === null) return null;
  const t = messages(site.locale);
  const button = html`<button class="link" type="submit">${t.text("common.useAnother")}</button>`;
  return html`<div class="who who-else">
<p>${t.text("common.wrongAccount")}</p>
<form method="post" action="${useAnotherAction}">${csrfInput(csrfToken)}${button}</form>
</div>`;
}

export function strongName(text: string): Html {
  return html`<strong>${bdi(text)}</strong>`;
}

/** A matching code, its letters apart. */
export function codeText(code: string): Html {
  return html`<strong class="code">${code}</strong>`;
}

/** GOV.UK's error summary: first in the page, focused by the script, each entry leading to its field. */
export function errorSummary(site: Site, errors: readonly FieldError[]): Html | null {
  const t = messages(site.locale);
  return problemSummary(
    site,
    errors.map(({ field, message }) => ({ target: field, text: t.text(`common.field.${message}`) })),
  );
}

export function problemSummary(
  site: Site,
  problems: readonly { target: string; text: string }[],
): Html | null {
  if (problems.length === 0) return null;
  return html`<div class="problem" role="alert" tabindex="-1" data-focus>
<h2>${messages(site.locale).text("common.errorSummary")}</h2>
<ul class="plain">
${problems.map(({ target, text }) => html`<li><a href="#${target}">${text}</a></li>`)}
</ul>
</div>`;
}

/** When it may be asked again. A script counts down. */
export function askAgainWait(site: Site, inSeconds: Seconds): Html {
  const t = messages(site.locale);
  const seconds = Math.max(0, Math.ceil(inSeconds));
  if (seconds === 0) return html`${t.text("checkEmail.now")}`;
  const wait = html`<span data-countdown="${seconds}">${formatSeconds(site.locale, seconds)}</span>`;
  const waiting = html`<span data-countdown-wait>${t.html("checkEmail.wait", { wait })}</span>`;
  const done = html`<span data-countdown-done hidden>${t.text("checkEmail.now")}</span>`;
  return html`${waiting}${done}`;
}

/** The error at its field; `id` goes into the field's `aria-describedby`. */
export function fieldError(site: Site, errors: readonly FieldError[], field: string): Html | null {
  const t = messages(site.locale);
  const error = errors.find((candidate) => candidate.field === field);
  if (error === undefined) return null;
  return errorLine(site, field, t.text(`common.field.${error.message}`));
}

/** What is wrong with a field, with the word that tells a screen reader that it is an error. */
export function errorLine(site: Site, field: string, text: string): Html {
  const prefix = html`<span class="unseen">${messages(site.locale).text("common.errorPrefix")}</span>`;
  return html`<p class="field-error" id="${field}-error">${prefix} ${text}</p>`;
}

/** What tells one profile from another: who, in which organization, which number. */
export function membershipLines(site: Site, membership: MembershipView): Html {
  const t = messages(site.locale);
  const { profileName, organizationName, accountNumber, kind } = membership;
  const number = html`<bdi class="whole">${accountNumber}</bdi>`;
  return html`<span class="name">${bdi(profileName)}</span>
<span class="organization">${bdi(organizationName)}</span>
<span class="facts">${t.text(`common.kind.${kind}`)} · ${t.html("common.accountNumber", { number })}</span>`;
}

export interface RailStop {
  label: string;
  content: Child;
  shape: "account" | "profile";
}

/** The product's picture: an account, a profile, and whether anything joins them. */
export function rail(state: "pending" | "linked" | "broken", stops: readonly RailStop[]): Html {
  const stop = ({ label, content, shape }: RailStop) =>
    html`<div class="stop stop-${shape}"><dt>${label}</dt><dd>${content}</dd></div>`;
  return html`<dl class="rail rail-${state}">
${stops.map(stop)}
</dl>`;
}

/** An account as a stop of the rail. */
export function accountStop(
  site: Site,
  label: string,
  account: { who: string; upstreamName: string },
): RailStop {
  const { who, upstreamName } = account;
  const where = messages(site.locale).html("wrongAccount.at", { upstream: upstreamName });
  return {
    label,
    shape: "account",
    content: html`<span class="name">${bdi(who)}</span> <span class="facts">${where}</span>`,
  };
}

/** A profile as a stop of the rail. */
export function profileStop(site: Site, membership: MembershipView): RailStop {
  return {
    label: messages(site.locale).text("landing.profile"),
    shape: "profile",
    content: membershipLines(site, membership),
  };
}

/** A form with one button and nothing to fill in. */
export function buttonForm(form: Form, label: Child, kind: "primary" | "secondary"): Html {
  const button = html`<button class="button button-${kind}" type="submit">${label}</button>`;
  return html`<form method="post" action="${form.action}">${csrfInput(form.csrfToken)}${button}</form>`;
}

/** Back to the portal, which is told that nobody signed in. */
export function backToPortal(site: Site, portal: PortalView, form: Form): Html {
  const label = messages(site.locale).html("common.backTo", { portal: portal.name });
  return html`<div class="actions">${buttonForm(form, label, "secondary")}</div>`;
}

/**
 * How to begin again: the portal it was about as the one primary button, or else every portal's home link.
 */
export function startAgain(site: Site, portal: PortalView | null): Html | null {
  return waysToPortals(site, portal, "common.startAgain");
}

/** How to go on: the same links in other words. */
export function goToPortal(site: Site, portal: PortalView | null): Html | null {
  return waysToPortals(site, portal, "common.goTo");
}

/** The same for somebody whose profile is known: where it can be used, and nowhere else. */
export function goToOpened(site: Site, opens: PortalView[]): Html | null {
  return waysToPortals({ ...site, portals: opens }, null, "common.goTo");
}

function waysToPortals(
  site: Site,
  portal: PortalView | null,
  label: "common.startAgain" | "common.goTo",
): Html | null {
  const t = messages(site.locale);
  if (portal !== null) {
    const text = t.html(label, { portal: portal.name });
    return html`<p class="actions">${linkButton(portal.homeUrl, text, "primary")}</p>`;
  }
  if (site.portals.length === 0) return null;
  const way = ({ homeUrl, name }: PortalView) =>
    html`<li>${webLink(homeUrl, t.html(label, { portal: name }))}</li>`;
  return html`<ul class="ways">
${site.portals.map(way)}
</ul>`;
}
