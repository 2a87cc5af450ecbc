/**
 * `liaison demo`: starts the broker with all that a newcomer needs around it, says what to open and type, and
 * stops it all when told to. The broker is the real one on its embedded store; only its surroundings are the
 * demo's.
 */

import { once } from "node:events";
import { join, relative } from "node:path";
import { destination } from "pino";
import { createApp } from "../app.ts";
import { systemClock } from "../clock.ts";
import { createLogger } from "../logger.ts";
import { migrateStore, openStore } from "../storage/open.ts";
import { demoSecrets, explainedFolder, prepareFolder, writeFileWhole } from "./folder.ts";
import { startInbox } from "./inbox.ts";
import { type DemoPerson, type DemoPortal, demoPeople, seeds } from "./people.ts";
import { startPortal } from "./portal.ts";
import { seedDirectory } from "./seed.ts";
import { portTaken, takenPorts } from "./servers.ts";
import {
  brokerClient,
  type DemoPorts,
  demoConfig,
  demoConfigText,
  demoPortals,
  demoPorts,
  localUrl,
} from "./settings.ts";
import { startDemoUpstream } from "./upstream.ts";

export interface DemoOptions {
  /** The broker's port; the others follow it. */
  portBase: number;
  /** Where the data live: in a folder of its own for each port base, because issuers are part of the data. */
  dataDir: string;
  /** Deletes the demo's data first. */
  fresh: boolean;
  /** Prints one JSON line instead of text. */
  json: boolean;
  stdout: { write(text: string): unknown };
  /** Stops the demo. */
  signal: AbortSignal;
}

/** What `--json` prints. */
export interface DemoAddresses {
  issuer: string;
  upstream: string;
  portals: Record<DemoPortal, string>;
  /** Where administrators start. */
  administration: string;
  inbox: string;
  smtp: string;
  /** The broker's configuration, for `--config` of commands. */
  config: string;
  people: DemoPerson[];
}

/**
 * Runs the demo until `signal` is aborted; everything is stopped when it resolves. Throws `port_taken` before
 * anything is started or deleted, and `usage` for a folder that isn't the demo's.
 */
export async function runDemo({
  portBase,
  dataDir,
  fresh,
  json,
  stdout,
  signal,
}: DemoOptions): Promise<void> {
  const ports = demoPorts(portBase);
  const folder = join(dataDir, String(portBase));
  const taken = await takenPorts(Object.values(ports));
  if (taken.length > 0) throw portTaken(taken, portBase);

  const stops: (() => Promise<unknown>)[] = [];
  try {
    try {
      await prepareFolder(folder, fresh);
      await startAll(ports, folder, stops);
    } catch (error) {
      throw explainedFolder(error, folder);
    }
    const addresses = demoAddresses(ports, folder);
    stdout.write(json ? `${JSON.stringify(addresses)}\n` : instructions(addresses, folder));
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await stopAll(stops);
  }
}

/** Starts every part, noting after each how it is stopped. */
async function startAll(ports: DemoPorts, folder: string, stops: (() => Promise<unknown>)[]): Promise<void> {
  const secrets = await demoSecrets(folder);
  const config = demoConfig(ports, folder, secrets);
  await writeFileWhole(configFile(folder), demoConfigText(ports, folder, secrets));
  const portals = demoPortals(ports, secrets);
  const addresses = demoAddresses(ports, folder);

  const place = { ...config.storage, encryptionKey: config.encryption_key };
  // A folder that an older version left behind goes on.
  await migrateStore(place);
  const store = await openStore(place);
  stops.push(() => store.close());
  await seedDirectory(store, systemClock, addresses.upstream);

  const inbox = await startInbox({
    port: ports.inbox,
    smtpPort: ports.smtp,
    file: join(folder, "inbox.json"),
    people: demoPeople,
    places: startingPlaces(addresses),
  });
  stops.push(inbox.close);
  const upstream = await startDemoUpstream({
    port: ports.upstream,
    accounts: seeds.map(({ username, password, name, upstreamEmail }) => ({
      username,
      password,
      name,
      email: upstreamEmail,
    })),
    clients: [brokerClient(ports, secrets)],
    accountsFile: join(folder, "fabrikam-accounts.json"),
  });
  stops.push(upstream.close);

  const log = destination({ dest: join(folder, "liaison.log"), mode: 0o600, sync: true });
  stops.push(async () => log.end());
  const logger = createLogger({ level: config.log.level, destination: log });
  const app = await createApp({ config, store, clock: systemClock, logger });
  stops.push(() => app.close());
  await app.listen();
  for (const portal of portals) stops.push((await startPortal(portal)).close);
}

/** Stops in the opposite order; one part's failure doesn't keep the others running. */
async function stopAll(stops: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops.reverse()) await stop().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, "A part of the demo didn't stop cleanly.");
}

const configFile = (folder: string) => join(folder, "liaison.yaml");

function demoAddresses(ports: DemoPorts, folder: string): DemoAddresses {
  return {
    issuer: localUrl(ports.broker),
    upstream: localUrl(ports.upstream),
    portals: { customersource: localUrl(ports.customersource), partnersource: localUrl(ports.partnersource) },
    administration: `${localUrl(ports.broker)}/admin`,
    inbox: localUrl(ports.inbox),
    smtp: `smtp://localhost:${ports.smtp}`,
    config: configFile(folder),
    people: demoPeople,
  };
}

function startingPlaces({ portals, administration }: DemoAddresses): Record<DemoPerson["portal"], string> {
  return { ...portals, administration };
}

function instructions(addresses: DemoAddresses, folder: string): string {
  const { administration, inbox, people, config } = addresses;
  const [first] = people;
  const administrator = people.find(({ expect }) => expect === "administrator");
  if (first === undefined || administrator === undefined) return "";
  const place = startingPlaces(addresses)[first.portal];
  return `
The demo is running.

  1. Open ${place} and choose Sign in; at Fabrikam ID type  ${first.username}  and  ${first.password}
  2. Asked for the address that your organization registered, type  ${first.registered_email}
  3. Read the mail at ${inbox} and open the link in it.
  4. Be somebody else: ${inbox}/people
  5. Administer it: ${administration}, as  ${administrator.username}  and  ${administrator.password},
     registered as  ${administrator.registered_email}
  6. Or by commands, in another terminal: npm exec liaison orgs list -- --config ${shellWord(config)}
  7. Press Ctrl-C to stop. Data: ${folder} (--fresh starts over)

`;
}

/** A path as it can be typed at a shell, from where the demo was started. */
function shellWord(path: string): string {
  const near = relative(process.cwd(), path);
  const shown = near.startsWith("..") ? path : near;
  return /^[\w./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
