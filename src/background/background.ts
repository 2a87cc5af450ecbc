/**
 * The composition of what runs behind requests: inquiries, outgoing mail, sign-outs, the audit's chain,
 * metrics, what lapses and what expires. It is made of the same few things as the requests' composition and
 * shares nothing else with it, so that it runs in a thread of its own (thread.ts) or beside the requests, as
 * in tests.
 */

import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { createAuditChainWorker } from "../admin/audit-chain-worker.ts";
import { auditKeyOf } from "../admin/audit-key.ts";
import { type Counters, createCountBuffer, createCounters, type MetricCount } from "../admin/metrics.ts";
import { ALL_SCOPES } from "../admin/scopes.ts";
import { outboxWithMetrics } from "../admin/service-metrics.ts";
import { createVerificationWorker } from "../admin/verification-worker.ts";
import type { Clock, Milliseconds } from "../clock.ts";
import { limitOf, mailDomain } from "../config/derived.ts";
import type { Config } from "../config/schema.ts";
import { asUpstreamId } from "../domain/ids.ts";
import { createSiteSource } from "../http/site.ts";
import { createInquiryWorker } from "../linking/inquiry-worker.ts";
import { createOutboxWorker, type RenderMail } from "../mail/outbox-worker.ts";
import { renderMail } from "../mail/rendering.ts";
import { createSmtpTransport, type MailTransport } from "../mail/transport.ts";
import { watchedTransport } from "../mail/watched-transport.ts";
import { createBackChannelLogoutWorker } from "../oidc/back-channel-logout.ts";
import { type ClientDirectory, createClientDirectory } from "../oidc/clients.ts";
import { createEndedGrantsWorker } from "../oidc/ended-grants.ts";
import { loadKeys } from "../oidc/keys.ts";
import { createTokenMaker } from "../oidc/provider.ts";
import type { Check } from "../readiness.ts";
import type { Store } from "../storage/contract.ts";
import { createWorkerLoop, type WorkerLoop, type WorkerRun } from "../worker-loop.ts";
import { createClockWatch } from "./clock-watch.ts";

export interface BackgroundDeps {
  config: Config;
  store: Store;
  clock: Clock;
  logger: Logger;
  /** How mail leaves; SMTP as configured unless given. */
  transport?: MailTransport;
}

const workerNames = [
  "inquiries",
  "outbox",
  "sign-outs",
  "endings",
  "audit",
  "verification",
  "figures",
  "invitations",
  "clock",
  "sweep",
] as const;
export type WorkerName = (typeof workerNames)[number];

/** What the checks of every background are called, wherever it runs. */
export const backgroundCheckNames: readonly string[] = [
  ...workerNames.map((name) => `background.${name}`),
  "mail",
];

/** The background, as the requests' composition sees it. */
export interface Background {
  /** Whether each worker is alive, and the mail server. */
  checks: readonly Check[];
  /** Resolves when it runs. */
  start(): Promise<void>;
  /** There is work for this worker: it doesn't wait for its next turn. */
  wake(worker: WorkerName): void;
  /** Adds to the metrics. They are in the store some seconds later. */
  count(one: MetricCount): void;
  /** Calls back when what its checks say has changed at once, so that nobody need wait for the next look. */
  onChange(changed: () => void): void;
  /** No new turn begins; resolves when those under way have ended. What is counted is still taken. */
  stop(): Promise<void>;
  /** Ends it: what was counted last is in the store then. */
  close(): Promise<void>;
}

const dayMs: Milliseconds = 24 * 3_600_000;
/**
 * What has expired goes this much later, and within a minute from then on: the clocks of several brokers
 * aren't quite the same. Whatever is to be kept beyond its end expires later by as much
 * (oidc/interaction-lifetime.ts).
 */
const sweepSlackMs: Milliseconds = 120_000;

/** Makes the background; nothing runs until it is started. The store stays its owner's. */
export async function createBackground(deps: BackgroundDeps): Promise<Background> {
  const { store, clock, logger } = deps;
  const metrics = createCountBuffer({ administration: store.administration, clock });
  const mail = watchedTransport(deps.transport ?? createSmtpTransport(deps.config.mail));
  const workers = await createWorkers(deps, mail.transport, metrics);
  const loops = Object.values(workers);
  const stop = async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
  };

  return {
    checks: [...loops.map(({ check }) => check), mail.check],
    async start() {
      for (const loop of loops) loop.start();
    },
    wake: (worker) => workers[worker].nudge(),
    count: metrics.add,
    onChange: () => {},
    stop,
    async close() {
      await stop();
      // A store that is gone by now has lost no more than the last metrics.
      await metrics.flush().catch((err: unknown) => logger.warn({ err }, "the last metrics are lost"));
      await mail.transport.close();
    },
  };
}

async function createWorkers(
  deps: BackgroundDeps,
  transport: MailTransport,
  metrics: ReturnType<typeof createCountBuffer>,
): Promise<Record<WorkerName, WorkerLoop>> {
  const { config, store, clock, logger } = deps;
  const loop = (name: WorkerName, pollMs: Milliseconds, runOnce: (run: WorkerRun) => Promise<unknown>) =>
    createWorkerLoop({ name, pollMs, runOnce, logger });
  const clients = await createClientDirectory(store.clients, config.portals, {
    issuer: config.issuer,
    clock,
  });
  const counters = createCounters({ now: () => clock.now(), onCount: metrics.add });

  const outbox = await outboxWorker(deps, { clients, transport, counters });
  const inquiries = inquiryWorker(deps);
  const auditKey = await auditKeyOf(store.keys);
  const auditChain = auditChainWorker(deps, auditKey);
  const verifier = createVerificationWorker({
    audit: store.audit,
    verifications: store.verifications,
    key: auditKey,
    clock,
    logger,
  });
  const backChannelLogout = await backChannelLogoutWorker(deps, clients);
  const endedGrants = createEndedGrantsWorker({
    administration: store.administration,
    clock,
    turnMs: store.turnMs,
    grantsATurn: store.grantsATurn,
  });
  const clockWatch = createClockWatch({ administration: store.administration, clock, logger });

  return {
    inquiries: loop("inquiries", 500, async (run) => {
      if ((await inquiries.runOnce(run)) > 0) outbox.nudge();
    }),
    outbox,
    "sign-outs": loop("sign-outs", 5000, (run) => backChannelLogout.runOnce(run)),
    endings: loop("endings", 1000, (run) => endedGrants.runOnce(run)),
    audit: loop("audit", 2000, (run) => auditChain.runOnce(run)),
    verification: loop("verification", 2000, (run) => verifier.runOnce(run)),
    figures: loop("figures", 10_000, () => metrics.flush()),
    invitations: loop("invitations", 60_000, (run) =>
      store.administration.lapseInvitations(clock.now(), run),
    ),
    clock: loop("clock", 1000, async () => {
      if ((await clockWatch.runOnce()) > 0) outbox.nudge();
    }),
    sweep: loop("sweep", 60_000, (run) => store.sweep(clock.now() - sweepSlackMs, run)),
  };
}

async function outboxWorker(
  { config, store, clock, logger }: BackgroundDeps,
  {
    clients,
    transport,
    counters,
  }: { clients: ClientDirectory; transport: MailTransport; counters: Counters },
) {
  return createOutboxWorker({
    outbox: outboxWithMetrics(store.outbox, counters),
    throttles: store.throttles,
    limits: mailLimits(config),
    transport,
    render: await mailRenderer(config, createSiteSource(config, clients), clock),
    clock,
    logger,
    workerId: randomUUID(),
    linkLifetimeMs: config.linking.link_lifetime_seconds * 1000,
    concurrency: config.mail.smtp.max_connections,
  });
}

function inquiryWorker({ config, store, clock, logger }: BackgroundDeps) {
  const trusted = config.upstreams.filter((one) => one.trusted_email);
  return createInquiryWorker({
    links: store.links,
    directory: store.directory,
    clock,
    logger,
    settings: {
      mailDomain: mailDomain(config),
      mailLimits: mailLimits(config),
      trustedUpstreams: new Set(trusted.map(({ id }) => asUpstreamId(id))),
    },
  });
}

function auditChainWorker({ config, store, clock }: BackgroundDeps, key: Buffer) {
  const { audit_retention_days: retentionDays } = config.administration;
  return createAuditChainWorker({
    audit: store.audit,
    administration: store.administration,
    clock,
    key,
    retentionMs: retentionDays === null ? null : retentionDays * dayMs,
    turnMs: store.turnMs,
  });
}

async function backChannelLogoutWorker(
  { config, store, clock, logger }: BackgroundDeps,
  clients: ClientDirectory,
) {
  return createBackChannelLogoutWorker({
    administration: store.administration,
    clients,
    provider: createTokenMaker({
      config,
      artifacts: store.artifacts,
      accountsAtClients: store.accountsAtClients,
      clients,
      keys: await loadKeys(store.keys),
      clock,
      clientCredentialsScopes: ALL_SCOPES,
    }),
    privateHosts: config.private_hosts,
    clock,
    logger,
  });
}

function mailLimits({ limits }: Pick<Config, "limits">) {
  return {
    mailbox: { hourly: limitOf(limits.mails_per_mailbox), daily: limitOf(limits.mails_per_mailbox_daily) },
    profile: limitOf(limits.mails_per_profile),
    all: limitOf(limits.mails),
  };
}

async function mailRenderer(
  config: Pick<Config, "issuer">,
  site: ReturnType<typeof createSiteSource>,
  clock: Clock,
): Promise<RenderMail> {
  const fixed = await site();
  return (content, { linkExpiresAt }) =>
    renderMail(fixed, content, { issuer: config.issuer, linkExpiresAt, now: clock.now() });
}
