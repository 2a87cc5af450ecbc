/**
 * The composition root: the one place where the parts meet. Each part is given the few things it needs by name; none is given
 * the application.
 */

import { randomUUID } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Logger } from "pino";
import { createAdministration } from "./admin/administration.ts";
import { auditKeyOf } from "./admin/audit-key.ts";
import { countedLinking, countedOutbox, countedUpstreams } from "./admin/counted.ts";
import { createCounters } from "./admin/figures.ts";
import { ALL_SCOPES } from "./admin/scopes.ts";
import type { Clock } from "./clock.ts";
import type { Config, LimitConfig } from "./config/schema.ts";
import { LiaisonError } from "./errors.ts";
import { createBrowserBinding } from "./http/browser-binding.ts";
import { type CookieContext, createCookies } from "./http/cookies.ts";
import { createCsrf } from "./http/csrf.ts";
import type { HttpKit } from "./http/kit.ts";
import { createProviderPages } from "./http/provider-pages.ts";
import { createSealedCookies } from "./http/sealed-cookie.ts";
import { createSealedReturns } from "./http/sealed-return.ts";
import { createListener } from "./http/server.ts";
import { createSiteSource } from "./http/site.ts";
import { createInquiryWorker } from "./linking/inquiry-worker.ts";
import { createLinking } from "./linking/linking.ts";
import { createSupport } from "./linking/support.ts";
import { renderMail } from "./mail/messages.ts";
import { createOutboxWorker } from "./mail/outbox-worker.ts";
import { createSmtpTransport, type MailTransport } from "./mail/transport.ts";
import { createClientDirectory, validatePortals } from "./oidc/clients.ts";
import { createDispatcher } from "./oidc/dispatcher.ts";
import { loginOf } from "./oidc/foreign-browser.ts";
import { loadKeys } from "./oidc/keys.ts";
import { createProvider, interactionLifetimeSeconds } from "./oidc/provider.ts";
import type { Store } from "./storage/contract.ts";
import { pages } from "./ui/pages.ts";
import { loadClientKeys } from "./upstream/client-keys.ts";
import { createUpstreams } from "./upstream/upstreams.ts";
import { createWorkerLoop } from "./worker-loop.ts";

export interface AppDeps {
  config: Config;
  store: Store;
  clock: Clock;
  logger: Logger;
  /** How mail leaves; SMTP as configured unless given. */
  transport?: MailTransport;
}

export interface App {
  /** Serves on the configured address and starts the workers. @throws LiaisonError `port_taken` */
  listen(): Promise<{ port: number }>;
  /** The request listener alone, for a server of one's own. */
  listener: RequestListener;
  /** Stops accepting, lets what is in flight finish (bounded), stops the workers. The store stays its owner's. */
  close(): Promise<void>;
}

const sweepEveryMs = 60_000;
/** What expired is kept this much longer: an expired sign-in still says which portal it was for. */
const sweepGraceMs = 24 * 3_600_000;
const drainMs = 10_000;

export async function createApp(deps: AppDeps): Promise<App> {
  const { config, store, clock, logger } = deps;
  const issuer = new URL(config.issuer);
  const cookies = createCookies(issuer);
  const binding = createBrowserBinding({
    cookies,
    proofLifetimeSeconds: interactionLifetimeSeconds(config.linking.link_lifetime_seconds),
  });
  const keys = await loadKeys(store.keys);
  const clients = await createClientDirectory(store.clients, config.portals, { issuer: config.issuer, clock });
  const site = createSiteSource(config, clients);
  const mailDomain = config.mail.from_address.slice(config.mail.from_address.lastIndexOf("@") + 1);

  const providerPages = createProviderPages({ pages, site, issuer: config.issuer });
  const provider = createProvider({
    config,
    artifacts: store.artifacts,
    standings: store.standings,
    clients,
    keys,
    clock,
    pages: providerPages,
    holdsProof: (ctx, proofHash) => binding.holds(ctx as unknown as CookieContext, proofHash),
    machineScopes: ALL_SCOPES,
  });
  await validatePortals(provider, config.portals);
  reportProviderErrors(provider, logger);

  const counters = createCounters({ administration: store.administration, now: () => clock.now() });
  (provider as NodeJS.EventEmitter).on("authorization.success", (ctx: KoaContextWithOIDC, out: { code?: unknown }) => {
    if (out.code === undefined) return;
    counters.count("sign_ins");
    const { proofHash } = loginOf(ctx.oidc.entities.Interaction ?? {}) ?? {};
    if (proofHash !== undefined) binding.takeBack(ctx as unknown as CookieContext, proofHash);
  });
  const outbox = countedOutbox(store.outbox, counters);

  const clientKeys = await loadClientKeys(store.keys, config.upstreams);
  const upstreams = countedUpstreams(
    createUpstreams({
      upstreams: config.upstreams,
      issuer: config.issuer,
      signIns: store.signIns,
      accounts: store.accounts,
      clock,
      logger,
      clientKeys,
    }),
    counters,
  );
  const limits = limitsOf(config.limits);
  const linking = countedLinking(
    createLinking({
      links: store.links,
      audit: store.audit,
      clock,
      settings: {
        mailDomain,
        inquiryLimits: limits.inquiries,
        lookupDelayMs: lookupDelayOf(config.linking),
        pauseSeconds: config.linking.resend_after_seconds,
      },
    }),
    counters,
  );

  const inquiryWorker = createInquiryWorker({
    links: store.links,
    directory: store.directory,
    clock,
    logger,
    settings: { mailDomain, mailLimits: limits.mails },
  });
  const transport = deps.transport ?? createSmtpTransport(config.mail);
  const outboxWorker = createOutboxWorker({
    outbox,
    throttles: store.throttles,
    limits: limits.mails,
    transport,
    render: await mailRenderer(config, site, clock),
    clock,
    logger,
    workerId: randomUUID(),
    linkLifetimeMs: config.linking.link_lifetime_seconds * 1000,
  });
  const inquiries = createWorkerLoop({
    name: "inquiries",
    pollMs: 500,
    runOnce: async () => {
      if ((await inquiryWorker.runOnce()) > 0) outboxWorker.nudge();
    },
    logger,
  });
  const sweeper = createWorkerLoop({
    name: "sweep",
    pollMs: sweepEveryMs,
    runOnce: () => store.sweep(clock.now() - sweepGraceMs),
    logger,
  });
  const kit: HttpKit = {
    config,
    pages,
    site,
    cookies,
    binding,
    csrf: createCsrf({ key: keys.pages, issuer, cookies }),
    sealed: createSealedCookies({ key: keys.pages, cookies, clock }),
    upstreams,
  };
  const administration = await createAdministration({
    ...{ config, store, clients, provider, keys, counters, kit, clock, logger },
    auditKey: await auditKeyOf(store.keys),
    onMail: () => outboxWorker.nudge(),
  });
  const workers = [inquiries, outboxWorker, sweeper, ...administration.workers];

  const listener = createListener({
    ...kit,
    config,
    provider,
    providerPages,
    signInCap: { throttles: store.throttles, limit: limits.signIns, clock },
    logger,
    returns: createSealedReturns({ key: keys.pages, clock }),
    dispatcher: createDispatcher({ provider, standings: store.standings, signIns: store.signIns, clients, clock }),
    linking,
    support: createSupport({
      outbox: store.outbox,
      clock,
      settings: { mailDomain, supportAddress: config.deployment.support_email, limits: limits.support },
    }),
    clients,
    signIns: store.signIns,
    outbox,
    clock,
    onBound: () => outboxWorker.nudge(),
    moreRoutes: administration.routes,
  });
  const server = createServer(listener);

  return {
    listener,
    listen: async () => {
      await listening(server, config.listen);
      for (const worker of workers) worker.start();
      return { port: (server.address() as AddressInfo).port };
    },
    close: async () => {
      await Promise.all([closed(server), ...workers.map((worker) => worker.stop())]);
      // What was counted last; a store that is gone by now has lost no more than that.
      await counters.flush().catch((err: unknown) => logger.warn({ err }, "the last figures are lost"));
      await transport.close();
    },
  };
}

/** In milliseconds; never longer than the pause between two inquiries, so that they are answered in their order. */
function lookupDelayOf({ lookup_delay_seconds: { min, max }, resend_after_seconds: pause }: Config["linking"]) {
  const inTime = (seconds: number) => Math.round(Math.min(seconds, pause) * 1000);
  return { min: inTime(min), max: inTime(max) };
}

/** The configured limits, in the words of the store. */
function limitsOf(config: Config["limits"]) {
  const limit = ({ limit, window_seconds }: LimitConfig) => ({ limit, windowSeconds: window_seconds });
  return {
    signIns: limit(config.sign_ins_per_client_address),
    inquiries: {
      identity: limit(config.inquiries_per_identity),
      client: limit(config.inquiries_per_client_address),
    },
    support: {
      identity: limit(config.support_messages_per_identity),
      client: limit(config.support_messages_per_client_address),
    },
    mails: {
      mailbox: limit(config.mails_per_mailbox),
      profile: limit(config.mails_per_profile),
      all: limit(config.mails),
    },
  };
}

/** oidc-provider answers its own errors and tells of them by events alone. What it refuses on purpose is no news. */
function reportProviderErrors(provider: Provider, logger: Logger): void {
  const report = (ctx: { state?: { requestId?: string } }, err: Error & { statusCode?: number }) => {
    const fields = { err, request_id: ctx.state?.requestId };
    if ((err.statusCode ?? 500) >= 500) logger.error(fields, "provider error");
    else logger.info(fields, "provider refused a request");
  };
  const events = [
    "server_error",
    "authorization.error",
    "grant.error",
    "userinfo.error",
    "introspection.error",
  ] as const;
  const emitter: NodeJS.EventEmitter = provider;
  for (const event of events) emitter.on(event, report);
  emitter.on("error", (err: NodeJS.ErrnoException) => {
    // A request that is no HTTP, or a browser that left. Node's error carries the raw bytes, cookies and all: never log it whole.
    const fields = { code: err.code, reason: err.message };
    if (/^(HPE_|ECONN|EPIPE|ERR_STREAM)/.test(err.code ?? "")) logger.debug(fields, "a connection failed");
    else logger.error({ ...fields, stack: err.stack }, "a response failed");
  });
  emitter.on("backchannel.error", (_ctx: unknown, err: Error, client: { clientId: string }) =>
    logger.warn({ err, client_id: client.clientId }, "a portal was not told of a sign-out"),
  );
}

async function mailRenderer(config: Config, site: ReturnType<typeof createSiteSource>, clock: Clock) {
  const fixed = await site();
  return (...[content, { linkExpiresAt }]: Parameters<Parameters<typeof createOutboxWorker>[0]["render"]>) =>
    renderMail(fixed, content, { issuer: config.issuer, linkExpiresAt, now: clock.now() });
}

function listening(server: Server, { host, port }: Config["listen"]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EADDRINUSE") return reject(cause);
      const text = `Port ${port} on ${host} is already in use. Stop what uses it, or set listen.port to another.`;
      reject(new LiaisonError("port_taken", text, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

function closed(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
