/**
 * The composition root: the one place where the parts meet. Each part is given the few things it needs by
 * name; none is given the application.
 */

import type { RequestListener } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Provider } from "oidc-provider";
import type { Logger } from "pino";
import { type AdministrationDeps, administrationRoutes } from "./admin/administration.ts";
import { auditKeyOf } from "./admin/audit-key.ts";
import { createClientUsage } from "./admin/client-usage.ts";
import { operationDependencies } from "./admin/dependencies.ts";
import { type Counters, createCounters } from "./admin/metrics.ts";
import { createRefusedNotes } from "./admin/refused-notes.ts";
import { createAuthenticate } from "./admin/rest/authenticate.ts";
import { ALL_SCOPES } from "./admin/scopes.ts";
import { linkingWithMetrics, outboxWithMetrics, upstreamsWithMetrics } from "./admin/service-metrics.ts";
import { type Background, createBackground } from "./background/background.ts";
import type { Clock, Milliseconds } from "./clock.ts";
import {
  gateLimits,
  inquiryLimits,
  lookupDelayMs,
  mailDomain,
  supportLimits,
  visitorLimits,
} from "./config/derived.ts";
import type { Config } from "./config/schema.ts";
import { asAccountId, asSecretHash } from "./domain/ids.ts";
import { createNetworkTest } from "./domain/networks.ts";
import { type BrowserBinding, createBrowserBinding } from "./http/browser-binding.ts";
import { type CookieContext, type Cookies, createCookies } from "./http/cookies.ts";
import { createGate } from "./http/costs/gate.ts";
import { createKnownBrowsers, type KnownBrowsers } from "./http/costs/known-browser.ts";
import { createVisitorCosts } from "./http/costs/visitor-costs.ts";
import { createCsrf } from "./http/csrf.ts";
import type { HttpDependencies } from "./http/dependencies.ts";
import { createEncryptedCookies, type EncryptedCookies } from "./http/encrypted-cookie.ts";
import { createEncryptedState, type EncryptedState } from "./http/encrypted-state.ts";
import { createHttpServer, type HttpServer } from "./http/http-server.ts";
import { createProviderPages } from "./http/provider-pages.ts";
import { createRefusals, type Refusals } from "./http/refusals.ts";
import { createListener } from "./http/server.ts";
import { createSignedOutBrowsers, type SignedOutBrowsers } from "./http/signed-out.ts";
import { createSiteSource } from "./http/site.ts";
import { createLinking, type Linking } from "./linking/linking.ts";
import { createSupport } from "./linking/support.ts";
import type { MailTransport } from "./mail/transport.ts";
import { type ClientDirectory, createClientDirectory, validatePortals } from "./oidc/clients.ts";
import { createConsoleSignIns } from "./oidc/console.ts";
import { createDispatcher } from "./oidc/dispatcher.ts";
import { onCodeIssued, onSessionEnded, reportProviderErrors, watchClientUses } from "./oidc/events.ts";
import { keysCheck, loadKeys, type ServiceKeys } from "./oidc/keys.ts";
import { createProvider, interactionLifetimeSeconds } from "./oidc/provider.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import type { Store } from "./storage/contract.ts";
import { storeChecks } from "./storage/readiness-checks.ts";
import { pages } from "./ui/pages.ts";
import { loadClientKeys } from "./upstream/client-keys.ts";
import { createUpstreams, type Upstreams } from "./upstream/upstreams.ts";

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

/** Makes the service: nothing is served and no worker runs until it listens. The store stays its owner's. */
export async function createApp(deps: AppDeps): Promise<App> {
  const foundations = await createFoundations(deps);
  const { config, store, clock, logger, keys, background } = foundations;
  const ownProvider = await createOwnProvider(foundations);
  const visitors = await createVisitors(foundations);
  const counters = createCounters({ now: () => clock.now(), onCount: background.count });
  watchSignIns(foundations, { ...ownProvider, known: visitors.known, counters });
  const outbox = outboxWithMetrics(store.outbox, counters);
  const upstreams = upstreamsWithMetrics(await createOwnUpstreams(foundations), counters);
  const linking = linkingWithMetrics(createOwnLinking(foundations), counters);
  const auditKey = await auditKeyOf(store.keys);

  const http = httpDependencies(foundations, { ...visitors, upstreams, signedOut: ownProvider.signedOut });
  const { provider } = ownProvider;
  const administration = administrationDependencies(foundations, { http, provider, auditKey });
  const readiness = createReadiness({
    checks: [...storeChecks(store), keysCheck(keys), ...background.checks, ...upstreams.checks()],
    logger,
  });
  const listener = createListener({
    ...listenerDependencies(foundations, { http, provider, known: visitors.known }),
    providerPages: ownProvider.providerPages,
    readiness,
    gate: createGate({
      limits: gateLimits(config),
      known: visitors.known,
      refusals: visitors.refusals,
      clock,
    }),
    encryptedState: visitors.encryptedState,
    linking,
    outbox,
    moreRoutes: (router) => administrationRoutes(router, administration),
  });
  const server = createHttpServer(listener, logger, {
    refusals: visitors.refusals,
    isTrustedProxy: createNetworkTest(config.trusted_proxies),
  });
  return { listener, ...lifeOf({ server, readiness, background, config }) };
}

/** What most parts are made of. */
interface Foundations extends AppDeps {
  issuer: URL;
  cookies: Cookies;
  binding: BrowserBinding;
  keys: ServiceKeys;
  clients: ClientDirectory;
  site: HttpDependencies["site"];
  background: Background;
}

async function createFoundations(deps: AppDeps): Promise<Foundations> {
  const { config, store, clock } = deps;
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
  const background = deps.background ?? (await createBackground(deps));
  return { ...deps, issuer, cookies, binding, keys, clients, site, background };
}

interface OwnProvider {
  provider: Provider;
  providerPages: ReturnType<typeof createProviderPages>;
  signedOut: SignedOutBrowsers;
}

/** Our provider, its pages, and who hears of its errors and of sessions that end. */
async function createOwnProvider(foundations: Foundations): Promise<OwnProvider> {
  const { config, store, clock, logger, cookies, binding, keys, clients, site, background } = foundations;
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
  return { provider, providerPages, signedOut };
}

interface Visitors {
  encryptedState: EncryptedState;
  encryptedCookies: EncryptedCookies;
  known: KnownBrowsers;
  refusals: Refusals;
}

/** By what browsers are known, and what they are told before anything else is done for them. */
async function createVisitors({ keys, cookies, clock, issuer, site }: Foundations): Promise<Visitors> {
  const encryptedState = createEncryptedState({ key: keys.pages, clock });
  const encryptedCookies = createEncryptedCookies({ state: encryptedState, cookies });
  const known = createKnownBrowsers({ key: keys.pages, cookies, encryptedCookies, clock });
  const refusals = createRefusals({ pages, site: { ...(await site()), portals: [] }, issuer });
  return { encryptedState, encryptedCookies, known, refusals };
}

/** Has what browsers carry follow their sign-ins at our provider, and notes which clients are in use. */
function watchSignIns(
  { store, clock, logger, binding }: Foundations,
  {
    provider,
    signedOut,
    known,
    counters,
  }: Pick<OwnProvider, "provider" | "signedOut"> & { known: KnownBrowsers; counters: Counters },
): void {
  onCodeIssued(provider, (ctx, proofHash) => {
    counters.count("sign_ins");
    signedOut.clear(ctx as unknown as CookieContext);
    const { accountId } = ctx.oidc.session ?? {};
    if (accountId !== undefined) known.completed(ctx, asAccountId(accountId));
    if (proofHash !== undefined) binding.takeBack(ctx as unknown as CookieContext, asSecretHash(proofHash));
  });
  const clientUsage = createClientUsage({ clients: store.clients, clock, logger });
  watchClientUses(provider, { now: () => clock.now(), onUse: clientUsage.note });
}

async function createOwnUpstreams({ config, store, clock, logger }: Foundations): Promise<Upstreams> {
  return createUpstreams({
    upstreams: config.upstreams,
    issuer: config.issuer,
    signIns: store.signIns,
    accounts: store.accounts,
    clock,
    logger,
    clientKeys: await loadClientKeys(store.keys, config.upstreams),
  });
}

function createOwnLinking({ config, store, clock }: Foundations): Linking {
  return createLinking({
    links: store.links,
    audit: store.audit,
    clock,
    settings: {
      mailDomain: mailDomain(config),
      inquiryLimits: inquiryLimits(config),
      lookupDelayMs: lookupDelayMs(config),
      pauseSeconds: config.linking.resend_after_seconds,
    },
  });
}

function httpDependencies(
  { config, store, clock, issuer, cookies, binding, keys, site }: Foundations,
  {
    encryptedCookies,
    known,
    signedOut,
    upstreams,
  }: Pick<Visitors, "encryptedCookies" | "known"> & Pick<HttpDependencies, "signedOut" | "upstreams">,
): HttpDependencies {
  return {
    config,
    pages,
    site,
    cookies,
    binding,
    signedOut,
    csrf: createCsrf({ key: keys.pages, issuer, cookies }),
    encryptedCookies,
    upstreams,
    costs: createVisitorCosts({ throttles: store.throttles, limits: visitorLimits(config), known, clock }),
  };
}

function administrationDependencies(
  { config, store, clock, logger, keys, clients, background, checksOutputs }: Foundations,
  { http, provider, auditKey }: { http: HttpDependencies; provider: Provider; auditKey: Buffer },
): AdministrationDeps {
  return {
    config,
    operations: operationDependencies({
      config,
      store,
      clients,
      provider: async () => provider,
      keys: async () => keys,
      auditKey: async () => auditKey,
    }),
    audit: store.audit,
    accountsAtClients: store.accountsAtClients,
    artifacts: store.artifacts,
    clients,
    http: { ...http, site: createSiteSource(config, clients, () => true) },
    authenticate: createAuthenticate({ administration: store.administration, provider, clients, clock }),
    signIns: createConsoleSignIns({ provider, artifacts: store.artifacts, clients, clock, config }),
    clock,
    logger,
    checksOutputs,
    onChange: () => {
      background.wake("outbox");
      background.wake("sign-outs");
      background.wake("verification");
    },
  };
}

/** What the routes are given of the foundations, and what is made of these for them alone. */
function listenerDependencies(
  { config, store, clock, logger, clients, background }: Foundations,
  { http, provider, known }: { http: HttpDependencies; provider: Provider; known: KnownBrowsers },
) {
  const { artifacts, signIns, accountsAtClients, outbox } = store;
  return {
    ...http,
    config,
    provider,
    known,
    logger,
    dispatcher: createDispatcher({ provider, accountsAtClients, signIns, clients, clock }),
    artifacts,
    support: createSupport({
      outbox,
      clock,
      settings: {
        mailDomain: mailDomain(config),
        supportAddress: config.deployment.support_email,
        limits: supportLimits(config),
      },
    }),
    clients,
    signIns,
    clock,
    onBound: () => background.wake("outbox"),
  };
}

interface Living {
  server: HttpServer;
  readiness: Readiness;
  background: Background;
  config: Pick<Config, "listen">;
}

/** In which order what lives begins and ends. */
function lifeOf({ server, readiness, background, config }: Living): Omit<App, "listener"> {
  return {
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
