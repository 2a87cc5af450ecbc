import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCalendar } from "../../src/domain/calendar.ts";
import { planEnd, planEndOf, type WrittenEnd } from "../../src/domain/plan-end.ts";

const at = (text: string) => Date.parse(text);

describe("the end of a service plan", () => {
  const calendar = createCalendar("Europe/Copenhagen");
  const before = at("2027-03-28T22:00:00Z");
  const within = at("2027-03-28T10:00:00Z");

  const cases: [what: string, written: Partial<WrittenEnd>, before: number | null, after: number | null][] = [
    ["nothing is said: it stays", {}, before, before],
    ["a day of 23 hours ends", { lastDay: "2027-03-28" }, null, before],
    ["a day of 25 hours ends", { lastDay: "2027-10-31" }, null, at("2027-10-31T23:00:00Z")],
    ["the same day never moves an instant within it", { lastDay: "2027-03-28" }, within, within],
    ["another day ends as days do", { lastDay: "2027-03-29" }, within, at("2027-03-29T22:00:00Z")],
    ["no end", { lastDay: null }, before, null],
    ["no end, by the instant", { expiresAt: null }, before, null],
    ["an instant", { expiresAt: within }, before, within],
    [
      "sent back whole, the day changed",
      { expiresAt: before, lastDay: "2027-03-27" },
      before,
      at("2027-03-27T23:00Z"),
    ],
    [
      "sent back whole, the instant changed",
      { expiresAt: within - 9e8, lastDay: "2027-03-28" },
      before,
      within - 9e8,
    ],
    ["both, of one day", { expiresAt: within, lastDay: "2027-03-28" }, null, within],
    ["the deployment's zone", { lastDay: "2027-03-28", timeZone: "Europe/Copenhagen" }, null, before],
  ];
  for (const [what, written, was, after] of cases) {
    it(what, () => {
      const all = { expiresAt: undefined, lastDay: undefined, timeZone: undefined, ...written };
      assert.deepEqual(planEnd(all, was, calendar), { kind: "end", expiresAt: after });
    });
  }

  const faults: [written: Partial<WrittenEnd>, field: string, problem: RegExp][] = [
    [{ lastDay: "2027-02-30" }, "last_day", /^write a day such as/],
    [{ lastDay: "2027-03-27", expiresAt: within }, "last_day", /^is another day than that of expires_at/],
    [{ lastDay: null, expiresAt: within }, "last_day", /^is another day/],
    [{ lastDay: "2027-03-28", timeZone: "UTC" }, "time_zone", /^plans end in Europe\/Copenhagen here/],
  ];
  for (const [written, field, problem] of faults) {
    it(`${JSON.stringify(written)} is refused`, () => {
      const all = { expiresAt: undefined, lastDay: undefined, timeZone: undefined, ...written };
      const end = planEnd(all, before, calendar);
      assert.ok(end.kind === "fault");
      assert.equal(end.field, field);
      assert.match(end.problem, problem);
    });
  }

  it("is shown as the day whose end it is, or within which it lies", () => {
    assert.deepEqual(planEndOf(before, calendar), { lastDay: "2027-03-28", timeZone: "Europe/Copenhagen" });
    assert.equal(planEndOf(within, calendar).lastDay, "2027-03-28");
    assert.equal(planEndOf(before, createCalendar("Pacific/Auckland")).lastDay, "2027-03-29");
    assert.equal(planEndOf(null, calendar).lastDay, null);
  });
});
