/** API keys, and the keys that tokens are signed with. */

import { z } from "zod";
import { ALL_SCOPES } from "../scopes.ts";
import { dateOf, define } from "./definition.ts";
import { anyId, instant, listOf, name, nothing } from "./fields.ts";

const scopes = z.array(z.enum(ALL_SCOPES)).min(1, "name at least one scope").max(20);
export const apiKey = z.strictObject({
  id: anyId,
  name: z.string(),
  scopes,
  created_by: z.string(),
  created_at: instant,
  expires_at: instant,
  last_used_at: instant.nullable(),
});

export const apiKeys = {
  list: define({
    name: "listApiKeys",
    summary: "List API keys, newest first, with when each was used last.",
    scope: "admin:read",
    method: "GET",
    path: "/api-keys",
    input: z.strictObject({}),
    output: listOf(apiKey),
    command: {
      name: "keys list",
      examples: ["liaison keys list"],
      columns: {
        id: (one) => one.id,
        name: (one) => one.name,
        scopes: (one) => one.scopes,
        "made by": (one) => one.created_by,
        expires: (one) => dateOf(one.expires_at),
        "last used": (one) => dateOf(one.last_used_at),
      },
    },
  }),
  create: define({
    name: "createApiKey",
    summary: "Make an API key. It is shown this once.",
    scope: "admins:write",
    method: "POST",
    path: "/api-keys",
    kind: "creates",
    input: z.strictObject({
      name,
      scopes,
      expires_at: instant
        .optional()
        .meta({ description: "In 90 days if left out; in a year at the latest." }),
    }),
    output: apiKey.extend({ key: z.string() }),
    command: {
      name: "keys create",
      examples: ["liaison keys create --name crm-sync --scopes directory:write,admin:read"],
    },
  }),
  remove: define({
    name: "deleteApiKey",
    summary: "Remove an API key; it stops working at once.",
    scope: "admins:write",
    method: "DELETE",
    path: "/api-keys/{id}",
    input: z.strictObject({ id: anyId }),
    output: nothing,
    command: {
      name: "keys remove",
      operand: "id",
      examples: ["liaison keys remove 4QrTzk0wJm9x3vYb2nLc7A"],
      done: "Removed.",
    },
  }),
};

export const signingKeys = {
  list: define({
    name: "listSigningKeys",
    summary: "List the keys that tokens are signed with.",
    scope: "admin:read",
    method: "GET",
    path: "/signing-keys",
    input: z.strictObject({}),
    output: listOf(z.strictObject({ kid: z.string(), alg: z.string() })),
    command: {
      name: "keys signing",
      examples: ["liaison keys signing"],
      columns: {
        kid: (one) => one.kid,
        alg: (one) => one.alg,
      },
    },
  }),
};
