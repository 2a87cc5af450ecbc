/**
 * What a sign-in and an inquiry take with a thousand and with a million profiles, on a MongoDB replica set of
 * this machine:
 *
 *   node bench/profiles.ts [ROUNDS]        needs a mongod on the PATH, or MONGOD_BINARY
 *
 * Three deployments take turns in one run: two with a thousand profiles, one the control of the other, and
 * one with a million.
 */

import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import { asAccountId, asInquiryId, asOrganizationId, asUpstreamId } from "../src/domain/ids.ts";
import { createInquiryWorker, type InquiryWorker } from "../src/linking/inquiry-worker.ts";
import { type Liaison, linkByMail, people, register, signIn, startLiaison } from "../test/support/liaison.ts";
import { insertProfiles } from "../test/support/many-profiles.ts";
import { PLENTY, PLENTY_FOR_A_MAILBOX } from "../test/support/records.ts";
import { startReplicaSet } from "../test/support/replica-set.ts";

const rounds = Number(process.argv[2] ?? 60);
const address = "ann@northwind.example";
const deployments = { small: 1000, control: 1000, large: 1_000_000 };

const set = await startReplicaSet();
const started: Record<string, Liaison> = {};
try {
  for (const [name, size] of Object.entries(deployments)) {
    process.stderr.write(`filling ${name}: ${size} profiles\n`);
    const liaison = await startLiaison({ replicaSet: set });
    started[name] = liaison;
    const client = new MongoClient(set.url);
    await insertProfiles(client.db(liaison.config.storage.mongodb?.database ?? ""), size);
    await client.close();
    await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "p-ann", email: address }]);
    await linkByMail(liaison, liaison.browser(), await liaison.customerSource.start(), people.ann, address);
  }
  const times = Object.fromEntries(
    Object.keys(deployments).map((name) => [name, { signIn: [], inquiry: [] } as Times]),
  );
  const workers = Object.fromEntries(
    Object.entries(started).map(([name, liaison]) => [name, workerOf(liaison)]),
  );
  for (let round = -5; round < rounds; round += 1) {
    for (const [name, liaison] of Object.entries(started)) {
      const signInMs = await timed(() => signInOnce(liaison));
      let isOurs = false;
      const inquiryMs = await timed(async () => {
        isOurs = await inquireOnce(liaison, workers[name]);
      });
      if (round < 0) continue;
      times[name]?.signIn.push(signInMs);
      if (isOurs) times[name]?.inquiry.push(inquiryMs);
    }
  }
  for (const flow of ["signIn", "inquiry"] as const) {
    const [small = 0, control = 0, large = 0] = Object.keys(deployments).map((name) =>
      median(times[name]?.[flow] ?? []),
    );
    const row = { small, control, large, "control/small": control / small, "large/small": large / small };
    const figures = Object.entries(row).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    process.stdout.write(`${flow} (median of ${rounds}, ms): ${figures.join("  ")}\n`);
  }
} finally {
  for (const liaison of Object.values(started)) await liaison.close();
  await set.close();
}

interface Times {
  signIn: number[];
  inquiry: number[];
}

async function signInOnce({ customerSource: portal, browser }: Liaison): Promise<void> {
  const begun = await portal.start();
  const end = await signIn(browser(), begun, people.ann);
  await portal.exchange(end.url, begun);
}

/** Until its mails are owed. Undefined where the deployment's own worker was faster. */
async function inquireOnce(
  { store, clock, config }: Liaison,
  worker: InquiryWorker | undefined,
): Promise<boolean> {
  const now = clock.now();
  const requester = {
    issuer: "https://bench.example",
    subject: "bench",
    upstreamId: asUpstreamId("fabrikam"),
    accountId: asAccountId("bench"),
  };
  await store.links.inquire({
    id: asInquiryId(randomUUID()),
    requester: { ...requester, email: null, displayName: null },
    address,
    interactionCid: config.issuer,
    createdAt: now - 1,
    notBefore: now,
    settledAt: null,
  });
  return (await worker?.runOnce()) === 1;
}

function workerOf({ store, clock }: Liaison): InquiryWorker {
  const { links, directory } = store;
  const settings = {
    mailDomain: "bench.example",
    mailLimits: { mailbox: PLENTY_FOR_A_MAILBOX, profile: PLENTY },
  };
  return createInquiryWorker({ links, directory, clock, logger: { warn: () => {} }, settings });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
