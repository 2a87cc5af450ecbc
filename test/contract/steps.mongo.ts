/** Runs the cases of the general steps against MongoDB's engine, on a real replica set. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ObjectId } from "mongodb";
import { MongoDatabase } from "../../src/storage/mongo/database.ts";
import { MongoEngine } from "../../src/storage/mongo/engine.ts";
import { createNativeSteps } from "../../src/storage/mongo/native-steps.ts";
import { get, list } from "../../src/storage/steps.ts";
import { clientUses, outbox } from "../../src/storage/tables.ts";
import { emptyDatabase, testDatabase } from "../support/test-database.ts";
import { ENCRYPTION_KEY } from "./sqlite-support.ts";
import { stepCases } from "./steps.ts";

const { drop, ...mongodb } = await testDatabase({ encryptionKey: ENCRYPTION_KEY });
after(drop);

function openEngine() {
  const database = new MongoDatabase(mongodb.url, mongodb.database);
  return {
    database,
    engine: new MongoEngine(database, createNativeSteps(database)),
  };
}

stepCases({
  name: "mongodb",
  async open() {
    const first = openEngine();
    const opened = [first];
    return {
      engine: first.engine,
      async second() {
        const other = openEngine();
        opened.push(other);
        return other.engine;
      },
      async destroy() {
        for (const { database } of opened) await database.close();
        await emptyDatabase(mongodb);
      },
    };
  },
});

test("mongodb: steps: what a broker of a version before left out is as if it said so", async () => {
  const { database, engine } = openEngine();
  try {
    const at = new Date(7);
    const use = { _id: "c", usedAt: at, previousUsedAt: null };
    await database.db.collection<{ _id: string }>("clientUses").insertOne(use);
    assert.deepEqual((await engine.run(() => get(clientUses, "c")))?.refusedAddresses, []);
    const message = { _id: "m", messageId: "m", to: "a@x.example", sealedContent: null, requestId: null };
    const times = { createdAt: at, nextAttemptAt: at, dueAt: at, sentAt: null };
    const state = { state: "queued", attempts: 0, leaseWorker: null, serverReply: null, lastError: null };
    const document = { ...message, ...times, ...state, seq: new ObjectId() };
    await database.db.collection<{ _id: string }>("outbox").insertOne(document);
    const found = await engine.run(() => list(outbox, { state: "queued", rank: 0, carriedBy: null }));
    assert.deepEqual(
      found.map(({ id, rank, placeAt }) => [id, rank, placeAt]),
      [["m", 0, null]],
    );
  } finally {
    await database.close();
    await emptyDatabase(mongodb);
  }
});
