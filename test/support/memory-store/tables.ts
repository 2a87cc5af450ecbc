/**
 * The tables of what the other back ends keep by hand-written statements, and of every table what no two
 * rows may have alike, by which racers are decided.
 */

import type { AccountId, ClientId, GrantId, SecretHash } from "../../../src/domain/records.ts";
import { flag, instant, number, orNull, place, tableOf, text } from "../../../src/storage/fields.ts";
import * as stored from "../../../src/storage/tables.ts";

/** Sessions are among them. */
export const artifacts = tableOf("artifacts", "id", {
  id: text(),
  model: text(),
  idHash: text<SecretHash>(),
  encrypted: orNull(text()),
  grantId: orNull(text<GrantId>()),
  accountId: orNull(text<AccountId>()),
  clientId: orNull(text<ClientId>()),
  sessionUid: orNull(text()),
  /** How many endings its client was under when it was stored. */
  endings: number(),
  /** Seconds since the epoch. */
  consumed: orNull(number()),
  expiresAt: instant(),
  seq: place(),
});

/** What a session holds for a client. */
export const shares = tableOf("shares", "id", {
  id: text(),
  sessionUid: text(),
  clientId: text<ClientId>(),
  sid: orNull(text()),
  grantId: orNull(text<GrantId>()),
  persistsLogout: orNull(flag()),
});

/** The key of a row that is known by several values. */
export const keyOf = (...values: readonly (string | number)[]): string => JSON.stringify(values);

/** Fields, and those rows that it holds for; all unless given. */
type Rule = readonly [fields: readonly string[], among?: (row: Readonly<Record<string, unknown>>) => boolean];

/** By the names of the tables; their keys are unique without it. */
export const UNIQUE: Readonly<Record<string, readonly Rule[]>> = {
  [stored.identities.name]: [[["issuer", "subject"]]],
  [stored.linkRequests.name]: [
    [["secretHash"]],
    [["profileId", "issuer", "subject"], ({ state }) => state === "pending"],
  ],
  [stored.selections.name]: [[["sessionUid", "clientId"], ({ replacedBy }) => replacedBy === null]],
  [stored.rememberedChoices.name]: [[["accountId", "clientId"]]],
  [stored.auditEvents.name]: [[["chainSeq"], ({ chainSeq }) => chainSeq !== null]],
  [stored.auditVerifications.name]: [[["openHead"], ({ openHead }) => openHead !== null]],
  [stored.apiKeys.name]: [[["secretHash"]]],
};
