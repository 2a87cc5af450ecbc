/** What several parts derive from the configuration alike. */

import type { Milliseconds } from "../clock.ts";
import { domainOf } from "../domain/address.ts";
import type { Limit } from "../domain/limit.ts";
import type { Config, LimitConfig } from "./schema.ts";

/** The domain of our Message-IDs: that of the sender's address. */
export function mailDomain({ mail }: Pick<Config, "mail">): string {
  return domainOf(mail.from_address);
}

/** A configured limit, in the words of the store. */
export function limitOf({ limit, window_seconds }: LimitConfig): Limit {
  return { limit, windowSeconds: window_seconds };
}

/**
 * How long an inquiry waits before it may be looked at, in milliseconds; never longer than the pause between
 * two inquiries, so that they are answered in their order.
 */
export function lookupDelayMs({ linking }: Pick<Config, "linking">): {
  min: Milliseconds;
  max: Milliseconds;
} {
  const { lookup_delay_seconds: delay, resend_after_seconds: pause } = linking;
  const inTime = (seconds: number) => Math.round(Math.min(seconds, pause) * 1000);
  return { min: inTime(delay.min), max: inTime(delay.max) };
}

/** How many requests one client network may send, and how often it may fail to authenticate. */
export function gateLimits({ limits }: Pick<Config, "limits">) {
  return {
    requests: limitOf(limits.requests_per_client_address),
    failures: limitOf(limits.failures_per_client_address),
  };
}

/** What visitors may begin and end. */
export function visitorLimits({ limits }: Pick<Config, "limits">) {
  return {
    signIns: limitOf(limits.sign_ins_per_client_address),
    signOuts: limitOf(limits.sign_outs_per_client_address),
    knownBrowser: limitOf(limits.sign_ins_per_known_browser),
    interaction: limitOf(limits.sign_ins_per_interaction),
  };
}

/** How many inquiries of one identity, and from one client network, go at once. */
export function inquiryLimits({ limits }: Pick<Config, "limits">) {
  return {
    identity: limitOf(limits.inquiries_per_identity),
    client: limitOf(limits.inquiries_per_client_address),
  };
}

/** How many messages to support one identity, and one client network, may send. */
export function supportLimits({ limits }: Pick<Config, "limits">) {
  return {
    identity: limitOf(limits.support_messages_per_identity),
    client: limitOf(limits.support_messages_per_client_address),
  };
}
