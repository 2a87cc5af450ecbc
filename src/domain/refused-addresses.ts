/**
 * Which of the unregistered addresses that come with a client's id are kept for its developer: a handful, the
 * newest first. Whoever knows the id can send some, so a repeated one isn't written anew for a while, and
 * where there is no room the oldest makes way only when it stood for a minute: for one client at most so many
 * are written in a minute, whatever is sent.
 */

import type { Instant, Milliseconds } from "../clock.ts";
import type { RefusedAddress } from "./records.ts";

const MOST_ADDRESSES = 5;
/** Characters of an address that anybody may have sent. */
const LONGEST = 500;
/** For how long the same address isn't written anew, in milliseconds. */
const REPEATED_MS: Milliseconds = 5 * 60_000;
/** For how long an address has its place, in milliseconds. */
const STAYS_MS: Milliseconds = 60_000;

/** What is kept with one that came now; undefined where it stays as it is, and nothing is to be written. */
export function withRefused(
  stored: readonly RefusedAddress[],
  { parameter, address }: Pick<RefusedAddress, "parameter" | "address">,
  now: Instant,
): RefusedAddress[] | undefined {
  const came: RefusedAddress = { parameter, address: address.slice(0, LONGEST), at: now };
  const isSame = (one: RefusedAddress) => one.parameter === came.parameter && one.address === came.address;
  // One of the future was written before the clock was set back: it holds nothing up.
  const isYoung = ({ at }: RefusedAddress, ms: number) => at <= now && now - at < ms;
  const same = stored.find(isSame);
  if (same !== undefined && isYoung(same, REPEATED_MS)) return undefined;
  const oldest = stored[MOST_ADDRESSES - 1];
  if (same === undefined && oldest !== undefined && isYoung(oldest, STAYS_MS)) return undefined;
  return [came, ...stored.filter((one) => !isSame(one))].slice(0, MOST_ADDRESSES);
}
