/**
 * What visitors notice of work behind and beside the service, which is `liaison serve` on a SQLite file: a
 * million profiles are imported, their events chained, the chain verified for two administrators, 10,000 held
 * mails released, and the write lock held by another process for ten seconds, one after the other. All the
 * while a static page is pinged twenty times a second, and so is a bare Node server; and people come to sign
 * in, which writes. Then the service is started again.
 *
 *   npx node bench/background.ts [--profiles N]
 *
 * Takes an hour with a million, speaks to loopback alone. Prints percentiles of both pings by phase and what
 * failed, and a verdict for each line of what is promised; ends with 1 if one isn't kept.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { asInquiryId, asUpstreamId } from "../src/domain/ids.ts";
import { encryptContent } from "../src/storage/encrypted-fields.ts";
import { createFieldEncryption } from "../src/storage/field-encryption.ts";
import { writeRows } from "../test/support/import-fixture.ts";
import { startOutside } from "../test/support/outside.ts";
import { quantile } from "./deployment.ts";
import { type Pinged, startBare, startPinger } from "./pings.ts";
import { type Served, startServed } from "./served.ts";

const heldMs = 10_000;
const everyMs = 50;
const heldMails = 10_000;
const quietMs = 10_000;
const goals = { p999: 100, longest: 250, ready: 3000 };

const phases = [
  "quiet",
  "import",
  "chain",
  "verification",
  "held mails",
  "lock held",
  "quiet again",
] as const;
type Phase = (typeof phases)[number];

if (process.argv[2] === "hold") await hold(process.argv[3] ?? "");
else {
  const { values } = parseArgs({ options: { profiles: { type: "string", default: "1000000" } } });
  process.exitCode = (await run(Number(values.profiles))) ? 0 : 1;
}

/** Another process: holds the write lock. */
async function hold(file: string): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 30_000 });
  database.exec("BEGIN IMMEDIATE");
  await pause(heldMs);
  database.exec("COMMIT");
  database.close();
}

async function run(profiles: number): Promise<boolean> {
  const outside = await startOutside();
  const served = await startServed(outside.smtpPort);
  const bare = await startBare();
  const asset = await staticPage(new URL("/help", served.issuer));
  const pinger = startPinger(everyMs, { service: asset, bare: bare.url });
  const visits = startVisits(served);
  try {
    const csv = join(served.folder, "rows.csv");
    await writeRows(csv, profiles);
    const seconds = new Map<Phase, number>();
    const during = async (phase: Phase, work: () => Promise<unknown>) => {
      process.stderr.write(`${phase}\n`);
      pinger.phase(phase);
      visits.phase = phase;
      const began = performance.now();
      await work();
      seconds.set(phase, (performance.now() - began) / 1000);
    };
    let imported = 1;
    let verified: string[] = [];
    await during("quiet", () => pause(quietMs));
    await during("import", async () => {
      imported = await served.command("import", csv, "--json");
    });
    await during("chain", () => emptied(served.file, "audit_events WHERE chain_seq IS NULL", 100));
    await during("verification", async () => {
      verified = await Promise.all(served.keys.map((key) => verify(served.issuer, key)));
    });
    await during("held mails", async () => {
      await holdMails(served);
      await emptied(served.file, "outbox WHERE state IN ('held', 'queued')", 0);
    });
    await during("lock held", () =>
      once(fork(fileURLToPath(import.meta.url), ["hold", served.file]), "exit"),
    );
    await during("quiet again", () => pause(quietMs));
    await visits.stop();
    const pinged = await pinger.report();
    await served.stop();
    const readyMs = await served.start();

    for (const [phase, took] of seconds) console.log(`${phase}: ${took.toFixed(1)} s`);
    return report({ pinged, visits: visits.counts, imported, verified, readyMs });
  } finally {
    pinger.kill();
    bare.kill();
    await served.close();
    await outside.close();
  }
}

/** Waits until no more rows than so many are left, looking at few of them. */
async function emptied(file: string, rows: string, most: number): Promise<void> {
  const database = new DatabaseSync(file, { readOnly: true });
  const some = database.prepare(`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${most + 1})`);
  while (Number(some.get()?.["n"]) > most) await pause(500);
  database.close();
}

/** Has an administrator verify the chain, and returns what came of it. */
async function verify(issuer: string, key: string): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const asked = await fetch(`${issuer}/admin/api/v1/audit/verifications`, {
    method: "POST",
    headers,
    body: "{}",
  });
  let found = (await asked.json()) as { url: string; state: string; result: { intact: boolean } | null };
  if (asked.status !== 202) return `${asked.status}: ${JSON.stringify(found)}`;
  while (found.state === "waiting" || found.state === "running") {
    await pause(500);
    found = (await (await fetch(found.url, { headers })).json()) as typeof found;
  }
  return found.result?.intact === true ? "intact" : JSON.stringify(found);
}

/** Mails that may go, each of a mailbox of its own: written in small parts, for others write, too. */
async function holdMails({ file, encryptionKey }: Served): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 30_000 });
  const encryption = createFieldEncryption(encryptionKey);
  const insert = database.prepare(`
    INSERT INTO outbox (
      id, message_id, recipient, sealed_content, state, attempts, created_at, next_attempt_at, due_at,
        mailbox_hash,
      profile_hash, rank, kind)
    VALUES (:id, :messageId, :to, :content, 'held', 0, :now, :now, :now, :mailbox, :profile, 1,
      'already_linked')`);
  const now = Date.now();
  for (let first = 0; first < heldMails; first += 100) {
    database.exec("BEGIN IMMEDIATE");
    for (let index = first; index < first + 100; index += 1) {
      const id = asInquiryId(`held-${index}`);
      const requester = { upstreamId: asUpstreamId("fabrikam"), email: null, displayName: null };
      const content = { kind: "already_linked" as const, inquiryId: id, requester };
      insert.run({
        id,
        messageId: `<${id}@bench.example>`,
        to: `${id}@bench.example`,
        content: encryptContent(encryption, id, {
          ...content,
          profileName: "Person",
          organizationName: "Organization",
        }),
        now,
        mailbox: `mailbox-${index}`,
        profile: `profile-${index}`,
      });
    }
    database.exec("COMMIT");
    await pause(20);
  }
  database.close();
}

/** The first asset that a page names. */
async function staticPage(page: URL): Promise<string> {
  const found = /"([^"]*\/assets\/[^"]+)"/.exec(await (await fetch(page)).text())?.[1];
  if (found === undefined) throw new Error(`no asset on ${page}`);
  return new URL(found, page).href;
}

interface Visits {
  done: number;
  longestMs: number;
  /** By what they ended with. */
  failed: Record<string, number>;
}

/** People who come to sign in: each leaves rows behind. */
function startVisits({ visit }: Served) {
  const counts = new Map<Phase, Visits>(
    phases.map((phase) => [phase, { done: 0, longestMs: 0, failed: {} }]),
  );
  const state = { phase: "quiet" as Phase, counts, stop };
  let isOver = false;
  const visitor = async () => {
    while (!isOver) {
      const { phase } = state;
      const begun = performance.now();
      const ended = await visit().then(
        ({ url, status }) => (url.searchParams.has("code") ? undefined : String(status)),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      const found = counts.get(phase);
      if (found === undefined) return;
      found.longestMs = Math.max(found.longestMs, performance.now() - begun);
      if (ended === undefined) found.done += 1;
      else found.failed[ended] = (found.failed[ended] ?? 0) + 1;
      await pause(200);
    }
  };
  const visitors = [visitor(), visitor()];
  async function stop(): Promise<void> {
    isOver = true;
    await Promise.all(visitors);
  }
  return state;
}

interface Found {
  pinged: Pinged;
  visits: ReadonlyMap<Phase, Visits>;
  imported: number;
  verified: readonly string[];
  readyMs: number;
}

function report({ pinged, visits, imported, verified, readyMs }: Found): boolean {
  const most = (took: readonly number[] = []) => took.reduce((longest, ms) => Math.max(longest, ms), 0);
  const all = new Map<string, number[]>();
  console.log(`${"ms".padEnd(24)}     p50     p99   p99.9     max`);
  for (const name of ["service", "bare"]) {
    const line = (title: string, took: readonly number[]) => {
      const shown = [0.5, 0.99, 0.999].map((share) => quantile(took, share).toFixed(1).padStart(7));
      console.log(
        `${title.padEnd(24)} ${shown.join(" ")} ${most(took).toFixed(1).padStart(7)}   ${took.length} pings`,
      );
    };
    for (const phase of phases) line(`${name}: ${phase}`, pinged.took[`${name}: ${phase}`] ?? []);
    all.set(
      name,
      phases.flatMap((phase) => pinged.took[`${name}: ${phase}`] ?? []),
    );
    line(`${name}: all`, all.get(name) ?? []);
  }
  for (const [phase, { done, longestMs, failed }] of visits) {
    const failures = Object.entries(failed).map(([what, times]) => `${times} × ${what}`);
    const told = failures.length === 0 ? "none failed" : failures.join(", ");
    console.log(`visits, ${phase}: ${done} done, longest ${Math.round(longestMs)} ms; ${told}`);
  }
  const failedPings = Object.entries(pinged.failed).filter(([key]) => key.startsWith("service"));
  for (const [what, times] of failedPings) console.log(`pings, ${what}: ${times}`);

  const service = all.get("service") ?? [];
  const allowed = Math.max(goals.longest, 2 * most(all.get("bare")));
  const isExcused = (phase: Phase, what: string) => phase === "lock held" && what === "503";
  const failedVisits = [...visits].flatMap(([phase, { failed }]) =>
    Object.keys(failed).filter((what) => !isExcused(phase, what)),
  );
  const verdicts: [string, boolean][] = [
    [
      `p99.9 ${quantile(service, 0.999).toFixed(1)} ms, at most ${goals.p999}`,
      quantile(service, 0.999) <= goals.p999,
    ],
    [`longest ${most(service).toFixed(1)} ms, at most ${allowed.toFixed(1)}`, most(service) <= allowed],
    [
      "no request failed, but writes while the lock was held",
      failedPings.length === 0 && failedVisits.length === 0,
    ],
    ["the import ended well", imported === 0],
    [`both verifications: ${verified.join(", ")}`, verified.every((result) => result === "intact")],
    [`ready again after ${Math.round(readyMs)} ms, at most ${goals.ready}`, readyMs <= goals.ready],
  ];
  for (const [what, isKept] of verdicts) console.log(`${isKept ? "kept    " : "NOT KEPT"}  ${what}`);
  return verdicts.every(([, isKept]) => isKept);
}
