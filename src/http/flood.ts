/**
 * Caps the sign-ins that one client begins: each makes an interaction, which costs the store. The first of a window are
 * counted here alone, so that ordinary sign-ins cost nothing; only whoever begins many is counted in the store, by all brokers
 * together.
 */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Context, Middleware } from "koa";
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
/** How long one refusal stands for those after it, in milliseconds. */
const keptMs = 10_000;

interface Seen {
  count: number;
  endsAt: number;
  /** Over the limit until then, as the store said. */
  fullUntil: number;
  /** Whether one is being served, and what goes on when it is. */
  isServed: boolean;
  readonly waiting: (() => void)[];
}

export interface SignInCap {
  /**
   * Refuses an authorization request over the limit with `too_many_requests`, before anything is made of it. A client that
   * begins many has them served one after the other, and others' between them.
   */
  middleware: Middleware;
  /** Keeps what a refusal came to; stands before whatever makes a page of it. */
  keeper: Middleware;
  /**
   * Answers a request of a client that was refused a moment ago with the same again, at next to no cost. False if it is to be
   * handled. `path` is below the issuer's.
   */
  refuse(request: IncomingMessage, response: ServerResponse, path: string): boolean;
}

export function createSignInCap({ throttles, limit: { limit, windowSeconds }, clock }: FloodDeps): SignInCap {
  const clients = new Map<string, Seen>();
  const own = Math.max(1, Math.floor(limit * ownShare));
  let kept: { body: string; headers: OutgoingHttpHeaders; until: number } | undefined;

  function seen(client: string, now: number): Seen {
    const known = clients.get(client);
    if (known !== undefined && (known.endsAt > now || known.isServed)) return known;
    const fresh = { count: 0, endsAt: now + windowSeconds * 1000, fullUntil: 0, isServed: false, waiting: [] };
    // In the order in which their windows end.
    clients.delete(client);
    clients.set(client, fresh);
    if (clients.size > rememberedClients) forget(now);
    return fresh;
  }

  function forget(now: number): void {
    for (const [client, { endsAt }] of clients) {
      if (endsAt > now && clients.size <= rememberedClients) return;
      clients.delete(client);
    }
  }

  async function takeTurn(state: Seen): Promise<void> {
    while (state.isServed) await new Promise<void>((resolve) => state.waiting.push(resolve));
    state.isServed = true;
  }

  function endTurn(state: Seen): void {
    state.isServed = false;
    // Not at once: whoever came meanwhile from elsewhere goes first.
    const next = state.waiting.shift();
    if (next !== undefined) setImmediate(next);
  }

  async function takeSlot(ctx: Context, client: string, state: Seen): Promise<void> {
    const now = clock.now();
    if (state.fullUntil <= now) {
      const slot = await throttles.takeSlot(`sign-ins:${client}`, limit - own, windowSeconds, now);
      if (slot.taken) return;
      state.fullUntil = slot.resetsAt;
    }
    ctx.state["retryAfterSeconds"] = secondsUntil(state.fullUntil, now);
    throw new LiaisonError("too_many_requests", "Too many sign-ins were begun from this address.");
  }

  return {
    async middleware(ctx, next) {
      if (!isAuthorization(ctx.path)) return await next();
      const client = clientNetwork(String(ctx.state["clientAddress"]));
      const state = seen(client, clock.now());
      state.count += 1;
      if (state.count <= own) return await next();
      await takeTurn(state);
      try {
        await takeSlot(ctx, client, state);
        await next();
      } finally {
        endTurn(state);
      }
    },

    async keeper(ctx, next) {
      await next();
      if (ctx.status !== 429 || !isAuthorization(ctx.path) || typeof ctx.body !== "string" || !ctx.response.is("html"))
        return;
      const { "retry-after": _own, "set-cookie": _cookies, ...headers } = ctx.response.headers;
      kept = { body: ctx.body, headers, until: clock.now() + keptMs };
    },

    refuse(request, response, path) {
      const now = clock.now();
      if (kept === undefined || kept.until <= now || !isAuthorization(path)) return false;
      if (/json/i.test(request.headers.accept ?? "")) return false;
      const state = clients.get(clientNetwork(String(request.headers["x-forwarded-for"])));
      if (state === undefined || state.fullUntil <= now) return false;
      response.writeHead(429, { ...kept.headers, "retry-after": String(secondsUntil(state.fullUntil, now)) });
      response.end(request.method === "HEAD" ? undefined : kept.body);
      return true;
    },
  };
}

const isAuthorization = (path: string) => /^\/authorize\/?(?:\?|$)/i.test(path);

function secondsUntil(instant: number, now: number): number {
  return Math.max(1, Math.ceil((instant - now) / 1000));
}
