/** What several parts derive from the configuration alike. */

import type { Seconds } from "../clock.ts";
import { domainOf } from "../domain/address.ts";
import type { Config, LimitConfig } from "./schema.ts";

/** The domain of our Message-IDs: that of the sender's address. */
export function mailDomain({ mail }: Pick<Config, "mail">): string {
  return domainOf(mail.from_address);
}

/** A configured limit, in the words of the store. */
export function limitOf({ limit, window_seconds }: LimitConfig): { limit: number; windowSeconds: Seconds } {
  return { limit, windowSeconds: window_seconds };
}
