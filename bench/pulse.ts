/**
 * Whether the pulse of the service tells what an address is: somebody types addresses, registered ones and
 * others in random order, and pings pages meanwhile. Each flush to disk takes 5 ms, as on a slow disk.
 *
 *   npx node bench/pulse.ts [ADDRESSES]        so many registered ones and so many others, 50 unless given
 *
 * For each address, five times: the time of the answer itself, of a static page and of `GET /authorize`, the
 * latter two at random moments of the time within which the address is looked up; that wait is shortened. Of
 * each five samples the smallest, the median, the mean and the largest are compared, as the area under the
 * ROC curve: the chance that a registered address has the larger of two. As a control, addresses of which
 * nobody knows anything are pinged with 4 ms planted, less than one flush. Takes a quarter of an hour, speaks
 * to loopback alone, and ends with 1 if an area isn't within 0.35 and 0.65, or if what is planted is found by
 * none of the four with 0.8 or more.
 */

import { setTimeout as pause } from "node:timers/promises";
import { UserAgent } from "../test/support/user-agent.ts";
import { type Deployment, startDeployment } from "./deployment.ts";

const addressesOfAKind = Number(process.argv[2] ?? 50);
const samples = 5;
const plantedMs = 4;
/**
 * Within which a round's address is looked up, in milliseconds: the longest wait, and how often the worker
 * looks.
 */
const windowMs = 1600;
const lookupDelay = { min: 0.1, max: 1 };
/** People who ask by turns, so that each keeps the pause of a second between two requests. */
const subjects = ["pulse-1", "pulse-2", "pulse-3"];

const kinds = ["registered", "unknown", "planted"] as const;
type Kind = (typeof kinds)[number];
const targets = ["the answer", "a static page", "GET /authorize"] as const;
type Target = (typeof targets)[number];

const statistics: Record<string, (sorted: readonly number[]) => number> = {
  smallest: (sorted) => sorted[0] ?? Number.NaN,
  median: (sorted) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
  mean: (sorted) => sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
  largest: (sorted) => sorted.at(-1) ?? Number.NaN,
};

interface Typed {
  kind: Kind;
  email: string;
  took: Record<Target, number[]>;
}

const typed = kinds.flatMap((kind) =>
  Array.from(
    { length: kind === "planted" ? Math.ceil(addressesOfAKind / 3) : addressesOfAKind },
    (_, index): Typed => {
      const took = { "the answer": [], "a static page": [], "GET /authorize": [] };
      return {
        kind,
        email: `${kind}-${String(index).padStart(4, "0")}@northwind.example`.padStart(40, "x"),
        took,
      };
    },
  ),
);

process.env["NODE_OPTIONS"] = `--import ${new URL("slow-flush.ts", import.meta.url).href}`;
process.env["SLOW_FLUSH_MS"] = "5";
const registered = typed.filter(({ kind }) => kind === "registered");
const deployment = await startDeployment({
  profiles: registered.map(({ email }, index) => ({ id: `p-${index}`, email })),
  subjects,
  config: (base) => ({ ...base, linking: { resend_after_seconds: 1, lookup_delay_seconds: lookupDelay } }),
});
try {
  await measure(deployment);
  process.exitCode = report(deployment) ? 0 : 1;
} finally {
  await deployment.close();
}

async function measure({ issuer, portal }: Deployment): Promise<void> {
  const askers = await Promise.all(
    subjects.map(async (subject) => {
      const browser = new UserAgent({ stopAt: ({ port }) => port === "9" });
      const linkStep = await browser.visit(
        (await portal.start({ upstream: "fabrikam", login_hint: subject })).url,
      );
      return { browser, form: linkStep.form("Continue") };
    }),
  );
  const rounds = shuffled(Array.from({ length: samples }, () => typed).flat());
  for (const [index, one] of rounds.entries()) {
    const asker = askers[index % askers.length];
    if (asker === undefined) throw new Error("nobody asks");
    const { browser, form } = asker;
    const ends = pause(windowMs);
    const body = new URLSearchParams(form.fields);
    body.set("email", one.email);
    await timed(one, "the answer", async () => {
      const { status } = await browser.once(form.action, { method: "POST", body });
      if (status !== 303) throw new Error(`answered ${status}`);
    });
    const { url } = await portal.start({ upstream: "fabrikam" });
    await Promise.all([
      at(() => timed(one, "a static page", () => ping(`${issuer}/healthz`))),
      at(() => timed(one, "GET /authorize", () => ping(url))),
      ends,
    ]);
    if (index % 50 === 0) process.stderr.write(`${index} of ${rounds.length}\n`);
  }
}

async function at(work: () => Promise<void>): Promise<void> {
  await pause(Math.random() * windowMs * 0.95);
  await work();
}

async function ping(url: string | URL): Promise<void> {
  const answer = await fetch(url, { redirect: "manual" });
  await answer.arrayBuffer();
  if (answer.status >= 400) throw new Error(`${url}: ${answer.status}`);
}

async function timed({ kind, took }: Typed, target: Target, work: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  await work();
  const until = kind === "planted" ? performance.now() + plantedMs : 0;
  while (performance.now() < until);
  took[target].push(performance.now() - begun);
}

function report({ mailbox }: Deployment): boolean {
  let isFine = true;
  console.log(
    `${addressesOfAKind} addresses of a kind, ${samples} samples each; ${mailbox.mails.length} mails ` +
      "went out",
  );
  if (mailbox.mails.length === 0) isFine = false;
  for (const target of targets) {
    let best = 0;
    for (const [name, statistic] of Object.entries(statistics)) {
      const of = (kind: Kind) =>
        typed
          .filter((one) => one.kind === kind)
          .map(({ took }) => statistic(took[target].toSorted((one, other) => one - other)));
      const [known, unknown, planted] = [of("registered"), of("unknown"), of("planted")];
      const [found, control] = [area(known, unknown), area(planted, unknown)];
      const verdict = found >= 0.35 && found <= 0.65 ? "says nothing" : "TELLS";
      best = Math.max(best, control);
      if (verdict === "TELLS") isFine = false;
      const middle = statistics["median"]?.(unknown.toSorted((one, other) => one - other)) ?? Number.NaN;
      console.log(
        `${target.padEnd(15)} ${name.padEnd(9)} ${middle.toFixed(2).padStart(7)} ms  registered ` +
          `${found.toFixed(3)} ${verdict}  planted ${control.toFixed(3)}`,
      );
    }
    if (best < 0.8) isFine = false;
    console.log(`${target.padEnd(15)} what is planted is ${best < 0.8 ? "NOT FOUND" : "found"}`);
  }
  return isFine;
}

/** The chance that of one of each the first is the larger. */
function area(ones: readonly number[], others: readonly number[]): number {
  const wins = ones.flatMap((one) => others.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)));
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);
}
