/** Verifications of the audit: asking for one, which a worker then carries out, and what came of those that were asked for. */

import { z } from "zod";
import { verificationSeal } from "../../domain/audit-chain.ts";
import type { AuditVerification } from "../../domain/records.ts";
import { randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import { anyId, instant, listOf, time } from "../fields.ts";
import { type AnyOperation, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";
import { API_PATH } from "../rest/api-path.ts";
import { outcomeOf } from "../verification-worker.ts";

const result = z.strictObject({
  intact: z.boolean(),
  verified: z.int().meta({ description: "How many events were verified." }),
  unsealed: z.int().meta({ description: "How many wait for their place, counted up to 1,000." }),
  pruned: z.int().meta({ description: "How many retention has removed before the first." }),
  head: z.string().nullable().meta({ description: "Keep it elsewhere: with it an older state put back shows, too." }),
  problem: z.string().nullable().meta({ description: "What is wrong with the audit, and where." }),
});

const verification = z.strictObject({
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

const path = "/audit/verifications";

export function verificationOperations({ store, config, auditKey }: OperationParts): AnyOperation[] {
  const { verifications } = store;

  const write = (record: AuditVerification): z.input<typeof verification> => {
    const { state, result: found, failure } = outcomeOf(auditKey, record);
    const { id, keptHead, askedBy, askedAt, startedAt, endedAt, progress } = record;
    const timeOrNull = (at: number | null) => (at === null ? null : time(at));
    return {
      id,
      url: `${config.issuer}${API_PATH}${path}/${id}`,
      state,
      kept_head: keptHead,
      asked_by: askedBy,
      asked_at: time(askedAt),
      started_at: timeOrNull(startedAt),
      ended_at: timeOrNull(endedAt),
      verified: found?.verified ?? progress?.verified ?? 0,
      total: progress?.total ?? found?.verified ?? null,
      result: found,
      failure,
    };
  };

  return [
    operation(
      {
        name: "verifyAudit",
        summary: "Ask for the chain of the audit to be verified: nothing changed, removed or put elsewhere.",
        scope: "audit:read",
        method: "POST",
        path,
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
      },
      async ({ head }, { principal, now }) => {
        const asked = { id: randomId(), keptHead: head ?? null };
        const seal = verificationSeal(auditKey, { ...asked, progress: null, result: null });
        const waiting = await verifications.ask({ ...asked, seal }, { actor: principal.actor, now });
        if (waiting !== undefined) return { output: write(waiting) };
        throw new LiaisonError("conflict", "Too many verifications wait already: ask again when they have ended.");
      },
    ),
    operation(
      {
        name: "listAuditVerifications",
        summary: "List the newest verifications of the audit.",
        scope: "audit:read",
        method: "GET",
        path,
        input: z.strictObject({}),
        output: listOf(verification),
        command: { name: "audit verifications", examples: ["liaison audit verifications"] },
      },
      async () => ({ output: { items: (await verifications.list()).map(write), next_cursor: null } }),
    ),
    operation(
      {
        name: "getAuditVerification",
        summary: "Show a verification of the audit: how far it is, or what it came to.",
        scope: "audit:read",
        method: "GET",
        path: `${path}/{id}`,
        input: z.strictObject({ id: anyId }),
        output: verification,
      },
      async ({ id }) => {
        const found = await verifications.find(id);
        if (found === undefined) throw new LiaisonError("not_found", "There is no such verification.");
        return { output: write(found) };
      },
    ),
  ];
}
