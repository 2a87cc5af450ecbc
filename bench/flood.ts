/**
 * What a flood from one address costs other people, and those behind the same address: every endpoint that is
 * reachable without an account is flooded at full speed, one after the other and all together, half-sent and
 * slow requests among them, with the limits that a deployment has unless it says otherwise. Meanwhile
 * somebody elsewhere signs in three times a second.
 *
 *   npx node bench/flood.ts [SECONDS] [ROUNDS] [NAME]     60 seconds for each endpoint, 3 rounds, of the
 *                                                         targets whose name has NAME
 *
 * Goals, of the median of the rounds: p50 of a sign-in at most twice, p95 at most three times the worse of
 * two quiet runs; at the flooding address a known browser is signed in within ten seconds, and a new one
 * served or told when to come back; the database grows by at most 100 MB an hour; a hundred people of one
 * address, all at once, are served. Ends with 1 otherwise. Speaks to loopback alone.
 */

import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { UserAgent } from "../test/support/user-agent.ts";
import { type Deployment, quantile, startDeployment } from "./deployment.ts";
import { floodTargets, type Target } from "./flood-targets.ts";

const seconds = Number(process.argv[2] ?? 60);
const rounds = Number(process.argv[3] ?? 3);
const only = process.argv[4] ?? "";
const elsewhere = "127.0.0.6";
const betweenMs = 333;
const goals = { p50: 2, p95: 3, withinMs: 10_000, megabytesAnHour: 100 };

interface Times {
  p50: number;
  p95: number;
}

let signIns = 0;
const failed: string[] = [];
const check = (isMet: boolean, what: string) => {
  if (!isMet) failed.push(what);
};
const crowd = Array.from({ length: 100 }, (_, index) => `person-${index}`);
const deployment = await startDeployment({
  subjects: crowd,
  config: (base) => ({ ...base, limits: {} }),
});
try {
  await run(deployment);
} finally {
  await deployment.close();
}
for (const what of failed) console.log(`NOT MET: ${what}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function run(place: Deployment): Promise<void> {
  const known = new UserAgent({ stopAt: ({ port }) => port === "9" });
  await place.visit(known);
  for (let turn = 0; turn < 5; turn += 1) await timed();
  signIns = 0;
  const unused = pages(place.file);
  const quiet = [await signingIn(pause(seconds * 1000)), await signingIn(pause(seconds * 1000))];
  const base: Times = {
    p50: Math.max(...quiet.map(({ p50 }) => p50)),
    p95: Math.max(...quiet.map(({ p95 }) => p95)),
  };
  console.log(`quiet, the worse of two runs: ${shown(base)}`);

  // What somebody who signs in stores isn't the flood's.
  const each = (pages(place.file) - unused) / signIns;

  const targets = (await floodTargets(place.portal)).filter(({ name }) => name.includes(only));
  const series = [
    ...targets.map((target) => ({ name: target.name, targets: [target] })),
    { name: "all together", targets },
  ];
  const measured = new Map<string, Times[]>();
  const [before, signInsBefore] = [pages(place.file), signIns];
  const begun = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, targets: some } of series) {
      const { times, statuses } = await flooded(some);
      measured.set(name, [...(measured.get(name) ?? []), times]);
      console.log(`  ${name.padEnd(40)} ${shown(times)}  ${statuses}`);
    }
  }
  const hours = (performance.now() - begun) / 3_600_000;
  const grown = (pages(place.file) - before - each * (signIns - signInsBefore)) / 1e6;
  for (const [name, all] of measured) {
    const p50 =
      quantile(
        all.map((one) => one.p50),
        0.5,
      ) / base.p50;
    const p95 =
      quantile(
        all.map((one) => one.p95),
        0.5,
      ) / base.p95;
    console.log(`${name.padEnd(42)} p50 × ${p50.toFixed(2)}  p95 × ${p95.toFixed(2)}`);
    check(p50 <= goals.p50 && p95 <= goals.p95, name);
  }
  console.log(
    `the flood's growth of the database: ${grown.toFixed(1)} MB, ${(grown / hours).toFixed(0)} MB an hour`,
  );
  check(grown / hours <= goals.megabytesAnHour, "growth");

  await atSameAddress(targets, known);
  await hundredAtOnce();
}

/** The pages in use of the database, in bytes. */
function pages(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const number = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  const used = (number("page_count") - number("freelist_count")) * number("page_size");
  database.close();
  return used;
}

async function timed(): Promise<number> {
  signIns += 1;
  const begun = performance.now();
  await deployment.signIn();
  return performance.now() - begun;
}

/** Signs in again and again until something ends. */
async function signingIn(until: Promise<unknown>): Promise<Times> {
  let isOver = false;
  void until.then(() => {
    isOver = true;
  });
  const values: number[] = [];
  while (!isOver) {
    const ms = await timed();
    values.push(ms);
    await pause(Math.max(0, betweenMs - ms));
  }
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95) };
}

function startFlood(targets: Target[], from: string): Promise<Record<string, number>> {
  const workerData = { port: Number(new URL(deployment.issuer).port), targets, seconds, from };
  const worker = new Worker(new URL("flood-worker.ts", import.meta.url), { workerData });
  return once(worker, "message").then(([statuses]) => statuses as Record<string, number>);
}

async function flooded(targets: Target[]): Promise<{ times: Times; statuses: string }> {
  const flooding = startFlood(targets, elsewhere);
  const times = await signingIn(flooding);
  const counted = Object.entries(await flooding).map(([status, count]) => `${count} × ${status}`);
  return { times, statuses: counted.join(", ") };
}

/** The flood comes from where the browsers are. */
async function atSameAddress(targets: Target[], known: UserAgent): Promise<void> {
  const flooding = startFlood(targets, "127.0.0.1");
  await pause(Math.min(seconds * 500, 5000));
  const outcomes: Record<string, number> = {};
  let isOver = false;
  void flooding.then(() => {
    isOver = true;
  });
  while (!isOver) {
    for (const [who, browser] of Object.entries({
      known,
      new: new UserAgent({ stopAt: ({ port }) => port === "9" }),
    })) {
      const begun = performance.now();
      const page = await deployment.visit(browser);
      const ms = performance.now() - begun;
      const outcome = page.url.searchParams.has("code") ? "signed in" : `answered ${page.status}`;
      outcomes[`${who} browser ${outcome}`] = (outcomes[`${who} browser ${outcome}`] ?? 0) + 1;
      check(ms <= goals.withinMs, `${who} browser at the flooding address: ${Math.round(ms)} ms`);
      check(outcome === "signed in" || (who === "new" && page.status === 429), `${who} browser: ${outcome}`);
    }
    await pause(1500);
  }
  console.log(`at the flooding address: ${JSON.stringify(outcomes)}`);
}

async function hundredAtOnce(): Promise<void> {
  // The windows of the flood before are over by then.
  await pause(301_000 * (seconds >= 60 ? 1 : 0));
  const fresh =
    seconds >= 60
      ? deployment
      : await startDeployment({ subjects: crowd, config: (base) => ({ ...base, limits: {} }) });
  const begun = performance.now();
  const pagesOf = await Promise.all(
    crowd.map(async (subject) => {
      const { url } = await fresh.portal.start({ upstream: "fabrikam", login_hint: subject });
      return await new UserAgent({ stopAt: ({ port }) => port === "9" }).visit(url);
    }),
  );
  const served = pagesOf.filter(({ status }) => status === 200).length;
  console.log(
    `a hundred people of one address: ${served} served within ` +
      `${((performance.now() - begun) / 1000).toFixed(1)} s`,
  );
  check(served === crowd.length, "a hundred people of one address");
  if (fresh !== deployment) await fresh.close();
}

function shown({ p50, p95 }: Times): string {
  return `p50 ${p50.toFixed(1).padStart(7)} ms  p95 ${p95.toFixed(1).padStart(7)} ms`;
}
