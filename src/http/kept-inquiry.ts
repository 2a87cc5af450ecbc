/**
 * What a browser keeps of the inquiry that it sent, in encrypted cookies of that interaction's path, for the
 * store forgets the address. It is shown again for half an hour, to whoever may sit there by then; sent
 * again, unseen, for as long as the interaction lives, because a link that expired is just when somebody asks
 * for another.
 */

import type { Context } from "koa";
import type { Instant, Seconds } from "../clock.ts";
import { asInquiryId, idOrNull } from "../domain/ids.ts";
import type { InquiryId } from "../domain/records.ts";
import type { Cookies } from "./cookies.ts";
import type { EncryptedCookies } from "./encrypted-cookie.ts";

/** Instants are milliseconds. */
export interface KeptInquiry {
  /** The newest one; null where a version before kept it. */
  inquiryId: InquiryId | null;
  /** To be sent again, never to be shown. */
  address: string;
  askedAt: Instant;
  /** When the first inquiry of this interaction was sent. */
  since: Instant;
  /** The newest one's matching code. */
  code: string | null;
  /** Until when the newest one waits because this account has asked so often, or by when it is looked at. */
  heldUntil: Instant | null;
  lookedAtBy: number | null;
}

export interface KeptInquiries {
  find(ctx: Context, uid: string): Promise<KeptInquiry | undefined>;
  /** What was typed in this browser, for as long as it is shown. */
  typed(ctx: Context, uid: string): Promise<string | undefined>;
  /**
   * In the place of what was there. `isShown`: half an hour more; who asks again for what they don't see
   * isn't told it.
   */
  keep(ctx: Context, uid: string, kept: KeptInquiry, isShown: boolean): Promise<void>;
  /** Shows what was typed no more. */
  forgetTyped(ctx: Context, uid: string): void;
  /** Forgets both. */
  forget(ctx: Context, uid: string): void;
}

/** Seconds for which a typed address is shown. */
const shownSeconds: Seconds = 1800;

export function createKeptInquiries(options: {
  issuer: string;
  cookies: Cookies;
  encryptedCookies: EncryptedCookies;
  /** Seconds for which it can be sent again. */
  lifetimeSeconds: Seconds;
}): KeptInquiries {
  const { issuer, cookies, encryptedCookies, lifetimeSeconds } = options;
  const below = (uid: string, name: string) =>
    cookies.below(new URL(`${issuer}/interaction/${uid}`).pathname, name);
  const inquiryAt = (uid: string) => below(uid, "liaison.inquiry");
  const typedAt = (uid: string) => below(uid, "liaison.typed");
  const textOf = (value: unknown) => (typeof value === "string" ? value : null);
  const numberOf = (value: unknown) => (typeof value === "number" ? value : null);

  function forgetTyped(ctx: Context, uid: string): void {
    if (cookies.get(ctx, typedAt(uid)) !== undefined) encryptedCookies.clear(ctx, typedAt(uid));
  }

  return {
    find: async (ctx, uid) => {
      const value = encryptedCookies.get(ctx, inquiryAt(uid));
      const { address, askedAt, since } = value ?? {};
      if (value === undefined || typeof address !== "string") return undefined;
      if (typeof askedAt !== "number" || typeof since !== "number") return undefined;
      return {
        inquiryId: idOrNull(asInquiryId, textOf(value["inquiryId"])),
        address,
        askedAt,
        since,
        code: textOf(value["code"]),
        heldUntil: numberOf(value["heldUntil"]),
        lookedAtBy: numberOf(value["lookedAtBy"]),
      };
    },
    typed: async (ctx, uid) => textOf(encryptedCookies.get(ctx, typedAt(uid))?.["address"]) ?? undefined,
    keep: async (ctx, uid, kept, isShown) => {
      encryptedCookies.set(ctx, inquiryAt(uid), kept, lifetimeSeconds);
      if (isShown) encryptedCookies.set(ctx, typedAt(uid), { address: kept.address }, shownSeconds);
    },
    forgetTyped,
    forget: (ctx, uid) => {
      encryptedCookies.clear(ctx, inquiryAt(uid));
      forgetTyped(ctx, uid);
    },
  };
}
