/**
 * One configured upstream with what is before it: its discovery, the circuit that leaves it alone while it is
 * silent, and the fair queue of the sign-ins that ask it. What is asked of it is upstreams.ts's.
 */

import type { Clock } from "../clock.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { asUpstreamId } from "../domain/ids.ts";
import type { UpstreamId } from "../domain/records.ts";
import { LiaisonError } from "../errors.ts";
import type { Check } from "../readiness.ts";
import { createCircuit } from "./circuit.ts";
import type { ClientKeys } from "./client-keys.ts";
import { type DiscoveredUpstream, discoveredUpstream, type UpstreamLogger } from "./discovered.ts";
import { unavailable } from "./failures.ts";
import { DEFAULT_LIMITS, type Fetch, type FetchLimits, guardedFetch } from "./guarded-fetch.ts";
import { createSlots, DEFAULT_SLOTS, type SlotLimits, type SlotOutcome, type Slots } from "./slots.ts";

export interface KnownUpstreamDependencies {
  /** Our own issuer: callbacks are built on it. */
  issuer: string;
  clock: Clock;
  logger: UpstreamLogger;
  clientKeys: ClientKeys;
  fetch?: Fetch;
  limits?: FetchLimits & SlotLimits;
}

export interface KnownUpstream {
  discovered: DiscoveredUpstream;
  /** What is asked for one sign-in takes one; discovery, which is for all, takes none. */
  slots: Slots;
}

/** Makes what stands before an upstream. Nothing is fetched yet. */
export function knownUpstream(
  config: UpstreamConfig,
  dependencies: KnownUpstreamDependencies,
): KnownUpstream {
  const { clock, logger, clientKeys, issuer, fetch = globalThis.fetch, limits } = dependencies;
  const circuit = createCircuit(limits ?? DEFAULT_LIMITS, clock);
  const guarded = guardedFetch(config.id, { fetch, limits: limits ?? DEFAULT_LIMITS, circuit });
  const redirectUri = callbackUrl(issuer, asUpstreamId(config.id)).href;
  const discovered = discoveredUpstream(config, {
    clock,
    logger,
    fetch: guarded,
    circuit,
    clientKeys,
    redirectUri,
  });
  return { discovered, slots: createSlots(limits ?? DEFAULT_SLOTS) };
}

/** What was amiss with it when it was asked last: degraded, by its id. */
export function checkOf({ discovered }: KnownUpstream): Check {
  return {
    name: `upstream.${discovered.config.id}`,
    look() {
      const reason = discovered.trouble();
      return reason === undefined ? { status: "ok" } : { status: "degraded", reason };
    },
  };
}

/**
 * Asks an upstream for one sign-in, when it is the sender's turn. Throws `upstream_unavailable` if that
 * doesn't come.
 */
export async function inTurn<T>(
  { discovered, slots }: KnownUpstream,
  { sender, success }: { sender: string; success: SlotOutcome },
  ask: () => Promise<T>,
): Promise<T> {
  const slot = await slots.take(sender);
  if (slot === undefined)
    throw unavailable(discovered.config.id, "too many sign-ins wait for this upstream's answers");
  try {
    const result = await ask();
    slot.end(success);
    return result;
  } catch (error) {
    // What comes back from a browser is all that such an answer can be due to, as long as others' are proven.
    const isMadeUp = error instanceof LiaisonError && error.code === "upstream_rejected";
    slot.end(isMadeUp ? "made_up" : "neither");
    throw error;
  }
}

/**
 * The one redirect_uri of an upstream: distinct per upstream, so that answers can't be mixed up (RFC 9700,
 * section 4.4).
 */
export function callbackUrl(issuer: string, upstreamId: UpstreamId): URL {
  return new URL(`${issuer}/upstream/${upstreamId}/callback`);
}
