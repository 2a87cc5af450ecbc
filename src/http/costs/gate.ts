/**
 * The gate in front of everything: requests of one client network beyond a burst are served at an even pace,
 * and beyond a few seconds of waiting answered that they should come back, at next to no cost. Known browsers
 * have a pace each. Programs that authenticate (portals' servers, the administration's API) aren't paced,
 * unless their network has failed at it many times.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Context, Middleware, Next } from "koa";
import type { Clock, Milliseconds } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import { clientNetwork } from "../../domain/networks.ts";
import { isPublicClient } from "../../oidc/internals.ts";
import type { Refusals } from "../refusals.ts";
import type { KnownBrowsers } from "./known-browser.ts";
import { createPace, type Pace } from "./pace.ts";
import { createWindows } from "./windows.ts";

export interface Gate {
  /**
   * Whether a request may go on now, or a promise of that; otherwise it has been answered. `path` is below
   * the issuer's, `address` the client's.
   */
  admit(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    address: string,
  ): boolean | Promise<boolean>;
  /** Counts what failed to authenticate; stands around all that answers programs. */
  middleware: Middleware;
}

export interface GateDeps {
  limits: { requests: Limit; failures: Limit };
  known: Pick<KnownBrowsers, "isClaimed" | "idOf">;
  refusals: Pick<Refusals, "tooMany">;
  clock: Clock;
  /** Milliseconds of a clock that nobody can set. */
  elapsed?: () => number;
}

/** A request that may have to wait. */
interface Arrival {
  request: IncomingMessage;
  response: ServerResponse;
  network: string;
  place: ReturnType<Pace["take"]>;
}

/** The longest that a request waits for its moment, in milliseconds. */
const longestWaitMs: Milliseconds = 4000;
const remembered = 50_000;
/**
 * For how many milliseconds a refusal is held, so that who asks again as soon as they are answered asks
 * slowly; and how many of one network are, so that nobody fills the memory by it.
 */
const refusedAfterMs: Milliseconds = 1000;
const mostDelayed = 500;
/** The share of a network's pace that one known browser has by itself. */
const knownShare = 0.2;

/** Where programs authenticate. Preflights don't, and neither does who asks for keys and metadata. */
const ofPrograms = /^\/(?:token|userinfo|introspect|revoke|par|mail\/bounces|admin\/api\/.*)\/?(?:\?|$)/i;
const ofProbes = /^\/(?:livez|readyz|healthz)(?:\?|$)/;

/** Makes the gate. It remembers its visitors in memory alone. */
export function createGate({
  limits,
  known,
  refusals,
  clock,
  elapsed = () => performance.now(),
}: GateDeps): Gate {
  const networks = paceOf(limits.requests, 1, elapsed);
  const browsers = paceOf(limits.requests, knownShare, elapsed);
  const failures = createWindows(remembered);
  const holdRefusal = createRefusalHold();

  const hasFailedOften = (network: string) =>
    (failures.find(network, clock.now())?.count ?? 0) > limits.failures.limit;

  /** Beyond its network's burst a known browser goes at its own pace, which nobody else uses up. */
  async function paced(arrival: Arrival): Promise<boolean> {
    const id = known.idOf(arrival.request.headers.cookie);
    const own = id === undefined ? undefined : browsers.take(id);
    return await waited({ ...arrival, place: own ?? arrival.place });
  }

  async function waited({ request, response, network, place }: Arrival): Promise<boolean> {
    if ("waitMs" in place) {
      if (place.waitMs > 0) await pause(place.waitMs);
      return !response.destroyed;
    }
    await holdRefusal(network);
    if (!response.destroyed)
      refusals.tooMany(request, response, Math.ceil((place.fullForMs + longestWaitMs) / 1000));
    return false;
  }

  async function counted(ctx: Context, next: Next): Promise<void> {
    await next();
    if (!isFailure(ctx)) return;
    const network = clientNetwork(String(ctx.state["clientAddress"]));
    failures.at(network, limits.failures.windowSeconds, clock.now()).count += 1;
  }

  return {
    admit(request, response, path, address) {
      if (ofProbes.test(path)) return true;
      const network = clientNetwork(address);
      if (isProgram(request, path) && !hasFailedOften(network)) return true;
      const place = networks.take(network);
      if ("waitMs" in place && place.waitMs === 0) return true;
      const arrival = { request, response, network, place };
      return known.isClaimed(request.headers.cookie) ? paced(arrival) : waited(arrival);
    },

    middleware: (ctx, next) => (isProgram(ctx, ctx.path) ? counted(ctx, next) : next()),
  };
}

function paceOf({ limit, windowSeconds }: Limit, share: number, elapsed: () => number): Pace {
  return createPace({
    limit: { limit: Math.max(1, Math.floor(limit * share)), windowSeconds },
    longestWaitMs,
    remembered,
    elapsed,
  });
}

/** Waits before a network is refused, unless as many of its refusals wait as may. */
function createRefusalHold(): (network: string) => Promise<void> {
  /** How many of each network are delayed. */
  const delayed = new Map<string, number>();
  return async (network) => {
    const others = delayed.get(network) ?? 0;
    if (others >= mostDelayed) return;
    delayed.set(network, others + 1);
    await pause(refusedAfterMs);
    const left = (delayed.get(network) ?? 1) - 1;
    if (left > 0) delayed.set(network, left);
    else delayed.delete(network);
  };
}

function isProgram({ method }: Pick<IncomingMessage, "method">, path: string): boolean {
  return method !== "OPTIONS" && ofPrograms.test(path);
}

/** A client without a secret proves nothing by being answered 200. */
function isFailure(ctx: Context): boolean {
  return (ctx.status >= 400 && ctx.status < 500 && ctx.status !== 429) || isPublicClient(ctx);
}
