/** What several parts derive from the configuration alike. */

import type { Config, LimitConfig } from "./schema.ts";

/** The domain of our Message-IDs: that of the sender's address. */
export function mailDomain({ mail }: Pick<Config, "mail">): string {
  return mail.from_address.slice(mail.from_address.lastIndexOf("@") + 1);
}

/** A configured limit, in the words of the store. */
export function limitOf({ limit, window_seconds }: LimitConfig): { limit: number; windowSeconds: number } {
  return { limit, windowSeconds: window_seconds };
}
