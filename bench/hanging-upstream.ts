/**
 * What sign-ins through one upstream cost while others hang: a broker process of its own, an upstream that answers, one that
 * accepts connections and says nothing, and one that falls silent after discovery. Sign-ins through the healthy one are timed
 * in turns: alone, alone again (the control: what the measurement itself is worth), and while people come for the silent ones.
 *
 *   npx node bench/hanging-upstream.ts
 *
 * Takes less than a minute, speaks to loopback alone, and ends with 1 if the p99 more than doubles.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../src/clock.ts";
import { seededSubject } from "../src/demo/upstream-accounts.ts";
import { openStore } from "../src/storage/open.ts";
import { BrokerProcess } from "../test/crash/broker-process.ts";
import { bindTo } from "../test/support/attack-kit.ts";
import { freePort } from "../test/support/free-port.ts";
import { people, portalSecret, register, testConfig } from "../test/support/liaison.ts";
import { TestPortal } from "../test/support/portal.ts";
import { PEER_CLIENT, startLyingUpstream, startUpstreamPeer } from "../test/support/upstream-peer.ts";
import { UserAgent } from "../test/support/user-agent.ts";

const phaseMs = 3_500;
const rounds = 3;
/** Sign-ins through the healthy upstream at once. */
const visitors = 2;
/** Between two sign-ins of one visitor, so that neither broker nor this process is what is measured. */
const breathMs = 20;
/** People who come for a silent upstream, a second. */
const unlucky = 5;
const goal = 2;

const phases = ["alone", "alone again", "others hang"] as const;
type Phase = (typeof phases)[number];

const closers: (() => Promise<unknown>)[] = [];
try {
  process.exitCode = (await run()) <= goal ? 0 : 1;
} finally {
  for (const close of closers.reverse()) await close();
}

async function run(): Promise<number> {
  const { signIn, comeForSilent } = await setUp();
  for (let time = 0; time < 60; time += 1) await signIn();
  const took = new Map<Phase, number[]>(phases.map((phase) => [phase, []]));
  let came = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const phase of round % 2 === 0 ? phases : phases.toReversed()) {
      const until = performance.now() + phaseMs;
      const waiting: Promise<unknown>[] = [];
      const others = async () => {
        while (performance.now() < until) {
          waiting.push(comeForSilent(came++).catch(() => {}));
          await pause(1000 / unlucky);
        }
      };
      const timed = Array.from({ length: visitors }, async () => {
        while (performance.now() < until) {
          const begun = performance.now();
          await signIn();
          took.get(phase)?.push(performance.now() - begun);
          await pause(breathMs);
        }
      });
      await Promise.all([...timed, ...(phase === "others hang" ? [others()] : [])]);
      await Promise.all(waiting);
    }
  }
  return report(took, came);
}

function report(took: ReadonlyMap<Phase, number[]>, came: number): number {
  const at = (phase: Phase, share: number) => {
    const sorted = (took.get(phase) ?? []).toSorted((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  };
  for (const phase of phases) {
    const [p50, p99] = [at(phase, 0.5), at(phase, 0.99)].map((ms) => ms.toFixed(1).padStart(7));
    console.log(
      `${phase.padEnd(12)} ${String(took.get(phase)?.length).padStart(5)} sign-ins  p50 ${p50} ms  p99 ${p99} ms`,
    );
  }
  const ratio = (phase: Phase, share: number) => at(phase, share) / at("alone", share);
  for (const phase of ["alone again", "others hang"] as const) {
    const of = (share: number) => ratio(phase, share).toFixed(2);
    console.log(`${phase.padEnd(12)} / alone: p50 x ${of(0.5)}, p99 x ${of(0.99)}`);
  }
  console.log(`${came} people came for a silent upstream. Goal: p99 at most x ${goal}.`);
  return ratio("others hang", 0.99);
}

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "liaison-bench-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const ports = { broker: await freePort(), upstream: await freePort(), smtp: await freePort() };
  const file = join(folder, "liaison.db");
  const base = testConfig(ports, file);
  const issuer = String(base["issuer"]);

  const healthy = await startUpstreamPeer({
    redirectUris: [`${issuer}/upstream/fabrikam/callback`],
    people: { [seededSubject(people.ann.username)]: { email: people.ann.email, name: people.ann.name } },
  });
  closers.push(() => healthy.close());
  const [mute, fallsSilent] = [await startLyingUpstream(), await startLyingUpstream()];
  closers.push(
    () => mute.close(),
    () => fallsSilent.close(),
  );
  const hang = () => {};
  mute.lies.answer = { "/.well-known/openid-configuration": hang };
  fallsSilent.lies.answer = { "/token": hang, "/jwks": hang, "/userinfo": hang };
  const upstream = (id: string, at: string) => ({ id, name: id, issuer: at, ...PEER_CLIENT });
  const upstreams = [
    upstream("fabrikam", healthy.issuer),
    upstream("mute", mute.issuer),
    upstream("falls-silent", fallsSilent.issuer),
  ];

  const store = await openStore({ sqlite: { file }, encryptionKey: String(base["encryption_key"]) });
  const place = { store, clock: systemClock, upstreamIssuer: healthy.issuer };
  await register(place, { id: "northwind" }, [{ id: "p-ann", email: "ann@northwind.example" }]);
  await bindTo(place, people.ann, "p-ann");
  await store.close();

  const broker = new BrokerProcess(join(folder, "compiled"));
  closers.push(() => broker.kill());
  await broker.start({ config: { ...base, upstreams } });
  const redirectUri = "http://localhost:9/customersource/callback";
  const clientId = "customersource";
  const portal = await TestPortal.connect({ issuer, clientId, clientSecret: portalSecret, redirectUri });

  /** From the portal's sign-in to the code that it is sent back with, in a browser that was never here. */
  async function signIn(): Promise<void> {
    const browser = new UserAgent({ stopAt: ({ port }) => port === "9" });
    const page = await browser.visit((await portal.start({ upstream: "fabrikam" })).url);
    if (!page.url.searchParams.has("code")) throw new Error(`no sign-in: ${page.url} ${page.text}`);
  }

  async function comeForSilent(index: number): Promise<void> {
    const browser = new UserAgent({ stopAt: ({ origin }) => origin === fallsSilent.issuer });
    const id = index % 2 === 0 ? "mute" : "falls-silent";
    const page = await browser.visit((await portal.start({ upstream: id })).url);
    if (page.status !== 0) return;
    const end = await browser.visit(fallsSilent.callback(page.url));
    if (end.status !== 503) throw new Error(`not unavailable: ${end.status} ${end.text}`);
  }

  return { signIn, comeForSilent };
}
