/**
 * `liaison serve` as a process of its own on a SQLite file, with an upstream and a portal: what is measured
 * as it is shipped.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { operations } from "../src/admin/definitions/operations.ts";
import { createOfflineAdministration } from "../src/admin/offline-administration.ts";
import { systemClock } from "../src/clock.ts";
import { configSchema } from "../src/config/schema.ts";
import { seededSubject } from "../src/demo/upstream-accounts.ts";
import { asOrganizationId } from "../src/domain/ids.ts";
import { openStore } from "../src/storage/open.ts";
import { bindTo } from "../test/support/attack-fixture.ts";
import { freePort } from "../test/support/free-port.ts";
import { people, portalSecret, register, testConfig } from "../test/support/liaison.ts";
import { TestPortal } from "../test/support/portal.ts";
import { PEER_CLIENT, startUpstreamPeer } from "../test/support/upstream-peer.ts";
import { type Page, UserAgent } from "../test/support/user-agent.ts";

const bin = fileURLToPath(new URL("../bin/liaison.js", import.meta.url));
const longestStartMs = 900_000;

export interface Served {
  issuer: string;
  folder: string;
  file: string;
  encryptionKey: string;
  /** API keys of two administrators. */
  keys: [string, string];
  /** Ann comes to sign in, from the portal to where it leads: five requests of the broker's, which write. */
  visit(): Promise<Page>;
  /** Runs another command beside it; resolves with its exit code. */
  command(...words: string[]): Promise<number>;
  /** Starts it again after its end; returns after how many milliseconds it was ready. */
  start(): Promise<number>;
  /** SIGTERM; resolves once it has ended. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function startServed(smtpPort: number): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "liaison-bench-"));
  const file = join(folder, "liaison.db");
  const ports = { broker: await freePort(), upstream: await freePort(), smtp: smtpPort };
  const base = testConfig(ports, file);
  const [issuer, encryptionKey] = [String(base["issuer"]), String(base["encryption_key"])];
  const upstream = await startUpstreamPeer({
    redirectUris: [`${issuer}/upstream/fabrikam/callback`],
    people: { [seededSubject(people.ann.username)]: { email: people.ann.email, name: people.ann.name } },
  });
  const config = {
    ...base,
    upstreams: [{ id: "fabrikam", name: "fabrikam", issuer: upstream.issuer, ...PEER_CLIENT }],
  };
  await writeFile(join(folder, "liaison.yaml"), JSON.stringify(config));
  const keys = await prepare(configSchema.parse(config), upstream.issuer);
  let serving: ChildProcess | undefined;

  const command = (...words: string[]) =>
    spawn(process.execPath, [bin, ...words, "--config", join(folder, "liaison.yaml")], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, LIAISON_LOG__LEVEL: "warn" },
    });
  const stop = async () => {
    const child = serving;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  };
  const start = async () => {
    const began = performance.now();
    serving = command("serve");
    while (!(await isReady(issuer))) {
      if (serving.exitCode !== null || performance.now() - began > longestStartMs)
        throw new Error("it didn't start");
      await pause(20);
    }
    return performance.now() - began;
  };
  const close = async () => {
    await stop();
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
    const redirectUri = "http://localhost:9/customersource/callback";
    const about = { issuer, clientId: "customersource", clientSecret: portalSecret, redirectUri };
    const portal = await TestPortal.connect(about);
    const visit = async () => {
      const browser = new UserAgent({ stopAt: ({ port }) => port === "9" });
      return await browser.visit((await portal.start({ upstream: "fabrikam" })).url);
    };
    return {
      issuer,
      folder,
      file,
      encryptionKey,
      keys,
      visit,
      start,
      stop,
      close,
      command: async (...words) => {
        const [code] = (await once(command(...words), "exit")) as [number];
        return code;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function isReady(issuer: string): Promise<boolean> {
  const response = await fetch(`${issuer}/readyz`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status === 200;
}

/** Ann's account and profile, and two API keys. */
async function prepare(
  config: ReturnType<typeof configSchema.parse>,
  upstreamIssuer: string,
): Promise<[string, string]> {
  const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key });
  try {
    const place = { store, clock: systemClock, upstreamIssuer };
    await register(place, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example" },
    ]);
    await bindTo(place, people.ann, "p-ann");
    const { service, principal } = await createOfflineAdministration(
      { config, store, clock: systemClock },
      "bench",
    );
    const make = async (name: string) => {
      const { output } = await service.call(operations.apiKeys.create, principal, {
        name,
        scopes: [...principal.scopes],
      });
      return output.key;
    };
    return [await make("one"), await make("other")];
  } finally {
    await store.close();
  }
}
