/** Sign-ins that portals hold (grants), and the sessions in browsers that they were made in. */

import { z } from "zod";
import { dateOf, define } from "./definition.ts";
import { anyId, instant, listOf, nothing, paging } from "./fields.ts";

export const usedSession = z.strictObject({
  browser: z
    .string()
    .nullable()
    .meta({ description: "What it calls itself: its name, and what it runs on." }),
  network: z.string().nullable().meta({ description: "An address in IPv4, a /64 in IPv6." }),
  begun_at: instant.nullable(),
  last_used_at: instant.nullable().meta({ description: "When the browser last came with it." }),
});

export const grant = z.strictObject({
  id: anyId,
  session_id: z.string(),
  client_id: anyId,
  account_id: anyId,
  profile_id: anyId,
  expires_at: instant,
  session: usedSession.nullable().meta({
    description:
      "Where the session is used; null where it has ended, and a refresh token of it is still good.",
  }),
});

export const session = z.strictObject({
  id: z.string(),
  account_id: anyId,
  client_ids: z
    .array(anyId)
    .meta({ description: "The client apps that have a sign-in in it; none is needed." }),
  session: grant.shape.session,
});

export const grants = {
  list: define({
    name: "listGrants",
    summary: "List the sign-ins that portals hold now: of an account, a profile or a client app, or all.",
    scope: "admin:read",
    method: "GET",
    path: "/grants",
    input: z.strictObject({
      account_id: anyId.optional(),
      profile_id: anyId.optional(),
      client_id: anyId.optional(),
      ...paging,
    }),
    output: listOf(grant),
    command: {
      name: "sessions list",
      examples: ["liaison sessions list --profile-id p-ann", "liaison sessions list --json"],
      columns: {
        id: (one) => one.id,
        portal: (one) => one.client_id,
        account: (one) => one.account_id,
        profile: (one) => one.profile_id,
        session: (one) => one.session_id,
        browser: (one) => one.session?.browser ?? null,
        network: (one) => one.session?.network ?? null,
        "last used": (one) => dateOf(one.session?.last_used_at),
        ends: (one) => dateOf(one.expires_at),
      },
    },
  }),
  revoke: define({
    name: "revokeGrant",
    summary: "End one sign-in at a portal; its tokens stop working, and the portal is told.",
    scope: "sessions:write",
    method: "DELETE",
    path: "/grants/{id}",
    input: z.strictObject({ id: anyId }),
    output: nothing,
    command: {
      name: "sessions revoke",
      operand: "id",
      examples: ["liaison sessions revoke 4QrTzk0wJm9x3vYb2nLc7A"],
      done: "Ended.",
    },
  }),
};

export const sessions = {
  list: define({
    name: "listSessions",
    summary: "List the sessions of an account: in which browsers it is signed in, and at which portals.",
    scope: "admin:read",
    method: "GET",
    path: "/accounts/{id}/sessions",
    input: z.strictObject({ id: anyId, ...paging }),
    output: listOf(session),
    command: {
      name: "accounts sessions",
      operand: "id",
      examples: ["liaison accounts sessions 1c9e…"],
      columns: {
        id: (one) => one.id,
        portals: (one) => one.client_ids,
        browser: (one) => one.session?.browser ?? null,
        network: (one) => one.session?.network ?? null,
        begun: (one) => dateOf(one.session?.begun_at),
        "last used": (one) => dateOf(one.session?.last_used_at),
      },
    },
  }),
  get: define({
    name: "getSession",
    summary: "Show a session: whose it is, where it is used, and at which portals.",
    scope: "admin:read",
    method: "GET",
    path: "/sessions/{id}",
    input: z.strictObject({ id: anyId }),
    output: session,
    command: {
      name: "sessions show",
      operand: "id",
      examples: ["liaison sessions show mY0pH2uSvQ3bYc5tX1k9Z"],
    },
  }),
  end: define({
    name: "endSession",
    summary: "End a session in a browser, and every sign-in at portals that was made in it.",
    scope: "sessions:write",
    method: "DELETE",
    path: "/sessions/{id}",
    input: z.strictObject({ id: anyId }),
    output: nothing,
    command: {
      name: "sessions end",
      operand: "id",
      examples: ["liaison sessions end mY0pH2uSvQ3bYc5tX1k9Z"],
      done: "Ended.",
    },
  }),
  endAll: define({
    name: "endSessions",
    summary: "End all sessions of an account, with their sign-ins at portals.",
    scope: "sessions:write",
    method: "DELETE",
    path: "/accounts/{id}/sessions",
    input: z.strictObject({ id: anyId }),
    output: z.strictObject({ ended: z.int().meta({ description: "How many sessions it ended." }) }),
    command: { name: "sessions end-all", operand: "id", examples: ["liaison sessions end-all 1c9e…"] },
  }),
};
