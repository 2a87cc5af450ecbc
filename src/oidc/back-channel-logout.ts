/**
 * Back-channel logout (OpenID Connect Back-Channel Logout 1.0): tells portals that a sign-in of theirs has
 * ended, whoever ended it: the person, an administrator, a command beside the service. What the store queued
 * with it is leased, repeated for a day, then given up.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Provider } from "oidc-provider";
import type { Clock, Milliseconds } from "../clock.ts";
import { hostAndPort } from "../domain/private-hosts.ts";
import type { SignOut } from "../domain/records.ts";
import { Pace } from "../pace.ts";
import type { WorkStore } from "../storage/contract.ts";
import { runAlone, type WorkerRun } from "../worker-loop.ts";
import type { ClientDirectory } from "./clients.ts";
import { signLogoutToken } from "./internals.ts";
import { postForm } from "./outbound.ts";

export interface BackChannelLogoutWorkerOptions {
  administration: Pick<WorkStore, "claimSignOut" | "settleSignOut">;
  clients: Pick<ClientDirectory, "find">;
  provider: Provider;
  /**
   * Hosts on loopback or private networks that may be told nevertheless: `private_hosts` of the
   * configuration.
   */
  privateHosts: readonly string[];
  clock: Clock;
  logger: { warn(fields: object, message: string): void };
}

const leaseMs: Milliseconds = 60_000;
/** How long a portal may take to answer, in milliseconds. */
const timeoutMs: Milliseconds = 10_000;
/**
 * After so long without an answer, in milliseconds, the portal's others are put off until it is asked again.
 */
const slowMs: Milliseconds = 2_000;
/** How many portals are told at a time. */
const lanes = 8;
/** How long is waited before more is looked for while some are still being told, in milliseconds. */
const lookAgainMs: Milliseconds = 250;
const firstRetryMs: Milliseconds = 15_000;
const longestRetryMs: Milliseconds = 3_600_000;
const giveUpAfterMs: Milliseconds = 24 * 3_600_000;

export interface BackChannelLogoutWorker {
  /** Tells everybody who is due, until the run is told to end; returns how many were told. */
  runOnce(run?: WorkerRun): Promise<number>;
}

/** Until when a client's are put off, by `performance.now()`: it kept one waiting. */
type Slow = Map<string, number>;

/** Makes the worker. Several may run, at other brokers too: each sign-out is leased by one of them. */
export function createBackChannelLogoutWorker(
  options: BackChannelLogoutWorkerOptions,
): BackChannelLogoutWorker {
  const workerId = randomUUID();
  return { runOnce: async (run = runAlone) => await tellAll({ ...options, workerId }, run) };
}

interface Telling extends BackChannelLogoutWorkerOptions {
  /** Whose leases are this worker's. */
  workerId: string;
}

async function tellAll(telling: Telling, { signal, onStep }: WorkerRun): Promise<number> {
  const { administration, clock, workerId } = telling;
  // One after the other, with rests: of portals that aren't to be told there may be very many, and
  // nothing else is waited for.
  const pace = new Pace({ least: 1, most: 1 });
  const slow: Slow = new Map();
  const busy = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let told = 0;
  const begin = (one: SignOut) => {
    const under = settle(telling, one, slow)
      .then(
        (isTold) => {
          if (isTold) told += 1;
        },
        (error: unknown) => void failures.push(error),
      )
      .then(() => {
        busy.delete(under);
        onStep();
      });
    busy.add(under);
  };
  for (;;) {
    const ends = signal.aborted || failures.length > 0;
    const one = ends
      ? undefined
      : await pace
          .turn(() => administration.claimSignOut(workerId, clock.now(), leaseMs))
          .catch((error: unknown) => void failures.push(error));
    if (one !== undefined) begin(one);
    else if (busy.size === 0) break;
    // What is queued meanwhile waits for no portal that keeps another one waiting.
    if (one === undefined) await Promise.race([...busy, pause(lookAgainMs)]);
    else if (busy.size >= lanes) await Promise.race(busy);
  }
  if (failures.length > 0) throw failures[0];
  return told;
}

async function settle(telling: Telling, signOut: SignOut, slow: Slow): Promise<boolean> {
  const { administration, clock, logger, workerId } = telling;
  const began = performance.now();
  try {
    if ((slow.get(signOut.clientId) ?? began) > began)
      throw new Error("the portal didn't answer another one");
    await tell(telling, signOut);
    await administration.settleSignOut(signOut.id, workerId, null);
    return true;
  } catch (err) {
    const { id, clientId, attempts, createdAt } = signOut;
    if (performance.now() - began > slowMs) slow.set(clientId, performance.now() + firstRetryMs);
    const retryAt = clock.now() + Math.min(firstRetryMs * 2 ** (attempts - 1), longestRetryMs);
    const isOver = retryAt > createdAt + giveUpAfterMs;
    await administration.settleSignOut(id, workerId, isOver ? null : retryAt);
    const fields = { err, client_id: clientId, attempts };
    if (isOver) logger.warn(fields, "a portal could not be told that a sign-in ended; given up");
    else if (attempts === 1)
      logger.warn(fields, "a portal was not told that a sign-in ended; it will be tried again");
    return false;
  }
}

async function tell(
  { clients, provider, privateHosts }: Telling,
  { id, clientId, accountId, sid }: SignOut,
): Promise<void> {
  const client = await clients.find(clientId);
  const address = client?.metadata["backchannel_logout_uri"];
  // Who can't be told finds out at the next refresh.
  if (client === undefined || typeof address !== "string") return;
  const registered = await provider.Client.find(clientId);
  if (registered === undefined) return;
  const token = await signLogoutToken(provider, registered, { accountId, sid, jti: id });
  const status = await postForm({
    address,
    form: new URLSearchParams({ logout_token: token }),
    // What stands in the configuration is the operator's own word.
    mayBePrivate: client.managedBy === "config" || privateHosts.includes(hostAndPort(new URL(address))),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (status !== 200 && status !== 204) throw new Error(`${new URL(address).origin} answered ${status}`);
}
