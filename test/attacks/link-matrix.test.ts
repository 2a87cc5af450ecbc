/** A sample of the matrix: what binds, what is kept, and what is told; npm run test:full plays all of it. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Attacked } from "../support/attack-fixture.ts";
import { handOf, nameOf, play, possible, startMatrix } from "../support/link-matrix.ts";

/** By turns in the same browser and in another. */
const sample = ["same fresh unbound", "other fresh unbound", "same used me", "other superseded another"].map(
  (name, index) => {
    const wanted = { browser: index % 2 === 0 ? "same" : "other", profiles: index % 3 === 0 ? 3 : 1 };
    return possible.find(
      ({ browser, profiles, account, state, binding }) =>
        `${account} ${state} ${binding}` === name &&
        browser === wanted.browser &&
        profiles === wanted.profiles,
    );
  },
);

describe("the matrix of links, in part", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startMatrix();
  });
  after(() => liaison?.close());

  for (const cell of sample) {
    it(cell === undefined ? "a cell" : nameOf(cell), () =>
      play(liaison, cell ?? assert.fail("no such cell"), async () => handOf(liaison.browser())),
    );
    it(`${cell === undefined ? "a cell" : nameOf(cell)}, in a mail with several links`, () =>
      play(liaison, cell ?? assert.fail("no such cell"), async () => handOf(liaison.browser()), {
        inACrowd: true,
      }));
  }
});
