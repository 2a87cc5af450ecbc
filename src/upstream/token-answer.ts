/**
 * Notes the answer of the token endpoint in one code exchange: when it came, and the `Date` that the upstream
 * gave it, which openid-client keeps to itself. Exchanges under way at once don't see each other's.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Instant } from "../clock.ts";
import type { Fetch } from "./guarded-fetch.ts";

export interface TokenAnswer {
  /** When the request left and when its answer was here, by our clock. */
  askedAt: Instant;
  answeredAt: Instant;
  /** The response's `Date`, as it came. */
  date: string | null;
}

interface Exchange {
  endpoint: string | undefined;
  answer: TokenAnswer | undefined;
}

const exchanges = new AsyncLocalStorage<Exchange>();

/**
 * A fetch that notes the answer of the token endpoint for the exchange that asks it; otherwise it is `fetch`.
 */
export function notingTokenAnswer(fetch: Fetch, clock: Clock): Fetch {
  return async (url, init) => {
    const exchange = exchanges.getStore();
    if (exchange?.endpoint !== url) return await fetch(url, init);
    const askedAt = clock.now();
    const response = await fetch(url, init);
    exchange.answer = { askedAt, answeredAt: clock.now(), date: response.headers.get("date") };
    return response;
  };
}

/** Runs an exchange with the token endpoint and returns its result with the answer that it rests on. */
export async function withTokenAnswer<T>(
  endpoint: string | undefined,
  exchange: () => Promise<T>,
): Promise<{ result: T; answer: TokenAnswer }> {
  const noted: Exchange = {
    endpoint: endpoint === undefined ? undefined : new URL(endpoint).href,
    answer: undefined,
  };
  const result = await exchanges.run(noted, exchange);
  if (noted.answer === undefined)
    throw new TypeError("a code was exchanged without asking the token endpoint");
  return { result, answer: noted.answer };
}
