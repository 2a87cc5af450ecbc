/**
 * Verifications of the audit: asking for one, which a worker then carries out, and what came of those that
 * were asked for.
 */

import { z } from "zod";
import { dateOf, define } from "./definition.ts";
import { anyId, instant, listOf } from "./fields.ts";

/** Where they stand, below the API's own path. */
export const VERIFICATIONS_PATH = "/audit/verifications";

const result = z.strictObject({
  intact: z.boolean(),
  verified: z.int().meta({ description: "How many events were verified." }),
  unsealed: z.int().meta({ description: "How many wait for their place, counted up to 1,000." }),
  pruned: z.int().meta({ description: "How many retention has removed before the first." }),
  head: z
    .string()
    .nullable()
    .meta({ description: "Keep it elsewhere: with it an older state put back shows, too." }),
  problem: z.string().nullable().meta({ description: "What is wrong with the audit, and where." }),
});

export const verification = z.strictObject({
  id: anyId,
  url: z.string().meta({ description: "Where it can be read." }),
  state: z.enum(["waiting", "running", "finished", "failed"]),
  kept_head: z.string().nullable(),
  asked_by: z.string(),
  asked_at: instant,
  started_at: instant.nullable(),
  ended_at: instant.nullable(),
  verified: z.int().meta({ description: "How many events are verified so far." }),
  total: z.int().nullable().meta({ description: "How many there are, once that is known." }),
  result: result.nullable().meta({ description: "Once it has finished." }),
  failure: z.string().nullable().meta({ description: "Why it failed: the audit itself may be intact." }),
});

export const verifications = {
  ask: define({
    name: "verifyAudit",
    summary: "Ask for the chain of the audit to be verified: nothing changed, removed or put elsewhere.",
    scope: "audit:read",
    method: "POST",
    path: VERIFICATIONS_PATH,
    status: 202,
    input: z.strictObject({
      head: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .meta({ description: "The head that an earlier verification gave: it must still be there." }),
    }),
    output: verification,
  }),
  list: define({
    name: "listAuditVerifications",
    summary: "List the newest verifications of the audit.",
    scope: "audit:read",
    method: "GET",
    path: VERIFICATIONS_PATH,
    input: z.strictObject({}),
    output: listOf(verification),
    command: {
      name: "audit verifications",
      examples: ["liaison audit verifications"],
      columns: {
        id: (one) => one.id,
        asked: (one) => dateOf(one.asked_at),
        by: (one) => one.asked_by,
        state: (one) => one.state,
        verified: (one) => String(one.verified),
        intact: ({ result }) => (result === null ? null : result.intact),
        problem: ({ result, failure }) => result?.problem ?? failure,
      },
    },
  }),
  get: define({
    name: "getAuditVerification",
    summary: "Show a verification of the audit: how far it is, or what it came to.",
    scope: "audit:read",
    method: "GET",
    path: `${VERIFICATIONS_PATH}/{id}`,
    input: z.strictObject({ id: anyId }),
    output: verification,
  }),
};
