/**
 * What a browser keeps of the inquiry that it sent, in encrypted cookies of that interaction's path: the matching code and when it
 * was sent for as long as the interaction lives, and the typed address for half an hour. The store forgets the address; only the
 * browser that typed it is shown it again, or can send it again.
 */

import type { Context } from "koa";
import type { InquiryId } from "../storage/records.ts";
import type { Cookies } from "./cookies.ts";
import type { SealedCookies } from "./sealed-cookie.ts";

/** Instants are milliseconds. */
export interface KeptInquiry {
  /** The newest one; null where a version before kept it. */
  inquiryId: InquiryId | null;
  askedAt: number;
  /** When the first inquiry of this interaction was sent. */
  since: number;
  /** The newest one's matching code. */
  code: string | null;
  /** Until when the newest one waits because this account has asked so often, or by when it is looked at. */
  heldUntil: number | null;
  lookedAtBy: number | null;
}

export interface KeptInquiries {
  find(ctx: Context, uid: string): Promise<KeptInquiry | undefined>;
  /** What was typed in this browser, for as long as that is kept. */
  typed(ctx: Context, uid: string): Promise<string | undefined>;
  /** Keeps both, in the place of what was there. */
  keep(ctx: Context, uid: string, kept: KeptInquiry, typed: string): Promise<void>;
  /** Forgets what was typed, when nothing more is sent for it. */
  forgetTyped(ctx: Context, uid: string): void;
  /** Forgets both. */
  forget(ctx: Context, uid: string): void;
}

/** Seconds for which a typed address is kept. */
const typedLifetimeSeconds = 1800;

export function createKeptInquiries(options: {
  issuer: string;
  cookies: Cookies;
  sealed: SealedCookies;
  /** Seconds for which all but the address is kept. */
  lifetimeSeconds: number;
}): KeptInquiries {
  const { issuer, cookies, sealed, lifetimeSeconds } = options;
  const below = (uid: string, name: string) => cookies.below(new URL(`${issuer}/interaction/${uid}`).pathname, name);
  const inquiryAt = (uid: string) => below(uid, "liaison.inquiry");
  const typedAt = (uid: string) => below(uid, "liaison.typed");
  const textOf = (value: unknown) => (typeof value === "string" ? value : null);
  const numberOf = (value: unknown) => (typeof value === "number" ? value : null);

  function forgetTyped(ctx: Context, uid: string): void {
    if (cookies.get(ctx, typedAt(uid)) !== undefined) sealed.clear(ctx, typedAt(uid));
  }

  return {
    find: async (ctx, uid) => {
      const value = await sealed.get(ctx, inquiryAt(uid));
      const { askedAt, since } = value ?? {};
      if (value === undefined || typeof askedAt !== "number" || typeof since !== "number") return undefined;
      return {
        inquiryId: textOf(value["inquiryId"]),
        askedAt,
        since,
        code: textOf(value["code"]),
        heldUntil: numberOf(value["heldUntil"]),
        lookedAtBy: numberOf(value["lookedAtBy"]),
      };
    },
    typed: async (ctx, uid) => textOf((await sealed.get(ctx, typedAt(uid)))?.["address"]) ?? undefined,
    keep: async (ctx, uid, kept, typed) => {
      await sealed.set(ctx, inquiryAt(uid), kept, lifetimeSeconds);
      await sealed.set(ctx, typedAt(uid), { address: typed }, typedLifetimeSeconds);
    },
    forgetTyped,
    forget: (ctx, uid) => {
      sealed.clear(ctx, inquiryAt(uid));
      forgetTyped(ctx, uid);
    },
  };
}
