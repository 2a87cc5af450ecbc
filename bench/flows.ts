/**
 * What each flow takes on this checkout and on another one, such as the version before, in alternated rounds:
 *
 *   npx node bench/flows.ts OTHER [ROUNDS]        six rounds unless given
 *
 * OTHER is a checkout with its packages installed; each side is served by a broker process on a file of its own, another one each
 * round, because one process may be luckier than another for all of its life; and asked by its own clients. Prints medians, and
 * as the ratio the other's divided by this one's: of each round, then their median. Ends with 1 if one is below 0.95. Takes about
 * a minute, speaks to loopback alone.
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Agents from "../test/support/user-agent.ts";
import type * as Deployments from "./deployment.ts";

const [other, rounds = "6"] = process.argv.slice(2);
/** Of a round, after as many that warm the process up. */
const turns = 40;
const leastRatio = 0.95;

if (other === undefined) {
  console.error("Name the other checkout: npx node bench/flows.ts ../liaison-before");
  process.exit(2);
}

type Flow = "sign-in" | "sign-in again" | "tokens" | "userinfo" | "introspection" | "refresh";
type Times = Record<Flow, number>;

interface Side {
  name: string;
  round(): Promise<Times>;
}

async function sideOf(name: string, folder: string): Promise<Side> {
  const from = (path: string) => import(pathToFileURL(resolve(folder, path)).href);
  const { startDeployment, quantile } = (await from("bench/deployment.ts")) as typeof Deployments;
  const { UserAgent } = (await from("test/support/user-agent.ts")) as typeof Agents;

  async function turn(
    { issuer, portal }: Deployments.Deployment,
    note: (flow: Flow, ms: number) => void,
  ): Promise<void> {
    const timed = async <T>(flow: Flow, work: () => Promise<T>): Promise<T> => {
      const begun = performance.now();
      const result = await work();
      note(flow, performance.now() - begun);
      return result;
    };
    const browser = new UserAgent({ stopAt: ({ port }) => port === "9" });
    const comeFrom = async (flow: Flow) => {
      const started = await portal.start({ upstream: "fabrikam", scope: "openid offline_access", prompt: "consent" });
      const page = await timed(flow, () => browser.visit(started.url));
      if (!page.url.searchParams.has("code") || page.url.port !== "9") throw new Error(`${issuer}: ${page.text}`);
      return { started, url: page.url };
    };
    const first = await comeFrom("sign-in");
    const tokens = await timed("tokens", () => portal.exchange(first.url, first.started));
    const subject = tokens.claims()?.sub ?? "";
    await timed("userinfo", () => portal.userinfo(tokens.access_token, subject));
    await timed("introspection", () => portal.introspect(tokens.access_token));
    await timed("refresh", () => portal.refresh(tokens.refresh_token ?? ""));
    await comeFrom("sign-in again");
  }

  async function round(): Promise<Times> {
    const noted = new Map<Flow, number[]>();
    const note = (flow: Flow, ms: number) => noted.set(flow, [...(noted.get(flow) ?? []), ms]);
    const deployment = await startDeployment();
    try {
      for (let index = 0; index < turns; index += 1) await turn(deployment, () => {});
      for (let index = 0; index < turns; index += 1) await turn(deployment, note);
    } finally {
      await deployment.close();
    }
    return Object.fromEntries([...noted].map(([flow, all]) => [flow, quantile(all, 0.5)])) as Times;
  }

  return { name, round };
}

const sides = [await sideOf("this", "."), await sideOf("other", other)] as const;
const ratios = new Map<Flow, number[]>();
for (let index = 0; index < Number(rounds); index += 1) {
  const found: Record<string, Times> = {};
  for (const side of index % 2 === 0 ? sides : sides.toReversed()) found[side.name] = await side.round();
  for (const [flow, ms] of Object.entries(found["this"] ?? {}) as [Flow, number][]) {
    ratios.set(flow, [...(ratios.get(flow) ?? []), (found["other"]?.[flow] ?? Number.NaN) / ms]);
    console.log(
      `round ${index + 1}  ${flow.padEnd(14)} this ${ms.toFixed(2)} ms, other ${found["other"]?.[flow].toFixed(2)} ms`,
    );
  }
}
for (const [flow, all] of ratios) {
  const sorted = all.toSorted((one, another) => one - another);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle - 1)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  const verdict = median >= leastRatio ? "kept    " : "NOT KEPT";
  if (median < leastRatio) process.exitCode = 1;
  console.log(`${verdict}  ${flow.padEnd(14)} ×${median.toFixed(3)}  (${all.map((one) => one.toFixed(2)).join(", ")})`);
}
