/** Times as people read them: what a list of very many costs, and that no form is taken for another. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDay, formatInstant, formatLastDay, formatShort } from "../../src/ui/format.ts";

const berlin = { locale: "en", timeZone: "Europe/Berlin" };
const auckland = { locale: "en", timeZone: "Pacific/Auckland" };
const NEW_YEARS_EVE = Date.UTC(2026, 11, 31, 22, 30);

/** Milliseconds of the processor that this takes, at the best of a few times. */
function costOf(work: () => void): number {
  const costs = Array.from({ length: 4 }, () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...costs);
}

describe("times on pages", () => {
  it("are written in the zone and the form that is asked for, whatever was before", () => {
    for (let round = 0; round < 2; round += 1) {
      assert.equal(formatShort(berlin, NEW_YEARS_EVE), "31 Dec 2026, 23:30");
      assert.equal(formatShort(auckland, NEW_YEARS_EVE), "1 Jan 2027, 11:30");
      assert.equal(formatInstant(berlin, NEW_YEARS_EVE), "31 Dec 2026, 23:30 (Central European Time)");
      assert.equal(formatLastDay(berlin, NEW_YEARS_EVE), "31 December 2026");
      assert.equal(formatLastDay(auckland, NEW_YEARS_EVE), "1 January 2027");
      assert.equal(formatDay(auckland, "2026-12-31"), "31 Dec 2026");
    }
  });

  it("cost little where a list has a thousand of them", () => {
    const ms = costOf(() => {
      for (let place = 0; place < 1000; place += 1) formatShort(berlin, NEW_YEARS_EVE + place * 60_000);
    });
    assert.ok(ms < 25, `${ms} ms`);
  });
});
