/**
 * What brokers in processes of their own stand in: a data folder with keys and a directory in it, an
 * upstream, a mail server. All of it lives in the test's process, so that it outlives any broker.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { createApp } from "../../src/app.ts";
import { systemClock } from "../../src/clock.ts";
import { configSchema } from "../../src/config/schema.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { freePort } from "../support/free-port.ts";
import { portalSecret, register, startTestUpstream, testConfig } from "../support/liaison.ts";
import { type Mailbox, type ReceivedMail, startMailbox } from "../support/mailbox.ts";
import { TestPortal } from "../support/portal.ts";
import type { BrokerOrders } from "../support/process-parts.ts";
import { UserAgent } from "../support/user-agent.ts";
import { BrokerProcess } from "./broker-process.ts";
import { type KillData, mongoData, sqliteData } from "./kill-data.ts";

/** The one address that both of Ann's profiles are registered under. */
export const address = "ann@northwind.example";
/** Her profile at a customer, which CustomerSource admits, and the one at a partner, which it doesn't. */
export const profiles = { customer: "p-customer", partner: "p-partner" };

export interface Deployment {
  issuer: string;
  /** The port of the issuer. */
  port: number;
  mailbox: Mailbox;
  upstreamOrigin: string;
  /** Configuration of a broker that listens on `listenOn` and keeps its data in `place`. */
  config(place: string, listenOn: number): Record<string, unknown>;
  data: KillData;
  openStore(place: string): Promise<Store>;
  /** A process that has loaded everything and waits for its orders; killed with the rest. */
  broker(): BrokerProcess;
  /** Works once a broker answers at the issuer. */
  portal(scope?: string): Promise<TestPortal>;
  /** A browser that stops at the portals' callbacks, and where `alsoStopAt` says. */
  browser(alsoStopAt?: (url: URL) => boolean): UserAgent;
  close(): Promise<void>;
}

export interface DeploymentOptions {
  /** Called when a whole mail has arrived and the broker hasn't been told so yet. */
  beforeAccepting?: (mail: ReceivedMail) => void;
  /** The replica set that keeps the data. Default: files. */
  mongodb?: string | undefined;
}

export async function startDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const root = await mkdtemp(join(tmpdir(), "liaison-crash-"));
  const mailbox = await startMailbox(options);
  const ports = { broker: await freePort(), upstream: await freePort(), smtp: mailbox.port };
  const base = testConfig(ports, join(root, "unused.db"));
  const { issuer, encryption_key: encryptionKey } = configSchema.parse(base);
  const data =
    options.mongodb === undefined ? sqliteData(root) : await mongoData(options.mongodb, encryptionKey);
  const upstream = await startTestUpstream(ports.upstream, issuer);
  const open = (place: string) => openStore({ ...data.storage(place), encryptionKey });
  await prepare(base, await open(data.prepared));

  const brokers: BrokerProcess[] = [];
  return {
    issuer,
    port: ports.broker,
    mailbox,
    upstreamOrigin: `http://localhost:${ports.upstream}`,
    data,
    openStore: open,
    config: (place, listenOn) => ({
      ...base,
      storage: data.storage(place),
      listen: { host: "127.0.0.1", port: listenOn },
    }),
    broker: () => {
      const broker = new BrokerProcess();
      brokers.push(broker);
      return broker;
    },
    portal: async (scope) => await connectPortal(base, scope),
    browser: (alsoStopAt = () => false) =>
      new UserAgent({ stopAt: (url) => url.port === "9" || alsoStopAt(url) }),
    close: async () => {
      await Promise.all(brokers.map((broker) => broker.kill()));
      await upstream.close();
      await mailbox.close();
      await data.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Everything that a first start makes, and the directory; then closes the store. */
async function prepare(base: Record<string, unknown>, store: Store): Promise<void> {
  const app = await createApp({
    config: configSchema.parse(base),
    store,
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  await app.close();
  const place = { store, clock: systemClock };
  await register(place, { id: asOrganizationId("northwind"), kind: "customer" }, [
    { id: profiles.customer, email: address },
  ]);
  await register(place, { id: asOrganizationId("litware"), kind: "partner" }, [
    { id: profiles.partner, email: address },
  ]);
  await store.close();
}

async function connectPortal(base: Record<string, unknown>, scope: string | undefined): Promise<TestPortal> {
  const { issuer, portals } = configSchema.parse(base);
  const [customerSource] = portals;
  const [redirectUri] = customerSource?.redirect_uris ?? [];
  if (customerSource === undefined || redirectUri === undefined) throw new Error("no portal is configured");
  return await TestPortal.connect({
    issuer,
    clientId: customerSource.id,
    clientSecret: portalSecret,
    redirectUri,
    ...(scope === undefined ? {} : { scope }),
  });
}

/** Orders for a broker of a deployment that listens where the issuer says. */
export function ordersAtIssuer(deployment: Deployment, place: string): BrokerOrders {
  return { config: deployment.config(place, deployment.port) };
}
