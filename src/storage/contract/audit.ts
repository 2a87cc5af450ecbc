/**
 * The part of the store contract that the audit rests on: its events, their chain, and verifications of it.
 * What holds for every method stands in ../contract.ts, which is where it is imported from.
 */

import type { Instant, Milliseconds } from "../../clock.ts";
import type {
  AccountId,
  AuditAction,
  AuditEvent,
  AuditVerification,
  ChainedEvent,
  ChainMark,
  LinkRequestId,
  OrganizationId,
  ProfileId,
} from "../../domain/records.ts";
import type { Page, PageRequest } from "./pages.ts";

export interface AuditFilter {
  action?: AuditAction;
  actor?: string;
  profileId?: ProfileId;
  organizationId?: OrganizationId;
  accountId?: AccountId;
  requestId?: LinkRequestId;
  from?: Instant;
  to?: Instant;
}

export interface AuditStore {
  append(event: AuditEvent): Promise<void>;
  /**
   * Appends it unless there is one of its id: for what is noted once. Returns whether it did; of racers one
   * does.
   */
  appendOnce(event: AuditEvent): Promise<boolean>;
  /** Newest first. */
  list(filter: { profileId?: ProfileId; requestId?: LinkRequestId; limit: number }): Promise<AuditEvent[]>;
  /** Newest first. */
  search(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>>;

  /** Events that have no place in the chain yet, in the order in which they were written. */
  unsealed(limit: number): Promise<AuditEvent[]>;
  /** How many they are: counted up to `most`. */
  countUnsealed(most: number): Promise<number>;
  /**
   * Where the chain begins (after what retention removed) and ends; undefined before the first was sealed.
   */
  chainEnds(): Promise<{ base: ChainMark; head: ChainMark } | undefined>;
  /**
   * Gives events their places and moves the head, in one transaction, if the head is still at `after` (0 for
   * none) and none of the events has a place. `base` is written with the first. Racers: one gets true.
   */
  seal(
    events: readonly { id: string; seq: number; mac: string }[],
    ends: { after: number; head: ChainMark; base: ChainMark },
  ): Promise<boolean>;
  /** Sealed events from a place on, in the order of the chain. */
  chain(fromSeq: number, limit: number): Promise<ChainedEvent[]>;
  /**
   * Removes sealed events up to a place and moves the base there, with an event that says so, in one
   * transaction; at most the number of events up to `base.seq`. False, changing nothing, if the base isn't at
   * `after` any more.
   */
  prune(after: number, base: ChainMark, event: AuditEvent): Promise<boolean>;
}

/**
 * Verifications of the audit: asked for by people, carried out by a worker under a lease, kept until newer
 * ones take their place.
 */
export interface VerificationStore {
  /**
   * Asks for one, with an audit event. Where one with the same kept head hasn't ended, that one is joined and
   * returned instead. Of those that have ended, the oldest go (domain/verifications.ts says how many are
   * kept). Undefined, writing nothing, if too many haven't ended. Racers: one makes it, the others join.
   */
  ask(
    asked: Pick<AuditVerification, "id" | "keptHead" | "seal">,
    by: { actor: string; now: Instant },
  ): Promise<AuditVerification | undefined>;
  find(id: string): Promise<AuditVerification | undefined>;
  /** All that are kept, newest first. */
  list(): Promise<AuditVerification[]>;

  /**
   * Claims the one that waits longest, or whose worker's lease has run out, until `now + leaseMs`; `attempts`
   * counts this claim. Racers never hold the same.
   */
  claim(worker: string, now: Instant, leaseMs: Milliseconds): Promise<AuditVerification | undefined>;
  /** Notes how far it is, and holds it until `leaseUntil`. False, changing nothing, if the lease was lost. */
  note(
    id: string,
    worker: string,
    noted: Pick<AuditVerification, "progress" | "seal"> & { leaseUntil: Instant },
  ): Promise<boolean>;
  /** Ends a claimed one. False, changing nothing, if the lease was lost. */
  settle(
    id: string,
    worker: string,
    outcome: Pick<AuditVerification, "state" | "progress" | "result" | "failure" | "seal">,
    now: Instant,
  ): Promise<boolean>;
}
