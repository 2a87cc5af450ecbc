/**
 * What both threads of a broker in a process of its own are made of: its orders, its reports, and its store
 * under watch.
 */

import { writeSync } from "node:fs";
import { type Logger, pino } from "pino";
import type { BackgroundThreadData } from "../../src/background/thread.ts";
import type { MailTransport } from "../../src/mail/transport.ts";
import type { Store } from "../../src/storage/contract.ts";
import { type Around, createKillSwitch, type KillPoint, watchCalls } from "./process-kill.ts";

export interface BrokerOrders {
  /** A configuration as `configSchema` takes it. */
  config: Record<string, unknown>;
  /** Where this process dies. */
  killAt?: KillPoint;
  /**
   * How far the clock is ahead when the workers claim, in milliseconds: so that what a dead process leased is
   * free now. Behind, they claim nothing.
   */
  claimsAheadMs?: number;
  /**
   * The background's thread dies, alone, at the end of so many calls of its store and mail server, and so
   * does each next one.
   */
  threadDiesAfter?: number;
}

/** What the background's thread is given. */
export interface BackgroundOrders extends BackgroundThreadData, Omit<BrokerOrders, "config"> {
  /** What the threads count together. */
  counts: Int32Array;
}

/** A line of the process's output. */
export type BrokerReport =
  | { listening: number }
  | { dying: string }
  | { lostRace: string }
  | { threadDies: string };

export function report(line: BrokerReport): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

export function brokerLogger(): Logger {
  return pino({ level: "error" }, pino.destination({ fd: 2, sync: true }));
}

/** What the orders say happens around each call. */
export function aroundOf({ killAt, counts }: BackgroundOrders): Around {
  return killAt === undefined
    ? (_call, proceed) => proceed()
    : createKillSwitch(killAt, counts, (dying) => report({ dying }));
}

/**
 * Every part that the journey goes through, under watch; beside that, who lost the race for a code or refresh
 * token.
 */
export function watchedStore(
  opened: Store,
  orders: BackgroundOrders,
  around: Around = aroundOf(orders),
): Store {
  const store = claimingAhead(opened, orders.claimsAheadMs ?? 0);
  const artifacts: Store["artifacts"] = {
    ...store.artifacts,
    consume: async (model, ...rest) => {
      const won = await store.artifacts.consume(model, ...rest);
      if (!won) report({ lostRace: model });
      return won;
    },
  };
  return {
    ...store,
    artifacts,
    accounts: watchCalls("accounts", store.accounts, around),
    administration: watchCalls("administration", store.administration, around),
    directory: watchCalls("directory", store.directory, around),
    links: watchCalls("links", store.links, around),
    outbox: watchCalls("outbox", store.outbox, around),
    signIns: watchCalls("signIns", store.signIns, around),
    accountsAtClients: watchCalls("accountsAtClients", store.accountsAtClients, around),
  };
}

export function watchedTransport(transport: MailTransport, around: Around): MailTransport {
  return watchCalls("transport", transport, around);
}

function claimingAhead(store: Store, aheadMs: number): Store {
  return {
    ...store,
    links: {
      ...store.links,
      claimInquiry: (worker, now, leaseMs) => store.links.claimInquiry(worker, now + aheadMs, leaseMs),
    },
    outbox: {
      ...store.outbox,
      claim: (worker, now, ...lengths) => store.outbox.claim(worker, now + aheadMs, ...lengths),
      nextDueAt: async () => {
        const dueAt = await store.outbox.nextDueAt();
        return dueAt && dueAt - aheadMs;
      },
    },
    administration: {
      ...store.administration,
      claimEnding: (worker, now, leaseMs) => store.administration.claimEnding(worker, now + aheadMs, leaseMs),
    },
  };
}
