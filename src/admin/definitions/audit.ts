/** The audit: what was done, and by whom. */

import { z } from "zod";
import { dateOf, define } from "./definition.ts";
import { anyId, instant, listOf, paging } from "./fields.ts";

export const auditEvent = z.strictObject({
  id: anyId,
  at: instant,
  action: z.string(),
  actor: z.string(),
  profile_id: anyId.nullable(),
  organization_id: anyId.nullable(),
  account_id: anyId.nullable(),
  request_id: anyId.nullable(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export const audit = {
  list: define({
    name: "listAudit",
    summary: "List what was done, newest first.",
    scope: "audit:read",
    method: "GET",
    path: "/audit",
    input: z.strictObject({
      action: z.string().min(1).max(64).optional(),
      actor: z.string().min(1).max(200).optional(),
      profile_id: anyId.optional(),
      organization_id: anyId.optional(),
      account_id: anyId.optional(),
      request_id: anyId.optional(),
      from: instant.optional(),
      to: instant.optional(),
      ...paging,
    }),
    output: listOf(auditEvent),
    command: {
      name: "audit list",
      examples: [
        "liaison audit list --action profile.bound",
        "liaison audit list --actor command:admin --json",
      ],
      columns: {
        at: (one) => dateOf(one.at),
        action: (one) => one.action,
        actor: (one) => one.actor,
        about: (one) => one.profile_id ?? one.organization_id ?? one.account_id,
        detail: ({ detail }) =>
          Object.entries(detail)
            .map(([key, value]) => `${key}=${value ?? ""}`)
            .join(" "),
      },
    },
  }),
};
