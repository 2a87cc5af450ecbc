import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createCalendar } from "../../src/domain/calendar.ts";

const HOUR_MS = 3_600_000;

describe("the end of a day", () => {
  const cases: [why: string, zone: string, day: string, end: string][] = [
    ["UTC", "UTC", "2026-12-31", "2027-01-01T00:00:00.000Z"],
    ["winter", "Europe/Copenhagen", "2026-01-15", "2026-01-15T23:00:00.000Z"],
    ["a day of 23 hours", "Europe/Copenhagen", "2026-03-29", "2026-03-29T22:00:00.000Z"],
    ["the day before it", "Europe/Copenhagen", "2026-03-28", "2026-03-28T23:00:00.000Z"],
    ["a day of 25 hours", "Europe/Copenhagen", "2026-10-25", "2026-10-25T23:00:00.000Z"],
    ["furthest east", "Pacific/Kiritimati", "2026-06-30", "2026-06-30T10:00:00.000Z"],
    ["furthest west", "Pacific/Pago_Pago", "2026-06-30", "2026-07-01T11:00:00.000Z"],
    ["half hours", "Asia/Kolkata", "2026-06-30", "2026-06-30T18:30:00.000Z"],
    ["the next day has no midnight", "Africa/Cairo", "2026-04-23", "2026-04-23T22:00:00.000Z"],
    ["the next day doesn't exist", "Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00.000Z"],
    ["a day that doesn't exist", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"],
    ["29 February", "UTC", "2028-02-29", "2028-03-01T00:00:00.000Z"],
    ["the last of all", "UTC", "9999-12-31", "9999-12-31T23:59:59.999Z"],
  ];
  for (const [why, zone, day, end] of cases) {
    it(`${why}: ${day} in ${zone}`, () => {
      assert.equal(new Date(createCalendar(zone).endOfDay(day) ?? 0).toISOString(), end);
    });
  }

  for (const text of [
    "",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-1-1",
    "31.12.2026",
    "1969-12-31",
    "20261231",
  ]) {
    it(`${JSON.stringify(text)} is no day`, () =>
      assert.equal(createCalendar("UTC").endOfDay(text), undefined));
  }

  it("is the first instant of the next day, in any zone and on any day", () => {
    const zones = Intl.supportedValuesOf("timeZone");
    const days = fc.integer({ min: 0, max: 26 * 366 }).map((count) => {
      return new Date(Date.UTC(2015, 0, 1) + count * 24 * HOUR_MS).toISOString().slice(0, 10);
    });
    fc.assert(
      fc.property(fc.constantFrom(...zones), days, (zone, day) => {
        const { endOfDay, dayOf } = createCalendar(zone);
        const end = endOfDay(day);
        assert.ok(end !== undefined);
        assert.ok(dayOf(end) > day, `${zone}: ${day} still goes on at ${end}`);
        for (let before = 1; before < 24 * HOUR_MS; before += HOUR_MS / 2)
          assert.ok(dayOf(end - before) <= day);
        assert.ok(end % 1000 === 0);
      }),
      { numRuns: 400 },
    );
  });

  it("grows from day to day", () => {
    const { endOfDay } = createCalendar("America/Sao_Paulo");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (count) => {
        const day = (index: number) => new Date(index * 24 * HOUR_MS).toISOString().slice(0, 10);
        assert.ok((endOfDay(day(count)) ?? 0) < (endOfDay(day(count + 1)) ?? 0));
      }),
    );
  });
});
