/** Two broker processes on one database file: what may happen once happens once, whichever of them is asked. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { people } from "../support/liaison.ts";
import { until } from "./broker-process.ts";
import { profiles } from "./deployment.ts";
import { raceForCodes, raceForRefreshTokens } from "./token-races.ts";
import { askForLinks, linkedBrowser, startTwoBrokers, type TwoBrokers } from "./two-brokers.ts";

const callbacks = 50;
const sampleSeed = 20_250_101;

describe("two broker processes on one database file", () => {
  let two: TwoBrokers;
  before(async () => {
    two = await startTwoBrokers();
  });
  after(() => two.close());

  it(`${callbacks} callbacks with completed upstream sign-ins bind once`, async () => {
    const { deployment, store, proxy } = two;
    const { links } = await askForLinks(two, deployment.browser());
    const link = links.get(profiles.customer) ?? "";
    const held = await Promise.all(Array.from({ length: callbacks }, () => untilCallback(two, link)));
    const mailsBefore = deployment.mailbox.mails.length;
    const before = [...proxy.counts];

    const pages = await Promise.all(held.map((release) => release()));

    const bound = pages.filter(({ status }) => status === 200);
    assert.equal(bound.length, 1, "one answer says that it is linked");
    assert.match(bound[0]?.heading ?? "", /linked/i);
    for (const page of pages.filter((candidate) => !bound.includes(candidate))) {
      assert.equal(page.status, 410, page.text);
      assert.equal(page.heading, "This link has already been used");
    }
    const events = await store.audit.list({ profileId: profiles.customer, limit: 1000 });
    assert.equal(events.filter(({ action }) => action === "profile.bound").length, 1, "one audit event");
    await until(() => deployment.mailbox.mails.length > mailsBefore, "the notice arrives", 8000);
    await until(() => false, "", 1500).catch(() => {});
    assert.equal(deployment.mailbox.mails.length - mailsBefore, 1, "one notice");
    for (const [index, count] of proxy.counts.entries()) {
      assert.ok(count - (before[index] ?? 0) >= callbacks, "both processes answered their half of callbacks and pages");
    }
  });
});
