/**
 * What a browser calls itself (RFC 9110, section 10.1.5), as people know it: one of a few names, and no more
 * of it is kept. It is what the browser says: good for telling one's own apart, and a proof of nothing.
 */

/** By what a browser's text holds. The first that fits: most say that they are Chrome or Safari, too. */
const browsers: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bEdg(?:A|iOS)?\//, "Edge"],
  [/\bOPR\/|\bOpera\b/, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChrome\/|\bCriOS\/|\bHeadlessChrome\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
];

const systems: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bWindows\b/, "Windows"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMacintosh\b|\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

/** Reads no more of a text than this: what it is about stands in front. */
const MOST_READ = 512;

/** Such as "Firefox on Windows", or "another browser". @param userAgent the header, or "" */
export function browserName(userAgent: string): string {
  const text = userAgent.slice(0, MOST_READ);
  const named = (table: typeof browsers) => table.find(([pattern]) => pattern.test(text))?.[1];
  const system = named(systems);
  const browser = named(browsers) ?? "another browser";
  return system === undefined ? browser : `${browser} on ${system}`;
}
