/** What is counted is counted once: whatever answer was lost, and however often a thing is reported. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { createCountBuffer, createCounters } from "../../src/admin/metrics.ts";
import { outboxWithMetrics } from "../../src/admin/service-metrics.ts";
import { openMemoryStore } from "../support/memory-store/store.ts";
import { aMail, anId, anInquiry, MINUTE, NOW } from "../support/records.ts";
import { StoreControl } from "../support/store-control.ts";

const clock = { now: () => NOW };
const hour = NOW - (NOW % (60 * MINUTE));
const store = openMemoryStore();

const stored = async (name: string) =>
  (await store.administration.counts(hour, NOW + 1)).find((one) => one.name === name)?.count ?? 0;

for (const how of ["mute", "down"] as const) {
  it(
    `counts that the store ${how === "mute" ? "took without being heard" : "couldn't take"} are given ` +
      "again, and stand there once",
    async () => {
      const name = `sign_ins_${how}`;
      const control = new StoreControl();
      const buffer = createCountBuffer({ administration: control.decorate(store).administration, clock });
      const add = (count: number) => buffer.add({ name, hour, count });
      add(2);
      add(3);
      control[how].add("administration.addCounts");
      await assert.rejects(buffer.flush());
      add(7);
      await assert.rejects(buffer.flush(), "what is owed goes first");
      assert.equal(await stored(name), how === "mute" ? 5 : 0);
      control[how].clear();
      await buffer.flush();
      assert.equal(await stored(name), 12);
      await buffer.flush();
      assert.equal(await stored(name), 12, "nothing is left");
    },
  );
}

it("a bounce that is reported again is counted once, in the same instant, later, of a warning", async () => {
  const counted: string[] = [];
  let now = NOW;
  const outbox = outboxWithMetrics(
    store.outbox,
    createCounters({ now: () => now, onCount: ({ name }) => void counted.push(name) }),
  );
  const mails = [aMail(), aMail()];
  const inquiry = anInquiry();
  await store.links.inquire(inquiry);
  const worker = anId("worker");
  await store.links.claimInquiry(worker, NOW, 1000);
  await store.links.settleInquiry(inquiry.id, worker, { links: [], mails, matched: 2 }, NOW);
  for (const _ of mails) {
    const claimed = await store.outbox.claim("w", NOW, 1000, MINUTE);
    await outbox.markSent(claimed?.message.id ?? "", "w", "250 taken", NOW);
  }
  const report = (place: number, permanent: boolean) =>
    outbox.noteBounce(mails[place]?.messageId ?? "", { reason: "5.1.1", permanent }, now);
  await report(0, false);
  await report(0, true);
  await report(0, true);
  now += MINUTE;
  await report(0, true);
  await report(0, false);
  const last = await report(0, true);
  assert.deepEqual([last?.state, last?.bouncedAt], ["bounced", NOW]);
  assert.deepEqual(counted, ["mails_sent", "mails_sent", "mails_bounced"]);
  await report(1, true);
  assert.equal(counted.filter((name) => name === "mails_bounced").length, 2);
});
