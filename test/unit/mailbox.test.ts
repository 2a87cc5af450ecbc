/**
 * The rules of a mailbox's room: limits that roll, one collected mail an hour, ranks, clocks that are set
 * back.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  asOf,
  collectedRoomAt,
  deferredUntil,
  type MailboxLimits,
  type MailboxUse,
  rankOf,
  separateRoomAt,
  UNUSED,
  withCollected,
  withSeparate,
} from "../../src/domain/mailbox.ts";
import { MINUTE, NOW } from "../support/records.ts";

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const limits: MailboxLimits = {
  hourly: { limit: 30, windowSeconds: 3600 },
  daily: { limit: 60, windowSeconds: 86_400 },
};

/** A use with mails at these instants. */
const used = (...instants: number[]) =>
  instants.reduce<MailboxUse>((use, at) => withSeparate(use, limits, at), UNUSED);

/** The most that happens within any stretch of this length. */
function most(instants: readonly number[], lengthMs: number): number {
  return Math.max(
    0,
    ...instants.map((from) => instants.filter((at) => at >= from && at < from + lengthMs).length),
  );
}

describe("a mailbox's room", () => {
  it("is there until the hourly limit, and again as each mail becomes an hour old", () => {
    const times = Array.from({ length: 30 }, (_, index) => NOW + index * 1000);
    assert.equal(separateRoomAt(used(...times.slice(0, 29)), limits, NOW + 30_000), NOW + 30_000);
    const full = used(...times);
    assert.equal(separateRoomAt(full, limits, NOW + 30_000), NOW + HOUR);
    assert.equal(separateRoomAt(full, limits, NOW + HOUR - 1), NOW + HOUR);
    assert.equal(separateRoomAt(full, limits, NOW + HOUR), NOW + HOUR);
    const again = withSeparate(full, limits, NOW + HOUR);
    assert.equal(separateRoomAt(again, limits, NOW + HOUR), NOW + HOUR + 1000, "one at a time");
  });

  it("is there until the daily limit, however they are spread", () => {
    const times = Array.from({ length: 60 }, (_, index) => NOW + index * 10 * MINUTE);
    assert.equal(separateRoomAt(used(...times), limits, NOW + 10 * HOUR), NOW + DAY);
    assert.equal(separateRoomAt(used(...times), limits, NOW + DAY + 5 * MINUTE), NOW + DAY + 5 * MINUTE);
  });

  it("goes evenly while the mailbox is crowded: never at once what would be missing for a day", () => {
    const burst = withCollected(used(...Array.from({ length: 30 }, () => NOW)), NOW + MINUTE);
    assert.equal(separateRoomAt(burst, limits, NOW + 2 * MINUTE), NOW + HOUR, "the hourly limit");
    const few = withCollected(used(...Array.from({ length: 12 }, () => NOW)), NOW + MINUTE);
    assert.equal(separateRoomAt(few, limits, NOW + 2 * MINUTE), NOW + 30 * MINUTE, "48 in a day");
    const next = withSeparate(few, limits, NOW + 30 * MINUTE);
    assert.equal(separateRoomAt(next, limits, NOW + 31 * MINUTE), NOW + 60 * MINUTE);
    assert.equal(separateRoomAt(next, limits, NOW + 70 * MINUTE), NOW + 70 * MINUTE);
    assert.equal(separateRoomAt(used(NOW), limits, NOW + 1), NOW + 1, "no crowd");
    const calm = withSeparate(withCollected(used(NOW), NOW), limits, NOW + 119 * MINUTE);
    assert.equal(separateRoomAt(calm, limits, NOW + 119 * MINUTE), NOW + 2 * HOUR, "when it is over");
  });

  it("never lets more than 84 mails through within 24 hours, wherever they begin, nor 31 an hour", () => {
    let use = UNUSED;
    const separate: number[] = [];
    const collected: number[] = [];
    // Somebody asks every half minute for three days.
    for (let now = NOW; now < NOW + 3 * DAY; now += 30_000) {
      if (separateRoomAt(use, limits, now) <= now) {
        use = withSeparate(use, limits, now);
        separate.push(now);
      } else if (collectedRoomAt(use, now) <= now) {
        use = withCollected(use, now);
        collected.push(now);
      }
    }
    assert.ok(most(separate, DAY) > 57 && most(separate, DAY) <= 60, `${most(separate, DAY)}`);
    const gaps = separate.slice(1).map((at, index) => at - (separate[index] ?? at));
    assert.ok(Math.max(...gaps) <= HOUR, `${Math.max(...gaps) / MINUTE} minutes without any`);
    assert.equal(most(separate, HOUR), 30);
    assert.equal(most(collected, DAY), 24);
    const all = most([...separate, ...collected], DAY);
    assert.ok(all > 80 && all <= 84, `${all}`);
    assert.ok(use.separate.length <= 60, "what is over is forgotten");
  });

  it("a limit of nothing lets nothing through", () => {
    const none = { ...limits, hourly: { limit: 0, windowSeconds: 60 } };
    assert.equal(separateRoomAt(UNUSED, none, NOW), NOW + MINUTE);
  });

  it("mails of one instant are one number; very many instants count together, never for fewer", () => {
    const plenty: MailboxLimits = {
      hourly: { limit: 1_000_000, windowSeconds: 3600 },
      daily: { limit: 2000, windowSeconds: 86_400 },
    };
    let use = UNUSED;
    for (let index = 0; index < 25; index += 1) use = withSeparate(use, plenty, NOW);
    assert.deepEqual(use.separate, [{ at: NOW, count: 25 }]);
    for (let index = 1; index <= 1975; index += 1) use = withSeparate(use, plenty, NOW + index);
    assert.ok(use.separate.length <= 500);
    assert.ok(
      separateRoomAt(use, plenty, NOW + 2000) > NOW + DAY,
      "the oldest count as younger than they are",
    );
  });

  it("of a clock that was set back by a year nothing lasts longer than its window", () => {
    const year = 365 * DAY;
    const use = withCollected(used(...Array.from({ length: 60 }, (_, index) => NOW + index)), NOW);
    const back = NOW - year;
    const seen = asOf(use, back);
    assert.equal(separateRoomAt(seen, limits, back), back + DAY);
    assert.equal(collectedRoomAt(seen, back), back + HOUR);
    assert.equal(asOf(seen, back + 1), seen, "and it doesn't move on");
    assert.equal(asOf(use, NOW + MINUTE), use);
  });

  it("what is over a limit waits a minute for others, and an hour after the last collected mail", () => {
    const room = { separateAt: NOW + DAY, collectedAt: NOW };
    assert.equal(deferredUntil(room, NOW), NOW + MINUTE);
    assert.equal(deferredUntil({ ...room, collectedAt: NOW + HOUR }, NOW), NOW + HOUR);
    assert.equal(deferredUntil({ ...room, separateAt: NOW + 1 }, NOW), NOW + 1);
  });
});

describe("the rank of an identity at a mailbox", () => {
  const rank = (count: number, days: number) => rankOf({ count, since: NOW }, NOW + days * DAY);

  it("grows by one with each doubling of what it asks on an average day", () => {
    assert.equal(rank(1, 0), 2, "somebody new");
    assert.deepEqual([rank(2, 0), rank(3, 0), rank(4, 0)], [3, 3, 4]);
    assert.deepEqual(
      [rank(24, 23 / 24), rank(48, 2), rank(49, 2)],
      [6, 6, 6],
      "hourly for two days, and once more",
    );
    assert.equal(rank(5, 1), 4);
    assert.equal(rank(25, 1), rank(24, 23 / 24), "it doesn't fall by half as a second day begins");
    assert.equal(rankOf({ count: 5, since: NOW }, NOW - DAY), 4, "whatever the clock says");
    assert.equal(rank(9, 7), 2, "hardly more than once a day");
  });

  it("is one for who asked on an earlier day, and once a day at the most", () => {
    assert.equal(rank(2, 1), 1);
    assert.equal(rank(7, 6), 1);
    assert.equal(rank(2, 6), 1);
    assert.equal(rank(8, 6), 2);
    assert.equal(rank(2, 0.99), 3, "not on the same day");
  });
});
