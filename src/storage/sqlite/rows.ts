/**
 * Records as hot statements read them, each under a table's alias: p profiles, o organizations, s selections,
 * i identities.
 */

import { asSecretHash, type SecretHash } from "../../domain/ids.ts";
import type { Membership, Profile, Selection } from "../../domain/records.ts";
import { as, integer, nullable, type RowOf, text } from "../../sql-columns.ts";
import { toIdentity } from "../intentions/accounts.ts";
import { toOrganization } from "../intentions/memberships.ts";
import { identities, organizations, profiles, type SelectionRow, selections } from "../tables.ts";
import { asJson, object, rowOf } from "./json.ts";

export const MEMBERSHIP_JSON = object<Membership>({
  profile: rowOf<Profile>(profiles, "p"),
  organization: asJson(rowOf(organizations, "o"), toOrganization),
});

export const IDENTITY_JSON = asJson(rowOf(identities, "i"), toIdentity);

export const SELECTION_JSON = asJson(rowOf(selections, "s"), toSelection);

function toSelection(row: SelectionRow): Selection {
  const { organizationId: _organization, replacedBy: _successor, endings: _endings, ...selection } = row;
  return selection;
}

/** What is encrypted of an artifact. */
export const ARTIFACT_COLUMNS = {
  id_hash: as(text, asSecretHash),
  sealed_payload: nullable(text),
  consumed_at: nullable(integer),
};

/** The same, to be decrypted. */
export function toEncryptedArtifact(row: RowOf<typeof ARTIFACT_COLUMNS>): {
  idHash: SecretHash;
  encrypted: string | null;
  consumed: number | null;
} {
  return { idHash: row.id_hash, encrypted: row.sealed_payload, consumed: row.consumed_at };
}
