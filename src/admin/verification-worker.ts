/**
 * Carries out the verifications of the audit that were asked for, one after the other, in short turns. Each
 * is held under a lease; where it has come is noted every second, so that whoever takes it over goes on
 * there.
 */

import { randomUUID } from "node:crypto";
import type { Clock, Milliseconds } from "../clock.ts";
import { isGenuinelyNoted, verificationMac } from "../domain/audit-chain.ts";
import type { AuditVerification, VerificationProgress, VerificationResult } from "../domain/records.ts";
import { LiaisonError } from "../errors.ts";
import { Pace } from "../pace.ts";
import type { VerificationStore } from "../storage/contract.ts";
import { runAlone, type WorkerLoopLogger, type WorkerRun } from "../worker-loop.ts";
import { type VerifyDependencies, verifyAudit } from "./audit-verify.ts";

export interface VerificationWorkerOptions extends VerifyDependencies {
  verifications: Pick<VerificationStore, "claim" | "note" | "settle">;
  clock: Clock;
  logger: Pick<WorkerLoopLogger, "error">;
  /** Milliseconds from one note of how far it is to the next. Default: 1000. */
  noteEveryMs?: Milliseconds;
}

const LEASE_MS: Milliseconds = 30_000;
/** How often one is begun that doesn't get on: its worker dies of it, again and again. */
const MOST_ATTEMPTS = 10;
const notAsWritten = "what is kept of it isn't as the service wrote it";

export interface VerificationWorker {
  /**
   * Carries out what waits, until nothing does; returns how many it ended. What it has when it is told to
   * stop it gives back.
   */
  runOnce(run?: WorkerRun): Promise<number>;
}

export function createVerificationWorker(options: VerificationWorkerOptions): VerificationWorker {
  const { key, verifications, clock, logger } = options;
  const worker = randomUUID();
  const writing = new Pace({ least: 1, most: 1 });
  const claims: Claims = {
    note: (claimed, progress, leaseUntil) => {
      const seal = verificationMac(key, { ...claimed, progress, result: null });
      return writing.turn(() => verifications.note(claimed.id, worker, { progress, seal, leaseUntil }));
    },
    settle: (claimed, outcome) => {
      const seal = verificationMac(key, { ...claimed, ...outcome });
      return writing.turn(() => verifications.settle(claimed.id, worker, { ...outcome, seal }, clock.now()));
    },
  };

  /**
   * Verifies; what goes wrong for good is told, what passes is thrown, and goes on once the lease is over.
   */
  async function verifyOrFail(claimed: AuditVerification, run: WorkerRun): Promise<boolean> {
    try {
      return await verifyClaimed(options, claims, claimed, run);
    } catch (error) {
      if (error instanceof LiaisonError && error.code === "store_unavailable") throw error;
      logger.error({ verification: claimed.id, err: error }, "a verification of the audit failed");
      return await giveUp(claims, claimed, "something went wrong; the log of the service says what");
    }
  }

  return {
    async runOnce(run = runAlone) {
      let ended = 0;
      while (!run.signal.aborted) {
        const claimed = await verifications.claim(worker, clock.now(), LEASE_MS);
        if (claimed === undefined) break;
        if (await verifyOrFail(claimed, run)) ended += 1;
        run.onStep();
      }
      return ended;
    },
  };
}

type Outcome = Pick<AuditVerification, "state" | "progress" | "result" | "failure">;

/** What one worker writes of the verifications that it has claimed; false where one isn't its own. */
interface Claims {
  note(
    claimed: AuditVerification,
    progress: VerificationProgress | null,
    leaseUntil: number,
  ): Promise<boolean>;
  settle(claimed: AuditVerification, outcome: Outcome): Promise<boolean>;
}

function giveUp(claims: Claims, claimed: AuditVerification, failure: string): Promise<boolean> {
  return claims.settle(claimed, { state: "failed", progress: null, result: null, failure });
}

/** Whether it was ended. */
async function verifyClaimed(
  { audit, key, clock, noteEveryMs = 1000 }: VerificationWorkerOptions,
  claims: Claims,
  claimed: AuditVerification,
  { signal, onStep }: WorkerRun,
): Promise<boolean> {
  if (claimed.attempts > MOST_ATTEMPTS) {
    return await giveUp(claims, claimed, `it was begun ${MOST_ATTEMPTS} times and never got on`);
  }
  // What was asked for, or how far it is, somebody without the key has changed: the answer would be to
  // another question.
  if (!isGenuinelyNoted(key, claimed)) return await giveUp(claims, claimed, notAsWritten);
  let { progress } = claimed;
  let notedAt = performance.now();
  const note = (leaseUntil: number) => {
    notedAt = performance.now();
    return claims.note(claimed, progress, leaseUntil);
  };
  const result = await verifyAudit(
    { audit, key },
    {
      keptHead: claimed.keptHead ?? undefined,
      from: claimed.progress,
      async onProgress(reached) {
        onStep();
        progress = reached;
        if (signal.aborted) {
          await note(clock.now());
          return false;
        }
        return performance.now() - notedAt < noteEveryMs || (await note(clock.now() + LEASE_MS));
      },
    },
  );
  if (result === undefined) return false;
  return await claims.settle(claimed, { state: "finished", progress, result, failure: null });
}

/**
 * What is known of a verification: its result as a worker noted it, or why there is none.
 */
export function outcomeOf(
  key: Buffer,
  verification: AuditVerification,
): { state: AuditVerification["state"]; result: VerificationResult | null; failure: string | null } {
  const { state, result, failure } = verification;
  if (state !== "finished") return { state, result: null, failure };
  if (result !== null && isGenuinelyNoted(key, verification)) return { state, result, failure: null };
  return { state: "failed", result: null, failure: notAsWritten };
}
