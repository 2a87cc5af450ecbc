/**
 * Days of a calendar in a time zone: when one ends, and which one an instant falls on. Clocks that are put
 * forward or back move the end of a day; a day need not have 24 hours, nor begin at midnight, nor (Samoa,
 * 2011) exist.
 */

import type { Instant, Milliseconds } from "../clock.ts";

const HOUR_MS: Milliseconds = 3_600_000;

/**
 * Local time is never further than this from UTC: from -12 hours to +14, with room for the leap of a date
 * line.
 */
const MAX_OFFSET_MS: Milliseconds = 16 * HOUR_MS;

/**
 * How many days' ends are remembered: far more than a directory has, and no end of memory for a file full of
 * nonsense.
 */
const REMEMBERED_DAYS = 4096;

/** The last instant that can be written with a year of four digits: days that end later end then. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The days of one time zone. */
export interface Calendar {
  /** IANA name. */
  readonly timeZone: string;
  /**
   * The first instant after a day (written as YYYY-MM-DD) in this time zone: what is valid "to the end of
   * that day" holds before it. Undefined for what is no date from 1970 to 9999.
   */
  endOfDay(date: string): Instant | undefined;
  /** The day that an instant falls on, as YYYY-MM-DD. */
  dayOf(instant: Instant): string;
  /** The last day, as YYYY-MM-DD, of what holds before an instant. */
  lastDay(end: Instant): string;
}

/** Makes the calendar of an IANA time zone; throws a RangeError for a name that is none. */
export function createCalendar(timeZone: string): Calendar {
  const format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const remembered = new Map<string, Instant>();

  const dayOf = (instant: Instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return `${(parts.get("year") ?? "").padStart(4, "0")}-${parts.get("month")}-${parts.get("day")}`;
  };

  const search = (day: number): Instant => {
    const nextMidnightInUtc = Date.UTC(
      Math.floor(day / 10_000),
      (Math.floor(day / 100) % 100) - 1,
      (day % 100) + 1,
    );
    let within = nextMidnightInUtc - MAX_OFFSET_MS;
    let after = nextMidnightInUtc + MAX_OFFSET_MS;
    while (after - within > 1) {
      const middle = Math.floor((within + after) / 2);
      if (numberOf(dayOf(middle)) > day) after = middle;
      else within = middle;
    }
    return after;
  };

  return {
    timeZone,
    dayOf,
    lastDay: (end) => dayOf(end - 1),
    endOfDay(date) {
      const known = remembered.get(date);
      if (known !== undefined) return known;
      if (!isDate(date)) return undefined;
      const end = Math.min(search(numberOf(date)), LAST_INSTANT);
      if (remembered.size >= REMEMBERED_DAYS) remembered.clear();
      remembered.set(date, end);
      return end;
    },
  };
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < "1970") return false;
  const date = new Date(`${text}T00:00:00Z`);
  // 31 February is no error to Date, but another day.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** A day as a number that grows from day to day, the year 10000 included. */
function numberOf(date: string): number {
  return Number(date.replaceAll("-", ""));
}
