/**
 * Kills the broker with SIGKILL at call after call of the journey, restarts it on the same data, and checks
 * that nothing committed is lost, that every mail owed arrives, that a binding is whole or absent, and that
 * the person gets where they want.
 */

import assert, { AssertionError } from "node:assert/strict";
import type { ReceivedMail } from "../support/mailbox.ts";
import { type BrokerProcess, until } from "./broker-process.ts";
import { type Deployment, ordersAtIssuer, profiles, startDeployment } from "./deployment.ts";
import { Journey } from "./kill-journey.ts";
import { describeKill, type Kill, planKills } from "./kill-plan.ts";
import {
  assertDelivered,
  assertKept,
  assertWhole,
  boundIn,
  duplicates,
  isLinkMail,
  type State,
} from "./kill-state.ts";

export interface KillSeries {
  seed: number;
  kills: number;
  /**
   * Which share of them is made here, of how many: every `of`-th place of the plan, beginning with the
   * `index`-th. Default: all.
   */
  share?: { index: number; of: number };
  /** How many brokers live and die side by side. Default: 2. */
  lanes?: number;
  /** The replica set that keeps the data. Default: files. */
  mongodb?: string;
}

/** What one kill left behind, and what came of it. */
export interface KillResult {
  kill: Kill;
  /** What stood in the database when the process was gone. */
  left: string;
  /** Mails that arrived twice. */
  duplicates: number;
}

/** A deployment in which brokers are killed one after the other, each on a fresh copy of the data. */
interface Lane {
  deployment: Deployment;
  /** Asked about each mail that has arrived and isn't accepted yet. */
  onMail: (mail: ReceivedMail) => void;
}

/** Leases of a dead process last up to a minute; its successor claims as if that minute were over. */
const pastLeasesMs = 120_000;
const deathMs = 5000;

/** Runs the planned kills. Rejects with the place of the first one after which something didn't hold. */
export async function runKillSeries({
  seed,
  kills,
  share = { index: 0, of: 1 },
  lanes = 2,
  mongodb,
}: KillSeries): Promise<KillResult[]> {
  const queue = planKills({ seed, kills }).filter((_, place) => place % share.of === share.index);
  const results: KillResult[] = [];
  const ends = await Promise.allSettled(
    Array.from({ length: lanes }, () => runLane(queue, results, mongodb)),
  );
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined)
    throw new Error(`seed ${seed}: ${failed.reason.message}`, { cause: failed.reason });
  return results;
}

async function runLane(queue: Kill[], results: KillResult[], mongodb: string | undefined): Promise<void> {
  const nobody = () => {};
  const lane: Lane = {
    deployment: await startDeployment({ beforeAccepting: (mail) => lane.onMail(mail), mongodb }),
    onMail: nobody,
  };
  try {
    for (let kill = queue.shift(); kill !== undefined; kill = queue.shift()) {
      results.push(await runKill(lane, kill).catch((error: unknown) => Promise.reject(placed(error, kill))));
      lane.onMail = nobody;
    }
  } catch (error) {
    queue.length = 0;
    throw error;
  } finally {
    await lane.deployment.close();
  }
}

function placed(error: unknown, kill: Kill): Error {
  return new Error(`killed ${describeKill(kill)}: ${error instanceof Error ? error.message : error}`, {
    cause: error,
  });
}

async function runKill(lane: Lane, kill: Kill): Promise<KillResult> {
  const { deployment } = lane;
  const { mails } = deployment.mailbox;
  mails.length = 0;
  const place = await deployment.data.copy();
  const journey = new Journey(deployment, place);
  const doomed = deployment.broker();
  const successor = deployment.broker();

  await walkToDeath(lane, { kill, doomed, place, journey });
  const left = await deployment.data.readLeft(place);
  assertWhole(left);
  assertAnswersHold(journey, left);

  await successor.start({ ...ordersAtIssuer(deployment, place), claimsAheadMs: pastLeasesMs });
  await recover(journey, successor);
  const recovered = await deployment.data.read(place);
  assertWhole(recovered);
  assertKept(left, recovered);
  assertDelivered(recovered, mails);

  await journey.complete(successor);
  await recover(journey, successor);
  const completed = await deployment.data.read(place);
  assertWhole(completed);
  assertDelivered(completed, mails);
  assert.deepEqual(
    boundIn(completed).toSorted(),
    Object.values(profiles).toSorted(),
    "both profiles are linked in the end",
  );

  assert.equal(successor.log, "", "the successor has nothing to complain of");
  await successor.kill();
  await deployment.data.remove(place);
  return { kill, left: describeState(left), duplicates: duplicates(mails) };
}

interface Doom {
  kill: Kill;
  doomed: BrokerProcess;
  place: string;
  journey: Journey;
}

/**
 * The journey until the kill. An answer that is wrong fails at once; one that doesn't come is what a kill
 * looks like.
 */
async function walkToDeath(lane: Lane, { kill, doomed, place, journey }: Doom): Promise<void> {
  const { step, phase, nth, delayMicros } = kill;
  const orders = ordersAtIssuer(lane.deployment, place);
  if (phase === "data") lane.onMail = killAtData(doomed, step.after === undefined, nth);
  const { call, after } = step;
  await doomed.start(
    phase === "data" ? orders : { ...orders, killAt: { call, after, nth, phase, delayMicros } },
  );
  const failure = await journey.walk(doomed).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof AssertionError) throw failure;
  await until(() => !doomed.isAlive, "the broker dies", deathMs).catch((late: unknown) => {
    throw failure ?? late;
  });
  assert.equal(doomed.end, "SIGKILL", doomed.log);
  assert.equal(doomed.log, "", "until its death it has nothing to complain of");
}

/** Kills the broker when the n-th link mail, or notice, is at the server in full. */
function killAtData(broker: BrokerProcess, links: boolean, nth: number): Lane["onMail"] {
  let seen = 0;
  return (mail) => {
    if (isLinkMail(mail) !== links) return;
    seen += 1;
    if (seen === nth) void broker.kill();
  };
}

async function recover(journey: Journey, broker: BrokerProcess): Promise<void> {
  assert.ok(await journey.untilQuiet(broker), `the successor lives: ${broker.log}`);
}

/** What the person was told has been done was done before they were told. */
function assertAnswersHold(journey: Journey, left: State): void {
  if (journey.isInquiryAnswered) assert.equal(left.inquiries.length, 1, "an answered inquiry is kept");
  for (const profile of journey.answeredBound)
    assert.ok(boundIn(left).includes(profile), "an answered binding is kept");
}

function describeState(state: State): string {
  const { inquiries, mails, accounts } = state;
  if (accounts === 0) return "nothing";
  if (inquiries.length === 0) return "account";
  if (inquiries.every(({ isSettled }) => !isSettled)) return "inquiry";
  const sent = mails.filter((mail) => mail.state === "sent").length;
  return `${boundIn(state).length} bound, ${sent}/${mails.length} mails sent`;
}
