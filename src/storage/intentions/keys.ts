/** Named keys, encrypted: made once, when first asked for, and never again. */

import type { KeyStore } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { AlreadyThere, type Engine, get, insert } from "../steps.ts";
import { keys } from "../tables.ts";

export function createKeyStore(engine: Engine, encryption: FieldEncryption): KeyStore {
  const find = (name: string) =>
    engine.run(function* () {
      const row = yield* get(keys, name);
      return row && encryption.decrypt(row.sealedValue, contextOf.key(name));
    });

  return {
    async findOrCreate(name, make) {
      const known = await find(name);
      if (known !== undefined) return known;
      const sealedValue = encryption.encrypt(await make(), contextOf.key(name));
      try {
        await engine.run(() => insert(keys, { name, sealedValue }));
      } catch (error) {
        if (!(error instanceof AlreadyThere)) throw error;
      }
      const stored = await find(name);
      if (stored === undefined) throw new Error("a key vanished after it was stored");
      return stored;
    },
  };
}
