/**
 * The fields of what each back end keeps by statements of its own (`Native` in assemble.ts), as MongoDB's
 * documents have them: its types and the rules by which it checks them are made of this. SQLite's schema has
 * some of it in another shape. What intentions write is in tables.ts.
 */

import type {
  AccountId,
  Authentication,
  ClientId,
  GrantId,
  SecretHash,
  UpstreamId,
} from "../domain/records.ts";
import { instant, json, later, number, orNull, tableOf, text } from "./fields.ts";

const meta = tableOf("meta", "id", { id: text(), value: text() });
const migrations = tableOf("migrations", "version", {
  version: number(),
  name: text(),
  appliedAt: instant(),
});

export const upstreamTransactions = tableOf("upstreamTransactions", "stateHash", {
  stateHash: text<SecretHash>(),
  browserHash: text<SecretHash>(),
  upstreamId: text<UpstreamId>(),
  sealedPayload: text(),
  createdAt: instant(),
  expiresAt: instant(),
  /** Of whoever has taken it. */
  attemptHash: later<string | null, "text">(text()),
});

export const signInOutcomes = tableOf("signInOutcomes", "interactionHash", {
  interactionHash: text<SecretHash>(),
  accountId: text<AccountId>(),
  upstreamId: text<UpstreamId>(),
  /** Seconds since the epoch. */
  authTime: number(),
  expiresAt: instant(),
  proofHash: later(text<SecretHash>()),
  authentication: later(orNull(json<Authentication>("anything"))),
});

/** Under the model and the SHA-256 of the artifact's id. */
const artifacts = tableOf("artifacts", "id", {
  id: text(),
  expiresAt: instant(),
  sealedPayload: later(text()),
  grantId: later(text<GrantId>()),
  accountId: later(text<AccountId>()),
  /** Of a client's own token, with the number of endings that it was under when it was made. */
  clientId: later(text<ClientId>()),
  endings: later(number()),
  /** Seconds since the epoch. */
  consumed: later(number()),
});

interface SessionRow {
  idHash: SecretHash;
  sealedPayload: string;
  accountId: AccountId | null;
  expiresAt: Date;
}
interface SessionShare {
  clientId: ClientId;
  sid: string | null;
  grantId: GrantId | null;
  persistsLogout: boolean | null;
}

/**
 * A session is one document under its uid: what its portals and its parallel resumes save is decided in one
 * place.
 */
const sessions = tableOf("sessions", "uid", {
  uid: text(),
  /** One row for each id that names the session, oldest first. */
  rows: json<SessionRow[]>({
    listOf: {
      fields: { idHash: "text", sealedPayload: "text", accountId: { orNull: "text" }, expiresAt: "instant" },
    },
  }),
  /** Each client's share. */
  clients: json<SessionShare[]>({
    listOf: {
      fields: {
        clientId: "text",
        sid: { orNull: "text" },
        grantId: { orNull: "text" },
        persistsLogout: { orNull: "flag" },
      },
    },
  }),
  /** When its last row expires. */
  expiresAt: instant(),
});

export const keys = tableOf("keys", "name", { name: text(), sealedValue: text() });
export const throttles = tableOf("throttles", "keyHash", {
  keyHash: text(),
  taken: number(),
  expiresAt: instant(),
});
export const leases = tableOf("leases", "name", { name: text(), worker: text(), until: instant() });
/** Under the hour in milliseconds and the name. */
export const counters = tableOf(
  "counters",
  "id",
  { id: text({ computed: "hour || ':' || name" }), name: text(), hour: instant(), count: number() },
  { identity: ["hour", "name"] },
);

export const NATIVE_TABLES = [
  meta,
  migrations,
  upstreamTransactions,
  signInOutcomes,
  artifacts,
  sessions,
  keys,
  throttles,
  leases,
  counters,
] as const;
