/** What lies in a MongoDB database: nothing sealed that can be read, nothing that expired long ago. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asSecretHash } from "../../src/domain/ids.ts";
import { COLLECTIONS } from "../../src/storage/mongo/collections.ts";
import { aClient, hashOf, NOW } from "../support/records.ts";
import { startReplicaSet } from "../support/replica-set.ts";
import { testDatabase } from "../support/test-database.ts";
import { migrateTo, openAt, withDatabase } from "./mongo-migrating.ts";
import { ENCRYPTION_KEY } from "./sqlite-support.ts";

withDatabase("what is encrypted can't be read in the database", async (place) => {
  await migrateTo(place);
  const store = await openAt(place);
  const client = aClient({ managedBy: "admin" });
  const register = { kind: "register_client", client } as const;
  const once = {
    keyHash: hashOf("key"),
    fingerprint: "f",
    answer: "an-answer-with-a-secret",
    expiresAt: NOW + 1,
  };
  await store.administration.apply(register, { actor: "admin:7", now: NOW, once });
  const rotate = {
    kind: "rotate_secret",
    clientId: client.id,
    secret: "a-new-secret",
    previousUntil: NOW,
  } as const;
  await store.administration.apply(rotate, { actor: "admin:7", now: NOW });
  assert.equal((await store.clients.find(client.id))?.previousSecret?.secret, client.secret);
  const dump = await Promise.all(
    COLLECTIONS.map(({ name }) => place.db.collection(name).find({}).hint({ _id: 1 }).toArray()),
  );
  const text = JSON.stringify(dump);
  for (const secret of [client.secret, client.previousSecret?.secret, "a-new-secret", once.answer]) {
    assert.ok(secret && !text.includes(secret), secret ?? "no secret");
  }
  assert.ok(text.includes(client.name), "the dump shows what isn't encrypted");
  await store.close();
});

test("mongodb database: the server removes what expired a day ago, and nothing younger", async () => {
  const set = await startReplicaSet({ expires: true });
  try {
    const place = await testDatabase({ url: set.url, encryptionKey: ENCRYPTION_KEY });
    const store = await openAt(place);
    const [day, now] = [24 * 3_600_000, Date.now()];
    for (const [id, age] of [
      ["old", day + 60_000],
      ["young", day - 600_000],
    ] as const) {
      await store.artifacts.upsert("AccessToken", asSecretHash(id), {}, {}, now - age);
      const session = { uid: id, authorizations: {}, removed: [] };
      await store.artifacts.upsertSession(asSecretHash(id), { uid: id }, session, now - age);
      await store.throttles.takeSlot(id, 1, 1, now - age);
    }
    const find = async (id: string) =>
      await Promise.all(
        ["AccessToken", "Session"].map(async (model) =>
          Boolean(await store.artifacts.find(model, asSecretHash(id), now, { includeExpired: true })),
        ),
      );
    for (let turn = 0; turn < 100 && (await find("old")).includes(true); turn += 1) await pause(200);
    assert.deepEqual(await find("old"), [false, false]);
    assert.deepEqual(await find("young"), [true, true]);
    await store.close();
  } finally {
    await set.close();
  }
});
