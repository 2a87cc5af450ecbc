/**
 * Verifications of the audit: asking for one, which a worker then carries out, and what came of those that
 * were asked for.
 */

import type { z } from "zod";
import type { Instant } from "../../clock.ts";
import { verificationMac } from "../../domain/audit-chain.ts";
import type { AuditVerification } from "../../domain/records.ts";
import { randomId } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import {
  VERIFICATIONS_PATH,
  type verification,
  type verifications as verificationsDefined,
} from "../definitions/verifications.ts";
import type { OperationDependencies } from "../dependencies.ts";
import { time } from "../fields.ts";
import type { HandlersOf } from "../operation.ts";
import { API_PATH } from "../rest/api-path.ts";
import { outcomeOf } from "../verification-worker.ts";

export function verificationHandlers({
  store,
  config,
  auditKey,
}: OperationDependencies): HandlersOf<typeof verificationsDefined> {
  const { verifications } = store;

  const write = (record: AuditVerification, key: Buffer): z.input<typeof verification> => {
    const { state, result: found, failure } = outcomeOf(key, record);
    const { id, keptHead, askedBy, askedAt, startedAt, endedAt, progress } = record;
    const timeOrNull = (at: Instant | null) => (at === null ? null : time(at));
    return {
      id,
      url: `${config.issuer}${API_PATH}${VERIFICATIONS_PATH}/${id}`,
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

  return {
    ask: async ({ head }, { principal, now }) => {
      const asked = { id: randomId(), keptHead: head ?? null };
      const key = await auditKey();
      const seal = verificationMac(key, { ...asked, progress: null, result: null });
      const waiting = await verifications.ask({ ...asked, seal }, { actor: principal.actor, now });
      if (waiting !== undefined) return { output: write(waiting, key) };
      throw new LiaisonError(
        "conflict",
        "Too many verifications wait already: ask again when they have ended.",
      );
    },
    list: async () => {
      const [found, key] = [await verifications.list(), await auditKey()];
      return { output: { items: found.map((one) => write(one, key)), next_cursor: null } };
    },
    get: async ({ id }) => {
      const found = await verifications.find(id);
      if (found === undefined) throw new LiaisonError("not_found", "There is no such verification.");
      return { output: write(found, await auditKey()) };
    },
  };
}
