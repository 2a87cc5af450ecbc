/** Named keys in MongoDB, encrypted: made once, when first asked for, and never again. */

import type { KeyStore } from "../contract.ts";
import { contextOf } from "../encrypted-fields.ts";
import type { FieldEncryption } from "../field-encryption.ts";
import { isDuplicate, type MongoDatabase } from "./database.ts";

export function createKeyStore(database: MongoDatabase, encryption: FieldEncryption): KeyStore {
  const { keys } = database.collections;

  const find = (name: string) =>
    database.run(async () => {
      const found = await keys.findOne({ _id: name });
      return found === null ? undefined : encryption.decrypt(found.sealedValue, contextOf.key(name));
    });

  return {
    async findOrCreate(name, make) {
      const known = await find(name);
      if (known !== undefined) return known;
      const sealedValue = encryption.encrypt(await make(), contextOf.key(name));
      await database.run(async () => {
        await keys.insertOne({ _id: name, sealedValue }).catch((error: unknown) => {
          if (!isDuplicate(error)) throw error;
        });
      });
      const stored = await find(name);
      if (stored === undefined) throw new Error("a key vanished after it was stored");
      return stored;
    },
  };
}
