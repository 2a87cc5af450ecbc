/**
 * Which sign-in of this browser waits for a mailed link, for the link's own pages: an interaction's cookies
 * aren't sent there. It says where a way back leads, and decides nothing.
 */

import type { Context } from "koa";
import type { Seconds } from "../clock.ts";
import { asClientId } from "../domain/ids.ts";
import type { ClientId } from "../domain/records.ts";
import type { CookiePlace, Cookies } from "./cookies.ts";
import type { EncryptedCookies } from "./encrypted-cookie.ts";

export interface WaitingSignIn {
  interactionUid: string;
  clientId: ClientId;
  /** Where its portal is told what came of it. */
  redirectUri: string;
}

export interface WaitingSignIns {
  /** Keeps it, in the place of an earlier one. */
  note(ctx: Context, waiting: WaitingSignIn, maxAgeSeconds: Seconds): Promise<void>;
  find(ctx: Context): Promise<WaitingSignIn | undefined>;
}

export function createWaitingSignIns(
  issuer: string,
  cookies: Cookies,
  encryptedCookies: EncryptedCookies,
): WaitingSignIns {
  const place: CookiePlace = cookies.below(new URL(`${issuer}/link`).pathname, "liaison.waiting");
  return {
    note: async (ctx, waiting, maxAgeSeconds) =>
      void encryptedCookies.set(ctx, place, waiting, maxAgeSeconds),
    find: async (ctx) => {
      const { interactionUid, clientId, redirectUri } = encryptedCookies.get(ctx, place) ?? {};
      const isWhole =
        typeof interactionUid === "string" && typeof clientId === "string" && typeof redirectUri === "string";
      return isWhole ? { interactionUid, clientId: asClientId(clientId), redirectUri } : undefined;
    },
  };
}
