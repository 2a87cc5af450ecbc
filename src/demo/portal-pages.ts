/** The pages of the demo portals. Pure functions; the protocol is portal.ts's. */

import { html, type Look, type Markup, type Page } from "./page.ts";
import type { SignedIn } from "./portal-sessions.ts";

/** How a portal presents itself. */
export interface PortalFace {
  look: Look;
  name: string;
  tagline: string;
  /** What a visitor finds there, in a sentence. */
  purpose: string;
}

function portalPage(face: PortalFace, content: Pick<Page, "title" | "body" | "status">): Page {
  const nav = [
    { href: "/", label: "Home" },
    { href: "/about", label: "About" },
  ];
  return { look: face.look, site: face.name, tagline: face.tagline, nav, ...content };
}

function noticeOf(notice: string | null): Markup | string {
  return notice === null ? "" : html`<p class="notice" role="status">${notice}</p>`;
}

export function signedOutPage(face: PortalFace, notice: string | null): Page {
  return portalPage(face, {
    title: "Welcome",
    body: html`${noticeOf(notice)}
      <section class="card hero">
        <h1>Welcome to ${face.name}</h1>
        <p class="lead">${face.purpose}</p>
        <p><a class="button" href="/login">Sign in</a></p>
      </section>`,
  });
}

export function signedInPage(face: PortalFace, signedIn: SignedIn, notice: string | null): Page {
  const { claims } = signedIn;
  const name = displayName(claims);
  const facts = profileFacts(claims).map(([term, fact]) => html`<dt>${term}</dt><dd>${fact}</dd>`);
  return portalPage(face, {
    title: `Signed in as ${name}`,
    body: html`<h1>Signed in as ${name}</h1>
      ${noticeOf(notice)}
      <div class="row">
        <a class="button plain" href="/switch">Switch profile</a>
        <form method="post" action="/logout"><button type="submit">Sign out</button></form>
      </div>
      <section class="card" aria-labelledby="profile">
        <h2 id="profile">Your profile</h2>
        <dl class="facts">${facts}</dl>
      </section>
      <section aria-labelledby="claims">
        <h2 id="claims">What the sign-in service said</h2>
        <p class="soft">Signed in at ${utc(signedIn.signedInAt)};
          claims read at ${utc(signedIn.claimsReadAt)}.</p>
        ${
          signedIn.refreshToken === null
            ? ""
            : html`<form method="post" action="/refresh">
                <p><button class="plain" type="submit">Refresh</button></p>
              </form>`
        }
        ${claimsTable(claims)}
      </section>`,
  });
}

function claimsTable(claims: Record<string, unknown>): Markup {
  const rows = Object.entries(claims).map(([claim, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    return html`<tr><th scope="row"><code>${claim}</code></th><td><pre>${text}</pre></td></tr>`;
  });
  return html`<div class="scroll" role="region" aria-label="Claims" tabindex="0">
    <table>
      <thead><tr><th scope="col">Claim</th><th scope="col">Value</th></tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`;
}

export function aboutPage(face: PortalFace, issuer: string): Page {
  return portalPage(face, {
    title: "About",
    body: html`<h1>About ${face.name}</h1>
      <p class="lead">${face.purpose}</p>
      <p>Signing in is done by <a href="${issuer}/help">${new URL(issuer).host}</a>, the sign-in service that
        all portals share. ${face.name} never sees your password: it is told who you are and which
        organization you act for.</p>
      <p><a href="/">Back to ${face.name}</a></p>`,
  });
}

export function signOutPage(face: PortalFace): Page {
  return portalPage(face, {
    title: "Sign out",
    body: html`<h1>Sign out of ${face.name}?</h1>
      <form method="post" action="/logout"><button type="submit">Sign out</button></form>`,
  });
}

/** A sign-in that failed: what happened, the service's own words, and the way to try again. */
export function failurePage(face: PortalFace, failure: Failure): Page {
  const { status, title, detail, error } = failure;
  return portalPage(face, {
    title,
    status,
    body: html`<h1>${title}</h1>
      <p class="lead">${detail}</p>
      ${
        error === undefined
          ? ""
          : html`<div class="card"><dl class="facts">
              <dt>Error</dt><dd><code>${error.code}</code></dd>
              <dt>What the sign-in service says</dt><dd>${error.description ?? "Nothing more."}</dd>
            </dl></div>`
      }
      <p class="row"><a class="button" href="/login">Try again</a> <a href="/">Back to ${face.name}</a></p>`,
  });
}

export interface Failure {
  status: number;
  title: string;
  detail: string;
  error?: { code: string; description: string | undefined } | undefined;
}

const words: ReadonlyMap<string, string> = new Map(
  Object.entries({
    access_denied: "The sign-in was cancelled, or your account isn't admitted here.",
    login_required: "You aren't signed in at the sign-in service any more.",
    interaction_required: "The sign-in service needs to ask you something first.",
    account_selection_required: "The sign-in service needs to know which profile you want to use.",
    temporarily_unavailable: "The sign-in service can't do this right now. Wait a moment.",
    invalid_grant: "Your sign-in was ended, or your access changed.",
  }),
);

/** Puts an OAuth error into words. */
export function refusal(code: string, description: string | undefined): Failure {
  const detail = words.get(code) ?? "The sign-in service couldn't finish this sign-in.";
  return { status: 400, title: "You aren't signed in", detail, error: { code, description } };
}

function displayName(claims: Record<string, unknown>): string {
  return text(claims["name"]) ?? text(claims["email"]) ?? text(claims["sub"]) ?? "somebody";
}

/** The claims of scopes `profile`, `email` and `organization`, as a person would say them. */
function profileFacts(claims: Record<string, unknown>): [string, string][] {
  const organization = record(claims["organization"]);
  const plan = record(claims["service_plan"]);
  const roles = Array.isArray(claims["roles"])
    ? claims["roles"].filter((role) => typeof role === "string")
    : [];
  const email = text(claims["email"]);
  const facts: [string, string | undefined][] = [
    ["Name", text(claims["name"])],
    ["Email", email && `${email}${claims["email_verified"] === true ? " (verified)" : ""}`],
    ["Profile", text(claims["profile_id"])],
    ["Organization", text(organization["name"])],
    ["Account number", text(organization["account_number"])],
    ["Kind", text(organization["kind"])],
    ["Roles", roles.length > 0 ? roles.join(", ") : undefined],
    ["Service plan", planInWords(plan)],
  ];
  return facts.map(([term, fact]) => [term, fact ?? "–"]);
}

function planInWords(plan: Record<string, unknown>): string | undefined {
  const end = plan["expires_at"];
  const until = typeof end === "number" ? utc(new Date(end * 1000)) : text(end);
  const status = text(plan["status"]);
  return status && (until === undefined ? status : `${status}, until ${until}`);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function utc(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
