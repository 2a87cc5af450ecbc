/**
 * Remembers, in a browser where somebody signed out, that whoever signs in there next has to choose the
 * account: the upstream may still know the last person, and would sign the next one in as them without a
 * word. The mark holds until a sign-in is completed. It says nobody's name and opens nothing: who forges one
 * is asked once more, who deletes it isn't.
 */

import type { Seconds } from "../clock.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import type { CookieContext, Cookies } from "./cookies.ts";

export interface SignedOutBrowsers {
  /** Notes with this response that somebody signed out, of what waits in other tabs, too. */
  note(ctx: CookieContext): void;
  /** Whether somebody signed out in this browser, and nobody has signed in since. */
  has(ctx: CookieContext): boolean;
  /** Takes the mark off, as a sign-in is completed. */
  clear(ctx: CookieContext): void;
}

/** As long as the upstream of the last sign-in is remembered: upstreams keep people signed in for months. */
const lifetimeSeconds: Seconds = 365 * 86_400;

export interface SignedOutBrowsersDeps {
  cookies: Cookies;
  binding: Pick<BrowserBinding, "proofs" | "takeBack">;
}

export function createSignedOutBrowsers({ cookies, binding }: SignedOutBrowsersDeps): SignedOutBrowsers {
  const place = cookies.ofService("liaison.signed-out");
  const has: SignedOutBrowsers["has"] = (ctx) => cookies.get(ctx, place) !== undefined;
  return {
    note: (ctx) => {
      cookies.set(ctx, place, "1", lifetimeSeconds);
      // A sign-in that is still under way, that waits for a mail maybe, is the last person's: its pages open
      // no more.
      for (const proofHash of binding.proofs(ctx)) binding.takeBack(ctx, proofHash);
    },
    has,
    clear: (ctx) => {
      if (has(ctx)) cookies.clear(ctx, place);
    },
  };
}
