/** Accounts: people as they sign in, with their identities at upstreams. */

import { z } from "zod";
import { dateOf, define } from "./definition.ts";
import { anyId, identity, instant, listOf, membership, paging, search } from "./fields.ts";

const account = z.strictObject({ id: anyId, created_at: instant, identities: z.array(identity) });
export const accounts = {
  list: define({
    name: "listAccounts",
    summary:
      "List accounts, newest first, or find them by the beginning of a subject, address or word of a " +
      "name at the upstream.",
    scope: "admin:read",
    method: "GET",
    path: "/accounts",
    input: z.strictObject({ q: search.optional(), ...paging }),
    output: listOf(account),
    command: {
      name: "accounts list",
      operand: "q",
      examples: ["liaison accounts list", "liaison accounts list ann@consumer.example --json"],
      columns: {
        id: (one) => one.id,
        created: (one) => dateOf(one.created_at),
        identities: (one) =>
          one.identities.map(
            ({ email, name, subject, upstream_id }) => `${email ?? name ?? subject} (${upstream_id})`,
          ),
      },
    },
  }),
  get: define({
    name: "getAccount",
    summary: "Show an account with its identities and the profiles it is linked to.",
    scope: "admin:read",
    method: "GET",
    path: "/accounts/{id}",
    input: z.strictObject({ id: anyId }),
    output: account.extend({ profiles: z.array(membership) }),
    command: { name: "accounts show", operand: "id", examples: ["liaison accounts show 1c9e…"] },
  }),
};
