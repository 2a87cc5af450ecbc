/**
 * `liaison audit verify`: the audit's chain, verified here on the store itself, or by a service elsewhere,
 * which is asked and then watched.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { OutputOf } from "../../admin/definitions/definition.ts";
import { operations } from "../../admin/definitions/operations.ts";
import type { Clock, Milliseconds } from "../../clock.ts";
import type { VerificationResult } from "../../domain/records.ts";
import { LiaisonError } from "../../errors.ts";
import { type Call, type Command, type ExitCode, faultsOf } from "../command.ts";
import { type JsonObject, jsonLine, put } from "../output.ts";
import { createProgress, type Progress } from "../progress.ts";
import { type Store, withStore } from "../with-store.ts";
import { details } from "./details.ts";
import { draftFaults, readDraft } from "./draft.ts";
import { explained } from "./failures.ts";
import { fieldFlags } from "./fields.ts";
import { isRemote, remoteTarget, type Target, targetFlags } from "./targets.ts";

/** How long a service is left alone between two questions, in milliseconds. */
const askEveryMs: Milliseconds = 1000;

const examples = [
  "liaison audit verify",
  "liaison audit verify --head 812.mXq… --json",
  "liaison audit verify --url https://signin.contoso.example --token-file token",
];
const { verifications } = operations;
const asking = { ...verifications.ask, command: { name: "audit verify", examples } };

/** Makes the command. */
export function auditVerifyCommand(clock: Clock): Command {
  return {
    name: "audit verify",
    section: "Administration",
    summary:
      "Verify the chain of the audit: nothing changed, removed or put elsewhere. Exits 1 when it isn't " +
      "intact.",
    flags: { ...fieldFlags(asking), ...targetFlags, json: { summary: "Print one JSON object." } },
    examples,
    faults: (call) => [...draftFaults(asking, call), ...faultsOf(() => isRemote(call))],
    async run(call) {
      const { head } = readDraft(asking, call).input;
      const keptHead = typeof head === "string" ? head : undefined;
      const bar = progressOf(call.stderr);
      try {
        const found = isRemote(call)
          ? await verifiedThere(call, keptHead, bar)
          : await verifiedHere(call, { clock, keptHead, bar });
        bar.clear();
        return await show(found, call);
      } catch (error) {
        throw explained(error, asking);
      } finally {
        bar.clear();
      }
    },
  };
}

type Verification = OutputOf<typeof verifications.get>;

interface Watched {
  show(verified: number, total: number): void;
  clear(): void;
}

/** A bar on a terminal, from when it is known how many events there are. */
function progressOf(stream: Call["stderr"]): Watched {
  let bar: Progress | undefined;
  return {
    show(verified, total) {
      bar ??= createProgress({ stream, totalBytes: total, elapsed: () => performance.now() });
      bar.show({ rows: verified, bytes: verified });
    },
    clear: () => bar?.clear(),
  };
}

/** On the store itself. A service that runs on it goes on: this reads in short turns. */
async function verifiedHere(
  call: Call,
  { clock, keptHead, bar }: { clock: Clock; keptHead: string | undefined; bar: Watched },
): Promise<VerificationResult> {
  const verify = async ({ audit, keys }: Store) => {
    // What they rest on takes a while to load; no other command needs it.
    const { auditKeyOf } = await import("../../admin/audit-key.ts");
    const { verifyAudit } = await import("../../admin/audit-verify.ts");
    const onProgress = ({ verified, total }: { verified: number; total: number }) => {
      bar.show(verified, total);
      return !call.signal.aborted;
    };
    return await verifyAudit({ audit, key: await auditKeyOf(keys) }, { keptHead, onProgress });
  };
  const found = await withStore(call, clock, verify, { create: false });
  if (found === undefined)
    throw new LiaisonError("store_unavailable", "Stopped before the end of the audit.");
  return found;
}

/** By a service: it is asked, and then looked at until it has ended. */
async function verifiedThere(
  call: Call,
  keptHead: string | undefined,
  bar: Watched,
): Promise<VerificationResult> {
  const { signal } = call;
  const target = await remoteTarget(call);
  const asked = await target.call(verifications.ask, keptHead === undefined ? {} : { head: keptHead });
  for (let verification = asked.output; ; verification = await lookedAt(target, verification)) {
    const { id, state, verified, total, result, failure } = verification;
    if (state === "finished" && result !== null) return result;
    if (state === "failed") throw new LiaisonError("conflict", `The verification failed: ${failure}.`);
    if (total !== null) bar.show(verified, total);
    await pause(askEveryMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) continue;
    const where = `liaison audit verifications --url ${target.issuer}`;
    throw new LiaisonError("store_unavailable", `The service goes on verifying (${id}): ${where}`);
  }
}

async function lookedAt(target: Target, { id }: Verification): Promise<Verification> {
  return (await target.call(verifications.get, { id })).output;
}

async function show(found: VerificationResult, { flags, stdout }: Call): Promise<ExitCode> {
  const record: JsonObject = { ...found };
  await put(stdout, flags.has("json") ? jsonLine(record) : details(record, "UTC"));
  if (found.intact) return 0;
  throw new LiaisonError("conflict", `The audit isn't intact: ${found.problem}.`);
}
