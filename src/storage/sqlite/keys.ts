/** Owns named keys, sealed: made once, when first asked for, and never again. */

import { text } from "../../sql-columns.ts";
import type { KeyStore } from "../contract.ts";
import type { Seal } from "../seal.ts";
import { sealedAt } from "../sealed-fields.ts";
import type { Database } from "./database.ts";

export function createKeyStore(database: Database, seal: Seal): KeyStore {
  const select = database.prepare("SELECT sealed_value FROM keys WHERE name = :name", {
    sealed_value: text,
  });
  const insert = database.prepare(`
    INSERT INTO keys (name, sealed_value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING`);

  const find = (name: string) =>
    database.run(() => {
      const row = select.get({ name });
      return row && seal.open(row.sealed_value, sealedAt.key(name));
    });

  return {
    async findOrCreate(name, make) {
      const known = await find(name);
      if (known !== undefined) return known;
      const value = seal.seal(await make(), sealedAt.key(name));
      await database.run(() => insert.run({ name, value }));
      const kept = await find(name);
      if (kept === undefined) throw new Error("a key vanished after it was stored");
      return kept;
    },
  };
}
