/**
 * The composition root: the one place where the parts meet. Each part is given the few things it needs by
 * name; none is given the application.
 */

import type { RequestListener } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { administrationRoutes } from "./admin/administration.ts";
import { auditKeyOf } from "./admin/audit-key.ts";
import { createClientUsage } from "./admin/client-usage.ts";
import { operationDependencies } from "./admin/dependencies.ts";
import { createCounters } from "./admin/metrics.ts";
import { createRefusedNotes } from "./admin/refused-notes.ts";
import { createAuthenticate } from "./admin/rest/authenticate.ts";
import { ALL_SCOPES } from "./admin/scopes.ts";
import { linkingWithMetrics, outboxWithMetrics, upstreamsWithMetrics } from "./admin/service-metrics.ts";
import { type Background, createBackground } from "./background/background.ts";
import type { Clock, Milliseconds } from "./clock.ts";
import { limitOf, mailDomain as mailDomainOf } from "./config/derived.ts";
import type { Config } from "./config/schema.ts";
import { asAccountId, asSecretHash } from "./domain/ids.ts";
import { createNetworkTest } from "./domain/networks.ts";
import { createBrowserBinding } from "./http/browser-binding.ts";
import { type CookieContext, createCookies } from "./http/cookies.ts";
import { createGate } from "./http/costs/gate.ts";
import { createKnownBrowsers } from "./http/costs/known-browser.ts";
import { createVisitorCosts } from "./http/costs/visitor-costs.ts";
import { createCsrf } from "./http/csrf.ts";
import type { HttpDependencies } from "./http/dependencies.ts";
import { createEncryptedCookies } from "./http/encrypted-cookie.ts";
import { createEncryptedState } from "./http/encrypted-state.ts";
import { createHttpServer } from "./http/http-server.ts";
import { createProviderPages } from "./http/provider-pages.ts";
import { createRefusals } from "./http/refusals.ts";
import { createListener } from "./http/server.ts";
import { createSignedOutBrowsers } from "./http/signed-out.ts";
import { createSiteSource } from "./http/site.ts";
import { createLinking } from "./linking/linking.ts";
import { createSupport } from "./linking/support.ts";
import type { MailTransport } from "./mail/transport.ts";
import { createClientDirectory, validatePortals } from "./oidc/clients.ts";
import { createConsoleSignIns } from "./oidc/console.ts";
import { createDispatcher } from "./oidc/dispatcher.ts";
import { onCodeIssued, onSessionEnded, reportProviderErrors, watchClientUses } from "./oidc/events.ts";
import { keysCheck, loadKeys } from "./oidc/keys.ts";
import { createProvider, interactionLifetimeSeconds } from "./oidc/provider.ts";
import { createReadiness } from "./readiness.ts";
import type { Store } from "./storage/contract.ts";
import { storeChecks } from "./storage/readiness-checks.ts";
import { pages } from "./ui/pages.ts";
import { loadClientKeys } from "./upstream/client-keys.ts";
import { createUpstreams } from "./upstream/upstreams.ts";

export interface AppDeps {
  config: Config;
  store: Store;
  clock: Clock;
  logger: Logger;
  /** What runs behind requests, wherever it does; on this loop, with this store, unless given. */
  background?: Background;
  /**
   * Whether outputs of the administration are held to their schemas, too, which takes time. Default: false
   */
  checksOutputs?: boolean;
  /** How mail leaves from a background that isn't given; SMTP as configured unless given. */
  transport?: MailTransport;
}

export interface App {
  /** Serves on the configured address and starts the workers. @throws LiaisonError `port_taken` */
  listen(): Promise<{ port: number }>;
  /** The request listener alone, for a server of one's own. */
  listener: RequestListener;
  /**
   * Lets go of whoever is served, losing no request: `/readyz` says so at once, new connections are taken for
   * `listen.drain_seconds` more, and all end after their next answer. Takes those seconds and 20 at the most.
   */
  drain(): Promise<void>;
  /**
   * Ends what is idle at once and what is being answered within ten seconds; stops the workers. The store
   * stays its owner's.
   */
  close(): Promise<void>;
}

/**
 * How long what is being answered may take once nothing new is taken, in milliseconds: when draining, and
 * otherwise.
 */
const drainMs: Milliseconds = 20_000;
const closeMs: Milliseconds = 10_000;

export async function createApp(deps: AppDeps): Promise<App> {
  const { config, store, clock, logger } = deps;
  const issuer = new URL(config.issuer);
  const cookies = createCookies(issuer);
  const binding = createBrowserBinding({
    cookies,
    proofLifetimeSeconds: interactionLifetimeSeconds(config.linking.link_lifetime_seconds),
  });
  const keys = await loadKeys(store.keys);
  const clients = await createClientDirectory(store.clients, config.portals, {
    issuer: config.issuer,
    clock,
  });
  const site = createSiteSource(config, clients);
  const mailDomain = mailDomainOf(config);
  const background = deps.background ?? (await createBackground(deps));

  const providerPages = createProviderPages({ pages, site, issuer: config.issuer, cookies, clients });
  const provider = createProvider({
    config,
    artifacts: store.artifacts,
    accountsAtClients: store.accountsAtClients,
    clients,
    keys,
    clock,
    pages: providerPages,
    holdsProof: (ctx, proofHash) => binding.proofs(ctx as unknown as CookieContext).includes(proofHash),
    clientCredentialsScopes: ALL_SCOPES,
  });
  await validatePortals(provider, config.portals);
  const refused = createRefusedNotes({ clients: store.clients, clock, logger });
  reportProviderErrors(provider, logger, refused.note);
  const signedOut = createSignedOutBrowsers({ cookies, binding });
  onSessionEnded(provider, (ctx, by) => {
    background.wake("sign-outs");
    if (by === "sign_out") signedOut.note(ctx as unknown as CookieContext);
  });

  const limits = limitsOf(config.limits);
  const encryptedState = createEncryptedState({ key: keys.pages, clock });
  const encryptedCookies = createEncryptedCookies({ state: encryptedState, cookies });
  const known = createKnownBrowsers({ key: keys.pages, cookies, encryptedCookies, clock });
  const refusals = createRefusals({ pages, site: { ...(await site()), portals: [] }, issuer });

  const counters = createCounters({ now: () => clock.now(), onCount: background.count });
  onCodeIssued(provider, (ctx, proofHash) => {
    counters.count("sign_ins");
    signedOut.clear(ctx as unknown as CookieContext);
    const { accountId } = ctx.oidc.session ?? {};
    if (accountId !== undefined) known.completed(ctx, asAccountId(accountId));
    if (proofHash !== undefined) binding.takeBack(ctx as unknown as CookieContext, asSecretHash(proofHash));
  });
  const clientUsage = createClientUsage({ clients: store.clients, clock, logger });
  watchClientUses(provider, { now: () => clock.now(), onUse: clientUsage.note });
  const outbox = outboxWithMetrics(store.outbox, counters);

  const clientKeys = await loadClientKeys(store.keys, config.upstreams);
  const upstreams = upstreamsWithMetrics(
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
  const linking = linkingWithMetrics(
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

  const auditKey = await auditKeyOf(store.keys);
  const http: HttpDependencies = {
    config,
    pages,
    site,
    cookies,
    binding,
    signedOut,
    csrf: createCsrf({ key: keys.pages, issuer, cookies }),
    encryptedCookies,
    upstreams,
    costs: createVisitorCosts({ throttles: store.throttles, limits: limits.visitors, known, clock }),
  };
  const operations = operationDependencies({
    config,
    store,
    clients,
    provider: async () => provider,
    keys: async () => keys,
    auditKey: async () => auditKey,
  });

  const readiness = createReadiness({
    checks: [...storeChecks(store), keysCheck(keys), ...background.checks, ...upstreams.checks()],
    logger,
  });
  const listener = createListener({
    ...http,
    config,
    provider,
    providerPages,
    readiness,
    gate: createGate({ limits: limits.gate, known, refusals, clock }),
    known,
    logger,
    encryptedState,
    dispatcher: createDispatcher({
      provider,
      accountsAtClients: store.accountsAtClients,
      signIns: store.signIns,
      clients,
      clock,
    }),
    artifacts: store.artifacts,
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
    onBound: () => background.wake("outbox"),
    moreRoutes: (router) =>
      administrationRoutes(router, {
        config,
        operations,
        audit: store.audit,
        accountsAtClients: store.accountsAtClients,
        artifacts: store.artifacts,
        clients,
        http: { ...http, site: createSiteSource(config, clients, () => true) },
        authenticate: createAuthenticate({ administration: store.administration, provider, clients, clock }),
        signIns: createConsoleSignIns({ provider, artifacts: store.artifacts, clients, clock, config }),
        clock,
        logger,
        checksOutputs: deps.checksOutputs,
        onChange: () => {
          background.wake("outbox");
          background.wake("sign-outs");
          background.wake("verification");
        },
      }),
  });
  const server = createHttpServer(listener, logger, {
    refusals,
    isTrustedProxy: createNetworkTest(config.trusted_proxies),
  });

  return {
    listener,
    listen: async () => {
      const at = await server.listen(config.listen);
      await background.start();
      background.onChange(() => readiness.lookNow());
      await readiness.start();
      return at;
    },
    drain: async () => {
      readiness.drain();
      server.sendAway();
      await pause(config.listen.drain_seconds * 1000);
      await Promise.all([server.drain(drainMs), background.stop()]);
    },
    close: async () => {
      readiness.stop();
      await Promise.all([server.close(closeMs), background.stop()]);
      await background.close();
    },
  };
}

/**
 * In milliseconds; never longer than the pause between two inquiries, so that they are answered in their
 * order.
 */
function lookupDelayOf({
  lookup_delay_seconds: { min, max },
  resend_after_seconds: pause,
}: Config["linking"]) {
  const inTime = (seconds: number) => Math.round(Math.min(seconds, pause) * 1000);
  return { min: inTime(min), max: inTime(max) };
}

/** What a visitor may cost, in the words of the store. */
function limitsOf(config: Config["limits"]) {
  return {
    gate: {
      requests: limitOf(config.requests_per_client_address),
      failures: limitOf(config.failures_per_client_address),
    },
    visitors: {
      signIns: limitOf(config.sign_ins_per_client_address),
      signOuts: limitOf(config.sign_outs_per_client_address),
      knownBrowser: limitOf(config.sign_ins_per_known_browser),
      interaction: limitOf(config.sign_ins_per_interaction),
    },
    inquiries: {
      identity: limitOf(config.inquiries_per_identity),
      client: limitOf(config.inquiries_per_client_address),
    },
    support: {
      identity: limitOf(config.support_messages_per_identity),
      client: limitOf(config.support_messages_per_client_address),
    },
  };
}
