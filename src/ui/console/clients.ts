/** Client apps: the list, one of them, and what a developer needs to know of it. */

import { strongName } from "../components.ts";
import { bdi, type Child, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import { badge, code, copyBlock, facts, goButton, isoTime, table, timeOr } from "./components.ts";
import { headed, renderConsole, sectionUrl } from "./frame.ts";
import type { ClientView, ConsoleFrame, Preset, SettingsView } from "./views.ts";

const urlOf = (site: Site, id: string) => `${sectionUrl(site, "clients")}/${encodeURIComponent(id)}`;

export function clientList(
  site: Site,
  frame: ConsoleFrame,
  { items, mayWrite }: { items: ClientView[]; mayWrite: boolean },
): string {
  const t = messages(site.locale);
  const heading = t.text("admin.section.clients");
  const columns = [
    {
      label: t.text("admin.name"),
      cell: (one: ClientView) => html`<a href="${urlOf(site, one.id)}">${bdi(one.name)}</a>`,
    },
    { label: t.text("admin.clientId"), cell: (one: ClientView) => code(one.id) },
    { label: t.text("admin.preset"), cell: (one: ClientView) => t.text(`admin.preset.${one.preset}`) },
    { label: t.text("admin.admits"), cell: (one: ClientView) => admits(site, one) },
    {
      label: t.text("admin.lastUsed"),
      cell: (one: ClientView) => timeOr(site, one.last_used_at, t.text("admin.never")),
    },
  ];
  const add = goButton(`${sectionUrl(site, "clients")}/new`, t.text("admin.clients.new"), "primary");
  return renderConsole(site, frame, {
    section: "clients",
    heading,
    body: html`${headed(heading, ...(mayWrite ? [add] : []))}
<p class="lead">${t.text("admin.clients.lead")}</p>
${table(heading, columns, items, t.text("admin.clients.none"))}`,
  });
}

function admits(site: Site, { preset, access_policy, scopes }: ClientView): Child {
  const t = messages(site.locale);
  if (preset === "machine") return scopes.join(" ");
  const kinds = access_policy.kinds.map((kind) => t.text(`common.kind.${kind}`)).join(", ");
  const plan = access_policy.plan_required ? `; ${t.text("admin.planNeeded")}` : "";
  const roles = access_policy.roles.length > 0 ? `; ${access_policy.roles.join(", ")}` : "";
  return `${kinds}${plan}${roles}`;
}

/** Which kind of app is to be registered: one question. */
export function clientPreset(site: Site, frame: ConsoleFrame): string {
  const t = messages(site.locale);
  const heading = t.text("admin.clients.which");
  const presets: Preset[] = ["web", "single_page", "native", "machine"];
  const choice = (preset: Preset) => {
    const name = html`<strong>${t.text(`admin.preset.${preset}`)}</strong>`;
    const link = html`<a href="${sectionUrl(site, "clients")}/new?preset=${preset}">${name}</a>`;
    return html`<li>${link}<p>${t.text(`admin.preset.${preset}.hint`)}</p></li>`;
  };
  return renderConsole(site, frame, {
    section: "clients",
    heading,
    back: { url: sectionUrl(site, "clients"), label: t.text("admin.section.clients") },
    body: html`<h1>${heading}</h1>
<ul class="presets">${presets.map(choice)}</ul>`,
  });
}

export interface ClientPage {
  client: ClientView;
  settings: SettingsView;
  /** The secret, where it is shown this once; and what gave it. */
  secret: { value: string; because: "registered" | "rotated" } | null;
  /** Just registered, without a secret. */
  isNew: boolean;
  startUrl: string | null;
  /** A redirect address that was asked about. */
  check: {
    uri: string;
    result: "registered" | "differs" | "unknown" | "no_address";
    nearest: string | null;
    how: UriDifference | null;
  } | null;
  mayWrite: boolean;
}

export type UriDifference = "slash" | "scheme" | "host_case" | "query" | "path_case" | "fragment" | "port";

export function clientPage(site: Site, frame: ConsoleFrame, view: ClientPage): string {
  const t = messages(site.locale);
  const { client, settings, mayWrite } = view;
  const url = urlOf(site, client.id);
  const isOurs = client.managed_by === "admin";
  const isPortal = client.preset !== "machine";
  const edits =
    mayWrite && isOurs
      ? [goButton(`${url}/edit`, t.text("admin.edit")), goButton(`${url}/remove`, t.text("admin.remove"))]
      : [];
  const heading = client.name;
  const fromConfig = t.text("admin.clients.fromConfig");
  return renderConsole(site, frame, {
    section: "clients",
    heading,
    back: { url: sectionUrl(site, "clients"), label: t.text("admin.section.clients") },
    body: html`${secretNotice(site, view)}
${headed(bdi(heading), ...edits)}
<p class="lead">${t.text(`admin.preset.${client.preset}`)}. ${isOurs ? null : fromConfig}</p>
<h2>${t.text("admin.clients.forDeveloper")}</h2>
${facts([
  [t.text("admin.issuer"), code(settings.issuer)],
  [t.text("admin.clientId"), code(client.id)],
  [t.text("admin.discovery"), html`<a href="${settings.discovery}">${settings.discovery}</a>`],
  [t.text("admin.redirectUris"), client.redirect_uris.length > 0 && lines(client.redirect_uris)],
  [
    t.text("admin.postLogoutUris"),
    client.post_logout_redirect_uris.length > 0 && lines(client.post_logout_redirect_uris),
  ],
  [t.text("admin.initiateUri"), client.initiate_login_uri],
  [t.text("admin.backchannelUri"), client.backchannel_logout_uri],
])}
${settingsToCopy(site, settings)}
${isPortal && redirectCheck(site, url, view)}
${client.refused_addresses.length > 0 && refusedAddresses(site, url, client)}
${
  isPortal &&
  view.startUrl !== null &&
  html`<h2>${t.text("admin.clients.test")}</h2><p>${t.text("admin.clients.testHint")}</p>
<p class="actions">${goButton(view.startUrl, t.text("admin.clients.testButton"))}</p>`
}
<h2>${t.text("admin.clients.settings")}</h2>
${facts(protocolFacts(site, client))}
<h2>${t.text("admin.clients.whom")}</h2>
${facts([
  [t.text("admin.admits"), admits(site, client)],
  [t.text("admin.home"), client.home_url],
  [t.text("admin.about"), client.about_url],
  [t.text("admin.lastUsed"), timeOr(site, client.last_used_at, t.text("admin.never"))],
  [t.text("admin.previousSecret"), client.previous_secret_until && previous(site, client)],
])}
${mayWrite && isOurs && (client.preset === "web" || client.preset === "machine") && rotation(site, url)}`,
  });
}

function rotation(site: Site, url: string): Html {
  const t = messages(site.locale);
  const text = html`<h2>${t.text("admin.clients.rotate")}</h2><p>${t.text("admin.clients.rotateHint")}</p>`;
  return html`${text}<p class="actions">${goButton(`${url}/secret`, t.text("admin.clients.rotateGo"))}</p>`;
}

function protocolFacts(site: Site, client: ClientView): [label: string, value: Child][] {
  const t = messages(site.locale);
  const authentication: [string, Child] = [
    t.text("admin.authentication"),
    code(client.token_endpoint_auth_method),
  ];
  if (client.preset === "machine") return [authentication];
  return [
    authentication,
    [t.text("admin.pkce"), t.text(client.pkce_required ? "admin.pkce.required" : "admin.pkce.exempt")],
    [t.text("admin.algorithm"), code(client.id_token_signed_response_alg)],
    [
      t.text("admin.claims"),
      t.text(client.claims_in_id_token ? "admin.claims.idToken" : "admin.claims.userinfo"),
    ],
    [
      t.text("admin.refreshTokens"),
      t.text(client.refresh_tokens ? "admin.refreshTokens.given" : "admin.refreshTokens.none"),
    ],
    [t.text("admin.listed"), t.text(client.listed ? "admin.listed.yes" : "admin.listed.no")],
    [
      t.text("admin.logoutTokens"),
      client.backchannel_logout_uri !== null &&
        t.text(
          client.backchannel_logout_session_required
            ? "admin.logoutTokens.session"
            : "admin.logoutTokens.person",
        ),
    ],
  ];
}

/** For the developer of an app who was shown no more than that an address isn't registered. */
function refusedAddresses(site: Site, url: string, { refused_addresses: refused }: ClientView): Html {
  const t = messages(site.locale);
  type Refused = (typeof refused)[number];
  const compare = ({ address }: Refused) => {
    const checked = `${url}?check=${encodeURIComponent(address)}#check`;
    return html`<a href="${checked}">${t.text("admin.clients.refusedCompare")}</a>`;
  };
  const columns = [
    {
      label: t.text("admin.clients.refusedAddress"),
      cell: (one: Refused) => html`${code(one.address)} ${one.parameter === "redirect_uri" && compare(one)}`,
    },
    {
      label: t.text("admin.clients.refusedFor"),
      cell: ({ parameter }: Refused) => {
        const isSignIn = parameter === "redirect_uri";
        return badge(
          "quiet",
          t.text(isSignIn ? "admin.clients.refusedForSignIn" : "admin.clients.refusedForSignOut"),
        );
      },
    },
    { label: t.text("admin.at"), cell: ({ at }: Refused) => isoTime(site, at) },
  ];
  const heading = t.text("admin.clients.refused");
  const text = html`<h2>${heading}</h2><p>${t.text("admin.clients.refusedHint")}</p>`;
  return html`${text}${table(heading, columns, refused, "")}`;
}

/** All settings in one block, then recipes with them filled in, and what the portal gets. */
function settingsToCopy(site: Site, { text, recipes, claims }: SettingsView): Html {
  const t = messages(site.locale);
  const json = (value: object) => JSON.stringify(value, null, 2);
  return html`<h3>${t.text("admin.clients.stacks")}</h3>
${copyBlock("settings", t.text("admin.clients.allSettings"), text)}
${
  recipes.length > 0 &&
  html`<h3>${t.text("admin.clients.recipes")}</h3>
<p>${t.text("admin.clients.recipesHint")}</p>
${recipes.map((recipe) => recipeOf(site, recipe))}`
}
${
  claims !== null &&
  html`<h3>${t.text("admin.clients.claims")}</h3>
<p>${t.text("admin.clients.claimsHint")}</p>
<details><summary>${t.text("admin.clients.claimsShow")}</summary>
${copyBlock("claims-id-token", t.text("admin.clients.idToken"), json(claims.id_token))}
${copyBlock("claims-userinfo", t.text("admin.clients.userinfo"), json(claims.userinfo))}</details>`
}`;
}

function recipeOf(site: Site, { name, title, needs, files }: SettingsView["recipes"][number]): Html {
  const t = messages(site.locale);
  const blocks = files.map(({ file, text }, index) =>
    copyBlock(`${name}-${index}`, t.text("admin.clients.file", { file, recipe: title }), text),
  );
  return html`<details class="recipe"><summary>${title}</summary>
${
  needs.length > 0 &&
  html`<p>${t.text("admin.clients.needs")}</p>
<ul>${needs.map(({ setting, value, why }) => html`<li>${code(`${setting}: ${value}`)} (${why})</li>`)}</ul>`
}
${blocks}</details>`;
}

function lines(texts: readonly string[]): Html {
  return html`<ul class="plain">${texts.map((text) => html`<li>${code(text)}</li>`)}</ul>`;
}

function previous(site: Site, client: ClientView): Html {
  const t = messages(site.locale);
  const date = isoTime(site, client.previous_secret_until ?? "");
  return client.previous_secret_last_used_at === null
    ? t.html("admin.previousUnused", { date })
    : t.html("admin.previousUsed", { date, used: isoTime(site, client.previous_secret_last_used_at) });
}

function secretNotice(site: Site, { secret, isNew, client }: ClientPage): Html | null {
  const t = messages(site.locale);
  if (secret === null) {
    return isNew
      ? html`<div class="done" role="status"><h2>${t.text("admin.clients.registered")}</h2></div>`
      : null;
  }
  const heading = t.text(`admin.clients.${secret.because}`);
  return html`<div class="done" role="status"><h2>${heading}</h2>
<p>${t.html("admin.clients.secretOnce", { client: strongName(client.name) })}</p>
${copyBlock("secret", t.text("admin.clientSecret"), secret.value)}
<p>${t.text("admin.clients.secretBelow")}</p></div>`;
}

function redirectCheck(site: Site, url: string, { check, client }: ClientPage): Html {
  const t = messages(site.locale);
  const registered = client.redirect_uris.map((uri) => {
    const isLocal = /^http:\/\//i.test(uri);
    const word = isLocal
      ? badge("warm", t.text("admin.check.local"))
      : badge("good", t.text("admin.check.encrypted"));
    return html`<li>${code(uri)} ${word}</li>`;
  });
  const attributes = html`maxlength="2000" autocomplete="off" spellcheck="false" value="${check?.uri ?? ""}"`;
  const label = html`<label for="uri">${t.text("admin.check.label")}</label>`;
  return html`<h2 id="check">${t.text("admin.check.title")}</h2>
<ul class="plain">${registered}</ul>
<p>${t.text("admin.check.hint")}</p>
<form class="console-search" method="get" action="${url}#check">${label}
<div><input class="input" id="uri" name="check" type="url" ${attributes}>
<button class="button button-secondary" type="submit">${t.text("admin.check.button")}</button></div></form>
<div role="status">${check && checked(site, check)}</div>`;
}

function checked(site: Site, { uri, result, nearest, how }: NonNullable<ClientPage["check"]>): Html {
  const t = messages(site.locale);
  if (result === "registered") {
    return html`<p>${badge("good", t.text("admin.check.registered"))} ${code(uri)}</p>`;
  }
  const difference =
    nearest !== null && how !== null && t.html(`admin.check.how.${how}`, { uri: code(nearest) });
  return html`<p>${badge("bad", t.text(`admin.check.${result}`))} ${code(uri)}</p>
${difference && html`<p>${difference}</p>`}`;
}
