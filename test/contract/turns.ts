/** What may be very much is done in short turns: all of it, and no more of it once the run is told to end. */

import assert from "node:assert/strict";
import type { Limit } from "../../src/domain/limit.ts";
import type { WorkerRun } from "../../src/worker-loop.ts";
import { aMail, anId, anInquiry, hashOf, MINUTE, NOW } from "../support/records.ts";
import { invited, LAPSED, operated } from "./administrator-fixture.ts";
import type { Case } from "./back-end.ts";

/** A run that is told to end with its first step. */
function endedAtOnce(): WorkerRun & { steps: number } {
  const ending = new AbortController();
  const run = {
    signal: ending.signal,
    steps: 0,
    onStep() {
      run.steps += 1;
      ending.abort();
    },
  };
  return run;
}

export function turnCases(contract: Case): void {
  contract("a sweep that is told to end leaves the rest to the next", async ({ store }) => {
    const tokens = Array.from({ length: 700 }, () => hashOf(anId("token")));
    for (const token of tokens) await store.artifacts.upsert("AccessToken", token, {}, {}, NOW - MINUTE);
    const run = endedAtOnce();
    const removed = await store.sweep(NOW, run);
    assert.equal(run.steps, 1);
    assert.ok(removed < 700, String(removed));
    assert.equal(await store.sweep(NOW), 700 - removed);
  });

  contract(
    "invitations lapse in one run, however many, and not once it is told to end",
    async ({ store }) => {
      const { organization } = await operated(store);
      const count = 230;
      for (let index = 0; index < count; index += 1) await invited(store, organization, "support");
      const run = endedAtOnce();
      const lapsed = await store.administration.lapseInvitations(LAPSED, run);
      assert.equal(run.steps, 1);
      assert.ok(lapsed > 0 && lapsed < count, String(lapsed));
      assert.equal(await store.administration.lapseInvitations(LAPSED), count - lapsed);
    },
  );

  contract(
    "held mails without room are put off together, and keep none back that has room",
    async ({ store }) => {
      const later = NOW + 60 * MINUTE;
      const one: Limit = { limit: 1, windowSeconds: 7200 };
      const limits = { mailbox: { hourly: one, daily: one }, profile: one };
      // Very many at one mailbox, and very many about one profile at as many mailboxes.
      const crowded = Array.from({ length: 300 }, (_, index) => ({ mailbox: "full", profile: `p-${index}` }));
      const ofOne = Array.from({ length: 300 }, (_, index) => ({ mailbox: `m-${index}`, profile: "full" }));
      const free = [{ mailbox: "free", profile: "free" }];
      const none: Limit = { limit: 0, windowSeconds: 3600 };
      const mails = [...crowded, ...ofOne, ...free].map(({ mailbox, profile }) => ({
        ...aMail(),
        throttle: {
          mailbox: { hourly: none, daily: none, key: mailbox },
          profile: { ...none, key: profile },
        },
      }));
      await store.links.inquire(anInquiry());
      const inquiry = await store.links.claimInquiry("w", NOW, MINUTE);
      assert.ok(inquiry);
      assert.equal(await store.links.settleInquiry(inquiry.id, "w", { links: [], mails }, NOW), true);

      const run = endedAtOnce();
      const begun = await store.outbox.releaseDeferred(limits, later, run);
      assert.equal(run.steps, 1);
      // Of the full mailbox the first and one that carries fifty; one of each of the others, in whose stead
      // the profile's room is.
      assert.equal(begun + (await store.outbox.releaseDeferred(limits, later)), 2 + 300 + 1);
      const left = await store.outbox.list({ states: ["held"], limit: 1000 });
      assert.equal(left.length, 300 - 51);
      for (const { nextAttemptAt } of left) assert.equal(nextAttemptAt, later + 60 * MINUTE);
      assert.equal(await store.outbox.releaseDeferred(limits, later + 60 * MINUTE - 1), 0);
      assert.equal(await store.outbox.releaseDeferred(limits, later + 60 * MINUTE), 1, "and then the next");
      assert.equal((await store.outbox.list({ states: ["held"], limit: 1000 })).length, 300 - 101);
    },
  );

  contract("held mails about a profile without room are put off together", async ({ store }) => {
    const one: Limit = { limit: 1, windowSeconds: 7200 };
    const many: Limit = { limit: 1000, windowSeconds: 7200 };
    const limits = { mailbox: { hourly: many, daily: many }, profile: one };
    const none: Limit = { limit: 0, windowSeconds: 3600 };
    const throttled = (profile: string) => ({
      ...aMail(),
      throttle: {
        mailbox: { hourly: none, daily: none, key: `of ${profile}` },
        profile: { ...none, key: profile },
      },
    });
    const mails = [...Array.from({ length: 60 }, () => throttled("full")), throttled("free")];
    await store.links.inquire(anInquiry());
    const inquiry = await store.links.claimInquiry("w", NOW, MINUTE);
    assert.ok(inquiry);
    assert.equal(await store.links.settleInquiry(inquiry.id, "w", { links: [], mails }, NOW), true);
    const later = NOW + 60 * MINUTE;
    // The first, one that carries fifty, and what is about the other profile.
    assert.equal(await store.outbox.releaseDeferred(limits, later), 3);
    const left = await store.outbox.list({ states: ["held"], limit: 1000 });
    assert.equal(left.length, 60 - 51);
    for (const { nextAttemptAt } of left) assert.ok(nextAttemptAt > later);
    assert.equal(await store.outbox.releaseDeferred(limits, later), 0);
  });
}
