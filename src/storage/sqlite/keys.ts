/** Named keys in SQLite, encrypted: made once, when first asked for, and never again. */

import { text } from "../../sql-columns.ts";
import type { KeyStore } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import type { Database } from "./database.ts";

export function createKeyStore(database: Database, encryption: FieldEncryption): KeyStore {
  const select = database.prepare("SELECT sealed_value FROM keys WHERE name = :name", {
    sealed_value: text,
  });
  const insert = database.prepare(`
    INSERT INTO keys (name, sealed_value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING`);

  const find = (name: string) =>
    database.run(() => {
      const row = select.get({ name });
      return row && encryption.decrypt(row.sealed_value, contextOf.key(name));
    });

  return {
    async findOrCreate(name, make) {
      const known = await find(name);
      if (known !== undefined) return known;
      const value = encryption.encrypt(await make(), contextOf.key(name));
      await database.run(() => insert.run({ name, value }));
      const stored = await find(name);
      if (stored === undefined) throw new Error("a key vanished after it was stored");
      return stored;
    },
  };
}
