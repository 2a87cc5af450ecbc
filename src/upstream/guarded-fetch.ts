/**
 * The only way by which Liaison talks to an upstream: a fetch that gives up in time, reads no more than it
 * must, follows no redirect, speaks plain http to this machine alone and leaves an upstream alone that
 * doesn't answer. What is amiss with the transport leaves here as `upstream_unavailable`; what is amiss with
 * the content is openid-client's to find.
 */

import type { Milliseconds } from "../clock.ts";
import { isEncryptedOrLocal } from "../domain/loopback.ts";
import { BodyTooLarge, readResponse } from "../read-body.ts";
import type { Circuit, CircuitLimits } from "./circuit.ts";
import { describeError, unavailable } from "./failures.ts";

/** The part of the global `fetch` that is used: by its URL as text. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface FetchLimits extends CircuitLimits {
  timeoutMs: Milliseconds;
  maxBytes: number;
}

/**
 * Discovery documents and key sets take kilobytes, and who waits longer than five seconds at a sign-in has
 * left.
 */
export const DEFAULT_LIMITS: FetchLimits = {
  timeoutMs: 5_000,
  maxBytes: 1024 * 1024,
  silences: 3,
  pauseMs: 3_000,
};

/**
 * Makes the guarded fetch of one upstream. The answers it gives are complete: their bodies are read and
 * measured.
 */
export function guardedFetch(
  upstreamId: string,
  { fetch: inner, limits, circuit }: { fetch: Fetch; limits: FetchLimits; circuit: Circuit },
): Fetch {
  return async (address, init) => {
    const url = new URL(address);
    // Without the query: nothing secret is sent in one, but a log is no place to find out.
    const where = `${url.origin}${url.pathname}`;
    if (!isEncryptedOrLocal(url))
      throw unavailable(upstreamId, `${where} is neither https nor on this machine`);
    const refused = circuit.enter(where);
    if (refused !== undefined) throw unavailable(upstreamId, `${where} is not asked: ${refused}`);
    const signal = AbortSignal.timeout(limits.timeoutMs);
    const whole = { ...init, signal, redirect: "manual" as const };
    const response = await readWhole(inner, address, whole, limits.maxBytes).then(
      (answer) => {
        circuit.settle(where, true);
        return answer;
      },
      (error: unknown) => {
        // Too much is an answer, though none to be read.
        const isTooLarge = error instanceof BodyTooLarge;
        circuit.settle(where, isTooLarge);
        const reason = isTooLarge
          ? `the answer is longer than ${limits.maxBytes} bytes`
          : describeError(error);
        throw unavailable(upstreamId, `${where}: ${reason}`);
      },
    );
    const { status } = response;
    if (status >= 500 || status === 429 || (status >= 300 && status < 400)) {
      throw unavailable(upstreamId, `${where} answered ${status}`);
    }
    return response;
  };
}

async function readWhole(inner: Fetch, url: string, init: RequestInit, maxBytes: number): Promise<Response> {
  const { status, headers, body } = await inner(url, init);
  const bytes = body === null ? null : await readResponse(body, maxBytes);
  // Statuses that have no body may not be given one, not even an empty one.
  return new Response(bytes === null || bytes.length === 0 ? null : new Uint8Array(bytes), {
    status,
    headers,
  });
}
