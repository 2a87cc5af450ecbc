/**
 * Tells portals that a sign-in of theirs has ended (OpenID Connect Back-Channel Logout 1.0): what the store queued with whatever
 * ended it, also where a command beside the service did. Leased, repeated for a day, then given up.
 */

import { randomUUID } from "node:crypto";
import type { Provider } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { Pace } from "../pace.ts";
import type { AdminStore } from "../storage/contract.ts";
import type { SignOut } from "../storage/records.ts";
import { runAlone, type WorkerRun } from "../worker-loop.ts";
import type { ClientDirectory } from "./clients.ts";
import { tellOfSignOut } from "./internals.ts";

export interface SignOutWorkerOptions {
  administration: Pick<AdminStore, "claimSignOut" | "settleSignOut">;
  clients: Pick<ClientDirectory, "find">;
  provider: Provider;
  clock: Clock;
  logger: { warn(fields: object, message: string): void };
}

const leaseMs = 60_000;
/** How long a portal may take to answer, in milliseconds. */
const patienceMs = 10_000;
/** After so long without an answer, in milliseconds, the portal's others are put off: nobody else waits behind them. */
const slowMs = 2_000;
/** How many portals are told at a time. */
const lanes = 8;
const firstRetryMs = 15_000;
const longestRetryMs = 3_600_000;
const giveUpAfterMs = 24 * 3_600_000;

export interface SignOutWorker {
  /** Tells everybody who is due, until the run is told to end; returns how many were told. */
  runOnce(run?: WorkerRun): Promise<number>;
}

export function createSignOutWorker(options: SignOutWorkerOptions): SignOutWorker {
  const { administration, clients, provider, clock, logger } = options;
  const worker = randomUUID();

  async function tell({ clientId, accountId, sid }: SignOut): Promise<void> {
    const client = await clients.find(clientId);
    // Who can't be told finds out at the next refresh.
    if (typeof client?.metadata["backchannel_logout_uri"] !== "string") return;
    await tellOfSignOut(provider, { clientId, accountId, sid }, AbortSignal.timeout(patienceMs));
  }

  async function settle(signOut: SignOut, slow: Set<string>): Promise<boolean> {
    const began = performance.now();
    try {
      if (slow.has(signOut.clientId)) throw new Error("the portal didn't answer another one");
      await tell(signOut);
      await administration.settleSignOut(signOut.id, worker, null);
      return true;
    } catch (err) {
      const { id, clientId, attempts, createdAt } = signOut;
      if (performance.now() - began > slowMs) slow.add(clientId);
      const retryAt = clock.now() + Math.min(firstRetryMs * 2 ** (attempts - 1), longestRetryMs);
      const isOver = retryAt > createdAt + giveUpAfterMs;
      await administration.settleSignOut(id, worker, isOver ? null : retryAt);
      const fields = { err, client_id: clientId, attempts };
      if (isOver) logger.warn(fields, "a portal could not be told that a sign-in ended; given up");
      else if (attempts === 1)
        logger.warn(fields, "a portal was not told that a sign-in ended; it will be tried again");
      return false;
    }
  }

  return {
    async runOnce({ signal, onStep } = runAlone) {
      // One after the other, with rests: of portals that aren't to be told there may be very many, and nothing else is waited for.
      const pace = new Pace({ least: 1, most: 1 });
      let last: Promise<unknown> = Promise.resolve();
      const claim = (): Promise<SignOut | undefined> => {
        const next = last.then(async () => {
          if (signal.aborted) return undefined;
          return await pace.turn(() => administration.claimSignOut(worker, clock.now(), leaseMs));
        });
        last = next.catch(() => {});
        return next;
      };
      const first = await claim();
      if (first === undefined) return 0;
      let told = 0;
      const slow = new Set<string>();
      const lane = async (begin?: SignOut) => {
        for (let one = begin ?? (await claim()); one !== undefined; one = await claim()) {
          if (await settle(one, slow)) told += 1;
          onStep();
        }
      };
      await Promise.all([lane(first), ...Array.from({ length: lanes - 1 }, () => lane())]);
      return told;
    },
  };
}
