/**
 * The part of the store contract that signing in rests on: people and their identities, sign-ins under way at
 * upstreams. What holds for every method stands in ../contract.ts, which is where it is imported from.
 */

import type { Instant } from "../../clock.ts";
import type {
  Account,
  SecretHash,
  SignedInIdentity,
  SignInOutcome,
  SignInPurpose,
  UpstreamTransaction,
} from "../../domain/records.ts";
import type { ArtifactExtension } from "./provider.ts";

/** Accounts as people sign in to them; administration reads them (`AdminStore.account`). */
export interface AccountStore {
  /**
   * Finds the account that owns the identity, or creates both; remembers the display data and the time.
   * Racers with the same identity all get the one account; exactly one of them creates it (and its audit
   * event).
   */
  signIn(identity: SignedInIdentity, now: Instant): Promise<Account>;
}

export interface CallbackAttempt
  extends Pick<UpstreamTransaction, "stateHash" | "browserHash" | "upstreamId"> {
  /**
   * SHA-256 of a random value: the same one only when an attempt is made again because its answer was lost.
   */
  attemptHash: SecretHash;
}

export interface SignInStore {
  /**
   * Stores a sign-in begun at an upstream. With `extension`, it does what `ArtifactStore.extend` does in the
   * same operation.
   */
  begin(transaction: UpstreamTransaction, extension?: ArtifactExtension): Promise<void>;
  /**
   * Takes the transaction of a callback: state, browser and upstream must all be its own, and it must be
   * unexpired. From then on it is the attempt's: of any number of attempts one gets it, as often as it asks,
   * and the others get undefined. A callback with a wrong browser or upstream gets undefined and leaves it in
   * place.
   */
  take(callback: CallbackAttempt, now: Instant): Promise<UpstreamTransaction | undefined>;
  /**
   * What a sign-in was begun for that an attempt has taken, for the browser that began it. Undefined for any
   * other browser or upstream, for one that nobody has taken, and once it is expired.
   */
  purposeOfTaken(
    callback: Omit<CallbackAttempt, "attemptHash">,
    now: Instant,
  ): Promise<SignInPurpose | undefined>;
  /**
   * Leaves a finished sign-in for its interaction (replacing an earlier one). `interactionHash` is the
   * SHA-256 of its uid.
   */
  leaveOutcome(interactionHash: SecretHash, outcome: SignInOutcome, expiresAt: Instant): Promise<void>;
  /**
   * Takes it with one of these proofs: one racer gets it, the others undefined. Without its own proof nobody
   * gets it, and it stays.
   */
  takeOutcome(
    interactionHash: SecretHash,
    proofHashes: readonly SecretHash[],
    now: Instant,
  ): Promise<SignInOutcome | undefined>;
}
