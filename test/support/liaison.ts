/**
 * The real application for tests: a real store file, a real upstream, a real SMTP server, on free ports of
 * loopback.
 */

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { type App, createApp } from "../../src/app.ts";
import { type Background, createBackground, type WorkerName } from "../../src/background/background.ts";
import { createBackgroundThread } from "../../src/background/thread.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { startDemoUpstream } from "../../src/demo/upstream.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { asProfileId } from "../../src/domain/ids.ts";
import type { Organization } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore, type StoreOptions } from "../../src/storage/open.ts";
import { startAlternatingProxy } from "./alternating-proxy.ts";
import { type Closer, closeAll } from "./closing.ts";
import { freePort } from "./free-port.ts";
import { linkIn, type Mailbox, startMailbox } from "./mailbox.ts";
import { type StartedSignIn, TestPortal } from "./portal.ts";
import { SHARED_SET, testDatabase } from "./test-database.ts";
import { type Page, UserAgent } from "./user-agent.ts";

/** The present, moved by tests. */
export class TestClock implements Clock {
  #offset = 0;
  now(): number {
    return Date.now() + this.#offset;
  }
  advance(seconds: number): void {
    this.#offset += seconds * 1000;
  }
}

export interface TestPerson {
  username: string;
  password: string;
  name: string;
  email: string;
}

export const people = {
  ann: { username: "ann", password: "ann-password-1", name: "Ann Archer", email: "ann@consumer.example" },
  ben: { username: "ben", password: "ben-password-1", name: "Ben Baker", email: "ben@consumer.example" },
  eve: { username: "eve", password: "eve-password-1", name: "Eve Evans", email: "eve@consumer.example" },
} satisfies Record<string, TestPerson>;

export const portalSecret = "a-portal-secret-of-at-least-32-characters";

export interface LiaisonOptions {
  clock?: TestClock;
  /** Wraps the store that the application is given; the test's own `store` stays bare. */
  decorate?: (store: Store) => Store;
  logger?: Logger;
  config?: (base: Record<string, unknown>) => Record<string, unknown>;
  dataDir?: string;
  upstream?: boolean;
  /** On the embedded back end, whatever the suite runs on. */
  embedded?: boolean;
  /**
   * With the background in a thread, as `serve` has it: on the machine's clock, undecorated. On the embedded
   * back end alone.
   */
  isThreaded?: boolean;
  /** On a replica set of the test's own. */
  replicaSet?: { url: string };
  /** Accounts that the upstream has besides `people`. */
  crowd?: TestPerson[];
}

export interface Liaison {
  issuer: string;
  config: Config;
  store: Store;
  clock: TestClock;
  mailbox: Mailbox;
  app: App;
  /** Has a worker run now, as those do that wait longer than a test wants to. */
  wake(worker: WorkerName): void;
  dataDir: string;
  upstreamIssuer: string;
  storeOptions: StoreOptions;
  customerSource: TestPortal;
  partnerSource: TestPortal;
  /** A browser that stops at the portals' callbacks. */
  browser(): UserAgent;
  close(): Promise<void>;
}

const customerCallback = "http://localhost:9/customersource/callback";
const partnerCallback = "http://localhost:9/partnersource/callback";

/** The configuration of a test deployment, with two portals and one upstream. */
export function testConfig(
  ports: { broker: number; upstream: number; smtp: number },
  file: string,
): Record<string, unknown> {
  const portal = (id: string, name: string, callback: string, policy: object) => ({
    id,
    name,
    client_secret: portalSecret,
    home_url: new URL("/", callback).href,
    redirect_uris: [callback],
    post_logout_redirect_uris: [callback.replace("callback", "signed-out")],
    access_policy: policy,
  });
  return {
    issuer: `http://localhost:${ports.broker}`,
    listen: { host: "127.0.0.1", port: ports.broker },
    encryption_key: randomBytes(32).toString("base64"),
    storage: { sqlite: { file } },
    deployment: {
      name: "Contoso sign-in",
      support_email: "help@contoso.example",
      time_zone: "Europe/Copenhagen",
    },
    mail: {
      from_name: "Contoso sign-in",
      from_address: "no-reply@contoso.example",
      smtp: { host: "127.0.0.1", port: ports.smtp, security: "none", timeout_seconds: 5 },
    },
    linking: { resend_after_seconds: 0, lookup_delay_seconds: { min: 0, max: 0 } },
    // None that a test reaches which isn't about them: all of it comes from one address.
    limits: Object.fromEntries(
      Object.keys(configSchema.shape.limits.parse({})).map((name) => [
        name,
        { limit: 1_000_000, window_seconds: 1 },
      ]),
    ),
    upstreams: [
      {
        id: "fabrikam",
        name: "Fabrikam ID",
        issuer: `http://localhost:${ports.upstream}`,
        client_id: "liaison",
        client_secret: "an-upstream-secret-of-32-characters",
        forgot_password_url: `http://localhost:${ports.upstream}/forgot-password`,
        create_account_url: `http://localhost:${ports.upstream}/create-account`,
      },
    ],
    portals: [
      portal("customersource", "CustomerSource", customerCallback, {
        kinds: ["customer"],
        plan_required: true,
      }),
      portal("partnersource", "PartnerSource", partnerCallback, { kinds: ["partner"] }),
    ],
  };
}

/**
 * The upstream of `testConfig`, with `people` and whoever else there is. It lives by `clock`, as the
 * application does.
 */
export async function startTestUpstream(
  port: number,
  issuer: string,
  crowd: TestPerson[] = [],
  clock: Clock = systemClock,
): ReturnType<typeof startDemoUpstream> {
  return await startDemoUpstream({
    port,
    clock,
    accounts: [...Object.values(people), ...crowd],
    clients: [
      {
        id: "liaison",
        secret: "an-upstream-secret-of-32-characters",
        name: "Contoso sign-in",
        redirectUris: [`${issuer}/upstream/fabrikam/callback`],
      },
    ],
  });
}

/** Starts everything; `close` stops it and removes its data. What fails to start leaves nothing running. */
export async function startLiaison(options: LiaisonOptions = {}): Promise<Liaison> {
  const closers: Closer[] = [];
  const close = () => closeAll(closers);
  try {
    return await start(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: LiaisonOptions,
  closers: Closer[],
  close: () => Promise<void>,
): Promise<Liaison> {
  const clock = options.clock ?? new TestClock();
  let running: Pick<Liaison, "app" | "wake"> | undefined;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "liaison-test-")));
  if (options.dataDir === undefined) closers.push(() => rm(dataDir, { recursive: true, force: true }));
  // Whoever waits for a mail doesn't wait for the worker's next turn.
  const mailbox = await startMailbox({ onAwaited: () => running?.wake("inquiries") });
  closers.push(() => mailbox.close());
  const ports = { broker: await freePort(), upstream: await freePort(), smtp: mailbox.port };
  const base = testConfig(ports, join(dataDir, "liaison.db"));
  const config = configSchema.parse(await placed(options.config?.(base) ?? base, options, closers));
  if (options.upstream !== false) {
    const upstream = await startTestUpstream(ports.upstream, config.issuer, options.crowd, clock);
    closers.push(() => upstream.close());
  }
  const storeOptions = { ...config.storage, encryptionKey: config.encryption_key };
  const store = await openStore(storeOptions);
  closers.push(() => store.close());
  running = await startApps({ config, store, storeOptions, clock, options }, closers);
  const connect = (clientId: string, redirectUri: string) =>
    TestPortal.connect({ issuer: config.issuer, clientId, clientSecret: portalSecret, redirectUri });
  return {
    issuer: config.issuer,
    config,
    store,
    clock,
    mailbox,
    ...running,
    dataDir,
    upstreamIssuer: `http://localhost:${ports.upstream}`,
    storeOptions,
    customerSource: await connect("customersource", customerCallback),
    partnerSource: await connect("partnersource", partnerCallback),
    browser: () => new UserAgent({ stopAt: (url) => url.port === "9" }),
    close,
  };
}

/**
 * On MongoDB, where `npm run test:mongo` runs the tests: a database of the test's own in place of the file.
 */
async function placed(
  config: Record<string, unknown>,
  { embedded = false, replicaSet }: LiaisonOptions,
  closers: Closer[],
): Promise<Record<string, unknown>> {
  const url = replicaSet?.url ?? process.env[SHARED_SET];
  if (embedded || url === undefined) return config;
  const { drop, ...mongodb } = await testDatabase({ url, encryptionKey: String(config["encryption_key"]) });
  if (replicaSet === undefined) closers.push(drop);
  return { ...config, storage: { mongodb } };
}

interface AppParts {
  config: Config;
  store: Store;
  storeOptions: StoreOptions;
  clock: TestClock;
  options: LiaisonOptions;
}

/**
 * One application; on MongoDB two that are given requests by turns, each with connections of its own, and
 * others for its background. Returns the first, and what wakes the workers of all.
 */
export async function startApps(parts: AppParts, closers: Closer[]): Promise<Pick<Liaison, "app" | "wake">> {
  const { config, store, storeOptions, clock, options } = parts;
  const logger = options.logger ?? pino({ level: "silent" });
  const decorated = (opened: Store) => options.decorate?.(opened) ?? opened;
  const backgrounds: Background[] = [];
  const wake = (worker: WorkerName) => {
    for (const background of backgrounds) background.wake(worker);
  };
  const start = async (listen: Config["listen"], opened: Store, behind?: Store) => {
    const parts = { config: { ...config, listen }, clock, logger };
    const own = decorated(opened);
    const background = options.isThreaded
      ? createBackgroundThread({ data: { config }, logger })
      : await createBackground({ ...parts, store: behind === undefined ? own : decorated(behind) });
    backgrounds.push(background);
    const app = await createApp({ ...parts, store: own, background, checksOutputs: true });
    closers.push(() => app.close());
    return { app, port: (await app.listen()).port };
  };
  if (config.storage.mongodb === undefined) return { app: (await start(config.listen, store)).app, wake };
  const opened = async (appName: string) => {
    const one = await openStore({ ...storeOptions, appName });
    closers.push(() => one.close());
    return one;
  };
  const behind = () => opened("liaison background");
  const anywhere = { ...config.listen, port: 0 };
  const apps = [
    await start(anywhere, store, await behind()),
    await start(anywhere, await opened("liaison"), await behind()),
  ] as const;
  const proxy = await startAlternatingProxy(
    config.listen.port,
    apps.map(({ port }) => port),
  );
  closers.push(() => proxy.close());
  return { app: apps[0].app, wake };
}

/** Registers an organization with profiles, all at the address given. */
export async function register(
  liaison: Pick<Liaison, "store"> & { clock: Clock },
  organization: Partial<Organization> & { id: string },
  profiles: { id: string; email: string; name?: string; roles?: string[]; enabled?: boolean }[],
): Promise<void> {
  const { store, clock } = liaison;
  await store.directory.putOrganization(
    {
      name: `Organization ${organization.id}`,
      accountNumber: `AC-${organization.id}`,
      kind: "customer",
      plan: { status: "active", expiresAt: null },
      enabled: true,
      ...organization,
    },
    "test",
    clock.now(),
  );
  for (const { id, email, name = `Profile ${id}`, roles = ["user"], enabled = true } of profiles) {
    const address = parseAddress(email);
    if (address === undefined) throw new Error(`no address: ${email}`);
    await store.directory.putProfile(
      {
        id: asProfileId(id),
        organizationId: organization.id,
        email,
        emailKey: address.key,
        name,
        roles,
        enabled,
      },
      "test",
      clock.now(),
    );
  }
}

/** Fills in the upstream's form. */
export async function signInUpstream(browser: UserAgent, page: Page, person: TestPerson): Promise<Page> {
  return await browser.press(page, "Sign in", { username: person.username, password: person.password });
}

/** From a portal's sign-in to wherever the broker leads after the upstream. */
export async function signIn(browser: UserAgent, started: StartedSignIn, person: TestPerson): Promise<Page> {
  let page = await browser.visit(started.url);
  if (page.heading.startsWith("Sign in") && page.body.includes('name="upstream"')) {
    page = await browser.press(page, /Fabrikam ID/);
  }
  return page.body.includes('name="password"') ? await signInUpstream(browser, page, person) : page;
}

/** Opens a mailed link and signs in to carry it out. Returns the page that says what came of it. */
export async function openLink(
  browser: UserAgent,
  link: string,
  person: TestPerson,
  button: "Continue to sign in" | "Don’t link" = "Continue to sign in",
): Promise<Page> {
  const landing = await browser.visit(link);
  const login = await browser.press(landing, button === "Don’t link" ? /^Don.t link$/ : button);
  return await signInUpstream(browser, login, person);
}

/**
 * The whole journey of one person: asks for a link to `email`, redeems it, and returns the waiting page's
 * continuation.
 */
export async function linkByMail(
  liaison: Liaison,
  browser: UserAgent,
  started: StartedSignIn,
  person: TestPerson,
  email: string,
): Promise<Page> {
  const before = liaison.mailbox.mails.length;
  const linkStep = await signIn(browser, started, person);
  const waiting = await browser.press(linkStep, /^(Continue|Send)/, { email });
  const mails = await liaison.mailbox.arrived(before + 1);
  const mail = mails[before];
  if (mail === undefined) throw new Error("no mail");
  await openLink(browser, linkIn(mail), person);
  return await browser.follow(waiting, /I’ve opened the link|I've opened the link/);
}
