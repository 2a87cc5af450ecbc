/**
 * What is kept of where a session is used: personal data, so as little as tells a person's browsers apart. It
 * stands in the session's own encrypted payload and goes with it.
 */

import type { Instant } from "../clock.ts";

export interface SeenSession {
  /** As browserName() gives it. */
  browser: string;
  /** As clientNetwork() gives it. */
  network: string;
  begunAt: Instant;
  /** When the browser last came with it. */
  usedAt: Instant;
}

/** The field of a session's payload that holds it. */
export const SEEN_FIELD = "seen";

/** Longest text that is taken: a network in IPv6 has 43 characters at the most. */
const MOST_CHARACTERS = 64;

/** What is kept after a request with the session. @param before what was kept until then, if anything */
export function seenNow(
  before: SeenSession | undefined,
  { browser, network }: Pick<SeenSession, "browser" | "network">,
  now: Instant,
): SeenSession {
  return {
    browser: browser.slice(0, MOST_CHARACTERS),
    network: network.slice(0, MOST_CHARACTERS),
    begunAt: before?.begunAt ?? now,
    usedAt: now,
  };
}

/**
 * Reads it from a session's payload. Undefined for a session that was last saved by a version that kept
 * nothing of it.
 */
export function readSeen(payload: Readonly<Record<string, unknown>>): SeenSession | undefined {
  const seen = payload[SEEN_FIELD];
  if (typeof seen !== "object" || seen === null) return undefined;
  const { browser, network, begunAt, usedAt } = seen as Partial<SeenSession>;
  if (typeof browser !== "string" || typeof network !== "string") return undefined;
  return typeof begunAt === "number" && typeof usedAt === "number"
    ? { browser, network, begunAt, usedAt }
    : undefined;
}
