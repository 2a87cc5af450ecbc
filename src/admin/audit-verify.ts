/** Verifies the chain of the audit: what audit-chain.ts made, read again from its beginning to its end. */

import { isGenuine, isInPlace } from "../storage/audit-chain.ts";
import type { AuditStore, ChainMark } from "../storage/contract.ts";

export interface Verification {
  intact: boolean;
  verified: number;
  unsealed: number;
  pruned: number;
  head: string | null;
  /** What is wrong, and where; null if nothing is. */
  problem: string | null;
}

/** How many events are read at a time. */
const BATCH = 500;
/** How many that wait for their place are counted. */
const MOST_UNSEALED = 1000;
/** How often it begins anew because retention went on meanwhile. */
const MOST_TRIES = 5;

/** An end of the chain as it can be kept elsewhere. */
const auditHead = ({ seq, mac }: Pick<ChainMark, "seq" | "mac">) => `${seq}.${mac}`;

interface VerifyParts {
  audit: Pick<AuditStore, "chain" | "chainEnds" | "unsealed">;
  key: Buffer;
}

/**
 * Verifies every sealed event. What a broker seals or retention removes meanwhile is no fault.
 * @param keptHead a head that an earlier verification gave; the event it names must be there unless retention removed it
 */
export async function verifyAudit(parts: VerifyParts, keptHead?: string): Promise<Verification> {
  for (let tries = 1; ; tries += 1) {
    const found = await verifyOnce(parts, keptHead);
    if (found.intact || tries === MOST_TRIES) return found;
    // Events that were being read may have been pruned: then the base has moved.
    if (((await parts.audit.chainEnds())?.base.seq ?? 0) === found.pruned) return found;
  }
}

async function verifyOnce({ audit, key }: VerifyParts, keptHead?: string): Promise<Verification> {
  const unsealed = (await audit.unsealed(MOST_UNSEALED)).length;
  const ends = await audit.chainEnds();
  if (ends === undefined) {
    const isCut = keptHead !== undefined || (await audit.chain(Number.MIN_SAFE_INTEGER, 1)).length > 0;
    const problem = isCut ? "the ends of the chain are gone" : null;
    return { intact: !isCut, verified: 0, unsealed, pruned: 0, head: null, problem };
  }
  const { base, head } = ends;
  const found = { verified: 0, unsealed, pruned: base.seq, head: auditHead(head) };
  const broken = (problem: string, verified = 0): Verification => ({ ...found, intact: false, verified, problem });
  if (!isGenuine(key, "base", base)) return broken("the beginning of the chain isn't as it was written");
  if (!isGenuine(key, "head", head)) return broken("the end of the chain isn't as it was written");
  const kept = keptHead === undefined ? undefined : readHead(keptHead);
  if (keptHead !== undefined && kept === undefined) return broken("the head given is none");
  if (kept !== undefined && kept.seq > head.seq) return broken(`the chain ends at ${head.seq}, before the head given`);

  const [first] = await audit.chain(Number.MIN_SAFE_INTEGER, 1);
  if (first !== undefined && first.seq <= base.seq) {
    return broken(`place ${first.seq}: an event stands before the beginning of the chain`);
  }

  let previous: Pick<ChainMark, "seq" | "mac"> = base;
  while (previous.seq < head.seq) {
    const batch = await audit.chain(previous.seq + 1, BATCH);
    for (const event of batch) {
      if (!isInPlace(key, previous, event)) {
        const what = event.seq === previous.seq + 1 ? `event ${event.id} isn't as it was sealed` : "an event is gone";
        return broken(`place ${previous.seq + 1}: ${what}`, previous.seq - base.seq);
      }
      if (kept !== undefined && event.seq === kept.seq && event.mac !== kept.mac) {
        return broken(`place ${event.seq}: another event than under the head given`, previous.seq - base.seq);
      }
      previous = event;
      if (previous.seq === head.seq) break;
    }
    if (batch.length === 0) return broken(`place ${previous.seq + 1}: the rest is gone`, previous.seq - base.seq);
  }
  const verified = head.seq - base.seq;
  if (previous.mac !== head.mac)
    return broken("the last event isn't the one that the end of the chain names", verified);
  // What stands behind the end was sealed meanwhile, by the holder of the key; or put there by somebody else.
  const [behind] = await audit.chain(head.seq + 1, 1);
  const later = await audit.chainEnds();
  if (behind !== undefined && (later?.head.seq ?? 0) < behind.seq) {
    return broken(`place ${behind.seq}: an event stands behind the end of the chain`, verified);
  }
  return { ...found, intact: true, verified, problem: null };
}

function readHead(text: string): Pick<ChainMark, "seq" | "mac"> | undefined {
  const [, seq, mac] = /^(\d{1,15})\.([\w-]{0,64})$/.exec(text) ?? [];
  return seq === undefined || mac === undefined ? undefined : { seq: Number(seq), mac };
}
