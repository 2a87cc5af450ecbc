/** Which places inquiries get in the flow of the client address that they come from. */

import assert from "node:assert/strict";
import type { Limit } from "../../src/domain/limit.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anInquiry, NOW, PLENTY } from "../support/records.ts";
import { type Case, race } from "./back-end.ts";

const DAY = 24 * 3_600_000;

/** When an inquiry may go that somebody who hasn't asked before makes through a flow, by nothing but that. */
export async function placeInFlow(
  store: Store,
  flow: Limit & { key: string },
  now: number,
  longestMs = DAY,
): Promise<number> {
  const outcome = await store.links.inquire(anInquiry({ createdAt: now, notBefore: now }), {
    pauseSeconds: 60,
    identity: PLENTY,
    client: { ...flow, longestMs: () => longestMs },
  });
  assert.ok(outcome.asked, "somebody has asked before");
  return outcome.inquiry.notBefore;
}

export function inquiryFlowCases(contract: Case): void {
  contract(
    "a flow lets a burst through and then one after the other, and forgets nothing",
    async ({ store }) => {
      const limit = { limit: 3, windowSeconds: 60 };
      const reserve = (key: string, now: number) => placeInFlow(store, { ...limit, key }, now);
      const places: number[] = [];
      for (let turn = 0; turn < 6; turn += 1) places.push((await reserve("a", NOW)) - NOW);
      assert.deepEqual(places, [0, 0, 0, 20_000, 40_000, 60_000]);
      assert.equal(await reserve("b", NOW), NOW, "each key has its own");
      assert.equal(await reserve("a", NOW + 59_999), NOW + 80_000);
      assert.equal(await reserve("a", NOW + 200_000), NOW + 200_000, "an idle flow starts anew");
    },
  );

  contract(
    "in a flow nobody waits longer than asked for, and who would takes no place of the others",
    async ({ store }) => {
      const flow = { limit: 2, windowSeconds: 60, key: "short" };
      const reserve = async (now: number, longestMs: number) =>
        (await placeInFlow(store, flow, now, longestMs)) - now;
      const places: number[] = [];
      for (let turn = 0; turn < 100; turn += 1) places.push(await reserve(NOW, 45_000));
      assert.deepEqual(places.slice(0, 4), [0, 0, 30_000, 45_000]);
      assert.ok(places.slice(4).every((place) => place === 45_000));
      assert.equal(await reserve(NOW, 0), 0, "whoever doesn't wait goes at once");
      assert.equal(await reserve(NOW, DAY), 75_000, "the crowd left one place taken, not a hundred");
      assert.equal(await reserve(NOW, 60_000), 60_000);
      assert.equal(await reserve(NOW, DAY), 105_000);
      assert.equal(await reserve(NOW + 200_000, DAY), 0);
    },
  );

  contract("a flow gives each place once, over two stores", async (opened) => {
    const flow = { limit: 5, windowSeconds: 10, key: "flow" };
    const places = await race(opened, 40, (store) => placeInFlow(store, flow, NOW));
    const expected = Array.from({ length: 40 }, (_, index) => NOW + Math.max(0, index - 4) * 2000);
    assert.deepEqual(
      places.toSorted((one, other) => one - other),
      expected,
    );
  });
}
