/**
 * What each flow takes on this checkout and on another one, such as the version before, in alternated rounds:
 *
 *   npx node bench/flows.ts OTHER [ROUNDS]        six rounds unless given
 *
 * OTHER is a checkout with its packages installed; each side is served by a broker process on a file of its
 * own, another one each round, because one process may be luckier than another for all of its life; and asked
 * by its own clients. Within a round the two take turns of a second, because the machine may be slower for
 * some seconds. Prints medians, and as the ratio the other's divided by this one's: of each round, then their
 * median. Ends with 1 if one is below 0.95. Takes about five minutes, speaks to loopback alone.
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Agents from "../test/support/user-agent.ts";
import type * as Deployments from "./deployment.ts";

const [other, rounds = "6"] = process.argv.slice(2);
/** How often a broker is asked for every flow before anything counts: it is slower until then. */
const warmingTurns = 200;
/**
 * How often a side is asked before it is the other's turn, and how often it is each one's turn in a round.
 */
const turnsAtOnce = 30;
const changes = 10;
const leastRatio = 0.95;

if (other === undefined) {
  console.error("Name the other checkout: npx node bench/flows.ts ../liaison-before");
  process.exit(2);
}

type Flow = "sign-in" | "sign-in again" | "tokens" | "userinfo" | "introspection" | "refresh";
type Note = (flow: Flow, ms: number) => void;

/** A broker of a side, as it is asked. */
interface Asked {
  turns(count: number, note: Note): Promise<void>;
  close(): Promise<void>;
}

interface Side {
  name: "this" | "other";
  start(): Promise<Asked>;
}

async function sideOf(name: Side["name"], folder: string): Promise<Side> {
  const from = (path: string) => import(pathToFileURL(resolve(folder, path)).href);
  const { startDeployment } = (await from("bench/deployment.ts")) as typeof Deployments;
  const { UserAgent } = (await from("test/support/user-agent.ts")) as typeof Agents;

  async function turn({ issuer, portal }: Deployments.Deployment, note: Note): Promise<void> {
    const timed = async <T>(flow: Flow, work: () => Promise<T>): Promise<T> => {
      const begun = performance.now();
      const result = await work();
      note(flow, performance.now() - begun);
      return result;
    };
    const browser = new UserAgent({ stopAt: ({ port }) => port === "9" });
    const comeFrom = async (flow: Flow) => {
      const started = await portal.start({
        upstream: "fabrikam",
        scope: "openid offline_access",
        prompt: "consent",
      });
      const page = await timed(flow, () => browser.visit(started.url));
      if (!page.url.searchParams.has("code") || page.url.port !== "9")
        throw new Error(`${issuer}: ${page.text}`);
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

  return {
    name,
    async start() {
      const deployment = await startDeployment();
      return {
        async turns(count, note) {
          for (let index = 0; index < count; index += 1) await turn(deployment, note);
        },
        close: () => deployment.close(),
      };
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, another) => one - another);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle - 1)] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** Asks both in turns; returns how long each flow took on each side, in milliseconds. */
async function round(sides: readonly Side[]): Promise<Record<Side["name"], Map<Flow, number[]>>> {
  const found = { this: new Map<Flow, number[]>(), other: new Map<Flow, number[]>() };
  const asked: [Side["name"], Asked][] = [];
  try {
    for (const { name, start } of sides) asked.push([name, await start()]);
    for (const [, one] of asked) await one.turns(warmingTurns, () => {});
    for (let change = 0; change < changes; change += 1) {
      for (const [name, one] of asked) {
        await one.turns(turnsAtOnce, (flow, ms) =>
          found[name].set(flow, [...(found[name].get(flow) ?? []), ms]),
        );
      }
    }
  } finally {
    for (const [, one] of asked) await one.close();
  }
  return found;
}

const sides = [await sideOf("this", "."), await sideOf("other", other)] as const;
const ratios = new Map<Flow, number[]>();
for (let index = 0; index < Number(rounds); index += 1) {
  const found = await round(index % 2 === 0 ? sides : sides.toReversed());
  for (const [flow, all] of found.this) {
    const [ours, theirs] = [median(all), median(found.other.get(flow) ?? [])];
    ratios.set(flow, [...(ratios.get(flow) ?? []), theirs / ours]);
    console.log(
      `round ${index + 1}  ${flow.padEnd(14)} this ${ours.toFixed(2)} ms, other ${theirs.toFixed(2)} ms`,
    );
  }
}
for (const [flow, all] of ratios) {
  const ratio = median(all);
  const verdict = ratio >= leastRatio ? "kept    " : "NOT KEPT";
  if (ratio < leastRatio) process.exitCode = 1;
  console.log(
    `${verdict}  ${flow.padEnd(14)} ×${ratio.toFixed(3)}  (${all.map((one) => one.toFixed(2)).join(", ")})`,
  );
}
