/** What lists show on a terminal: a few columns of each record. Everything there is, is in `--json`. */

import type { Input } from "../../admin/command-remote.ts";

/** A cell: a text, or an instant in milliseconds. */
type Read = (item: Input) => string | number;
type Columns = Readonly<Record<string, Read>>;

/** The value that a path of keys leads to. */
function at(item: Input, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Input | null | undefined)?.[key], item);
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const text =
  (path: string): Read =>
  (item) =>
    textOf(at(item, path));

const instant =
  (path: string): Read =>
  (item) => {
    const value = at(item, path);
    return typeof value === "string" ? Date.parse(value) : "";
  };

const yesNo =
  (path: string): Read =>
  (item) =>
    at(item, path) === true ? "yes" : "no";

/** The first of several that is there. */
const either =
  (...paths: string[]): Read =>
  (item) =>
    textOf(paths.map((path) => at(item, path)).find((value) => value !== null && value !== undefined));

const organizations: Columns = {
  ...{ id: text("id"), name: text("name"), account: text("account_number"), kind: text("kind") },
  ...{ plan: text("plan.status"), "last day": text("plan.last_day"), enabled: yesNo("enabled") },
};

const identities: Read = (item) => {
  const all = (at(item, "identities") ?? []) as Input[];
  const name = either("email", "name", "subject");
  return all.map((one) => `${name(one)} (${textOf(one["upstream_id"])})`).join(", ");
};

const detail: Read = (item) => {
  const entries = Object.entries((at(item, "detail") ?? {}) as Input);
  return entries.map(([key, value]) => `${key}=${textOf(value)}`).join(" ");
};

/** Of a verification that has finished. */
const verdict: Read = (item) => (at(item, "result") === null ? "" : yesNo("result.intact")(item));

/** By the words that call the command. */
export const columns: Readonly<Record<string, Columns>> = {
  "clients list": {
    ...{ id: text("id"), name: text("name"), preset: text("preset"), admits: text("access_policy.kinds") },
    ...{ managed: text("managed_by"), "last used": instant("last_used_at") },
  },
  "orgs list": organizations,
  "profiles list": {
    ...{ id: text("id"), email: text("email"), name: text("name"), organization: text("organization_id") },
    ...{ roles: text("roles"), enabled: yesNo("enabled"), linked: instant("linked_at") },
  },
  "admin list": {
    ...{ id: text("id"), email: text("email"), name: text("name"), role: text("admin_role") },
    ...{ organization: text("organization_id"), enabled: yesNo("enabled"), linked: instant("linked_at") },
    ...{ invited: instant("invited_at") },
  },
  "accounts list": { id: text("id"), created: instant("created_at"), identities },
  "sessions list": {
    ...{ id: text("id"), portal: text("client_id"), account: text("account_id"), profile: text("profile_id") },
    ...{ session: text("session_id"), browser: text("session.browser"), network: text("session.network") },
    ...{ "last used": instant("session.last_used_at"), ends: instant("expires_at") },
  },
  "accounts sessions": {
    ...{ id: text("id"), portals: text("client_ids"), browser: text("session.browser") },
    ...{ network: text("session.network"), begun: instant("session.begun_at") },
    "last used": instant("session.last_used_at"),
  },
  "keys list": {
    ...{ id: text("id"), name: text("name"), scopes: text("scopes"), "made by": text("created_by") },
    ...{ expires: instant("expires_at"), "last used": instant("last_used_at") },
  },
  "keys signing": { kid: text("kid"), alg: text("alg") },
  "upstreams list": {
    ...{ id: text("id"), name: text("name"), issuer: text("issuer"), client: text("client_id") },
    reauthentication: text("reauthentication"),
  },
  "audit list": {
    ...{ at: instant("at"), action: text("action"), actor: text("actor") },
    ...{ about: either("profile_id", "organization_id", "account_id"), detail },
  },
  "audit verifications": {
    id: text("id"),
    asked: instant("asked_at"),
    by: text("asked_by"),
    state: text("state"),
    verified: text("verified"),
    intact: verdict,
    problem: either("result.problem", "failure"),
  },
};

/** A row of a list; of a list without columns of its own, whatever each record holds. */
export function rowOf(command: string, item: Input): Record<string, string | number> {
  const reads = columns[command] ?? Object.fromEntries(Object.keys(item).map((key) => [key, text(key)]));
  return Object.fromEntries(Object.entries(reads).map(([name, read]) => [name, read(item)]));
}
