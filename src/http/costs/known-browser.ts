/**
 * Known browsers: one that completed a sign-in here carries an encrypted cookie, and is served on a budget of
 * its own while its network is over the limit. The cookie gives nothing else, and says nobody's name: what
 * the budget is counted under is a keyed hash of the account, so that all browsers of an account share one,
 * and signing in again makes no more of it.
 */

import { createHmac } from "node:crypto";
import type { Context, Middleware } from "koa";
import type { Clock, Instant, Milliseconds, Seconds } from "../../clock.ts";
import type { AccountId } from "../../domain/records.ts";
import { type Cookies, cookiePairs } from "../cookies.ts";
import type { EncryptedCookies } from "../encrypted-cookie.ts";
import { createRecent } from "./recent.ts";

export interface KnownBrowsers {
  /** Whether a Cookie header says that it comes of a known browser. That says nothing yet. */
  isClaimed(header: string | undefined): boolean;
  /** What the browser's budget is counted under, if it is a known one. */
  idOf(header: string | undefined): string | undefined;
  /** Notes that this response completes a sign-in of an account. */
  completed(ctx: Pick<Context, "state">, accountId: AccountId): void;
  /** Gives a browser whose sign-in was completed its cookie, unless it has that. */
  middleware: Middleware;
}

/** What is in the cookie: whose budget, and since when. */
interface Completed {
  id: string;
  since: Instant;
}

export interface KnownBrowsersOptions {
  /** 32 bytes, base64url. */
  key: string;
  cookies: Cookies;
  encryptedCookies: EncryptedCookies;
  clock: Clock;
}

const lifetimeSeconds: Seconds = 365 * 86_400;
/** How old a cookie is when a sign-in makes it anew, in milliseconds. */
const renewedAfterMs: Milliseconds = 30 * 86_400_000;
/**
 * How many cookies are remembered with what is in them, and how many ids: opening one takes longer than all
 * else here.
 */
const remembered = 10_000;

export function createKnownBrowsers({
  key,
  cookies,
  encryptedCookies,
  clock,
}: KnownBrowsersOptions): KnownBrowsers {
  const place = cookies.ofService("liaison.known");
  const secret = Buffer.from(key, "base64url");
  const ids = createRecent<string>(remembered);
  function idFor(accountId: AccountId): string {
    const known = ids.get(accountId);
    if (known !== undefined) return known;
    const id = createHmac("sha256", secret)
      .update(`known browser\n${accountId}`)
      .digest("base64url")
      .slice(0, 22);
    ids.set(accountId, id);
    return id;
  }

  const opened = createRecent<Completed>(remembered);
  const isOver = ({ since }: Completed) => clock.now() >= since + lifetimeSeconds * 1000;

  function read(header: string | undefined): Completed | undefined {
    const token = cookiePairs(header ?? "").find(([name]) => name === place.name)?.[1];
    if (token === undefined) return undefined;
    const known = opened.get(token);
    if (known !== undefined) return isOver(known) ? undefined : known;
    const { id, since } = encryptedCookies.decrypt(place, token) ?? {};
    if (typeof id !== "string" || typeof since !== "number") return undefined;
    opened.set(token, { id, since });
    return { id, since };
  }

  return {
    isClaimed: (header) => header?.includes(`${place.name}=`) === true,
    idOf: (header) => read(header)?.id,
    completed: (ctx, accountId) => {
      ctx.state["completedSignIn"] = idFor(accountId);
    },
    middleware: async (ctx, next) => {
      await next();
      const id: unknown = ctx.state["completedSignIn"];
      if (typeof id !== "string") return;
      const now = clock.now();
      const had = read(ctx.get("cookie"));
      if (had?.id === id && had.since <= now && now - had.since < renewedAfterMs) return;
      const token = encryptedCookies.set(ctx, place, { id, since: now }, lifetimeSeconds);
      opened.set(token, { id, since: now });
    },
  };
}
