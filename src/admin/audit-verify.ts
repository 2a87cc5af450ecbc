/**
 * Verifies the chain of the audit: what audit-chain.ts made, read again from its beginning to its end, in
 * short turns. Who asks for that, and carries it out, is verification-worker.ts's, or a command's.
 */

import { isGenuine, isInPlace } from "../domain/audit-chain.ts";
import type { ChainedEvent, ChainMark, VerificationProgress, VerificationResult } from "../domain/records.ts";
import { Pace } from "../pace.ts";
import type { AuditStore } from "../storage/contract.ts";

/** How many events a turn reads. */
const BATCH = { least: 50, most: 500 };
/** How many that wait for their place are counted. */
const MOST_WAITING = 1000;

/** An end of the chain, as it can be written down elsewhere. */
const auditHead = ({ seq, mac }: Place) => `${seq}.${mac}`;

export interface VerifyDependencies {
  audit: Pick<AuditStore, "chain" | "chainEnds" | "countUnsealed">;
  key: Buffer;
}

export interface VerifyOptions {
  /**
   * A head that an earlier verification gave; the event it names must be there unless retention removed it.
   */
  keptHead?: string | undefined;
  /** How far an earlier run came. It goes on there if that place stands as it was, and begins anew if not. */
  from?: VerificationProgress | null;
  /** Told after each turn how far it is. False ends it there. */
  onProgress?(progress: VerificationProgress): boolean | Promise<boolean>;
}

/**
 * Verifies every event of the chain, up to where the chain ends at its beginning. What a broker appends or
 * retention removes meanwhile is no fault. Undefined if it was ended before.
 */
export async function verifyAudit(
  dependencies: VerifyDependencies,
  options: VerifyOptions = {},
): Promise<VerificationResult | undefined> {
  const unsealed = await dependencies.audit.countUnsealed(MOST_WAITING);
  const walk = new Walk(dependencies, options);
  let problem: string | null = null;
  try {
    if (!(await walk.run())) return undefined;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    problem = error.message;
  }
  const { verified, ends } = walk;
  const head = ends === undefined ? null : auditHead(ends.head);
  return { intact: problem === null, verified, unsealed, pruned: ends?.base.seq ?? 0, head, problem };
}

type Place = Pick<ChainMark, "seq" | "mac">;
type Ends = { base: ChainMark; head: ChainMark };

/** What is wrong, and where. */
class Broken extends Error {}

/** One way from the beginning of the chain to its end. */
class Walk {
  verified = 0;
  ends: Ends | undefined;
  readonly #dependencies: VerifyDependencies;
  readonly #options: VerifyOptions;
  #givenHead: Place | undefined;

  constructor(dependencies: VerifyDependencies, options: VerifyOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
  }

  /** False if it was ended. @throws Broken */
  async run(): Promise<boolean> {
    const { audit } = this.#dependencies;
    const { keptHead, from, onProgress = () => true } = this.#options;
    this.ends = await audit.chainEnds();
    if (this.ends === undefined) {
      const isCut = keptHead !== undefined || (from ?? null) !== null || (await this.#first()) !== undefined;
      if (isCut) throw new Broken("the ends of the chain are gone");
      return true;
    }
    this.#checkEnds(this.ends);
    let place = await this.#begin(this.ends);
    const pace = new Pace(BATCH);
    while (place.seq < this.ends.head.seq) {
      const before = place;
      place = await pace.turn((size) => this.#turn(before, size));
      const { verified } = this;
      const { head } = this.ends;
      const total = verified + head.seq - place.seq;
      const { seq, mac } = place;
      if (!(await onProgress({ verified, total, seq, mac, headSeq: head.seq }))) return false;
    }
    if (place.mac !== this.ends.head.mac) {
      throw new Broken("the last event isn't the one that the end of the chain names");
    }
    await this.#checkBehind(this.ends.head.seq);
    return true;
  }

  #checkEnds({ base, head }: Ends): void {
    const { key } = this.#dependencies;
    if (!isGenuine(key, "base", base)) throw new Broken("the beginning of the chain isn't as it was written");
    if (!isGenuine(key, "head", head)) throw new Broken("the end of the chain isn't as it was written");
  }

  /** What can be said before the first event is read, and the place to begin at. */
  async #begin({ base, head }: Ends): Promise<Place> {
    const { keptHead, from } = this.#options;
    this.#givenHead = keptHead === undefined ? undefined : readHead(keptHead);
    if (keptHead !== undefined && this.#givenHead === undefined) throw new Broken("the head given is none");
    if ((this.#givenHead?.seq ?? 0) > head.seq)
      throw new Broken(`the chain ends at ${head.seq}, before the head given`);
    const first = await this.#first();
    if (first !== undefined && first.seq <= base.seq) {
      throw new Broken(`place ${first.seq}: an event stands before the beginning of the chain`);
    }
    if (from === undefined || from === null) return base;
    if (from.headSeq > head.seq) {
      throw new Broken(`the chain ends at ${head.seq}, and ended at ${from.headSeq} when this began`);
    }
    const isPruned = from.seq <= base.seq;
    if (!isPruned && !(await this.#stands(base, from))) return base;
    this.verified = from.verified;
    return isPruned ? base : from;
  }

  async #first(): Promise<ChainedEvent | undefined> {
    return (await this.#dependencies.audit.chain(Number.MIN_SAFE_INTEGER, 1))[0];
  }

  /** Whether the event of a place behind the base is still as it was verified. */
  async #stands(base: Place, { seq, mac }: Place): Promise<boolean> {
    const { audit, key } = this.#dependencies;
    const [one, other] = await audit.chain(seq - 1, 2);
    const [before, event] = seq - 1 === base.seq ? [base, one] : [one, other];
    return before?.seq === seq - 1 && event?.mac === mac && isInPlace(key, before, event);
  }

  /** Verifies up to so many events behind a place; the last of them. */
  async #turn(from: Place, size: number): Promise<Place> {
    const { audit, key } = this.#dependencies;
    const last = this.ends?.head.seq ?? 0;
    const batch = await audit.chain(from.seq + 1, Math.min(size, last - from.seq));
    let place = from;
    for (const event of batch) {
      const isNext = event.seq === place.seq + 1;
      if (!isNext) return await this.#passGap(place, `place ${place.seq + 1}: an event is gone`);
      if (!isInPlace(key, place, event)) {
        throw new Broken(`place ${event.seq}: event ${event.id} isn't as it was sealed`);
      }
      if (event.seq === this.#givenHead?.seq && event.mac !== this.#givenHead.mac) {
        throw new Broken(`place ${event.seq}: another event than under the head given`);
      }
      place = { seq: event.seq, mac: event.mac };
      this.verified += 1;
    }
    return batch.length > 0 ? place : await this.#passGap(place, `place ${place.seq + 1}: the rest is gone`);
  }

  /**
   * The beginning of the chain, if retention has moved it past a place that was being read. @throws Broken if
   * it hasn't
   */
  async #passGap(place: Place, problem: string): Promise<Place> {
    const ends = await this.#dependencies.audit.chainEnds();
    if (ends === undefined) throw new Broken("the ends of the chain are gone");
    this.#checkEnds(ends);
    if (ends.base.seq <= place.seq || ends.head.seq < (this.ends?.head.seq ?? 0)) throw new Broken(problem);
    this.ends = ends;
    return ends.base;
  }

  /**
   * What stands behind the end was appended meanwhile, by the holder of the key; or put there by somebody
   * else.
   */
  async #checkBehind(end: number): Promise<void> {
    const { audit } = this.#dependencies;
    const [behind] = await audit.chain(end + 1, 1);
    if (behind === undefined) return;
    const later = await audit.chainEnds();
    if ((later?.head.seq ?? 0) >= behind.seq) return;
    throw new Broken(`place ${behind.seq}: an event stands behind the end of the chain`);
  }
}

function readHead(text: string): Place | undefined {
  const [, seq, mac] = /^(\d{1,15})\.([\w-]{0,64})$/.exec(text) ?? [];
  return seq === undefined || mac === undefined ? undefined : { seq: Number(seq), mac };
}
