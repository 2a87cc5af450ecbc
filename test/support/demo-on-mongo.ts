/**
 * The demo's people, portals, upstream and inbox around two brokers on MongoDB, which are given requests by
 * turns.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoSecrets, prepareFolder } from "../../src/demo/folder.ts";
import { startInbox } from "../../src/demo/inbox.ts";
import { demoPeople, seeds } from "../../src/demo/people.ts";
import { startPortal } from "../../src/demo/portal.ts";
import type { DemoAddresses } from "../../src/demo/run.ts";
import { seedDirectory } from "../../src/demo/seed.ts";
import { takenPorts } from "../../src/demo/servers.ts";
import { brokerClient, demoConfig, demoPortals, demoPorts, localUrl } from "../../src/demo/settings.ts";
import { startDemoUpstream } from "../../src/demo/upstream.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { type Closer, closeAll } from "./closing.ts";
import { startApps, TestClock } from "./liaison.ts";
import { testDatabase } from "./test-database.ts";

export interface DemoOnMongo {
  addresses: DemoAddresses;
  store: Store;
  close(): Promise<void>;
}

export async function startDemoOnMongo(): Promise<DemoOnMongo> {
  const closers: Closer[] = [];
  const close = async () => {
    await closeAll(closers);
  };
  try {
    return { ...(await start(closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(closers: Closer[]): Promise<Omit<DemoOnMongo, "close">> {
  const root = await mkdtemp(join(tmpdir(), "liaison-demo-"));
  closers.push(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, "demo");
  await prepareFolder(folder, false);
  const ports = await freePorts();
  const secrets = await demoSecrets(folder);
  const { drop, ...mongodb } = await testDatabase({ encryptionKey: secrets.encryption_key });
  closers.push(drop);
  const config = { ...demoConfig(ports, folder, secrets), storage: { mongodb } };
  const storeOptions = { mongodb, encryptionKey: secrets.encryption_key };
  const store = await openStore(storeOptions);
  closers.push(() => store.close());
  const clock = new TestClock();
  const upstreamUrl = localUrl(ports.upstream);
  await seedDirectory(store, clock, upstreamUrl);
  const addresses: DemoAddresses = {
    issuer: config.issuer,
    upstream: upstreamUrl,
    portals: { customersource: localUrl(ports.customersource), partnersource: localUrl(ports.partnersource) },
    administration: `${config.issuer}/admin`,
    config: join(folder, "liaison.yaml"),
    inbox: localUrl(ports.inbox),
    smtp: `smtp://localhost:${ports.smtp}`,
    people: demoPeople,
  };
  const inbox = await startInbox({
    port: ports.inbox,
    smtpPort: ports.smtp,
    file: join(folder, "inbox.json"),
    people: demoPeople,
    places: { ...addresses.portals, administration: addresses.administration },
  });
  closers.push(inbox.close);
  const upstream = await startDemoUpstream({
    port: ports.upstream,
    clock,
    accounts: seeds.map(({ upstreamEmail: email, ...person }) => ({ ...person, email })),
    clients: [brokerClient(ports, secrets)],
    accountsFile: join(folder, "fabrikam-accounts.json"),
  });
  closers.push(upstream.close);
  await startApps({ config, store, storeOptions, clock, options: {} }, closers);
  for (const portal of demoPortals(ports, secrets)) closers.push((await startPortal(portal)).close);
  return { addresses, store };
}

/** A free range of ports, outside those that the system gives out by itself. */
async function freePorts(): Promise<ReturnType<typeof demoPorts>> {
  for (;;) {
    const ports = demoPorts(10_000 + 30 * Math.floor(Math.random() * 700));
    if ((await takenPorts(Object.values(ports))).length === 0) return ports;
  }
}
