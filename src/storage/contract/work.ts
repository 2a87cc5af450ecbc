/**
 * The part of the store contract that work behind requests rests on: what was ended, who is told of it, and
 * leases. What holds for every method stands in ../contract.ts, which is where it is imported from.
 */

import type { Instant, Milliseconds } from "../../clock.ts";
import type { ClaimedEnding, RemovedPart } from "../../domain/endings.ts";
import type { AccountId, ClientId, GrantId, SignOut } from "../../domain/records.ts";
import type { WorkerRun } from "../../worker-loop.ts";

/**
 * What a change ended: the grants that went with it. Of more than are removed in one transaction
 * (domain/endings.ts) none are told of: they are ended all the same, for every reader from that transaction
 * on, and their rows and sign-outs come from `AdminStore.removeEnded`.
 */
export interface Revocation {
  revokedGrants: { grantId: GrantId; clientId: ClientId; accountId: AccountId; sessionUid: string }[];
  /** Others are ended whose rows are still to be removed. */
  goesOn?: boolean;
}

/** What workers do behind requests. */
export interface WorkStore {
  /**
   * Takes the roles away that nobody has taken up in time (see domain/invitations.ts), the oldest first,
   * until the run is told to end: each in one transaction with its audit event, never the last owner's.
   * Returns how many. Racers, and whoever links the profile meanwhile: one of them gets it.
   */
  lapseInvitations(now: Instant, run?: WorkerRun): Promise<number>;

  /**
   * Bounds what waits after a clock was set back, by whatever amount: inquiries, mails and sign-outs stored
   * later than `now` wait from `now` as long as they were to wait, whatever was put off waits an hour at
   * most, and what a worker has claimed is his for a minute at most. Returns how much was moved; nothing
   * where the clock is right.
   */
  boundWaits(now: Instant): Promise<number>;

  /**
   * Takes or keeps a lease. False while another worker holds it. One that ends later than two of its lives
   * from now was taken before the clock was set back, and is nobody's.
   */
  takeLease(name: string, worker: string, now: Instant, leaseMs: Milliseconds): Promise<boolean>;

  /**
   * Claims the ending that is due longest of those whose rows aren't all removed, until `now + leaseMs`.
   * Racers never hold the same.
   */
  claimEnding(worker: string, now: Instant, leaseMs: Milliseconds): Promise<ClaimedEnding | undefined>;
  /**
   * Removes the next rows of a claimed ending, looking at `most` of them at the most, in one transaction with
   * the sign-outs by which portals are told of them; prolongs the lease. A grant that was made after the
   * ending stays. `lost` if the lease was lost, or the same was ended anew since, so that it begins again
   * from the first row.
   */
  removeEnded(
    key: string,
    worker: string,
    options: { most: number; now: Instant; leaseMs: Milliseconds },
  ): Promise<RemovedPart>;

  /**
   * Claims the sign-out that is due longest, until `now + leaseMs`; `attempts` counts this claim. Racers
   * never hold the same.
   */
  claimSignOut(worker: string, now: Instant, leaseMs: Milliseconds): Promise<SignOut | undefined>;
  /**
   * Removes a claimed one (told, or given up), or gives it back for `nextAttemptAt`. False if the lease was
   * lost.
   */
  settleSignOut(id: string, worker: string, nextAttemptAt: Instant | null): Promise<boolean>;
}
