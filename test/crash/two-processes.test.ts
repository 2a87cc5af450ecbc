/**
 * Two broker processes on one database file: what may happen once happens once, whichever of them is asked.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asProfileId } from "../../src/domain/ids.ts";
import { until } from "./broker-process.ts";
import { profiles } from "./deployment.ts";
import { raceForCodes, raceForRefreshTokens } from "./token-races.ts";
import {
  askForLinks,
  linkedBrowser,
  pausedCallback,
  startTwoBrokers,
  type TwoBrokers,
} from "./two-brokers.ts";

const callbacks = 50;

describe("two broker processes on one database file", () => {
  let two: TwoBrokers;
  before(async () => {
    two = await startTwoBrokers();
  });
  after(() => two.close());

  it(`bind once for ${callbacks} callbacks with completed upstream sign-ins (L6)`, async () => {
    const { deployment, store, proxy } = two;
    const { mails } = deployment.mailbox;
    const links = await askForLinks(two, deployment.browser());
    const link = links.get(profiles.customer) ?? "";
    const paused = await Promise.all(
      Array.from({ length: callbacks }, () => pausedCallback(deployment, link)),
    );
    const mailsBefore = mails.length;
    const requestsBefore = [...proxy.counts];

    const pages = await Promise.all(paused.map((release) => release()));

    const answers = Map.groupBy(pages, ({ status, heading }) => `${status} ${heading}`);
    assert.deepEqual([...answers].map(([answer, { length }]) => [answer, length]).sort(), [
      ["200 Your account is linked", 1],
      ["410 This link has already been used", callbacks - 1],
    ]);
    const events = await store.audit.list({ profileId: asProfileId(profiles.customer), limit: 1000 });
    assert.equal(events.filter(({ action }) => action === "profile.bound").length, 1, "audit events");
    await until(
      async () => (await store.outbox.nextDueAt()) === undefined,
      "nothing waits in the outbox",
      8000,
    );
    assert.equal(mails.length - mailsBefore, 1, "notices");
    for (const [index, count] of proxy.counts.entries()) {
      const answered = count - (requestsBefore[index] ?? 0);
      assert.ok(
        answered >= callbacks,
        `each process answers its half of callbacks and pages, not ${answered}`,
      );
    }
  });

  it("give one of two exchanges of a code its tokens, and take them back (O2)", async (test) => {
    const series = { two, browser: await linkedBrowser(two), seed: 20_250_101, races: 15 };
    test.diagnostic(JSON.stringify({ seed: series.seed, ...(await raceForCodes(series)) }));
  });

  it("give one of two uses of a refresh token its tokens, and take back the family (O5)", async (test) => {
    const series = { two, browser: await linkedBrowser(two), seed: 20_250_102, races: 15 };
    test.diagnostic(JSON.stringify({ seed: series.seed, ...(await raceForRefreshTokens(series)) }));
  });
});
