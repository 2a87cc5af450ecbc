/**
 * The store contract: what a storage back end promises, in terms of intentions. Back ends live in sqlite/ and
 * mongo/; rules live in ../domain; nothing here knows HTTP or OIDC.
 *
 * What holds for every method:
 * - A returned promise resolves only after the write is durable. Short-lived things (OP artifacts other than
 *   the endings `revokeGrant`, `destroySession` and `consume` with `ends`, upstream sign-ins, throttle
 *   slots): after it survives a killed process.
 * - Everything that expires is treated as absent from the first instant of its `expiresAt`, whether or not it
 *   was swept.
 * - Racers are decided by conditional writes, across processes; each method's text says what the loser gets.
 * - A lease is lost when another worker has claimed after it ran out: a late worker whom nobody replaced may
 *   still finish.
 * - A back end that can't be reached throws `LiaisonError("store_unavailable")`.
 * - Fields that could be used if read off a disk (mailed secrets, client secrets, keys, code verifiers, OP
 *   payloads) are encrypted under the encryption key by the back end.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { WorkerRun } from "../worker-loop.ts";
import type { AdminStore, DirectoryStore } from "./contract/administration.ts";
import type { AuditStore, VerificationStore } from "./contract/audit.ts";
import type { ThrottleStore } from "./contract/limits.ts";
import type { LinkStore } from "./contract/linking.ts";
import type { OutboxStore } from "./contract/mail.ts";
import type { AccountAtClientStore, ArtifactStore, ClientStore, KeyStore } from "./contract/provider.ts";
import type { AccountStore, SignInStore } from "./contract/sign-in.ts";

export type * from "./contract/administration.ts";
export type * from "./contract/audit.ts";
export type * from "./contract/limits.ts";
export type * from "./contract/linking.ts";
export type * from "./contract/mail.ts";
export type * from "./contract/pages.ts";
export type * from "./contract/provider.ts";
export type * from "./contract/sign-in.ts";
export type * from "./contract/work.ts";

/** Its disk is full, it may be read alone, or what is written is refused for whatever reason. */
export type WriteFault = "full" | "read_only" | "failing";

export interface Store {
  readonly accounts: AccountStore;
  readonly directory: DirectoryStore;
  readonly links: LinkStore;
  readonly outbox: OutboxStore;
  readonly signIns: SignInStore;
  readonly accountsAtClients: AccountAtClientStore;
  readonly artifacts: ArtifactStore;
  readonly clients: ClientStore;
  readonly keys: KeyStore;
  readonly throttles: ThrottleStore;
  readonly audit: AuditStore;
  readonly verifications: VerificationStore;
  readonly administration: AdminStore;
  /**
   * How long a turn of work over many rows (pace.ts) may take here, in milliseconds: as short as it gets
   * where it holds a write lock that everybody needs; longer where it holds its own documents alone, and most
   * of it is one acknowledgment by a majority.
   */
  readonly turnMs: Milliseconds;
  /**
   * How many grants a turn removes at the least: as many as are worth what a turn costs, however few they
   * are.
   */
  readonly grantsATurn: number;
  /**
   * Removes what expired before `now`, in short turns (pace.ts) until the run is told to end; nothing depends
   * on its having run. Returns rows removed.
   */
  sweep(now: Instant, run?: WorkerRun): Promise<number>;
  /**
   * The version of the schema that the store has now, and the one that this process needs at least. One small
   * read, which shows that the store answers. A newer one is well: `liaison migrate` runs beside brokers of
   * the version before.
   */
  schemaVersion(): Promise<{ found: number; needed: number }>;
  /**
   * What keeps a store that may well be read from being written to. Costs nothing while writes succeed; once
   * one of this process failed, each call tries whether there is room for one again.
   */
  writeFault(): Promise<WriteFault | undefined>;
  close(): Promise<void>;
}
