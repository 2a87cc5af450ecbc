/**
 * The tables of what is written by one statement at a time: what is short-lived, or nobody's record. Imported
 * from tables.ts.
 */

import type { AccountId, Authentication, SecretHash, UpstreamId } from "../domain/records.ts";
import { instant, json, later, leftOut, number, orNull, tableOf, text } from "./fields.ts";

/** Sign-ins under way at an upstream. */
export const upstreamTransactions = tableOf("upstreamTransactions", "stateHash", {
  stateHash: text<SecretHash>(),
  browserHash: text<SecretHash>(),
  upstreamId: text<UpstreamId>(),
  sealedPayload: text(),
  createdAt: instant(),
  expiresAt: instant(),
  /** Of whoever has taken it. */
  attemptHash: leftOut(text<SecretHash>()),
});

/** What they came to, under the SHA-256 of their interaction's uid. */
export const signInOutcomes = tableOf("signInOutcomes", "interactionHash", {
  interactionHash: text<SecretHash>(),
  accountId: text<AccountId>(),
  upstreamId: text<UpstreamId>(),
  /** Seconds since the epoch. */
  authTime: number(),
  expiresAt: instant(),
  proofHash: later(text<SecretHash>()),
  authentication: later(orNull(json<Authentication>("anything")), null),
});

/** Whose rows are written by native steps. */
export const throttles = tableOf("throttles", "keyHash", {
  keyHash: text(),
  taken: number(),
  expiresAt: instant(),
});

export const keys = tableOf("keys", "name", { name: text(), sealedValue: text() });

export const leases = tableOf("leases", "name", { name: text(), worker: text(), until: instant() });

/** Under the hour in milliseconds and the name. */
export const counters = tableOf(
  "counters",
  "id",
  { id: text({ computed: "hour || ':' || name" }), name: text(), hour: instant(), count: number() },
  { identity: ["hour", "name"] },
);

export const SMALL_TABLES = [
  upstreamTransactions,
  signInOutcomes,
  throttles,
  keys,
  leases,
  counters,
] as const;
