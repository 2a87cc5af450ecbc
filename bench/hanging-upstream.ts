/**
 * What sign-ins through one upstream cost while others hang: a broker process of its own, an upstream that
 * answers, one that accepts connections and says nothing, and one that falls silent after discovery. Sign-ins
 * through the healthy one are timed in turns: alone, alone again (the control: what the measurement itself is
 * worth), and while people come for the silent ones.
 *
 *   npx node bench/hanging-upstream.ts
 *
 * Takes less than a minute, speaks to loopback alone, and ends with 1 if the p99 more than doubles.
 */

import { setTimeout as pause } from "node:timers/promises";
import { PEER_CLIENT, startLyingUpstream } from "../test/support/upstream-peer.ts";
import { UserAgent } from "../test/support/user-agent.ts";
import { quantile, startDeployment } from "./deployment.ts";

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
  const at = (phase: Phase, share: number) => quantile(took.get(phase) ?? [], share);
  for (const phase of phases) {
    const [p50, p99] = [at(phase, 0.5), at(phase, 0.99)].map((ms) => ms.toFixed(1).padStart(7));
    console.log(
      `${phase.padEnd(12)} ${String(took.get(phase)?.length).padStart(5)} sign-ins  p50 ${p50} ms  p99 ` +
        `${p99} ms`,
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
  const [mute, fallsSilent] = [await startLyingUpstream(), await startLyingUpstream()];
  closers.push(
    () => mute.close(),
    () => fallsSilent.close(),
  );
  const hang = () => {};
  mute.lies.answer = { "/.well-known/openid-configuration": hang };
  fallsSilent.lies.answer = { "/token": hang, "/jwks": hang, "/userinfo": hang };
  const upstream = (id: string, at: string) => ({ id, name: id, issuer: at, ...PEER_CLIENT });
  const silent = [upstream("mute", mute.issuer), upstream("falls-silent", fallsSilent.issuer)];
  const deployment = await startDeployment({
    config: (base, upstreams) => ({ ...base, upstreams: [...upstreams, ...silent] }),
  });
  closers.push(() => deployment.close());
  const { portal, signIn } = deployment;

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
