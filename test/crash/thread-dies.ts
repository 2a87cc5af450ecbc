/**
 * The background's thread dying again and again under load, in the middle of whatever it does: it comes back,
 * readiness tells, requests go on, and nothing that was answered is lost.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../src/clock.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { ReadinessReport } from "../../src/readiness.ts";
import { register } from "../support/liaison.ts";
import { anInquiry } from "../support/records.ts";
import { until } from "./broker-process.ts";
import { ordersAtIssuer, startDeployment } from "./deployment.ts";
import { isLinkMail, isQuiet } from "./kill-state.ts";

export interface ThreadDeaths {
  /** How often it dies at the least. */
  deaths: number;
  /** How many ask for their links meanwhile. */
  people: number;
  /** The replica set that keeps the data. Default: files. */
  mongodb?: string;
}

export interface ThreadDeathResult {
  /** After which calls it died. */
  diedAfter: string[];
  /** Mails that arrived twice, under their one Message-ID. */
  duplicates: number;
}

/** A person's inquiry, lookup, mail and its mark are six calls: every thread dies at another one of them. */
const callsOfALife = 37;
/** What a dead thread had claimed is taken up at once by the next. */
const pastLeasesMs = 120_000;

/** Rejects with the first thing that doesn't hold. */
export async function runThreadDeaths({ deaths, people, mongodb }: ThreadDeaths): Promise<ThreadDeathResult> {
  const deployment = await startDeployment({ mongodb });
  try {
    const place = await deployment.data.copy();
    const store = await deployment.openStore(place);
    const addresses = Array.from({ length: people }, (_, index) => `person-${index}@northwind.example`);
    const profiles = addresses.map((email, index) => ({ id: `person-${index}`, email }));
    await register(
      { store, clock: systemClock },
      { id: asOrganizationId("many"), kind: "customer" },
      profiles,
    );

    const broker = deployment.broker();
    const orders = { ...ordersAtIssuer(deployment, place), claimsAheadMs: pastLeasesMs };
    await broker.start({ ...orders, threadDiesAfter: callsOfALife });
    const probe = startProbe(deployment.issuer);

    for (const address of addresses) {
      const now = Date.now();
      await store.links.inquire(anInquiry({ address, createdAt: now, notBefore: now }));
      await pause(20);
    }
    const { mails } = deployment.mailbox;
    const mailed = () => new Set(mails.filter(isLinkMail).map(({ to }) => String(to))).size;
    const isDone = () => broker.threadDeaths.length >= deaths && mailed() === people;
    await until(isDone, "every person's mail, and every death", 120_000).finally(() => probe.stop());
    await until(async () => isQuiet(await deployment.data.read(place)), "nothing is left to do", 60_000);

    const state = await deployment.data.read(place);
    assert.equal(state.inquiries.filter(({ isSettled }) => isSettled).length, people);
    assert.equal(state.requests.length, people, "one request for each profile");
    const owed = new Set(state.mails.map(({ messageId }) => `<${messageId}>`));
    assert.equal(owed.size, people, "one mail for each request");
    for (const { messageId } of mails) assert.ok(owed.has(messageId), "no mail but those owed");

    assert.deepEqual([...probe.statuses], [200], "requests never notice");
    assert.ok(probe.findings.has("failing"), `readiness tells of it: ${[...probe.findings].join(", ")}`);
    assert.ok(probe.findings.has("ok"), "and that it runs again");
    await store.close();
    await broker.terminate();
    assert.equal(broker.end, "0", "it ends as it was asked to, whether its background lives or not");
    return { diedAfter: [...broker.threadDeaths], duplicates: mails.length - people };
  } finally {
    await deployment.close();
  }
}

/**
 * Asks for a page and for readiness, over and over: what statuses the page had, and how the background was
 * found.
 */
function startProbe(issuer: string) {
  const statuses = new Set<number>();
  const findings = new Set<string>();
  let goesOn = true;
  const run = (async () => {
    while (goesOn) {
      statuses.add((await fetch(`${issuer}/help`)).status);
      const report = (await (await fetch(`${issuer}/readyz`)).json()) as ReadinessReport;
      const background = report.checks["background"];
      if (background !== undefined) findings.add(background.status);
      await pause(10);
    }
  })();
  return {
    statuses,
    findings,
    async stop() {
      goesOn = false;
      await run;
    },
  };
}
