/** A series of hostile requests by one seed against the real application, over connections kept alive. */

import assert from "node:assert/strict";
import { pino } from "pino";
import { type Attacked, quiet, startAttacked } from "../support/attack-fixture.ts";
import { faultsOf } from "./fuzz-checks.ts";
import { bytesOf, RawConnection } from "./fuzz-client.ts";
import { requestOf } from "./fuzz-requests.ts";
import { providerRoutes, watchingRoutes } from "./fuzz-routes.ts";
import { prepareStages, reachStages, type Stage, victimAddress } from "./fuzz-stages.ts";

export interface FuzzResult {
  /** How many answers had which status, by stage. */
  statuses: Map<string, number>;
  routes: number;
}

const timeoutMs = 5000;
const lanes = 8;
/** Requests use journeys up; after so many they are walked anew. */
const freshAfter = 800;
const enoughFailures = 5;

/** Sends so many requests. Throws with what was found wrong, each with the seed, its number and its bytes. */
export async function runFuzz({ seed, count }: { seed: number; count: number }): Promise<FuzzResult> {
  const complaints = watchProcess();
  const logged: string[] = [];
  const logger = pino({ level: "error" }, { write: (line: string) => void logged.push(line) });
  const { started: liaison, routes: ours } = await watchingRoutes(() =>
    startAttacked({ strangers: 1, logger }),
  );
  const failures: string[] = [];
  const statuses = new Map<string, number>();
  try {
    const member = liaison.stranger();
    const link = await prepareStages(liaison, member);
    const mails = liaison.mailbox.mails.length;
    // Forms do the most, so they get the most.
    const forms = ours.filter(({ methods }) => methods.includes("POST"));
    const routes = [...ours, ...forms, ...forms, ...(await providerRoutes(liaison.issuer))];
    const issuer = new URL(liaison.issuer);
    const hosts = new Set([issuer.host, new URL(liaison.upstreamIssuer).host, "localhost:9"]);
    for (let from = 0; from < count && failures.length < enoughFailures; from += freshAfter) {
      const stages = await reachStages(liaison, { link, member });
      liaison.watch.calls.length = 0;
      const until = Math.min(count, from + freshAfter);
      let next = from;
      const lane = async () => {
        const connection = new RawConnection(Number(issuer.port), timeoutMs);
        while (next < until && failures.length < enoughFailures) {
          const index = next;
          next += 1;
          const { stage, request } = requestOf(seed, index, stages, { issuer, routes });
          const before = logged.length;
          const outcome = await connection.exchange(request);
          const faults = faultsOf(request, outcome, issuer, hosts);
          const key = typeof outcome === "string" ? outcome : String(outcome.status);
          statuses.set(key, (statuses.get(key) ?? 0) + 1);
          if (faults.length === 0) continue;
          failures.push(
            describeFailure({
              seed,
              index,
              stage,
              faults,
              bytes: bytesOf(request),
              log: logged.slice(before),
            }),
          );
        }
        connection.close();
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    }
    assert.equal(failures.length, 0, failures.join("\n\n"));
    await assertUntouched(liaison, mails);
    assert.deepEqual(unexpected(logged), [], "the application logged errors");
    assert.deepEqual(complaints.seen, [], "the process complained");
    return { statuses, routes: new Set(routes).size };
  } finally {
    complaints.stop();
    await liaison.close();
  }
}

/** Nobody was bound who wasn't, and nobody was mailed. */
async function assertUntouched(liaison: Attacked, mails: number): Promise<void> {
  await quiet(liaison);
  const { store, mailbox } = liaison;
  const [victim] = await store.directory.membershipsByEmail(victimAddress);
  assert.equal(victim?.profile.accountId, null, "the victim's profile is bound");
  const bound = (await store.audit.list({ limit: 1_000_000 })).filter(
    ({ action }) => action === "profile.bound",
  );
  assert.equal(bound.length, 3, "something was bound");
  assert.equal(mailbox.mails.length, mails, `mail was sent: ${mailbox.mails.at(-1)?.subject}`);
}

/** Errors in the log, apart from those of upstreams, which fuzzing makes refuse. */
function unexpected(logged: string[]): string[] {
  return logged.filter((line) => !/"code":"upstream_(rejected|unavailable)"/.test(line)).slice(0, 3);
}

function watchProcess(): { seen: string[]; stop(): void } {
  const seen: string[] = [];
  const note = (problem: unknown) => {
    const text = problem instanceof Error ? `${problem.name}: ${problem.stack}` : String(problem);
    if (!text.startsWith("ExperimentalWarning")) seen.push(text);
  };
  const events = ["warning", "unhandledRejection", "uncaughtException"] as const;
  for (const event of events) process.on(event, note);
  return { seen, stop: () => void events.map((event) => process.off(event, note)) };
}

function describeFailure(failure: {
  seed: number;
  index: number;
  stage: Stage;
  faults: string[];
  bytes: Buffer;
  log: string[];
}): string {
  const { seed, index, stage, faults, bytes, log } = failure;
  return [
    `seed ${seed}, request ${index}, from "${stage.name}": ${faults.join("; ")}`,
    JSON.stringify(bytes.toString("latin1").slice(0, 6000)),
    ...log.slice(0, 2).map((line) => line.slice(0, 1500)),
  ].join("\n");
}
