/** Days as they are written on a command line. */

import { createCalendar } from "../domain/calendar.ts";
import { time } from "./fields.ts";

/** The first instant after a day (YYYY-MM-DD) in an IANA time zone, as operations take instants. Undefined for what is no day. */
export function endOfDay(date: string, timeZone: string): string | undefined {
  const end = createCalendar(timeZone).endOfDay(date);
  return end === undefined ? undefined : time(end);
}
