/**
 * What migrating a store reports, and how a store of another version is refused: the same for every back end.
 */

import { LiaisonError } from "../errors.ts";

export interface MigrationReport {
  /** The schema's version before: 0 for an empty store. */
  from: number;
  to: number;
  applied: { version: number; name: string }[];
}

/** A store that a newer Liaison wrote. `place`: the file or the database, as it is called in messages. */
export function newerSchema(place: string, version: number, known: number): LiaisonError {
  return LiaisonError.storeRefused(
    `${place} was written by a newer version of Liaison (schema ${version}, this one knows ${known}). ` +
      "Run that version, or restore a backup made before the upgrade.",
  );
}

/** A store that hasn't been brought to this version yet. */
export function olderSchema(place: string, version: number, known: number): LiaisonError {
  return LiaisonError.storeRefused(
    version === 0
      ? `${place} holds no data of Liaison yet. Run: liaison migrate`
      : `${place} is of an older schema (${version}, this version of Liaison needs ${known}). Back it ` +
          "up, then run: liaison migrate",
  );
}
