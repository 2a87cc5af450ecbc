import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { longestTurnMs, lookedAtBy } from "../../src/domain/inquiry-turn.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const limit = { limit: 20, windowSeconds: 3600 };

describe("the turn of an inquiry", () => {
  it("Z10: an identity's first waits for nobody, each further one longer, none beyond an hour", () => {
    const waits = Array.from({ length: 20 }, (_, index) => longestTurnMs(index + 1, limit));
    assert.deepEqual(waits.slice(0, 3), [0, 3 * MINUTE, 6 * MINUTE]);
    assert.equal(waits.at(-1), 57 * MINUTE);
    assert.ok(waits.every((wait, index) => index === 0 || wait > (waits[index - 1] ?? 0)));
  });

  it("goes by the limit of identities, whatever that is", () => {
    const week = { limit: 5, windowSeconds: 7 * 86_400 };
    assert.deepEqual(
      [1, 2, 5].map((ordinal) => longestTurnMs(ordinal, week)),
      [0, HOUR, HOUR],
    );
    assert.equal(longestTurnMs(7, { limit: 3, windowSeconds: 1 }), 6 * 334);
    assert.equal(longestTurnMs(1, { limit: 1, windowSeconds: 3600 }), 0);
  });

  it("is told where it takes long, by this identity's own requests", () => {
    const asked = (ordinal: number, heldUntil: number | null = null) =>
      lookedAtBy({ createdAt: 1000, ordinal, heldUntil }, limit, 6000);
    assert.equal(asked(1), null);
    assert.equal(asked(2), null, "a typing error put right");
    assert.equal(asked(3), 7 * MINUTE);
    assert.equal(asked(20), 58 * MINUTE);
    assert.equal(asked(21, 1000 + HOUR), null, "the page has the end of what is held");
    assert.equal(
      lookedAtBy({ createdAt: 0, ordinal: 60, heldUntil: null }, { limit: 3600, windowSeconds: 3600 }, 0),
      null,
    );
  });
});
