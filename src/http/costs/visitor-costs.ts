/**
 * What a visitor may cost: each kind of thing that a stranger can have stored or begun is counted under who
 * causes it, and what is over the limit is refused before anything is made of it. The first of a window are
 * counted in memory alone, so that ordinary visitors cost the store nothing; only who does a lot is counted
 * there, some slots at a time, by all brokers together. What waits instead of being refused (inquiries,
 * messages, mails) the store counts where it takes it.
 */

import type { Context, Middleware } from "koa";
import type { Clock, Instant } from "../../clock.ts";
import type { Limit } from "../../domain/limit.ts";
import { clientNetwork } from "../../domain/networks.ts";
import { LiaisonError } from "../../errors.ts";
import type { ThrottleStore } from "../../storage/contract.ts";
import type { KnownBrowsers } from "./known-browser.ts";
import { createWindows } from "./windows.ts";

/** What is counted by client network. A known browser's own budget takes over where that is used up. */
export type VisitorCost = "sign_in" | "upstream_sign_in" | "sign_out";

export interface VisitorLimits {
  /** New sign-ins at portals, and sign-ins begun at upstreams, by client network: each so many. */
  signIns: Limit;
  /** Sign-outs asked for, by client network. */
  signOuts: Limit;
  /** All of these of one known browser, whose network is over its limit. */
  knownBrowser: Limit;
  /** Sign-ins begun at upstreams for one interaction, or for one mailed link. */
  interaction: Limit;
}

export interface VisitorCosts {
  /**
   * Counts one, or as many as it weighs.
   * @throws LiaisonError `too_many_requests`; `ctx.state.retryAfterSeconds` says when there is room again
   */
  charge(ctx: Context, cost: VisitorCost, weight?: number): Promise<void>;
  /** The same for a sign-in that is begun at an upstream: for its interaction or link, too. */
  chargeUpstreamSignIn(ctx: Context, interactionOrLink: string): Promise<void>;
  /**
   * Who shares an upstream's slots (upstream/slots.ts): a client network, but a known browser has a share of
   * its own.
   */
  senderOf(ctx: Context): string;
}

export interface VisitorCostsDeps {
  throttles: Pick<ThrottleStore, "takeSlots">;
  limits: VisitorLimits;
  known: Pick<KnownBrowsers, "idOf">;
  clock: Clock;
}

/** The share of a limit that one broker lets through by its own count. */
const ownShare = 0.1;
/**
 * The share that is taken of the store at once: who does a lot costs a write for each so many, not for each.
 */
const shareAtOnce = 0.02;
/** How many keys are remembered in memory: some megabytes. */
const remembered = 20_000;
/**
 * Of an authorization request, in bytes as it is stored: so many are ordinary, and each begun as many more
 * weighs one more.
 */
const ordinaryLength = 2048;

export function createVisitorCosts({ throttles, limits, known, clock }: VisitorCostsDeps): VisitorCosts {
  const windows = createWindows(remembered);
  const limitOf: Record<VisitorCost, Limit> = {
    sign_in: limits.signIns,
    upstream_sign_in: limits.signIns,
    sign_out: limits.signOuts,
  };

  /** Takes `weight` slots under `key`. Returns undefined if they were had, otherwise when the window ends. */
  async function take(key: string, limit: Limit, weight: number): Promise<Instant | undefined> {
    const now = clock.now();
    const window = windows.at(key, limit.windowSeconds, now);
    if (window.fullUntil > now) return window.fullUntil;
    const own = Math.max(1, Math.floor(limit.limit * ownShare));
    window.count += weight;
    if (window.count <= own + window.taken) return undefined;
    const lacking = window.count - own - window.taken;
    const wanted = Math.max(lacking, Math.floor(limit.limit * shareAtOnce));
    const shared = { limit: limit.limit - own, windowSeconds: limit.windowSeconds };
    const slots = await throttles.takeSlots(key, wanted, shared, now);
    window.taken += slots.taken;
    if (slots.taken >= lacking) return undefined;
    window.count -= weight;
    // Never longer than a window, whatever a clock said that was set back since.
    window.fullUntil = Math.min(slots.resetsAt, now + limit.windowSeconds * 1000);
    return window.fullUntil;
  }

  function refuse(ctx: Context, until: Instant): never {
    ctx.state["retryAfterSeconds"] = Math.max(1, Math.ceil((until - clock.now()) / 1000));
    throw LiaisonError.tooManyRequests("Too much was asked from here in a short time.");
  }

  async function charge(ctx: Context, cost: VisitorCost, weight = 1): Promise<void> {
    const network = clientNetwork(String(ctx.state["clientAddress"]));
    const networkFull = await take(`${keyOf[cost]}:${network}`, limitOf[cost], weight);
    if (networkFull === undefined) return;
    const id = known.idOf(ctx.get("cookie"));
    if (id === undefined) return refuse(ctx, networkFull);
    const ownFull = await take(keyOfBrowser(id), limits.knownBrowser, weight);
    if (ownFull !== undefined) refuse(ctx, Math.min(networkFull, ownFull));
  }

  return {
    charge,
    async chargeUpstreamSignIn(ctx, interactionOrLink) {
      const full = await take(`upstream-sign-ins:for:${interactionOrLink}`, limits.interaction, 1);
      if (full !== undefined) refuse(ctx, full);
      await charge(ctx, "upstream_sign_in");
    },
    senderOf(ctx) {
      const id = known.idOf(ctx.get("cookie"));
      return id === undefined ? clientNetwork(String(ctx.state["clientAddress"])) : keyOfBrowser(id);
    },
  };
}

const keyOfBrowser = (id: string) => `known-browser:${id}`;

/** What stands before a client network in the key of a throttle. */
const keyOf: Record<VisitorCost, string> = {
  sign_in: "sign-ins",
  upstream_sign_in: "upstream-sign-ins",
  sign_out: "sign-outs",
};

/** Charges an authorization request, by how much of it is to be stored. */
export function chargeAuthorization(costs: VisitorCosts): Middleware {
  return async (ctx, next) => {
    if (/^\/authorize\/?$/i.test(ctx.path) && ctx.method !== "POST") {
      await costs.charge(ctx, "sign_in", weightOf(ctx));
    }
    await next();
  };
}

/**
 * What is stored names each parameter beside its value, and writes out what JSON can't hold: no form of it is
 * cheaper.
 */
function weightOf({ querystring, query }: Context): number {
  const length = Math.max(querystring.length, Buffer.byteLength(JSON.stringify(query)));
  return Math.max(1, Math.ceil(length / ordinaryLength));
}

/** Charges a request to sign out: it is kept in a session, an empty one where there is none. */
export function chargeSignOut(costs: VisitorCosts): Middleware {
  return (ctx, next) => (/^\/logout\/?$/i.test(ctx.path) ? costs.charge(ctx, "sign_out").then(next) : next());
}
