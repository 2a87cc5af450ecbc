/**
 * The fields of what each back end keeps by statements of its own (native-steps.ts), as MongoDB's
 * documents have them: its types and the rules by which it checks them are made of this. SQLite's schema has
 * some of it in another shape. What intentions write is in tables.ts.
 */

import type { AccountId, ClientId, GrantId, SecretHash } from "../domain/records.ts";
import { instant, json, later, number, tableOf, text } from "./fields.ts";
import type { SessionShare } from "./native-steps.ts";

const meta = tableOf("meta", "id", { id: text(), value: text() });
const migrations = tableOf("migrations", "version", {
  version: number(),
  name: text(),
  appliedAt: instant(),
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

export const NATIVE_TABLES = [meta, migrations, artifacts, sessions] as const;
