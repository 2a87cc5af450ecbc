/** Times and lengths of time as people read them. Times are shown in the deployment's zone, and the zone is named. */

import type { Instant } from "../clock.ts";
import { messages } from "./messages.ts";
import type { Site } from "./views.ts";

/** The regional form of dates of each language: day before month, 24 hours. */
const regions: Readonly<Record<string, string>> = { en: "en-GB" };

type When = Pick<Site, "locale" | "timeZone">;

/** Such as "23 November 2026 at 16:30 (Central European Time)". */
export function formatInstant(site: When, instant: Instant): string {
  const region = regions[site.locale] ?? site.locale;
  const part = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(region, { ...options, timeZone: site.timeZone });
  const zoneName = (timeZoneName: "longGeneric" | "long"): string | undefined =>
    part({ timeZoneName })
      .formatToParts(instant)
      .find(({ type }) => type === "timeZoneName")?.value;
  const generic = zoneName("longGeneric");
  return messages(site.locale).text("common.dateTime", {
    date: part({ day: "numeric", month: "long", year: "numeric" }).format(instant),
    time: part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(instant),
    // UTC has no name of the generic kind, only an offset.
    zone: (generic?.startsWith("GMT") ? zoneName("long") : generic) ?? site.timeZone,
  });
}

/** Such as "1 second", or "3 minutes" for what is longer than two. The page's script writes the same while it counts down. */
export function formatSeconds(locale: string, seconds: number): string {
  return seconds > 120 ? formatUnit(locale, Math.ceil(seconds / 60), "minute") : formatUnit(locale, seconds, "second");
}

/** Such as "30 minutes", or "2 hours" for 120. */
export function formatMinutes(locale: string, minutes: number): string {
  return minutes > 0 && minutes % 60 === 0
    ? formatUnit(locale, minutes / 60, "hour")
    : formatUnit(locale, minutes, "minute");
}

function formatUnit(locale: string, amount: number, unit: "second" | "minute" | "hour"): string {
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(amount);
}

/** Such as "23 November 2026": the last day, in the deployment's zone, of what holds before an instant. */
export function formatLastDay({ locale, timeZone }: When, end: Instant): string {
  const form = { day: "numeric", month: "long", year: "numeric", timeZone } as const;
  return new Intl.DateTimeFormat(regions[locale] ?? locale, form).format(end - 1);
}

/** Such as "23 Nov 2026", of a day as YYYY-MM-DD. */
export function formatDay({ locale }: Pick<Site, "locale">, day: string): string {
  const form = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" } as const;
  const noon = new Date(`${day}T12:00:00Z`);
  return Number.isNaN(noon.getTime()) ? day : new Intl.DateTimeFormat(regions[locale] ?? locale, form).format(noon);
}

/** Such as "23 Nov 2026, 16:30", for lists: in the deployment's zone, which the page names once. */
export function formatShort(site: When, instant: Instant): string {
  return new Intl.DateTimeFormat(regions[site.locale] ?? site.locale, {
    ...{ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    timeZone: site.timeZone,
  }).format(instant);
}
