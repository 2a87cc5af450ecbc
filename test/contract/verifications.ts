/**
 * Verifications of the audit as jobs: asked for once or joined, claimed by one worker at a time, kept within
 * bounds.
 */

import assert from "node:assert/strict";
import type { AuditVerification } from "../../src/domain/records.ts";
import { MOST_OPEN_VERIFICATIONS, MOST_VERIFICATIONS } from "../../src/domain/verifications.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anId, MINUTE, NOW } from "../support/records.ts";
import { type Case, present, race } from "./back-end.ts";

const PROGRESS = { verified: 7, total: 12, seq: 9, mac: "nine", headSeq: 14 };
const RESULT = { intact: true, verified: 12, unsealed: 1, pruned: 2, head: "14.mac", problem: null };
const FINISHED = {
  state: "finished",
  progress: PROGRESS,
  result: RESULT,
  failure: null,
  seal: "the last",
} as const;

function ask(store: Store, keptHead: string | null, now = NOW): Promise<AuditVerification | undefined> {
  return store.verifications.ask(
    { id: anId("verification"), keptHead, seal: "asked" },
    { actor: "admin:7", now },
  );
}

/** One that has ended. */
async function ended(store: Store, now: number): Promise<AuditVerification> {
  const { id } = present(await ask(store, null, now));
  assert.equal(present(await store.verifications.claim("w", now, MINUTE)).id, id);
  assert.equal(await store.verifications.settle(id, "w", FINISHED, now), true);
  return present(await store.verifications.find(id));
}

export function verificationCases(contract: Case): void {
  contract("a verification that is asked for waits, and is audited with who asked", async ({ store }) => {
    const asked = present(await ask(store, "812.mac"));
    const { id, ...rest } = asked;
    assert.deepEqual(rest, {
      askedBy: "admin:7",
      askedAt: NOW,
      keptHead: "812.mac",
      state: "waiting",
      startedAt: null,
      endedAt: null,
      progress: null,
      result: null,
      failure: null,
      attempts: 0,
      seal: "asked",
    });
    assert.deepEqual(await store.verifications.find(id), asked);
    assert.deepEqual(await store.verifications.list(), [asked]);
    assert.equal(await store.verifications.find("another"), undefined);
    const [event, ...others] = await store.audit.list({ limit: 9 });
    assert.equal(others.length, 0);
    const { action, actor, at, detail } = present(event);
    assert.deepEqual(
      { action, actor, at },
      { action: "audit.verification_asked", actor: "admin:7", at: NOW },
    );
    assert.deepEqual(detail, { verification: id, joined: false });
  });

  contract(
    "who asks for the same while it goes on joins it, whoever races; each is audited",
    async (opened) => {
      const { store } = opened;
      const asked = await race(opened, 20, (racer, index) =>
        racer.verifications.ask(
          { id: anId("verification"), keptHead: index % 4 < 2 ? null : "1.a", seal: "s" },
          { actor: `admin:${index}`, now: NOW },
        ),
      );
      const ids = asked.map((one) => present(one).id);
      assert.equal(new Set(ids).size, 2, "one for each kept head");
      assert.equal(new Set(ids.filter((_, index) => index % 4 < 2)).size, 1);
      const events = await store.audit.list({ limit: 99 });
      assert.equal(events.length, 20);
      assert.equal(events.filter(({ detail }) => detail["joined"] === false).length, 2);
      assert.deepEqual(events.map(({ detail }) => detail["verification"]).toSorted(), ids.toSorted());
      // One that runs is joined, too, and one that has ended isn't.
      const claimed = present(await store.verifications.claim("w", NOW, MINUTE));
      assert.equal(present(await ask(store, claimed.keptHead)).id, claimed.id);
      assert.equal(await store.verifications.settle(claimed.id, "w", FINISHED, NOW), true);
      assert.notEqual(present(await ask(store, claimed.keptHead)).id, claimed.id);
    },
  );

  contract(
    "a verification is claimed by one worker, and by another once the lease has run out",
    async (opened) => {
      const { store } = opened;
      const { verifications } = store;
      const first = present(await ask(store, "1.a", NOW));
      const second = present(await ask(store, "2.b", NOW + 1));
      assert.equal(await verifications.claim("early", NOW - 1, MINUTE), undefined);
      const claims = await race(opened, 20, (racer, index) =>
        racer.verifications.claim(`w${index}`, NOW + 1, MINUTE),
      );
      const claimed = claims.filter((one) => one !== undefined);
      assert.deepEqual(claimed.map(({ id }) => id).toSorted(), [first.id, second.id].toSorted());
      for (const { state, startedAt, attempts } of claimed) {
        assert.deepEqual(
          { state, startedAt, attempts },
          { state: "running", startedAt: NOW + 1, attempts: 1 },
        );
      }
      const holder = `w${claims.findIndex((one) => one?.id === first.id)}`;
      const noted = { progress: PROGRESS, seal: "noted", leaseUntil: NOW + 2 * MINUTE };
      assert.equal(await verifications.note(first.id, "other", noted), false);
      assert.equal(await verifications.note(first.id, holder, noted), true);
      assert.equal(
        present(await verifications.claim("late", NOW + 1 + MINUTE, MINUTE)).id,
        second.id,
        "it was noted",
      );
      assert.equal(await verifications.claim("later", NOW + 2 * MINUTE - 1, 9), undefined);
      const taken = present(await verifications.claim("later", NOW + 2 * MINUTE, MINUTE));
      const { attempts, startedAt, progress, seal } = taken;
      assert.deepEqual(
        { id: taken.id, attempts, startedAt, progress, seal },
        { id: first.id, attempts: 1, startedAt: NOW + 1, progress: PROGRESS, seal: "noted" },
      );
      assert.equal(await verifications.note(first.id, holder, noted), false, "it is another's");
      assert.equal(await verifications.settle(first.id, holder, FINISHED, NOW + 9), false);
      assert.deepEqual(await verifications.find(first.id), taken, "and nothing of it was changed");
      assert.equal(await verifications.settle(first.id, "later", FINISHED, NOW + 3 * MINUTE), true);
      assert.deepEqual(await verifications.find(first.id), {
        ...taken,
        ...FINISHED,
        endedAt: NOW + 3 * MINUTE,
      });
      assert.equal(await verifications.settle(first.id, "later", FINISHED, NOW + 9), false, "it has ended");
      assert.equal(await verifications.note(first.id, "later", noted), false);
    },
  );

  contract("a verification that never gets on counts how often it was begun", async ({ store }) => {
    const { id } = present(await ask(store, null));
    for (let turn = 1; turn <= 3; turn += 1) {
      const claimed = present(await store.verifications.claim(`w${turn}`, NOW + turn * MINUTE, MINUTE));
      assert.deepEqual([claimed.attempts, claimed.startedAt], [turn, NOW + MINUTE]);
    }
    const failure = { ...FINISHED, state: "failed", progress: null, result: null, failure: "why" } as const;
    assert.equal(await store.verifications.settle(id, "w3", failure, NOW + 5), true);
    const { state, result, failure: why } = present(await store.verifications.find(id));
    assert.deepEqual({ state, result, why }, { state: "failed", result: null, why: "why" });
  });

  contract("of verifications the newest are kept, and so many may wait", async ({ store }) => {
    const open = present(await ask(store, "0.open", NOW));
    assert.equal(present(await store.verifications.claim("holder", NOW, 999 * MINUTE)).id, open.id);
    const all: AuditVerification[] = [];
    for (let turn = 1; turn <= MOST_VERIFICATIONS + 2; turn += 1) all.push(await ended(store, NOW + turn));
    const kept = await store.verifications.list();
    // The one that goes on stays, however old.
    assert.deepEqual(kept, [...all.toReversed().slice(0, MOST_VERIFICATIONS), kept.at(-1)]);
    assert.equal(kept.at(-1)?.id, open.id);
    assert.equal(await store.verifications.find(present(all[0]).id), undefined);

    const events = async () => (await store.audit.list({ limit: 999 })).length;
    for (let turn = 1; turn < MOST_OPEN_VERIFICATIONS; turn += 1)
      present(await ask(store, `${turn}.x`, NOW + 99));
    const before = await events();
    assert.equal(await ask(store, "99.x", NOW + 99), undefined);
    assert.equal(await events(), before, "nothing was asked for");
    assert.equal(present(await ask(store, "0.open", NOW + 99)).id, open.id, "joining is no other one");
    assert.equal(await store.verifications.settle(open.id, "holder", FINISHED, NOW + 100), true);
    assert.notEqual(await ask(store, "99.x", NOW + 101), undefined);
  });

  contract("events that wait for their place are counted up to a bound", async ({ store }) => {
    assert.equal(await store.audit.countUnsealed(9), 0);
    for (let turn = 0; turn < 5; turn += 1) present(await ask(store, null));
    assert.deepEqual([await store.audit.countUnsealed(9), await store.audit.countUnsealed(3)], [5, 3]);
  });

  contract("D3: verifications say so, too, when the store can't be reached", async ({ store }) => {
    await store.close();
    const { verifications, audit } = store;
    for (const asked of [
      () => ask(store, null),
      () => verifications.find("v"),
      () => verifications.list(),
      () => verifications.claim("w", NOW, 1),
      () => verifications.note("v", "w", { progress: PROGRESS, seal: "s", leaseUntil: NOW }),
      () => verifications.settle("v", "w", FINISHED, NOW),
      () => audit.countUnsealed(1),
    ]) {
      const isUnavailable = (error: unknown) =>
        error instanceof LiaisonError && error.code === "store_unavailable";
      await assert.rejects(asked(), isUnavailable, String(asked));
    }
  });
}
