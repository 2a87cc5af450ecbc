/**
 * Many grants of one client or organization are ended while two brokers serve: every reader refuses at once
 * on both, and the rows go in the background though its process is killed again and again.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../src/clock.ts";
import { asClientId, asOrganizationId } from "../../src/domain/ids.ts";
import type { Client } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { startAlternatingProxy } from "../support/alternating-proxy.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type Closer, closeAll } from "../support/closing.ts";
import { people, signIn } from "../support/liaison.ts";
import { TestPortal } from "../support/portal.ts";
import type { KillPoint } from "../support/process-kill.ts";
import { until } from "./broker-process.ts";
import { type Deployment, profiles, startDeployment } from "./deployment.ts";
import { manyRowsInDatabase, manyRowsInFile } from "./many-rows.ts";
import { seededRandom } from "./random.ts";

export interface EndingSeries {
  of: "client" | "organization";
  grants: number;
  kills: number;
  seed: number;
  /** How long the rows may take to go, the kills included, in milliseconds. */
  withinMs: number;
  /** The replica set that keeps the data. Default: a file. */
  mongodb?: string;
}

export interface EndingTally {
  /** How long the change took that ended them, in milliseconds. */
  endedInMs: number;
  /** How many rows were left when every reader had refused. */
  leftAtRefusal: number;
  /** Where processes died, with what was left then. */
  deaths: string[];
  /** How long the last process took, which nobody killed, in milliseconds. */
  lastTookMs: number;
}

const client: Client = {
  id: asClientId("many"),
  name: "Many",
  homeUrl: "http://localhost:9/",
  aboutUrl: null,
  secret: "a-secret-of-at-least-32-characters-for-many",
  previousSecret: null,
  policy: { kinds: ["customer"], planRequired: false, roles: [] },
  claimsInIdToken: false,
  metadata: {
    redirect_uris: ["http://localhost:9/many/callback"],
    grant_types: ["authorization_code", "refresh_token"],
  },
  managedBy: "admin",
};
const by = { actor: "admin:test", now: Date.now() };
const farAhead = 3_600_000;
const lookEveryMs = 500;
const lasting = 7 * 24 * 3_600_000;

export async function endMany(series: EndingSeries): Promise<EndingTally> {
  const closers: Closer[] = [];
  try {
    return await run(series, closers);
  } finally {
    await closeAll(closers);
  }
}

async function run(
  { of, grants, kills, seed, withinMs, mongodb }: EndingSeries,
  closers: Closer[],
): Promise<EndingTally> {
  const deployment = await startDeployment(mongodb === undefined ? {} : { mongodb });
  closers.push(() => deployment.close());
  const place = await deployment.data.copy();
  const store = await deployment.openStore(place);
  closers.push(() => store.close());
  const rows =
    mongodb === undefined
      ? manyRowsInFile(join(place, "liaison.db"))
      : await manyRowsInDatabase(mongodb, place);
  closers.push(() => rows.close());
  assert.equal((await store.administration.apply({ kind: "register_client", client }, by)).result, "done");
  const liaison = { store, upstreamIssuer: deployment.upstreamOrigin, clock: systemClock };
  const accountId = await bindTo(liaison, people.ann, profiles.customer);
  const readers = await startReaders(deployment, place, closers);
  const ofAnn = { accountId, profileId: profiles.customer, organizationId: "northwind", clientId: client.id };
  await rows.insert(grants, { ...ofAnn, expiresAt: Date.now() + lasting });
  // Connections that were closed meanwhile are seen to be.
  await pause(lookEveryMs);
  const { tokens } = readers;
  for (const _turn of [1, 2])
    assert.equal((await readers.portal.introspect(tokens.access_token)).active, true);

  const began = performance.now();
  await end(store, of);
  const endedInMs = Math.round(performance.now() - began);
  await readers.refuse(of);
  const leftAtRefusal = await rows.left();
  assert.ok(leftAtRefusal >= 4 * grants, "nobody who removes anything runs yet");

  const deaths: string[] = [];
  const random = seededRandom(seed);
  for (let turn = 0; turn < kills; turn += 1) {
    const phase = (["before", "within", "after"] as const)[turn % 3] ?? "before";
    const nth = 1 + random.below(2 + Math.floor(grants / (200 * kills)));
    deaths.push(
      await dieAt(deployment, place, { call: "administration.removeEnded", nth, phase, delayMicros: 3000 }),
    );
    deaths.push(`${await rows.left()} rows left`);
  }
  const last = deployment.broker();
  await last.start({ config: deployment.config(place, 0), claimsAheadMs: farAhead });
  const lastBegan = performance.now();
  const isGone = async () => {
    // Looking costs as much as removing does.
    await pause(lookEveryMs);
    return (await rows.left()) === 0;
  };
  await until(isGone, "the rows are gone", withinMs);
  const lastTookMs = Math.round(performance.now() - lastBegan);

  const told = await rows.told();
  if (told !== undefined) {
    assert.equal(told.length, of === "client" ? 0 : grants);
    assert.equal(new Set(told).size, told.length, "each once");
  }
  const action = of === "client" ? "client.removed" : "organization.changed";
  const page = { after: null, limit: 10 };
  const { items } = await store.audit.search({ action, actor: by.actor }, page);
  assert.equal(items.length, 1, "audited once");
  await readers.refuse(of);
  await comeBack(store, of);
  await readers.refuseStill();
  await readers.signInAnew();
  return { endedInMs, leftAtRefusal, deaths, lastTookMs };
}

async function end(store: Store, of: EndingSeries["of"]): Promise<void> {
  if (of === "client") {
    const outcome = await store.administration.apply({ kind: "remove_client", clientId: client.id }, by);
    assert.equal(outcome.result, "done");
    return;
  }
  const organization = await store.directory.organization(asOrganizationId("northwind"));
  assert.ok(organization);
  await store.directory.putOrganization({ ...organization, enabled: false }, by.actor, Date.now());
}

/** What ended them is undone. */
async function comeBack(store: Store, of: EndingSeries["of"]): Promise<void> {
  if (of === "client") {
    assert.equal((await store.administration.apply({ kind: "register_client", client }, by)).result, "done");
    return;
  }
  const organization = await store.directory.organization(asOrganizationId("northwind"));
  assert.ok(organization);
  await store.directory.putOrganization({ ...organization, enabled: true }, "admin:other", Date.now());
}

/** Two brokers whose workers claim nothing, and what a portal has got there for Ann. */
async function startReaders(deployment: Deployment, place: string, closers: Closer[]) {
  const brokers = [deployment.broker(), deployment.broker()];
  const config = deployment.config(place, 0);
  await Promise.all(brokers.map((broker) => broker.start({ config, claimsAheadMs: -farAhead })));
  const ports = brokers.map(({ port }) => port);
  const proxy = await startAlternatingProxy(deployment.port, ports);
  closers.push(() => proxy.close());
  const portal = await TestPortal.connect({
    issuer: deployment.issuer,
    clientId: client.id,
    clientSecret: client.secret ?? "",
    redirectUri: "http://localhost:9/many/callback",
    scope: "openid profile organization offline_access",
  });
  const browser = deployment.browser();
  const started = await portal.start({ prompt: "consent" });
  const arrived = await signIn(browser, started, people.ann);
  const tokens = await portal.exchange(arrived.url, started);
  const subject = tokens.claims()?.sub ?? "";
  const refreshToken = tokens.refresh_token ?? "";
  assert.ok(refreshToken);

  /** Asks each broker once. */
  const both = async (ask: () => Promise<void>) => {
    const before = [...proxy.counts];
    for (const _broker of brokers) await ask();
    assert.ok(
      proxy.counts.every((count, index) => count > (before[index] ?? 0)),
      "both brokers were asked",
    );
  };
  const refuseTokens = async () => {
    await both(() => assert.rejects(portal.userinfo(tokens.access_token, subject)));
    await both(() => assert.rejects(portal.refresh(refreshToken)));
  };
  const refuseStill = async () => {
    await refuseTokens();
    await both(async () => assert.equal((await portal.introspect(tokens.access_token)).active, false));
  };
  return {
    portal,
    tokens,
    refuseStill,
    async refuse(of: EndingSeries["of"]) {
      if (of === "organization") return await refuseStill();
      await refuseTokens();
      await both(() => assert.rejects(portal.introspect(tokens.access_token), { error: "invalid_client" }));
    },
    async signInAnew() {
      const again = await portal.start({ prompt: "consent" });
      const end = await browser.visit(again.url);
      const anew = await portal.exchange(end.url, again);
      await portal.userinfo(anew.access_token, subject);
    },
  };
}

/** Starts a broker that dies there; returns where it did. */
async function dieAt(deployment: Deployment, place: string, killAt: KillPoint): Promise<string> {
  const broker = deployment.broker();
  await broker.start({ config: deployment.config(place, 0), killAt, claimsAheadMs: farAhead });
  await until(() => !broker.isAlive, `it dies ${killAt.phase} part ${killAt.nth}`, 60_000);
  assert.equal(broker.end, "SIGKILL");
  return broker.dying ?? "";
}
