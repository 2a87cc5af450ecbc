/**
 * Who may do what: scopes, which keys and machines are given, and the roles of people, each a set of scopes.
 */

import type { AdminRole } from "../domain/records.ts";

export const SCOPES = {
  "admin:read": "Read everything but the audit.",
  "audit:read": "Read and verify the audit.",
  "clients:write": "Register, edit and remove client apps, and rotate their secrets.",
  "directory:write": "Add and edit organizations and profiles, but not the operator's own.",
  "links:write": "Unlink profiles, and send mails that wait or were given up.",
  "sessions:write": "End sessions, and sign-ins at portals.",
  "admins:write":
    "Make administrators, API keys and machine clients, and edit the operator's own organization.",
} as const;

export type Scope = keyof typeof SCOPES;
export const ALL_SCOPES = Object.keys(SCOPES) as [Scope, ...Scope[]];

export const ROLES: Record<AdminRole, { summary: string; scopes: readonly Scope[] }> = {
  owner: { summary: "May do everything.", scopes: ALL_SCOPES },
  client_manager: { summary: "Looks after client apps.", scopes: ["admin:read", "clients:write"] },
  directory_manager: {
    summary: "Looks after organizations and people.",
    scopes: ["admin:read", "directory:write", "links:write"],
  },
  support: {
    summary: "Helps people: unlinks profiles, sends mails again, ends sessions.",
    scopes: ["admin:read", "links:write", "sessions:write"],
  },
  auditor: { summary: "Reads everything and changes nothing.", scopes: ["admin:read", "audit:read"] },
};

/** What somebody is given where nobody says what. */
export const LEAST_ROLE: AdminRole = "auditor";

export const ALL_ROLES = Object.keys(ROLES) as [AdminRole, ...AdminRole[]];

/** Who asks for something. */
export interface Principal {
  /** As audit events name them: `admin:<profile>`, `key:<id>`, `client:<id>`, `command:<name>`. */
  actor: string;
  scopes: ReadonlySet<Scope>;
}

export function isScope(text: string): text is Scope {
  return Object.hasOwn(SCOPES, text);
}
