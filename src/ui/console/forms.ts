/** The pages with a form on them, and those that ask once more. One thing a page. */

import { bdi, type Child, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Form, Site } from "../views.ts";
import { actButton, type Choice, type Field, fieldForm, formProblems } from "./components.ts";
import { type ConsolePage, renderConsole } from "./frame.ts";
import { kinds, statuses } from "./organization-fields.ts";
import type { ConsoleFrame, FormState, Preset } from "./views.ts";

interface FormPage {
  section: ConsolePage["section"];
  heading: string;
  lead?: Child;
  back: { url: string; label: string };
  submit: string;
}

/** A page that is a form. */
export function formPage(
  site: Site,
  frame: ConsoleFrame,
  page: FormPage,
  state: FormState,
  fields: readonly Field[],
): string {
  const { section, heading, lead, back, submit } = page;
  return renderConsole(site, frame, {
    section,
    heading,
    back,
    error: state.faults.length > 0 || state.differences !== undefined,
    body: html`${formProblems(site, state, fields)}
<h1>${heading}</h1>
${lead !== undefined && html`<p class="lead">${lead}</p>`}
${fieldForm(site, state, fields, { submit, cancelUrl: back.url })}`,
  });
}

/** A page that asks whether it is really to be done, and says what it comes to. */
export function confirmPage(
  site: Site,
  frame: ConsoleFrame,
  page: Omit<FormPage, "lead"> & { consequences: readonly Child[]; form: Form },
): string {
  const t = messages(site.locale);
  const { section, heading, back, submit, consequences, form } = page;
  const classes = "button button-secondary button-small";
  const cancel = html`<a class="${classes}" href="${back.url}">${t.text("admin.cancel")}</a>`;
  return renderConsole(site, frame, {
    section,
    heading,
    back,
    body: html`<h1>${heading}</h1>
<ul>${consequences.map((one) => html`<li>${one}</li>`)}</ul>
<div class="actions">${actButton(form, submit, "danger")}${cancel}</div>`,
  });
}

/** Something that can't be done, said on a page of its own. */
export function refusalPage(
  site: Site,
  frame: ConsoleFrame,
  page: {
    section: ConsolePage["section"];
    heading: string;
    message: string;
    back: { url: string; label: string };
  },
): string {
  const t = messages(site.locale);
  const { section, heading, message, back } = page;
  const onward = t.html("admin.backTo", { page: bdi(back.label) });
  const link = html`<a class="onward" href="${back.url}">${onward}</a>`;
  return renderConsole(site, frame, {
    section,
    heading,
    back,
    error: true,
    body: html`<h1>${heading}</h1><p class="lead">${message}</p><p>${link}</p>`,
  });
}

/** The fields of a client; those that are typed later, too, when it is edited. */
export function clientFields(site: Site, preset: Preset, isNew: boolean): Field[] {
  const t = messages(site.locale);
  const text = (name: string, label: string, more: Partial<Field> = {}): Field => ({ name, label, ...more });
  const scopes = (
    [
      "admin:read",
      "audit:read",
      "clients:write",
      "directory:write",
      "links:write",
      "sessions:write",
      "admins:write",
    ] as const
  ).map((scope): Choice => ({ value: scope, label: scope, hint: t.text(`admin.scope.${scope}`) }));
  const id = text("id", t.text("admin.clientId"), { hint: t.text("admin.clients.idHint"), optional: true });
  const name = text("name", t.text("admin.name"), { hint: t.text("admin.clients.nameHint") });
  if (preset === "machine") {
    const may = text("scopes", t.text("admin.scopes"), { kind: "ticks", choices: scopes });
    return [name, ...(isNew ? [id] : []), may, authenticationField(site)];
  }
  const uri = (label: string, name: string, hint: string, kind: "url" | "lines"): Field =>
    text(name, label, { hint, kind, optional: true });
  return [
    name,
    text("home_url", t.text("admin.home"), { kind: "url", hint: t.text("admin.clients.homeHint") }),
    uri(t.text("admin.about"), "about_url", t.text("admin.clients.aboutHint"), "url"),
    text("redirect_uris", t.text("admin.redirectUris"), {
      kind: "lines",
      hint: t.text("admin.clients.redirectHint"),
    }),
    text("kinds", t.text("admin.clients.kinds"), { kind: "ticks", choices: kinds(site) }),
    text("plan_required", t.text("admin.planNeeded"), {
      kind: "tick",
      hint: t.text("admin.clients.planHint"),
    }),
    text("roles", t.text("admin.clients.roles"), {
      kind: "lines",
      hint: t.text("admin.clients.rolesHint"),
      optional: true,
    }),
    uri(
      t.text("admin.postLogoutUris"),
      "post_logout_redirect_uris",
      t.text("admin.clients.postLogoutHint"),
      "lines",
    ),
    uri(t.text("admin.initiateUri"), "initiate_login_uri", t.text("admin.clients.initiateHint"), "url"),
    uri(
      t.text("admin.backchannelUri"),
      "backchannel_logout_uri",
      t.text("admin.clients.backchannelHint"),
      "url",
    ),
    ...(isNew ? [id] : []),
    ...protocolFields(site, preset),
  ];
}

/**
 * How a client with a secret shows it. Values are the standard's own words, which its developer's library
 * uses, too.
 */
function authenticationField(site: Site): Field {
  const t = messages(site.locale);
  const choices = (["client_secret_basic", "client_secret_post"] as const).map((value) => ({
    value,
    label: value,
    hint: t.text(`admin.clients.${value}Hint`),
  }));
  return {
    name: "token_endpoint_auth_method",
    label: t.text("admin.authentication"),
    kind: "radios",
    choices,
    isRare: true,
  };
}

/** What some libraries need otherwise than it is by default. */
function protocolFields(site: Site, preset: Preset): Field[] {
  const t = messages(site.locale);
  const rare = (name: string, label: string, choices: readonly Choice[]): Field => ({
    name,
    label,
    kind: "radios",
    choices,
    isRare: true,
  });
  const ofSecret = [
    authenticationField(site),
    rare("pkce_required", t.text("admin.pkce"), [
      { value: "true", label: t.text("admin.pkce.required"), hint: t.text("admin.clients.pkceRequiredHint") },
      { value: "false", label: t.text("admin.pkce.exempt"), hint: t.text("admin.clients.pkceExemptHint") },
    ]),
  ];
  return [
    // A client without a secret always needs PKCE.
    ...(preset === "web" ? ofSecret : []),
    rare("id_token_signed_response_alg", t.text("admin.algorithm"), [
      { value: "RS256", label: "RS256", hint: t.text("admin.clients.rs256Hint") },
      { value: "ES256", label: "ES256", hint: t.text("admin.clients.es256Hint") },
    ]),
    rare("claims_in_id_token", t.text("admin.claims"), [
      {
        value: "false",
        label: t.text("admin.claims.userinfo"),
        hint: t.text("admin.clients.claimsUserinfoHint"),
      },
      {
        value: "true",
        label: t.text("admin.claims.idToken"),
        hint: t.text("admin.clients.claimsIdTokenHint"),
      },
    ]),
    rare("refresh_tokens", t.text("admin.refreshTokens"), [
      { value: "true", label: t.text("admin.refreshTokens.given") },
      { value: "false", label: t.text("admin.refreshTokens.none") },
    ]),
    rare("listed", t.text("admin.listed"), [
      { value: "true", label: t.text("admin.listed.yes"), hint: t.text("admin.clients.listedHint") },
      { value: "false", label: t.text("admin.listed.no"), hint: t.text("admin.clients.unlistedHint") },
    ]),
    rare("backchannel_logout_session_required", t.text("admin.logoutTokens"), [
      { value: "true", label: t.text("admin.logoutTokens.session") },
      {
        value: "false",
        label: t.text("admin.logoutTokens.person"),
        hint: t.text("admin.clients.logoutPersonHint"),
      },
    ]),
  ];
}

export function profileFields(site: Site, isNew: boolean): Field[] {
  const t = messages(site.locale);
  return [
    { name: "name", label: t.text("admin.name") },
    {
      name: "email",
      label: t.text("admin.registeredEmail"),
      kind: "email",
      hint: t.text(isNew ? "admin.people.emailHint" : "admin.people.emailEditHint"),
    },
    {
      name: "roles",
      label: t.text("admin.roles"),
      kind: "lines",
      hint: t.text("admin.people.rolesHint"),
      optional: true,
    },
    ...(isNew
      ? []
      : [
          {
            name: "enabled",
            label: t.text("admin.status"),
            kind: "radios" as const,
            choices: statuses(site),
          },
          {
            name: "another_person",
            label: t.text("admin.people.another"),
            kind: "tick" as const,
            hint: t.text("admin.people.anotherHint"),
          },
        ]),
  ];
}

const roleChoices = (site: Site): Choice[] => {
  const t = messages(site.locale);
  return (["owner", "client_manager", "directory_manager", "support", "auditor"] as const).map((role) => ({
    value: role,
    label: t.text(`admin.role.${role}`),
    hint: t.text(`admin.role.${role}.hint`),
  }));
};

export function invitationFields(site: Site): Field[] {
  const t = messages(site.locale);
  return [
    {
      name: "email",
      label: t.text("admin.email"),
      kind: "email",
      hint: t.text("admin.administrators.emailHint"),
    },
    { name: "name", label: t.text("admin.name"), optional: true },
    { name: "role", label: t.text("admin.adminRole"), kind: "radios", choices: roleChoices(site) },
  ];
}

export function roleFields(site: Site): Field[] {
  const t = messages(site.locale);
  const none = { value: "none", label: t.text("admin.role.none"), hint: t.text("admin.role.none.hint") };
  return [
    { name: "role", label: t.text("admin.adminRole"), kind: "radios", choices: [...roleChoices(site), none] },
  ];
}

export function keyFields(site: Site): Field[] {
  const t = messages(site.locale);
  const scopes = clientFields(site, "machine", false).filter(({ name }) => name === "scopes");
  return [
    { name: "name", label: t.text("admin.name"), hint: t.text("admin.keys.nameHint") },
    ...scopes,
    {
      name: "expires_at",
      label: t.text("admin.expires"),
      kind: "date",
      hint: t.text("admin.keys.expiresHint"),
      optional: true,
    },
  ];
}
