/**
 * What the benchmarks measure: a broker process of its own, an upstream that answers, a mail server, a
 * portal.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { seededSubject } from "../src/demo/upstream-accounts.ts";
import { asOrganizationId } from "../src/domain/ids.ts";
import { openStore } from "../src/storage/open.ts";
import { BrokerProcess } from "../test/crash/broker-process.ts";
import { bindTo } from "../test/support/attack-fixture.ts";
import { freePort } from "../test/support/free-port.ts";
import { people, portalSecret, register, testConfig } from "../test/support/liaison.ts";
import { type Mailbox, startMailbox } from "../test/support/mailbox.ts";
import { TestPortal } from "../test/support/portal.ts";
import { PEER_CLIENT, startUpstreamPeer, type UpstreamPeer } from "../test/support/upstream-peer.ts";
import { type Page, UserAgent } from "../test/support/user-agent.ts";

type BaseConfig = Record<string, unknown>;

export interface Deployment {
  issuer: string;
  /** The database's file. */
  file: string;
  portal: TestPortal;
  mailbox: Mailbox;
  /** From the portal's sign-in to where it leads, in a browser that was never here or in the one given. */
  visit(browser?: UserAgent): Promise<Page>;
  /** The same for Ann, who is linked: to the code that the portal is sent back with. */
  signIn(): Promise<void>;
  close(): Promise<void>;
}

export interface DeploymentOptions {
  /** Registered besides Ann's. */
  profiles?: { id: string; email: string }[];
  /** Whom the upstream has besides Ann: subjects, which a sign-in names by `login_hint`. */
  subjects?: string[];
  /** How long the upstream thinks about a code, in milliseconds. */
  tokenMs?: number;
  config?(base: BaseConfig, upstreams: object[]): BaseConfig;
}

/** Starts it. Ann is bound, unless there are profiles to be asked for: then whoever signs in is unbound. */
export async function startDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const { profiles = [], subjects = [], tokenMs, config } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "liaison-bench-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const mailbox = await startMailbox();
    closers.push(() => mailbox.close());
    const ports = { broker: await freePort(), upstream: await freePort(), smtp: mailbox.port };
    const file = join(folder, "liaison.db");
    const base = testConfig(ports, file);
    const issuer = String(base["issuer"]);
    const upstream = await startPeer(issuer, subjects, tokenMs);
    closers.push(() => upstream.close());

    const store = await openStore({ sqlite: { file }, encryptionKey: String(base["encryption_key"]) });
    const place = { store, clock: systemClock, upstreamIssuer: upstream.issuer };
    await register(place, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example" },
      ...profiles,
    ]);
    if (profiles.length === 0) await bindTo(place, people.ann, "p-ann");
    await store.close();

    const upstreams = [{ id: "fabrikam", name: "fabrikam", issuer: upstream.issuer, ...PEER_CLIENT }];
    const broker = new BrokerProcess();
    closers.push(() => broker.kill());
    await broker.start({ config: config?.({ ...base, upstreams }, upstreams) ?? { ...base, upstreams } });
    const redirectUri = "http://localhost:9/customersource/callback";
    const clientId = "customersource";
    const portal = await TestPortal.connect({ issuer, clientId, clientSecret: portalSecret, redirectUri });
    const visit = async (browser = new UserAgent({ stopAt: ({ port }) => port === "9" })) =>
      await browser.visit((await portal.start({ upstream: "fabrikam" })).url);
    const signIn = async () => {
      const page = await visit();
      if (page.url.port !== "9" || !page.url.searchParams.has("code"))
        throw new Error(`no sign-in: ${page.url} ${page.text}`);
    };
    return { issuer, file, portal, mailbox, visit, signIn, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startPeer(issuer: string, subjects: readonly string[], tokenMs?: number): Promise<UpstreamPeer> {
  return startUpstreamPeer({
    ...(tokenMs === undefined ? {} : { tokenMs }),
    redirectUris: [`${issuer}/upstream/fabrikam/callback`],
    people: {
      [seededSubject(people.ann.username)]: { email: people.ann.email, name: people.ann.name },
      ...Object.fromEntries(subjects.map((subject) => [subject, { email: `${subject}@consumer.example` }])),
    },
  });
}

/** The value below which a share of the sorted values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
