/**
 * What migrating a store reports, and how a store of another version is refused: the same for every back end.
 */

import { LiaisonError } from "../errors.ts";
import { CANARY, contextOf } from "./encrypted-fields.ts";
import type { FieldEncryption } from "./field-encryption.ts";

export interface MigrationReport {
  /** The schema's version before: 0 for an empty store. */
  from: number;
  to: number;
  applied: { version: number; name: string }[];
}

/** What migrations were to be applied to a store of a version. */
export function migrationReport(from: number, migrations: readonly { name: string }[]): MigrationReport {
  const applied = migrations.slice(from).map(({ name }, index) => ({ version: from + index + 1, name }));
  return { from, to: migrations.length, applied };
}

/**
 * Refuses a store of another version than the one that is known; with `mayBeOlder` of a newer one alone.
 * `place`: the file or the database, as it is called in messages.
 */
export function checkVersion(
  place: string,
  version: number,
  known: number,
  { mayBeOlder = false }: { mayBeOlder?: boolean } = {},
): void {
  if (version > known) throw newerSchema(place, version, known);
  if (version < known && !mayBeOlder) throw olderSchema(place, version, known);
}

/**
 * Checks that a store was encrypted under this key. A new canary is never written beside data that was
 * encrypted under another: that data would be lost without a word. `elsewhere`: how to start empty.
 */
export function checkCanary(
  encryption: FieldEncryption,
  canary: string | undefined,
  { place, elsewhere }: { place: string; elsewhere: string },
): void {
  if (canary === undefined) {
    throw LiaisonError.storeRefused(
      `${place} has lost the value that its encryption_key is checked with. Restore it from a backup.`,
    );
  }
  try {
    if (encryption.decrypt(canary, contextOf.canary) === CANARY) return;
  } catch (cause) {
    throw LiaisonError.storeRefused(
      `${place} was encrypted under another encryption_key. Set encryption_key to the one it was created ` +
        `with (or name ${elsewhere} to start empty).`,
      cause,
    );
  }
  throw LiaisonError.storeRefused(
    `${place} holds a changed value where its encryption_key is checked. Restore it from a backup.`,
  );
}

/** A store that a newer Liaison wrote. */
function newerSchema(place: string, version: number, known: number): LiaisonError {
  return LiaisonError.storeRefused(
    `${place} was written by a newer version of Liaison (schema ${version}, this one knows ${known}). ` +
      "Run that version, or restore a backup made before the upgrade.",
  );
}

/** A store that hasn't been brought to this version yet. */
function olderSchema(place: string, version: number, known: number): LiaisonError {
  return LiaisonError.storeRefused(
    version === 0
      ? `${place} holds no data of Liaison yet. Run: liaison migrate`
      : `${place} is of an older schema (${version}, this version of Liaison needs ${known}). Back it ` +
          "up, then run: liaison migrate",
  );
}
