/**
 * The real demo, on free ports, with data of its own: what `npm run demo -- --json` runs, in this process.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoSecrets } from "../../src/demo/folder.ts";
import type { DemoPortal, Expectation } from "../../src/demo/people.ts";
import { type DemoAddresses, runDemo } from "../../src/demo/run.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { startDemoOnMongo } from "./demo-on-mongo.ts";
import type { JourneyDeployment, JourneyMail, Visiting } from "./journey-deployment.ts";
import { SHARED_SET } from "./test-database.ts";

export interface DemoDeployment
  extends JourneyDeployment,
    Pick<DemoAddresses, "portals" | "administration" | "inbox" | "people"> {
  person(expect: Expectation): Visiting & { portal: DemoPortal };
}

const attempts = 20;

/**
 * Starts the demo, or what there is of it on MongoDB. Its store is opened a second time, as another process
 * would, for a test to add people.
 */
export async function startDemoDeployment(): Promise<DemoDeployment> {
  if (process.env[SHARED_SET] !== undefined) {
    const { addresses, store, close } = await startDemoOnMongo();
    return { ...deploymentOf(addresses, store), close };
  }
  const dataDir = await mkdtemp(join(tmpdir(), "liaison-journey-"));
  const stopper = new AbortController();
  const { addresses, running } = await start(dataDir, stopper.signal);
  const folder = join(dataDir, new URL(addresses.issuer).port);
  const { encryption_key: encryptionKey } = await demoSecrets(folder);
  const store = await openStore({ sqlite: { file: join(folder, "liaison.db") }, encryptionKey });
  return {
    ...deploymentOf(addresses, store),
    close: async () => {
      await store.close();
      stopper.abort();
      await running;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function deploymentOf(addresses: DemoAddresses, store: Store): Omit<DemoDeployment, "close"> {
  return {
    ...addresses,
    store,
    mailsTo: async (address) => {
      const mails = (await (await fetch(`${addresses.inbox}/api/messages`)).json()) as JourneyMail[];
      return mails.filter(({ to }) => to === address).reverse();
    },
    person: (expect) => {
      const found = addresses.people.find((person) => person.expect === expect);
      const portal = found?.portal;
      if (found === undefined || portal === undefined) throw new Error(`nobody is there for ${expect}`);
      if (portal === "administration") throw new Error(`${found.name} starts at no portal`);
      return { ...found, portal, registered: found.registered_email };
    },
  };
}

/** Looks for a free range of ports, outside those that the system gives out by itself. */
async function start(
  dataDir: string,
  signal: AbortSignal,
): Promise<{ addresses: DemoAddresses; running: Promise<void> }> {
  for (let attempt = 1; ; attempt += 1) {
    const portBase = 10_000 + 30 * Math.floor(Math.random() * 700);
    const ready = Promise.withResolvers<string>();
    const stdout = { write: ready.resolve };
    const running = runDemo({ portBase, dataDir, fresh: true, json: true, stdout, signal });
    try {
      const line = await Promise.race([ready.promise, running.then(() => "")]);
      return { addresses: JSON.parse(line) as DemoAddresses, running };
    } catch (error) {
      if ((error as { code?: unknown }).code !== "port_taken" || attempt === attempts) throw error;
    }
  }
}
