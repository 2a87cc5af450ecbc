/**
 * A broker as a process of its own: the real application on a real store file, told by one line of JSON on its standard input
 * where it listens and, if at all, at which call it dies. What it has to say are lines of JSON on its standard output. SIGTERM
 * has it drain, as `serve` does. It ends with its input, so that it never outlives the test that started it.
 */

import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { pino } from "pino";
import { createApp } from "../../src/app.ts";
import { systemClock } from "../../src/clock.ts";
import { configSchema } from "../../src/config/schema.ts";
import { createSmtpTransport, type MailTransport } from "../../src/mail/transport.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { type Around, createKillSwitch, type KillPoint, watchCalls } from "./process-kill.ts";

export interface BrokerOrders {
  /** A configuration as `configSchema` takes it. */
  config: Record<string, unknown>;
  /** Where this process dies. */
  killAt?: KillPoint;
  /**
   * How far the clock is ahead when the workers claim, in milliseconds: so that what a dead process leased is free now. Behind,
   * they claim nothing.
   */
  claimsAheadMs?: number;
}

/** A line of the process's output. */
export type BrokerReport = { listening: number } | { dying: string } | { lostRace: string };

function report(line: BrokerReport): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

const input = createInterface({ input: process.stdin });
input.once("line", (line) => void serve(JSON.parse(line) as BrokerOrders));
input.once("close", () => process.exit());

async function serve(orders: BrokerOrders): Promise<void> {
  const config = configSchema.parse(orders.config);
  const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key });
  const around = orders.killAt && createKillSwitch(orders.killAt, (dying) => report({ dying }));
  const app = await createApp({
    config,
    store: watched(claimingAhead(store, orders.claimsAheadMs ?? 0), around),
    transport: watchedTransport(createSmtpTransport(config.mail), around),
    clock: systemClock,
    logger: pino({ level: "error" }, pino.destination({ fd: 2, sync: true })),
  });
  process.once("SIGTERM", async () => {
    await app.drain();
    await app.close();
    await store.close();
    process.exit(0);
  });
  report({ listening: (await app.listen()).port });
}

/** Every part that the journey goes through, under watch; beside that, who lost the race for a code or refresh token. */
function watched(store: Store, around: Around = (_call, proceed) => proceed()): Store {
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
    standings: watchCalls("standings", store.standings, around),
  };
}

function watchedTransport(transport: MailTransport, around: Around | undefined): MailTransport {
  return around === undefined ? transport : watchCalls("transport", transport, around);
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
