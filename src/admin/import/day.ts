/** The last day of a plan, as files write days. Pure. */

import type { Instant, Milliseconds } from "../../clock.ts";
import type { Calendar } from "../../domain/calendar.ts";
import { printable } from "./columns.ts";

export type ReadDay = { end: Instant } | { problem: string };

const WRITE =
  "write YYYY-MM-DD, or nothing for a plan without an end (in a spreadsheet: give the cells the format " +
  "yyyy-mm-dd)";

/**
 * ISO 8601: a day, or a time with or without its distance from UTC. Salesforce writes `+0000`, databases a
 * blank for the T.
 */
const ISO_TIME = new RegExp(
  "^(?<day>\\d{4}-\\d\\d-\\d\\d)[T ](?<hour>[01]\\d|2[0-3]):?(?<minute>[0-5]\\d)" +
    "(?::?(?<second>[0-5]\\d|60)(?:[.,]\\d{1,9})?)? ?(?<zone>Z|[+-]\\d\\d(?::?\\d\\d)?)?$",
  "i",
);

/** The year first, so that nothing is to be guessed. */
const YEAR_FIRST = /^(\d{4})([/.])(\d\d)\2(\d\d)$/;

/** How spreadsheets keep days: by number, from 1900 on or from 1904. */
const COUNTED = /^\d{1,6}(?:[.,]\d+)?$/;

const DAY_MS: Milliseconds = 86_400_000;

/**
 * Reads the last day of a plan: as YYYY-MM-DD, with the year first in another way, or as an ISO 8601 time. Of
 * a time the day is the one that is written; with a distance from UTC it must be the same day in the
 * calendar's zone, unless the time is the first or the last of its day: then it stands for the day, wherever
 * that is.
 */
export function readLastDay(written: string, calendar: Calendar): ReadDay {
  const time = ISO_TIME.exec(written)?.groups;
  const day = time?.["day"] ?? written.replace(YEAR_FIRST, "$1-$3-$4");
  const end = calendar.endOfDay(day);
  if (end === undefined)
    return { problem: `${printable(written)} ${COUNTED.test(written) ? counted(written) : noDate}` };
  const here = time === undefined ? day : (dayHere(time, calendar) ?? day);
  if (here === day) return { end };
  return {
    problem:
      `${printable(written)} is ${here} in the time zone of this deployment, and another day where it ` +
      "was written; write the day alone, YYYY-MM-DD",
  };
}

const noDate = `is no date; ${WRITE}`;

function counted(written: string): string {
  const days = Number(written.replace(",", "."));
  const guess = new Date(Date.UTC(1899, 11, 30) + Math.floor(days) * DAY_MS).toISOString().slice(0, 10);
  return (
    `is no date, but the number that a spreadsheet keeps for one (${guess}, if it counts from 1900); ` +
    `${WRITE}`
  );
}

/** The day that a time is on in the calendar's zone, if that can be another one than is written. */
function dayHere(time: Record<string, string | undefined>, calendar: Calendar): string | undefined {
  const { day = "", hour = "", minute = "", second = "00", zone } = time;
  const clock = `${hour}:${minute}`;
  const isEdge = clock === "23:59" || (clock === "00:00" && second === "00");
  if (zone === undefined || isEdge) return undefined;
  const [, sign = "+", hours = "00", minutes = "00"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offsetMinutes = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const utc = Date.parse(`${day}T${clock}:00Z`);
  return calendar.dayOf(utc - offsetMinutes * 60_000);
}
