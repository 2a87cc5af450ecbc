import assert from "node:assert/strict";
import { asAccountId, asGrantId, type GrantId } from "../../src/domain/ids.ts";
import { anId, hashOf, MINUTE, NOW } from "../support/records.ts";
import { type Case, race } from "./back-end.ts";

const payload = {
  kind: "AuthorizationCode",
  scope: "openid ø",
  nested: { list: [1, "two", null, true] },
  exp: 17,
};
const LATER = NOW + 5000;
const HOUR = 60 * MINUTE;

export function artifactCases(contract: Case): void {
  contract("an artifact round-trips, is replaced, and is its model's own", async ({ store }) => {
    const id = hashOf(anId("code"));
    await store.artifacts.upsert(
      "AuthorizationCode",
      id,
      payload,
      { grantId: asGrantId("g"), accountId: asAccountId("a") },
      LATER,
    );
    assert.deepEqual(await store.artifacts.find("AuthorizationCode", id, NOW), payload);
    assert.equal(await store.artifacts.find("RefreshToken", id, NOW), undefined);
    assert.equal(await store.artifacts.find("AuthorizationCode", hashOf("other"), NOW), undefined);
    await store.artifacts.upsert("AuthorizationCode", id, { other: 2 }, {}, LATER + 1);
    assert.deepEqual(await store.artifacts.find("AuthorizationCode", id, LATER), { other: 2 });
    await store.artifacts.destroy("RefreshToken", id);
    assert.ok(await store.artifacts.find("AuthorizationCode", id, NOW));
    await store.artifacts.destroy("AuthorizationCode", id);
    assert.equal(await store.artifacts.find("AuthorizationCode", id, NOW), undefined);
  });

  contract(
    "an artifact is absent from its exact expiry on, unless expired ones are asked for",
    async ({ store }) => {
      const id = hashOf(anId("interaction"));
      await store.artifacts.upsert("Interaction", id, payload, {}, LATER);
      assert.ok(await store.artifacts.find("Interaction", id, LATER - 1));
      assert.equal(await store.artifacts.find("Interaction", id, LATER), undefined);
      assert.deepEqual(
        await store.artifacts.find("Interaction", id, LATER, { includeExpired: true }),
        payload,
      );
      assert.equal(
        await store.artifacts.find("Interaction", id, LATER, { includeExpired: false }),
        undefined,
      );
    },
  );

  contract("O2, O5: of a hundred consumers one wins, and the time is kept in seconds", async (opened) => {
    const { store } = opened;
    const id = hashOf(anId("code"));
    await store.artifacts.upsert("AuthorizationCode", id, payload, {}, LATER);
    const won = await race(opened, 100, (racer) => racer.artifacts.consume("AuthorizationCode", id, NOW));
    assert.equal(won.filter(Boolean).length, 1);
    const consumed = Math.floor(NOW / 1000);
    assert.deepEqual(await store.artifacts.find("AuthorizationCode", id, NOW), { ...payload, consumed });
    await store.artifacts.upsert("AuthorizationCode", id, { other: 2 }, {}, LATER);
    assert.deepEqual(await store.artifacts.find("AuthorizationCode", id, NOW), { other: 2, consumed });
    assert.equal(await store.artifacts.consume("AuthorizationCode", id, NOW), false);
  });

  contract(
    "whoever consumes a code ends the grants that it names, and who comes too late ends none",
    async ({ store }) => {
      const [code, spent, token] = [hashOf(anId("code")), hashOf(anId("code")), hashOf(anId("token"))];
      const [ended, kept] = [anId("grant"), anId("grant")];
      for (const id of [code, spent])
        await store.artifacts.upsert("AuthorizationCode", id, payload, {}, LATER);
      const give = async (grantId: GrantId) => {
        await store.artifacts.upsert("RefreshToken", token, payload, { grantId }, LATER);
        await store.artifacts.upsert("Grant", hashOf(grantId), payload, {}, LATER);
      };
      const isThere = async (grantId: string) =>
        [
          await store.artifacts.find("RefreshToken", token, NOW),
          await store.artifacts.find("Grant", hashOf(grantId), NOW),
        ].map((found) => found !== undefined);
      await give(asGrantId(kept));
      assert.equal(await store.artifacts.consume("AuthorizationCode", spent, NOW), true);
      assert.equal(
        await store.artifacts.consume("AuthorizationCode", spent, NOW, { ends: [asGrantId(kept)] }),
        false,
      );
      assert.equal(
        await store.artifacts.consume("AuthorizationCode", code, LATER, { ends: [asGrantId(kept)] }),
        false,
      );
      assert.deepEqual(await isThere(kept), [true, true]);
      await give(asGrantId(ended));
      assert.equal(
        await store.artifacts.consume("AuthorizationCode", code, NOW, { ends: [asGrantId(ended)] }),
        true,
      );
      assert.deepEqual(await isThere(ended), [false, false]);
      assert.ok(await store.artifacts.find("Grant", hashOf(kept), NOW));
      const consumed = Math.floor(NOW / 1000);
      assert.deepEqual(await store.artifacts.find("AuthorizationCode", code, NOW), { ...payload, consumed });
    },
  );

  contract("what is expired, absent or of another model isn't consumed", async ({ store }) => {
    const id = hashOf(anId("code"));
    await store.artifacts.upsert("AuthorizationCode", id, payload, {}, LATER);
    assert.equal(await store.artifacts.consume("AuthorizationCode", id, LATER), false);
    assert.equal(await store.artifacts.consume("RefreshToken", id, NOW), false);
    assert.equal(await store.artifacts.consume("AuthorizationCode", hashOf("other"), NOW), false);
    assert.equal(await store.artifacts.consume("AuthorizationCode", id, LATER - 1), true);
  });

  contract("an artifact is kept longer once, by a minute at the least, and never revived", async (opened) => {
    const { store } = opened;
    const { extend, upsert, find, consume } = store.artifacts;
    const idHash = hashOf(anId("interaction"));
    const until = LATER + HOUR;
    const kept = { model: "Interaction", idHash, until };
    assert.equal(await extend(kept, NOW), false, "there is none yet");
    assert.equal(await find("Interaction", idHash, NOW), undefined);
    await upsert("Interaction", idHash, payload, { accountId: asAccountId("a") }, LATER);
    for (const [artifact, now] of [
      [{ ...kept, model: "Session" }, NOW],
      [{ ...kept, idHash: hashOf("other") }, NOW],
      [{ ...kept, until: LATER + MINUTE }, NOW],
      [{ ...kept, until: LATER - 1 }, NOW],
      [kept, LATER],
    ] as const) {
      assert.equal(await extend(artifact, now), false, JSON.stringify(artifact));
    }
    assert.equal(await find("Interaction", idHash, LATER), undefined, "none of these changed anything");
    const won = await race(opened, 20, (racer) => racer.artifacts.extend(kept, LATER - 1));
    assert.equal(won.filter(Boolean).length, 1);
    assert.equal(await extend({ ...kept, until: until + MINUTE }, NOW), false, "as good as that");
    assert.deepEqual(await find("Interaction", idHash, until - 1), payload);
    assert.equal(await find("Interaction", idHash, until), undefined);
    assert.equal(await consume("Interaction", idHash, until - 1), true);
  });

  contract("a sweep leaves what is kept longer, and takes it in its turn", async ({ store }) => {
    const [opened, unopened] = [hashOf(anId("interaction")), hashOf(anId("interaction"))];
    for (const id of [opened, unopened]) await store.artifacts.upsert("Interaction", id, payload, {}, LATER);
    await store.artifacts.extend({ model: "Interaction", idHash: opened, until: LATER + HOUR }, NOW);
    assert.equal(await store.sweep(LATER - 1), 0);
    assert.equal(await store.sweep(LATER), 1);
    assert.deepEqual(await store.artifacts.find("Interaction", opened, LATER), payload);
    assert.equal(await store.sweep(LATER + HOUR - 1), 0);
    assert.equal(await store.sweep(LATER + HOUR), 1);
  });

  contract("a one-time value is inserted once until it expires", async (opened) => {
    const { store } = opened;
    const id = hashOf(anId("jti"));
    const insert = (now: number) =>
      race(opened, 50, (racer) => racer.artifacts.insertOnce("ReplayDetection", id, now + 5000, now));
    assert.equal((await insert(NOW)).filter(Boolean).length, 1);
    assert.equal(await store.artifacts.insertOnce("ReplayDetection", id, LATER + 9, LATER - 1), false);
    assert.equal((await insert(LATER)).filter(Boolean).length, 1);
    assert.equal(await store.artifacts.insertOnce("ClientAssertion", id, LATER, NOW), true);
    assert.deepEqual(await store.artifacts.find("ReplayDetection", id, LATER), {});
  });

  contract("revoking a grant removes its tokens, itself and nothing else", async ({ store }) => {
    const [grantId, other] = [anId("grant"), anId("grant")];
    const kept = hashOf(anId("token"));
    for (const model of ["AccessToken", "RefreshToken", "AuthorizationCode"]) {
      await store.artifacts.upsert(
        model,
        hashOf(`${grantId}${model}`),
        payload,
        { grantId: asGrantId(grantId) },
        LATER,
      );
    }
    await store.artifacts.upsert("Grant", hashOf(grantId), payload, {}, LATER);
    await store.artifacts.upsert("Grant", hashOf(other), payload, { grantId: asGrantId(other) }, LATER);
    await store.artifacts.upsert("RefreshToken", kept, payload, { grantId: asGrantId(other) }, LATER);
    await store.artifacts.upsert("Interaction", kept, payload, {}, LATER);
    await store.artifacts.revokeGrant(asGrantId(grantId));
    await store.artifacts.revokeGrant(asGrantId(grantId));
    for (const model of ["AccessToken", "RefreshToken", "AuthorizationCode"]) {
      const left = await store.artifacts.find(model, hashOf(`${grantId}${model}`), NOW, {
        includeExpired: true,
      });
      assert.equal(left, undefined, model);
    }
    assert.equal(await store.artifacts.find("Grant", hashOf(grantId), NOW), undefined);
    assert.ok(await store.artifacts.find("Grant", hashOf(other), NOW));
    assert.ok(await store.artifacts.find("RefreshToken", kept, NOW));
    assert.ok(await store.artifacts.find("Interaction", kept, NOW));
  });
}
