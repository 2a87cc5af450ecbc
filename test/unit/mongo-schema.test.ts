/**
 * That MongoDB's schema changes with a migration alone: the rules of its documents are made of the tables,
 * which are changed for other reasons, too, and a broker refuses a database that has others.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { it } from "node:test";
import { COLLECTIONS } from "../../src/storage/mongo/collections.ts";
import { MONGO_MIGRATIONS } from "../../src/storage/mongo/migrations.ts";

/** The newest version, and the SHA-256 of the rules and indexes that it leaves behind. */
const NEWEST = {
  version: 12,
  sha256: "95ad4794268c04c180dc83023cd32c7629352b51d235cfa1598156709df5904e",
};

it("what MongoDB checks of documents, and its indexes, are those of the newest migration", () => {
  const sha256 = createHash("sha256").update(JSON.stringify(COLLECTIONS)).digest("hex");
  assert.deepEqual({ version: MONGO_MIGRATIONS.length, sha256 }, NEWEST);
});
