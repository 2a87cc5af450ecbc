/**
 * A neighbour of the broker's host who plants cookies: a page on another port of it, or on a sibling host of
 * its domain, that sets whatever it is told to for the broker and leads on. And the deployment that both
 * kinds need: a broker, its upstream, a portal that people can really be sent back to, and a Chromium that
 * knows the hosts.
 */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Browser, BrowserContext, Cookie } from "playwright-core";
import { createApp } from "../../src/app.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { launchBrowser } from "./browser.ts";
import { certificate, privateKey } from "./certificate.ts";
import { type Closer, closeAll } from "./closing.ts";
import { freePort } from "./free-port.ts";
import { portalSecret, startTestUpstream, TestClock, type TestPerson, testConfig } from "./liaison.ts";
import { type Mailbox, startMailbox } from "./mailbox.ts";

/** A domain of which the broker has one host and the planter another. */
const domain = "contoso.test";

/** `other port`: plain http on loopback. `sibling host`: TLS, two hosts of one domain. */
export type Neighbourhood = "other port" | "sibling host";

export interface PlantedDeployment {
  issuer: string;
  store: Store;
  clock: TestClock;
  mailbox: Mailbox;
  browser: Browser;
  portal: PortalServer;
  /** Somebody with an account at the upstream whom no test has met. */
  stranger(): TestPerson;
  /** A browser of somebody's own. */
  arrive(): Promise<BrowserContext>;
  /**
   * The address of the neighbour's page that sets these cookies of his own in a browser, and then leads on.
   */
  plant(cookies: readonly Cookie[], leadTo: string): string;
  close(): Promise<void>;
}

export interface PortalServer {
  callback: string;
  /** What portals were sent, newest last, whoever's browser it was. */
  answers: URLSearchParams[];
}

/** Starts all of it. `crowd`: how many strangers there are. */
export async function startPlantedDeployment(kind: Neighbourhood, crowd: number): Promise<PlantedDeployment> {
  const closers: Closer[] = [];
  try {
    return await start(kind, crowd, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function start(kind: Neighbourhood, size: number, closers: Closer[]): Promise<PlantedDeployment> {
  const dataDir = await mkdtemp(join(tmpdir(), "liaison-planter-"));
  closers.push(() => rm(dataDir, { recursive: true, force: true }));
  const mailbox = await startMailbox();
  closers.push(() => mailbox.close());
  const portal = await startPortal(closers);
  const [broker, front, upstream] = [await freePort(), await freePort(), await freePort()];
  const isTls = kind === "sibling host";
  const issuer = isTls ? `https://id.${domain}:${front}` : `http://localhost:${broker}`;
  const base = testConfig({ broker, upstream, smtp: mailbox.port }, join(dataDir, "liaison.db"));
  const config = configSchema.parse({
    ...base,
    issuer,
    trusted_proxies: ["127.0.0.1"],
    portals: [
      {
        id: "customersource",
        name: "CustomerSource",
        client_secret: portalSecret,
        home_url: new URL("/", portal.callback).href,
        redirect_uris: [portal.callback],
        access_policy: { kinds: ["customer"] },
      },
    ],
  });
  const strangers = crowdOf(size);
  const op = await startTestUpstream(upstream, issuer, strangers);
  closers.push(() => op.close());
  const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key });
  closers.push(() => store.close());
  const clock = new TestClock();
  const app = await createApp({ config, store, clock, logger: pino({ level: "silent" }) });
  closers.push(() => app.close());
  await app.listen();
  if (isTls) await startTlsFront(front, broker, closers);
  const neighbour = await startNeighbour(isTls, closers);
  const browser = await launchBrowser([`--host-resolver-rules=MAP *.${domain} 127.0.0.1`]);
  closers.push(() => browser.close());
  return {
    issuer,
    store,
    clock,
    mailbox,
    browser,
    portal,
    stranger: () => strangers.shift() ?? missing(),
    arrive: async () => await browser.newContext({ ignoreHTTPSErrors: true }),
    plant: (cookies, leadTo) => {
      const url = new URL("/plant", neighbour);
      for (const cookie of cookies) url.searchParams.append("cookie", cookieLine(cookie, isTls));
      url.searchParams.set("to", leadTo);
      return url.href;
    },
    close: () => closeAll(closers),
  };
}

/** As somebody sets it who knows its name, value and path: for the whole domain where that is all he can. */
function cookieLine({ name, value, path }: Cookie, isTls: boolean): string {
  return `${name}=${value}; Path=${path}${isTls ? `; Domain=${domain}; Secure` : ""}; HttpOnly; SameSite=Lax`;
}

function crowdOf(size: number): TestPerson[] {
  return Array.from({ length: size }, (_, index) => {
    const username = `stranger-${index}-${randomBytes(3).toString("hex")}`;
    return {
      username,
      password: `${username}-word`,
      name: `Stranger ${index}`,
      email: `${username}@consumer.example`,
    };
  });
}

async function startPortal(closers: Closer[]): Promise<PortalServer> {
  const answers: URLSearchParams[] = [];
  const port = await listening(
    createServer(({ url }, response) => {
      const { pathname, searchParams } = new URL(url ?? "/", "http://portal");
      if (pathname === "/callback") answers.push(searchParams);
      response.setHeader("content-type", "text/html").end("<h1>At the portal</h1>");
    }),
    closers,
  );
  return { callback: `http://localhost:${port}/callback`, answers };
}

/** Ends TLS before the broker, under whatever host. */
async function startTlsFront(port: number, broker: number, closers: Closer[]): Promise<void> {
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url, headers } = incoming;
    const passed = request({ host: "127.0.0.1", port: broker, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  };
  await listening(createTlsServer({ cert: certificate, key: privateKey }, forward), closers, port);
}

async function startNeighbour(isTls: boolean, closers: Closer[]): Promise<string> {
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { searchParams } = new URL(incoming.url ?? "/", "http://neighbour");
    outgoing.setHeader("set-cookie", searchParams.getAll("cookie"));
    outgoing.writeHead(303, { location: searchParams.get("to") ?? "/" }).end();
  };
  const server = isTls
    ? createTlsServer({ cert: certificate, key: privateKey }, answer)
    : createServer(answer);
  const port = await listening(server, closers);
  return isTls ? `https://evil.${domain}:${port}` : `http://localhost:${port}`;
}

async function listening(server: Server, closers: Closer[], port = 0): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function missing(): never {
  throw new Error("more strangers are needed");
}
