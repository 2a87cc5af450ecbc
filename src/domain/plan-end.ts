/**
 * The end of a service plan, as it is written: as the first instant at which it no longer holds, as its last
 * day in the deployment's time zone, or as both. What is kept is the instant.
 */

import type { Instant } from "../clock.ts";
import type { Calendar } from "./calendar.ts";

/** What was written of a plan's end. Undefined is what was left out; null is no end. */
export interface WrittenEnd {
  expiresAt: Instant | null | undefined;
  /** YYYY-MM-DD. */
  lastDay: string | null | undefined;
  /** The IANA zone that the day was meant in. */
  timeZone: string | undefined;
}

type PlanEnd =
  | { kind: "end"; expiresAt: Instant | null }
  | { kind: "fault"; field: "last_day" | "time_zone"; problem: string };

/** How a plan's end is shown: the instant is the same everywhere, the day is the zone's. */
export function planEndOf(
  expiresAt: Instant | null,
  calendar: Calendar,
): { lastDay: string | null; timeZone: string } {
  return { lastDay: expiresAt === null ? null : calendar.lastDay(expiresAt), timeZone: calendar.timeZone };
}

/**
 * When a plan ends after an edit.
 * @param before when it ended until now; null for something new. A value that says the same as before says
 *   nothing: a record is
 * read, changed in one of the two and sent back whole, and a day that stays never moves an instant within it
 */
export function planEnd(written: WrittenEnd, before: Instant | null, calendar: Calendar): PlanEnd {
  const { expiresAt, lastDay, timeZone } = written;
  if (timeZone !== undefined && timeZone !== calendar.timeZone) {
    return {
      kind: "fault",
      field: "time_zone",
      problem: `plans end in ${calendar.timeZone} here; leave it out`,
    };
  }
  const isNewDay = lastDay !== undefined && lastDay !== planEndOf(before, calendar).lastDay;
  if (expiresAt === undefined || expiresAt === before) {
    return isNewDay ? endOf(lastDay, calendar) : { kind: "end", expiresAt: before };
  }
  if (isNewDay && lastDay !== planEndOf(expiresAt, calendar).lastDay) {
    return {
      kind: "fault",
      field: "last_day",
      problem: "is another day than that of expires_at; write one of the two",
    };
  }
  return { kind: "end", expiresAt };
}

function endOf(lastDay: string | null, calendar: Calendar): PlanEnd {
  if (lastDay === null) return { kind: "end", expiresAt: null };
  const end = calendar.endOfDay(lastDay);
  if (end !== undefined) return { kind: "end", expiresAt: end };
  return { kind: "fault", field: "last_day", problem: "write a day such as 2027-03-31" };
}
