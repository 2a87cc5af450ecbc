/**
 * Times and lengths of time as people read them, in the deployment's zone. A page or mail names the zone
 * once, with the one time that it says; days alone need none.
 */

import type { Instant } from "../clock.ts";
import { messages } from "./messages.ts";
import type { Site } from "./views.ts";

/** The regional form of dates of each language: day before month, 24 hours. */
const regions: Readonly<Record<string, string>> = { en: "en-GB" };

type When = Pick<Site, "locale" | "timeZone">;

/**
 * Formats by what they are made of: making one takes a hundred times as long as using it, and a list has many
 * times.
 */
const formats = new Map<string, Intl.DateTimeFormat>();

/** The format of a deployment's language; there are as many as languages, zones and forms. */
function dateFormat(locale: string, form: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, form]);
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(regions[locale] ?? locale, form);
  formats.set(key, made);
  return made;
}

/** Such as "23 Nov 2026, 16:30 (Central European Time)"; of the day that it is `now`, the time alone. */
export function formatInstant(site: When, instant: Instant, now?: Instant): string {
  const part = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    dateFormat(site.locale, { ...options, timeZone: site.timeZone });
  const zoneName = (timeZoneName: "longGeneric" | "long"): string | undefined =>
    part({ timeZoneName })
      .formatToParts(instant)
      .find(({ type }) => type === "timeZoneName")?.value;
  const generic = zoneName("longGeneric");
  const time = part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(instant);
  // UTC has no name of the generic kind, only an offset.
  const zone = (generic?.startsWith("GMT") ? zoneName("long") : generic) ?? site.timeZone;
  const date = dateOf(site, instant);
  const t = messages(site.locale);
  const isToday = now !== undefined && dateOf(site, now) === date;
  return isToday
    ? t.text("common.timeToday", { time, zone })
    : t.text("common.dateTime", { date, time, zone });
}

/** The day that an instant falls on, such as "23 Nov 2026". */
function dateOf(site: When, instant: Instant): string {
  return dateFormat(site.locale, {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: site.timeZone,
  }).format(instant);
}

/**
 * Such as "1 second", or "3 minutes" for what is longer than two. The page's script writes the same while it
 * counts down.
 */
export function formatSeconds(locale: string, seconds: number): string {
  return seconds > 120
    ? formatUnit(locale, Math.ceil(seconds / 60), "minute")
    : formatUnit(locale, seconds, "second");
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
  return dateFormat(locale, form).format(end - 1);
}

/** Such as "23 Nov 2026", of a day as YYYY-MM-DD. */
export function formatDay({ locale }: Pick<Site, "locale">, day: string): string {
  const form = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" } as const;
  const noon = new Date(`${day}T12:00:00Z`);
  return Number.isNaN(noon.getTime()) ? day : dateFormat(locale, form).format(noon);
}

/** Such as "23 Nov 2026, 16:30", for lists: in the deployment's zone, which the page names once. */
export function formatShort(site: When, instant: Instant): string {
  return dateFormat(site.locale, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: site.timeZone,
  }).format(instant);
}
