/**
 * The composition of what runs behind requests: inquiries, outgoing mail, sign-outs, the audit's chain, figures, what lapses
 * and what expires. It has no part of the requests' composition but what it is given by name.
 */

import { randomUUID } from "node:crypto";
import type { Provider } from "oidc-provider";
import type { Logger } from "pino";
import type { Counters } from "./admin/figures.ts";
import { createSealer } from "./admin/sealer.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config/schema.ts";
import { createInquiryWorker } from "./linking/inquiry-worker.ts";
import { createOutboxWorker, type OutboxWorkerOptions } from "./mail/outbox-worker.ts";
import type { MailTransport } from "./mail/transport.ts";
import { watchedTransport } from "./mail/watched-transport.ts";
import type { ClientDirectory } from "./oidc/clients.ts";
import { createEndedGrantsWorker } from "./oidc/ended-grants.ts";
import { createSignOutWorker } from "./oidc/sign-outs.ts";
import type { Check } from "./readiness.ts";
import type { OutboxStore, Store } from "./storage/contract.ts";
import { createWorkerLoop, type WorkerLoop, type WorkerRun } from "./worker-loop.ts";

export interface BackgroundParts {
  config: Pick<Config, "linking" | "administration">;
  store: Pick<Store, "links" | "directory" | "throttles" | "audit" | "administration" | "sweep">;
  /** The store's, or one that counts beside. */
  outbox: OutboxStore;
  /** How many mails go where; see OutboxWorkerOptions. */
  mailLimits: OutboxWorkerOptions["limits"];
  /** The domain of our Message-IDs. */
  mailDomain: string;
  transport: MailTransport;
  render: OutboxWorkerOptions["render"];
  clients: ClientDirectory;
  /** It makes the tokens that portals are told of sign-outs by. */
  provider: Provider;
  counters: Pick<Counters, "flush">;
  /** Under which the audit's chain is sealed. */
  auditKey: Buffer;
  clock: Clock;
  logger: Logger;
}

export interface Background {
  /** Whether each worker is alive, and the mail server. */
  checks: readonly Check[];
  start(): void;
  /** No new turn begins; resolves when those under way have ended. */
  stop(): Promise<void>;
  /** There is mail to be sent. */
  onMail(): void;
  /** There are portals to be told of a sign-out. */
  onSignOut(): void;
}

const dayMs = 24 * 3_600_000;
/** What expired is kept this much longer: an expired sign-in still says which portal it was for. */
const sweepGraceMs = dayMs;

/** Makes the background; nothing runs until it is started. */
export function createBackground(parts: BackgroundParts): Background {
  const { config, store, clock, logger } = parts;
  const loop = (name: string, pollMs: number, runOnce: (run: WorkerRun) => Promise<unknown>) =>
    createWorkerLoop({ name, pollMs, runOnce, logger });

  const mail = watchedTransport(parts.transport);
  const outbox = createOutboxWorker({
    outbox: parts.outbox,
    throttles: store.throttles,
    limits: parts.mailLimits,
    transport: mail.transport,
    render: parts.render,
    clock,
    logger,
    workerId: randomUUID(),
    linkLifetimeMs: config.linking.link_lifetime_seconds * 1000,
  });
  const inquiryWorker = createInquiryWorker({
    links: store.links,
    directory: store.directory,
    clock,
    logger,
    settings: { mailDomain: parts.mailDomain, mailLimits: parts.mailLimits },
  });
  const { audit_retention_days: retentionDays } = config.administration;
  const sealer = createSealer({
    audit: store.audit,
    administration: store.administration,
    clock,
    key: parts.auditKey,
    retentionMs: retentionDays === null ? null : retentionDays * dayMs,
  });
  const signOutWorker = createSignOutWorker({
    administration: store.administration,
    clients: parts.clients,
    provider: parts.provider,
    clock,
    logger,
  });

  const endedGrants = createEndedGrantsWorker({ administration: store.administration, clock });

  const inquiries = loop("inquiries", 500, async () => {
    if ((await inquiryWorker.runOnce()) > 0) outbox.nudge();
  });
  const signOuts = loop("sign-outs", 5000, ({ onStep }) => signOutWorker.runOnce(onStep));
  const workers: readonly WorkerLoop[] = [
    inquiries,
    outbox,
    signOuts,
    loop("endings", 1000, (run) => endedGrants.runOnce(run)),
    loop("audit", 2000, (run) => sealer.runOnce(run)),
    loop("figures", 10_000, () => parts.counters.flush()),
    loop("invitations", 60_000, () => store.administration.lapseInvitations(clock.now())),
    loop("sweep", 60_000, () => store.sweep(clock.now() - sweepGraceMs)),
  ];

  return {
    checks: [...workers.map(({ check }) => check), mail.check],
    start() {
      for (const worker of workers) worker.start();
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
    onMail: () => outbox.nudge(),
    onSignOut: () => signOuts.nudge(),
  };
}
