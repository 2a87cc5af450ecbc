/**
 * What the administration's pages are given: records as the operations give them, and what a form holds.
 * Typed data only; the pages are pure functions, admin/console fills these and is the only caller.
 */

import type { OutputOf } from "../../admin/definitions/definition.ts";
import type { operations } from "../../admin/definitions/operations.ts";
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

export type Role = NonNullable<ProfileView["admin_role"]>;

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

/**
 * A form that came back, or is new. Values by the names of its fields; several of one name are lines or
 * ticks.
 */
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

export type OrganizationView = OutputOf<typeof operations.organizations.get>;

export type ProfileView = OutputOf<typeof operations.profiles.get>;

export type ClientView = OutputOf<typeof operations.clients.get>;

export type Preset = ClientView["preset"];

/** What a developer enters at the portal. With the secret in it where that was just made. */
export type SettingsView = OutputOf<typeof operations.clients.settings>;

export type AccountView = OutputOf<typeof operations.accounts.list>["items"][number];

export type InquiryView = OutputOf<typeof operations.inquiries.list>["items"][number];

export type TimelineView = OutputOf<typeof operations.inquiries.get>;

export type GrantView = OutputOf<typeof operations.grants.list>["items"][number];

/** What an account has in one session. */
export type AccountSessionView = OutputOf<typeof operations.sessions.get>;

/** Where a session is used. Null for what a version before didn't keep. */
export type SessionView = NonNullable<GrantView["session"]>;

export type MailView = OutputOf<typeof operations.mail.list>["items"][number];

export type MailState = MailView["state"];

export type ApiKeyView = OutputOf<typeof operations.apiKeys.list>["items"][number];

export type AuditEventView = OutputOf<typeof operations.audit.list>["items"][number];

export type VerificationView = OutputOf<typeof operations.verifications.get>;

export type VerificationResultView = NonNullable<VerificationView["result"]>;

export type MetricsView = OutputOf<typeof operations.figures.get>;

export type AttentionView = OutputOf<typeof operations.attention.get>;

export type SimulationView = OutputOf<typeof operations.simulation.run>;

/** A list with the way to its next part. */
export interface Listing<Item> {
  items: Item[];
  nextUrl: string | null;
  /** What was searched for; "" for nothing. */
  search: string;
}
