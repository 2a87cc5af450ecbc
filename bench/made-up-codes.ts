/**
 * What made-up answers of an upstream cost others: a broker process of its own, an upstream that thinks a
 * while about each code, and 60 connections of one address that begin sign-ins and come back with codes that
 * nobody issued, as fast as they are answered. Sign-ins from another address and from the same are timed:
 * alone, alone again, and meanwhile.
 *
 *   npx node bench/made-up-codes.ts
 *
 * Takes less than two minutes, speaks to loopback alone, and ends with 1 if one of the others' fails, or one
 * of the same address takes longer than ten seconds.
 */

import { setTimeout as pause } from "node:timers/promises";
import { sourceAddress } from "../test/support/source-address.ts";
import { UserAgent } from "../test/support/user-agent.ts";
import { quantile, startDeployment } from "./deployment.ts";

const connections = 60;
const tokenMs = 150;
const phaseMs = 15_000;
/** Between two sign-ins of one person. */
const breathMs = 250;
const phases = ["alone", "alone again", "made-up codes"] as const;

const closers: (() => Promise<unknown>)[] = [];
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  for (const close of closers.reverse()) await close();
}

async function run(): Promise<boolean> {
  const deployment = await startDeployment({ tokenMs });
  closers.push(() => deployment.close());
  const { portal, issuer } = deployment;
  const [attacker, another] = [
    await sourceAddress("127.0.0.5", issuer),
    await sourceAddress("127.0.0.6", issuer),
  ];
  closers.push(
    () => attacker.close(),
    () => another.close(),
  );
  const begin = async () => (await portal.start({ upstream: "fabrikam" })).url;

  async function madeUp(): Promise<number> {
    const browser = new UserAgent({ proxy: attacker.proxy, stopAt: (url) => url.pathname === "/auth" });
    const { url } = await browser.visit(await begin());
    const callback = new URL(url.searchParams.get("redirect_uri") ?? "");
    const answer = { code: "made-up", state: url.searchParams.get("state") ?? "", iss: url.origin };
    callback.search = new URLSearchParams(answer).toString();
    return (await browser.visit(callback)).status;
  }

  let isWell = true;
  for (const phase of phases) {
    const until = performance.now() + phaseMs;
    const statuses = new Map<number, number>();
    const flood = Array.from({ length: phase === "made-up codes" ? connections : 0 }, async () => {
      while (performance.now() < until) {
        const status = await madeUp();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    const people = [another, attacker].map(async ({ proxy }) => {
      const took: number[] = [];
      let failed = 0;
      while (performance.now() < until) {
        const browser = new UserAgent({ proxy, stopAt: ({ port }) => port === "9" });
        const began = performance.now();
        const page = await browser.visit(await begin());
        if (page.url.port === "9" && page.url.searchParams.has("code")) took.push(performance.now() - began);
        else failed += 1;
        await pause(breathMs);
      }
      return { took, failed };
    });
    for (const [where, { took, failed }] of (await Promise.all(people)).map(
      (one, at) => [at, one] as const,
    )) {
      const [p50, p95, most] = [0.5, 0.95, 1].map(
        (share) => `${quantile(took, share).toFixed(0).padStart(6)} ms`,
      );
      const whose = where === 0 ? "elsewhere" : "same address";
      console.log(
        `${phase.padEnd(14)} ${whose.padEnd(12)} ${took.length} done, ${failed} failed  ${p50} ${p95} ` +
          `${most}`,
      );
      if (phase === "made-up codes" && (where === 0 ? failed > 0 : quantile(took, 1) > 10_000))
        isWell = false;
    }
    await Promise.all(flood);
    if (statuses.size > 0) console.log("the flood was answered", Object.fromEntries(statuses));
  }
  return isWell;
}
