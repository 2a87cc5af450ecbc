/** D3: the database is gone at each step of the journey, dead or silent. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { people, register, startLiaison } from "../support/liaison.ts";
import { TestPortal } from "../support/portal.ts";
import { type ReplicaSet, startReplicaSet } from "../support/replica-set.ts";
import { journeySteps } from "../support/stepwise-journey.ts";

const promptMs = 5000;
const registered = "ann@northwind.example";

const endings: Record<
  string,
  { take(set: ReplicaSet): Promise<void>; giveBack(set: ReplicaSet): Promise<void> }
> = {
  stopped: {
    take: async ({ members }) => void (await Promise.all(members.map((member) => member.kill()))),
    giveBack: async ({ members }) => void (await Promise.all(members.map((member) => member.restart()))),
  },
  silent: {
    take: async ({ members }) => {
      for (const member of members) member.freeze();
    },
    giveBack: async ({ members }) => {
      for (const member of members) member.thaw();
    },
  },
};

for (const [how, { take, giveBack }] of Object.entries(endings)) {
  test(`D3: every member ${how} at each step: 503 within ${promptMs} ms, then on`, async (context) => {
    const set = await startReplicaSet();
    const liaison = await startLiaison({ replicaSet: set }).catch(async (error: unknown) => {
      await set.close();
      throw error;
    });
    try {
      await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "p-ann", email: registered }]);
      const portal = await TestPortal.connect({
        ...liaison.customerSource.options,
        scope: "openid profile organization offline_access",
      });
      const { mailbox } = liaison;
      const browser = liaison.browser();
      const steps = await journeySteps({ portal, mailbox, browser, person: people.ann, registered });
      const took: number[] = [];
      for (const { name, act } of steps) {
        // A worker whose claim was carried out without an answer first lets that lease end: the inquiry's,
        // then the mail's.
        if (/mailed link/.test(name)) await mailbox.arrived(1, 100_000);
        await take(set);
        const began = performance.now();
        const refused = await act();
        took.push(Math.round(performance.now() - began));
        assert.equal(refused.status, 503, name);
        assert.ok((took.at(-1) ?? 0) <= promptMs, `${name} took ${took.at(-1)} ms`);
        await giveBack(set);
        await set.healthy();
        let answer = await refused.again();
        // The brokers notice by themselves, within seconds.
        for (let turn = 0; turn < 20 && answer.status === 503; turn += 1) {
          await pause(500);
          answer = await answer.again();
        }
        assert.notEqual(answer.status, 503, `${name} doesn't recover`);
      }
      context.diagnostic(`milliseconds to the answer: ${took.join(" ")}`);
      const events = await liaison.store.audit.list({ profileId: asProfileId("p-ann"), limit: 100 });
      assert.equal(events.filter(({ action }) => action === "profile.bound").length, 1);
      for (let turn = 0; turn < 200 && (await liaison.store.outbox.nextDueAt()) !== undefined; turn += 1) {
        await pause(500);
      }
      assert.equal(await liaison.store.outbox.nextDueAt(), undefined, "every mail owed is sent");
      const notices = mailbox.mails.filter(({ text }) => !/\/link\//.test(text));
      assert.ok(notices.length >= 1);
    } finally {
      await liaison.close();
      await set.close();
    }
  });
}
