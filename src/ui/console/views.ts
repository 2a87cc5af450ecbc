/**
 * What the administration's pages are given: records as the REST API writes them, and what a form holds. Typed data only; the
 * pages are pure functions, admin/console fills these and is the only caller.
 */

import type { Form } from "../views.ts";

export type ConsoleSection =
  | "overview"
  | "clients"
  | "organizations"
  | "people"
  | "accounts"
  | "links"
  | "mail"
  | "why"
  | "administrators"
  | "keys"
  | "audit";

export type Role = "owner" | "client_manager" | "directory_manager" | "support" | "auditor";
export type Kind = "customer" | "partner" | "operator";

/** What is the same on every page for one administrator. */
export interface ConsoleFrame {
  who: string;
  role: Role;
  /** Sections that the administrator may see. */
  sections: ConsoleSection[];
  signOut: Form;
  /** What was just done, and what happens next. */
  done: string | null;
}

export interface Fault {
  field: string;
  problem: string;
}

/** A form that came back, or is new. Values by the names of its fields; several of one name are lines or ticks. */
export interface FormState {
  form: Form;
  values: Record<string, string[]>;
  faults: Fault[];
  /** Of an edit: what the record was when it was read. */
  revision?: string;
  /** Of an edit: how its fields were shown, for the form to bring back. */
  was?: string;
  /** Of an edit that somebody else overtook. */
  differences?: { field: string; yours: string; current: string }[];
  /** Of a creation: what makes it come true once. */
  once?: string;
}

/** What records are called, by `<kind>:<id>`: profiles, organizations, accounts and API keys. */
export type Names = ReadonlyMap<string, string>;

export interface OrganizationView {
  id: string;
  name: string;
  account_number: string;
  kind: Kind;
  plan: {
    status: "active" | "suspended" | "none";
    expires_at: string | null;
    /** YYYY-MM-DD, in the deployment's time zone. */
    last_day: string | null;
  };
  enabled: boolean;
}

export interface ProfileView {
  id: string;
  organization_id: string;
  email: string;
  email_proven: boolean;
  name: string;
  roles: string[];
  enabled: boolean;
  admin_role: Role | null;
  account_id: string | null;
  linked_at: string | null;
  invited_at: string | null;
  organization: OrganizationView;
}

export interface ClientView {
  id: string;
  preset: Preset;
  name: string;
  home_url: string;
  about_url: string | null;
  redirect_uris: string[];
  post_logout_redirect_uris: string[];
  initiate_login_uri: string | null;
  backchannel_logout_uri: string | null;
  backchannel_logout_session_required: boolean;
  token_endpoint_auth_method: "client_secret_basic" | "client_secret_post" | "none";
  id_token_signed_response_alg: "RS256" | "ES256";
  claims_in_id_token: boolean;
  refresh_tokens: boolean;
  listed: boolean;
  pkce_required: boolean;
  access_policy: { kinds: Kind[]; plan_required: boolean; roles: string[] };
  scopes: string[];
  managed_by: "config" | "admin";
  previous_secret_until: string | null;
  last_used_at: string | null;
  previous_secret_last_used_at: string | null;
  refused_addresses: { parameter: "redirect_uri" | "post_logout_redirect_uri"; address: string; at: string }[];
}

export type Preset = "web" | "single_page" | "native" | "machine";

/** What a developer enters at the portal. With the secret in it where that was just made. */
export interface SettingsView {
  issuer: string;
  discovery: string;
  /** All settings, to be copied as one. */
  text: string;
  /** All claims that the portal can be given, of somebody made up; null for a machine. */
  claims: { id_token: Record<string, unknown>; userinfo: Record<string, unknown> } | null;
  recipes: {
    name: string;
    title: string;
    needs: { setting: string; value: string; why: string }[];
    files: { file: string; text: string }[];
  }[];
}

export interface AccountView {
  id: string;
  created_at: string;
  identities: {
    upstream_id: string;
    issuer: string;
    subject: string;
    email: string | null;
    name: string | null;
    created_at: string;
    last_sign_in_at: string;
  }[];
}

export interface InquiryView {
  id: string;
  code: string;
  requester: { account_id: string; upstream_id: string; subject: string; email: string | null; name: string | null };
  asked_at: string;
  settled_at: string | null;
  held_until: string | null;
  matched: number | null;
}

export interface TimelineView extends InquiryView {
  entries: { at: string; what: string; request_id: string | null; profile_id: string | null; detail: string | null }[];
}

export interface GrantView {
  id: string;
  session_id: string;
  client_id: string;
  account_id: string;
  profile_id: string;
  expires_at: string;
  session: SessionView | null;
}

/** What an account has in one session. */
export interface AccountSessionView {
  id: string;
  account_id: string;
  /** Ids of the portals that were signed in to in it. */
  client_ids: string[];
  session: SessionView | null;
}

/** Where a session is used. Null for what a version before didn't keep. */
export interface SessionView {
  browser: string | null;
  network: string | null;
  begun_at: string | null;
  last_used_at: string | null;
}

export interface MailView {
  id: string;
  to: string;
  kind: string | null;
  state: MailState;
  attempts: number;
  created_at: string;
  next_attempt_at: string;
  sent_at: string | null;
  inquiry_id: string | null;
  reason: string | null;
}

export type MailState = "held" | "carried" | "queued" | "sent" | "bounced" | "failed" | "dropped";

export interface ApiKeyView {
  id: string;
  name: string;
  scopes: string[];
  created_by: string;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
}

export interface AuditEventView {
  id: string;
  at: string;
  action: string;
  actor: string;
  profile_id: string | null;
  organization_id: string | null;
  account_id: string | null;
  request_id: string | null;
  detail: Record<string, string | number | boolean | null>;
}

export interface VerificationView {
  id: string;
  state: "waiting" | "running" | "finished" | "failed";
  kept_head: string | null;
  asked_by: string;
  asked_at: string;
  started_at: string | null;
  ended_at: string | null;
  verified: number;
  total: number | null;
  result: VerificationResultView | null;
  failure: string | null;
}

export interface VerificationResultView {
  intact: boolean;
  verified: number;
  unsealed: number;
  pruned: number;
  head: string | null;
  problem: string | null;
}

export interface FiguresView {
  from: string;
  to: string;
  step_seconds: number;
  series: { name: string; upstream_id: string | null; total: number; points: { at: string; count: number }[] }[];
}

export interface AttentionView {
  plans: OrganizationView[];
  api_keys: { id: string; name: string; expires_at: string }[];
  previous_secrets: { client_id: string; until: string; last_used_at: string | null }[];
  mails: { failed: number; bounced: number; held: number };
}

export interface SimulationView {
  outcome: "admitted" | "choose" | "not_admitted" | "unlinked";
  account_id: string | null;
  profiles: {
    profile: ProfileView;
    admitted: boolean;
    rules: {
      rule: "profile_enabled" | "organization_enabled" | "kind" | "plan" | "role";
      verdict: "passed" | "failed" | "not_needed" | "not_reached";
      reason: string | null;
      fix: string | null;
    }[];
  }[];
}

/** A list with the way to its next part. */
export interface Listing<Item> {
  items: Item[];
  nextUrl: string | null;
  /** What was searched for; "" for nothing. */
  search: string;
}
