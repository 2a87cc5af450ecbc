/**
 * Who is told on the waiting page that a link was declined: the browser that declined it, by a cookie, and
 * whoever asked, where the one who declined proved the identity that asked, by a row under the inquiry's id.
 * A decline by anybody else leaves nothing that the waiting page reads: a stranger who typed somebody's
 * address can't tell what its owner did with the link.
 */

import type { Context } from "koa";
import type { Clock, Seconds } from "../clock.ts";
import type { InquiryId } from "../domain/records.ts";
import { hashSecret } from "../domain/secrets.ts";
import type { ArtifactStore } from "../storage/contract.ts";
import type { Cookies } from "./cookies.ts";
import type { EncryptedCookies } from "./encrypted-cookie.ts";

export interface DeclinedLinks {
  /** Notes it for this browser. */
  noteHere(ctx: Context, inquiryId: InquiryId): Promise<void>;
  /** Notes it for whoever asked, in any browser. */
  noteForRequester(inquiryId: InquiryId): Promise<void>;
  /**
   * Whether this browser is told that a link of this inquiry was declined. One read, whatever was done with
   * the link.
   */
  isTold(ctx: Context, inquiryId: InquiryId): Promise<boolean>;
}

export interface DeclinedLinksOptions {
  issuer: string;
  cookies: Cookies;
  encryptedCookies: EncryptedCookies;
  artifacts: Pick<ArtifactStore, "upsert" | "find">;
  clock: Clock;
  /** Seconds for which it can be told: as long as an interaction lives. */
  lifetimeSeconds: Seconds;
}

/** As the store calls it. */
const model = "DeclinedLink";

export function createDeclinedLinks(options: DeclinedLinksOptions): DeclinedLinks {
  const { issuer, cookies, encryptedCookies, artifacts, clock, lifetimeSeconds } = options;
  const path = new URL(`${issuer}/interaction`).pathname;
  // The callback that notes it isn't sent these cookies: each inquiry has one of its own, so that none takes
  // another's place.
  const placeOf = (inquiryId: InquiryId) =>
    cookies.below(path, `liaison.declined.${hashSecret(inquiryId).slice(0, 12)}`);

  return {
    noteHere: async (ctx, inquiryId) => {
      encryptedCookies.set(ctx, placeOf(inquiryId), { inquiryId }, lifetimeSeconds);
    },
    noteForRequester: async (inquiryId) => {
      await artifacts.upsert(model, hashSecret(inquiryId), {}, {}, clock.now() + lifetimeSeconds * 1000);
    },
    isTold: async (ctx, inquiryId) => {
      const noted = await artifacts.find(model, hashSecret(inquiryId), clock.now());
      return (
        noted !== undefined || encryptedCookies.get(ctx, placeOf(inquiryId))?.["inquiryId"] === inquiryId
      );
    },
  };
}
