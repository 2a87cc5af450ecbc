/**
 * The part of the store contract that linking rests on: inquiries, and the requests made of them. What holds
 * for every method stands in ../contract.ts, which is where it is imported from.
 */

import type { Instant, Milliseconds, Seconds } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import type {
  AccountId,
  Asker,
  Inquiry,
  InquiryId,
  LinkRequest,
  LinkRequestId,
  Membership,
  NewMail,
  ProfileId,
  SecretHash,
  SignedInIdentity,
} from "../../domain/records.ts";
import type { Revocation } from "./work.ts";

/**
 * What redeeming or cancelling a link came to. `refused` changed nothing: the request and its profile are
 * what the failed condition saw, so that domain/link.ts can say why. `unknown`: no such request, or the
 * secret isn't its own.
 */
export type RedeemResult =
  | { result: "bound"; membership: Membership }
  | { result: "refused"; request: LinkRequest; membership: Membership }
  | { result: "unknown" };

export type CancelResult =
  | { result: "cancelled"; request: LinkRequest; membership: Membership }
  | { result: "refused"; request: LinkRequest; membership: Membership }
  | { result: "unknown" };

/** A link request with what it is about and who it would bind. */
export interface LinkView {
  request: LinkRequest;
  membership: Membership;
}

/** A link request and its mail, made by the worker for one profile. */
export interface NewLink {
  request: Omit<LinkRequest, "state" | "settledAt">;
  mail: NewMail;
}

export type NewInquiry = Omit<Inquiry, "ordinal" | "heldUntil" | "matched">;

/** What keeps an inquiry waiting, or keeps it from being made. */
export interface InquiryThrottles {
  /** So many seconds after an inquiry its identity can make the next. */
  pauseSeconds: Seconds;
  identity: Limit;
  /**
   * `key`: the client address, or what stands for it. `longestMs`: for how many milliseconds the n-th inquiry
   * of an identity within its window waits at most for others from there (domain/inquiry-turn.ts).
   */
  client: Limit & { key: string; longestMs: (ordinal: number) => number };
}

/**
 * The inquiry as stored, or when its identity may make it: nothing was stored, and nothing taken of any
 * throttle.
 */
export type InquiryOutcome = { asked: true; inquiry: Inquiry } | { asked: false; askAgainAt: Instant };

/** An inquiry in the hands of a worker. */
export interface ClaimedInquiry extends Inquiry {
  /** The last profile, by id, that an earlier part of its answer was written for. */
  answeredTo: ProfileId | null;
}

/** What a worker writes for an inquiry. */
export interface InquiryAnswerPart {
  links: NewLink[];
  mails: NewMail[];
  /** Whose place the mails have among those that wait for their mailbox; without it they come first. */
  asker?: Asker | undefined;
  /** How many profiles this part is about. */
  matched?: number;
  /** There is more to write: the inquiry stays this worker's for so long, and goes on behind this profile. */
  more?: { answeredTo: ProfileId; leaseMs: Milliseconds };
}

export interface LinkStore {
  /**
   * Stores an inquiry, in one transaction with what it takes of the throttles, unless its identity made one
   * less than the pause ago: of racers one is stored. Over the identity's limit it is throttled until that
   * window ends, and takes the place of an older one of the identity that is still throttled: that is
   * removed, or, where a part of its answer is written, settled with that. Otherwise it waits for its place
   * in the client address's flow, for as long as one of its ordinal may; one that may not wait at all takes
   * none. Its own wait, from `createdAt` to `notBefore`, begins when the throttles let it through. Reads
   * nothing of the directory.
   *
   * A flow has at most `limit` places per window, bursts up to the limit included (the generic cell rate
   * algorithm), and gives each of them once. Whoever would wait for one longer than they may goes then and
   * takes no place beyond, so that no flow grows longer than its most patient. Nothing is ever refused. A
   * clock that has been set back by more than a window takes the flow along.
   */
  inquire(inquiry: NewInquiry, throttles?: InquiryThrottles): Promise<InquiryOutcome>;
  /** The newest inquiry of an interaction chain, settled or not (its address is null once settled). */
  latestInquiry(interactionCid: string): Promise<Inquiry | undefined>;
  /**
   * Claims the unsettled inquiry that is due longest, until `now + leaseMs`: due is what has its `notBefore`
   * and the end of its lease behind it, and of equals the one that was stored first. What isn't due costs
   * nothing, however much of it there is. Racers never claim the same one; a worker that dies loses its
   * lease, not the inquiry.
   */
  claimInquiry(worker: string, now: Instant, leaseMs: Milliseconds): Promise<ClaimedInquiry | undefined>;
  /**
   * Settles a claimed inquiry in one transaction: supersedes pending requests of the same identity and
   * profile, inserts the new requests, queues all mails (defers those that are over a limit of their
   * throttle), writes one audit event a request, adds up how many profiles matched, deletes the typed
   * address. A mail that is deferred while one of the same asker for the same profile was deferred already
   * takes its place and its rank, where that is lower; the earlier one is dropped. With `more` it does all
   * but the last and keeps the inquiry, so that whoever claims it next goes on there: an address of very many
   * profiles is no long transaction. Returns false, changing nothing, if this worker's lease was lost or the
   * inquiry is already settled.
   */
  settleInquiry(
    inquiryId: InquiryId,
    worker: string,
    part: InquiryAnswerPart,
    now: Instant,
  ): Promise<boolean>;
  /** An inquiry with the newest requests made of it, at most so many, oldest first. */
  history(
    inquiryId: InquiryId,
    limit: number,
  ): Promise<{ inquiry: Inquiry; requests: LinkRequest[] } | undefined>;
  /** The inquiry that a request was made of. */
  inquiryOf(requestId: LinkRequestId): Promise<InquiryId | undefined>;
  /**
   * Newest first: of an account, of those that made a request for a profile, or all; before an instant, when
   * given.
   */
  inquiries(filter: {
    accountId?: AccountId;
    profileId?: ProfileId;
    before?: Instant;
    limit: number;
  }): Promise<Inquiry[]>;
  /** The request whose secret has this hash. Changes nothing. */
  view(requestId: LinkRequestId, secretHash: SecretHash): Promise<LinkView | undefined>;
  /**
   * Consumes the request, binds its profile to the identity's account, writes the audit event, queues the
   * notice mail (and one to each other owner if the profile is an administrator's) and voids every other
   * pending request for the profile: all or nothing. A role that has waited too long (see
   * domain/invitations.ts) is taken away before, so that the binding brings none. Conditional on: request
   * pending, unexpired, secret, purpose, upstream, issuer and subject equal byte for byte, the identity owned
   * by the account, the profile's email version as requested, profile enabled and unbound, organization
   * enabled. Of any number of racers exactly one gets `bound`.
   */
  redeem(
    attempt: {
      requestId: LinkRequestId;
      secretHash: SecretHash;
      identity: SignedInIdentity;
      accountId: AccountId;
    },
    notice: Pick<NewMail, "id" | "messageId">,
    now: Instant,
  ): Promise<RedeemResult>;
  /**
   * *Don't link*: cancels a pending, unexpired request, audited with who did it. Racers: one gets
   * `cancelled`.
   */
  cancel(
    attempt: { requestId: LinkRequestId; secretHash: SecretHash; accountId: AccountId },
    now: Instant,
  ): Promise<CancelResult>;
  /**
   * Removes a profile's binding, voids its pending requests and ends its grants, audited, in one transaction.
   * Returns undefined if it wasn't bound (to that account, when given): racers get one result and then
   * undefined.
   */
  unbind(
    profileId: ProfileId,
    actor: string,
    now: Instant,
    accountId?: AccountId,
  ): Promise<Revocation | undefined>;
}
