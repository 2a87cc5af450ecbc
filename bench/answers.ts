/**
 * Whether the time of an answer tells what an address is: the link step answers for an address with a
 * profile, one without, and one whose mailbox has had its mails for the hour, in random order and in one run;
 * beside them, as a control of what this can see at all, one without a profile whose answer is held back for
 * two milliseconds.
 *
 *   npx node bench/answers.ts [TIMES]        TIMES of each, 2000 unless given
 *
 * Takes some minutes, speaks to loopback alone, and ends with 1 if the 99 % interval of a difference of
 * medians isn't within 5 % of the median, if the control isn't seen, or if anything but codes and times
 * differs in the answers.
 */

import { UserAgent } from "../test/support/user-agent.ts";
import { startDeployment } from "./deployment.ts";

const times = Number(process.argv[2] ?? 2000);
const plantedMs = 2;
const tolerance = 0.05;
const resamples = 2000;

const kinds = ["unknown", "known", "throttled", "planted"] as const;
type Kind = (typeof kinds)[number];
const addresses: Record<Kind, string> = {
  known: "known@northwind.example",
  unknown: "unknown@northwind.example",
  throttled: "throttled@northwind.example",
  planted: "unknown@northwind.example",
};

const deployment = await startDeployment({
  profiles: [
    { id: "p-known", email: addresses.known },
    { id: "p-throttled", email: addresses.throttled },
  ],
  config: (base) => ({
    ...base,
    limits: { ...(base["limits"] as object), mails_per_profile: { limit: 1, window_seconds: 86_400 } },
    linking: { resend_after_seconds: 0 },
  }),
});
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  await deployment.close();
}

async function run(): Promise<boolean> {
  const browser = new UserAgent({ stopAt: ({ port }) => port === "9" });
  const linkStep = await deployment.visit(browser);
  const { action, fields } = linkStep.form("Continue");
  const ask = async (kind: Kind) => {
    const body = new URLSearchParams(fields);
    body.set("email", addresses[kind]);
    const begun = performance.now();
    const answer = await browser.once(action, { method: "POST", body });
    const until = kind === "planted" ? performance.now() + plantedMs : 0;
    while (performance.now() < until);
    return { ms: performance.now() - begun, answer };
  };
  const shapes = new Map<Kind, string>();
  for (const kind of kinds) {
    // The second of a known mailbox's is over its limit by then.
    const { answer } = await ask(kind);
    const page = await browser.visit(new URL(answer.headers.get("location") ?? "", answer.url));
    shapes.set(kind, [answer, page].map(shapeOf).join("\n"));
  }
  const isSame = new Set(shapes.values()).size === 1;
  console.log(`status, headers and bodies ${isSame ? "are the same" : "DIFFER"}, codes and times apart`);

  const took: Record<Kind, number[]> = { unknown: [], known: [], throttled: [], planted: [] };
  const warmUp = Math.min(200, times);
  for (let round = -warmUp; round < times; round += 1) {
    for (const kind of shuffled(kinds)) {
      const { ms } = await ask(kind);
      if (round >= 0) took[kind].push(ms);
    }
    if (round % 250 === 0) process.stderr.write(`${round} of ${times}\n`);
  }
  const median = medianOf(took.unknown);
  console.log(`median for an address without a profile: ${median.toFixed(3)} ms, ${times} of each`);
  let isFine = isSame;
  for (const kind of ["known", "throttled", "planted"] as const) {
    const [low, high] = differenceOfMedians(took[kind], took.unknown);
    const within = Math.max(Math.abs(low), Math.abs(high)) <= tolerance * median;
    const seen = low > 0;
    const verdict =
      kind === "planted" ? (seen ? "seen" : "NOT SEEN") : within ? "within 5 %" : "NOT WITHIN 5 %";
    if (kind === "planted" ? !seen : !within) isFine = false;
    const interval = `${low.toFixed(3)} to ${high.toFixed(3)} ms`;
    console.log(
      `${kind.padEnd(9)} − unknown: 99 % interval ${interval} (${((low / median) * 100).toFixed(1)} to ` +
        `${((high / median) * 100).toFixed(1)} %): ${verdict}`,
    );
  }
  return isFine;
}

function shapeOf({ status, headers, body }: { status: number; headers: Headers; body: string }): string {
  const shown = [...headers]
    .filter(([name]) => name !== "date")
    .map(([name, value]) => `${name}: ${name === "set-cookie" ? value.replace(/=[^;]+/g, "=…") : value}`);
  return [status, ...shown.sort(), body]
    .join("\n")
    .replace(/(name="csrf" value=")[^"]*|(class="code">)[^<]*|(data-countdown=")[^<]*/g, "$1$2$3…");
}

/** The 99 % interval of the difference of two medians, by the bootstrap. */
function differenceOfMedians(one: readonly number[], other: readonly number[]): [number, number] {
  const differences = Array.from(
    { length: resamples },
    () => medianOf(resampled(one)) - medianOf(resampled(other)),
  );
  const sorted = differences.sort((a, b) => a - b);
  return [
    sorted[Math.floor(resamples * 0.005)] ?? Number.NaN,
    sorted[Math.ceil(resamples * 0.995) - 1] ?? Number.NaN,
  ];
}

function resampled(values: readonly number[]): Float64Array {
  return Float64Array.from(
    { length: values.length },
    () => values[Math.floor(Math.random() * values.length)] ?? 0,
  );
}

function medianOf(values: readonly number[] | Float64Array): number {
  return Float64Array.from(values).sort()[Math.floor(values.length / 2)] ?? Number.NaN;
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);
}
