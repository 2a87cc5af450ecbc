/**
 * Caps the sign-ins that one client begins: each makes an interaction, which costs the store. The first of a window are
 * counted here alone, so that ordinary sign-ins cost nothing; only whoever begins many is counted in the store, by all brokers
 * together.
 */

import type { Middleware } from "koa";
import type { Clock } from "../clock.ts";
import { clientNetwork } from "../domain/networks.ts";
import { LiaisonError } from "../errors.ts";
import type { Limit, ThrottleStore } from "../storage/contract.ts";

export interface FloodDeps {
  throttles: ThrottleStore;
  limit: Limit;
  clock: Clock;
}

/** The share of the limit that one broker lets through by its own count. */
const ownShare = 0.1;
/** How many clients are remembered; those whose windows are over go first. */
const rememberedClients = 10_000;

/** Refuses an authorization request over the limit with `too_many_requests`, before anything is made of it. */
export function capSignIns({ throttles, limit: { limit, windowSeconds }, clock }: FloodDeps): Middleware {
  const counted = new Map<string, { count: number; endsAt: number }>();
  const own = Math.max(1, Math.floor(limit * ownShare));

  function countHere(client: string, now: number): number {
    const known = counted.get(client);
    if (known !== undefined && known.endsAt > now) {
      known.count += 1;
      return known.count;
    }
    // In the order in which their windows end.
    counted.delete(client);
    counted.set(client, { count: 1, endsAt: now + windowSeconds * 1000 });
    if (counted.size > rememberedClients) forget(now);
    return 1;
  }

  function forget(now: number): void {
    for (const [client, { endsAt }] of counted) {
      if (endsAt > now && counted.size <= rememberedClients) return;
      counted.delete(client);
    }
  }

  return async (ctx, next) => {
    if (!/^\/authorize\/?$/i.test(ctx.path)) return await next();
    const client = clientNetwork(String(ctx.state["clientAddress"]));
    const now = clock.now();
    if (countHere(client, now) <= own) return await next();
    const { taken, resetsAt } = await throttles.takeSlot(`sign-ins:${client}`, limit - own, windowSeconds, now);
    if (taken) return await next();
    ctx.state["retryAfterSeconds"] = Math.max(1, Math.ceil((resetsAt - now) / 1000));
    throw new LiaisonError("too_many_requests", "Too many sign-ins were begun from this address.");
  };
}
