/** Why was this denied? The rules of a portal over a person's profiles, as a sign-in would apply them now. */

import { z } from "zod";
import type { RefusalReason, Rule } from "../../domain/access.ts";
import { define } from "./definition.ts";
import { anyId, membership } from "./fields.ts";

const RULES = [
  "profile_enabled",
  "organization_enabled",
  "kind",
  "plan",
  "role",
] as const satisfies readonly Rule[];
const VERDICTS = ["passed", "failed", "not_needed", "not_reached"] as const;
const REASONS = [
  "profile_disabled",
  "organization_disabled",
  "kind_not_admitted",
  "plan_missing",
  "plan_suspended",
  "plan_expired",
  "role_missing",
] as const satisfies readonly RefusalReason[] as readonly [RefusalReason, ...RefusalReason[]];

const judged = z.strictObject({
  profile: membership,
  admitted: z.boolean(),
  rules: z.array(
    z.strictObject({
      rule: z.enum(RULES),
      verdict: z.enum(VERDICTS),
      reason: z.enum(REASONS).nullable(),
      fix: z.string().nullable().meta({ description: "What would make it pass." }),
    }),
  ),
});

export const simulation = {
  run: define({
    name: "simulate",
    summary: "Say whether a portal would admit a person now, rule by rule, and what to do where it wouldn't.",
    scope: "admin:read",
    method: "GET",
    path: "/simulation",
    input: z.strictObject({
      client_id: anyId,
      profile_id: anyId.optional().meta({ description: "The person, by a profile; or" }),
      account_id: anyId.optional().meta({ description: "by an account." }),
    }),
    output: z.strictObject({
      outcome: z.enum(["admitted", "choose", "not_admitted", "unlinked"]).meta({
        description:
          "unlinked: the person is first asked for the registered address; the rules tell what would follow.",
      }),
      account_id: anyId.nullable(),
      profiles: z.array(judged),
    }),
    command: { name: "why", examples: ["liaison why --client-id customersource --profile-id p-ann"] },
  }),
};
