/** The audit, searched part by part, and its chain: sealed once, in order, and pruned from its beginning. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chainMac, chainMark, firstBase, isGenuine, isInPlace } from "../../src/domain/audit-chain.ts";
import { asProfileId } from "../../src/domain/ids.ts";
import type { AuditEvent, ChainMark } from "../../src/domain/records.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { AuditFilter, PageRequest, Store } from "../../src/storage/contract.ts";
import { anAuditEvent, anId, NOW } from "../support/records.ts";
import { bound, type Case, present, race } from "./back-end.ts";

const KEY = createHmac("sha256", "a key").digest();

async function readAll(store: Store, filter: AuditFilter, limit: number): Promise<AuditEvent[]> {
  const all: AuditEvent[] = [];
  for (let page: PageRequest = { after: null, limit }; ; ) {
    const { items, next } = await store.audit.search(filter, page);
    assert.ok(items.length <= limit);
    all.push(...items);
    if (next === null) return all;
    page = { after: next, limit };
  }
}

/** Events as they were written, the oldest first. */
async function append(store: Store, events: AuditEvent[]): Promise<AuditEvent[]> {
  for (const event of events) await store.audit.append(event);
  return events;
}

/** What sealing events behind a mark comes to. */
function sealing(events: readonly AuditEvent[], behind: ChainMark = firstBase(KEY, NOW)) {
  let { seq, mac } = behind;
  const places = events.map((event) => {
    seq += 1;
    mac = chainMac(KEY, mac, seq, event);
    return { id: event.id, seq, mac };
  });
  return { places, head: chainMark(KEY, "head", { seq, mac, at: NOW + 5 }) };
}

/** Seals everything that waits. */
async function sealAll(store: Store): Promise<ChainMark> {
  const ends = await store.audit.chainEnds();
  const base = ends?.base ?? firstBase(KEY, NOW);
  const behind = ends?.head ?? base;
  const { places, head } = sealing(await store.audit.unsealed(99), behind);
  assert.equal(await store.audit.seal(places, { after: behind.seq, head, base }), true);
  return head;
}

/** A pruning up to a place, with the event that says so. */
async function pruning(store: Store, seq: number) {
  const [last] = await store.audit.chain(seq, 1);
  const base = chainMark(KEY, "base", { seq, mac: present(last).mac, at: NOW + 9 });
  return { base, event: anAuditEvent({ action: "audit.pruned", actor: "system", detail: { until: seq } }) };
}

export function auditChainCases(contract: Case): void {
  contract("the audit is searched by each of its filters, newest first, page by page", async ({ store }) => {
    const fields = {
      action: ["link.refused", "client.changed"],
      actor: ["account:1", "admin:1"],
      profileId: [anId("profile"), null],
      organizationId: [anId("organization"), null],
      accountId: [anId("account"), null],
      requestId: [anId("request"), null],
    } as const;
    const made = await append(
      store,
      Array.from({ length: 24 }, (_, index) => {
        const of = Object.entries(fields).map(([name, values], at) => [
          name,
          values[(index >> (at % 4)) % 2],
        ]);
        return anAuditEvent({ at: NOW + Math.floor(index / 5), ...Object.fromEntries(of) });
      }),
    );
    const newest = made.toReversed();
    const pairs = Object.entries(fields).map(([name, [value]]) => ({ [name]: value }) as AuditFilter);
    const filters = [
      {},
      ...pairs,
      ...pairs.flatMap((one) => pairs.map((other) => ({ ...one, ...other }))),
      { action: "client.changed", actor: "admin:1" } as const,
      { profileId: asProfileId(anId("profile")) },
      Object.assign({}, ...pairs) as AuditFilter,
    ];
    for (const filter of filters) {
      const fits = newest.filter((event) =>
        Object.entries(filter).every(([name, value]) => event[name as "actor"] === value),
      );
      for (const limit of [2, 50])
        assert.deepEqual(await readAll(store, filter, limit), fits, JSON.stringify(filter));
    }
  });

  contract(
    "a search from one instant up to another takes the first and leaves the second",
    async ({ store }) => {
      const made = await append(
        store,
        [0, 1, 1, 2, 2, 3].map((late) => anAuditEvent({ at: NOW + late, actor: `a:${late}` })),
      );
      const newest = made.toReversed();
      for (const [from, to] of [
        [0, 1],
        [1, 2],
        [1, 3],
        [2, 2],
        [0, 9],
        [4, 9],
      ] as const) {
        const within = newest.filter(({ at }) => at >= NOW + from && at < NOW + to);
        const filter = { from: NOW + from, to: NOW + to };
        for (const limit of [1, 9])
          assert.deepEqual(await readAll(store, filter, limit), within, `${from} to ${to}`);
        const ofOne = within.filter(({ actor }) => actor === "a:1");
        assert.deepEqual(await readAll(store, { ...filter, actor: "a:1" }, 1), ofOne);
      }
      assert.deepEqual(await readAll(store, { from: NOW + 3 }, 1), newest.slice(0, 1));
      assert.deepEqual(await readAll(store, { to: NOW + 1 }, 1), newest.slice(-1));
      const isBadRequest = (error: unknown) => error instanceof LiaisonError && error.code === "bad_request";
      for (const after of ["", "W10", "WyJhIiwiYiJd"]) {
        await assert.rejects(store.audit.search({}, { after, limit: 1 }), isBadRequest);
      }
    },
  );

  contract(
    "whatever is audited waits to be sealed, in the order in which it was written",
    async ({ store }) => {
      assert.equal(await store.audit.chainEnds(), undefined);
      assert.deepEqual(await store.audit.chain(1, 9), []);
      await bound(store);
      const [late, early] = [anAuditEvent({ at: NOW + 9 }), anAuditEvent({ at: NOW - 9 })];
      await append(store, [late, early]);
      const waiting = await store.audit.unsealed(99);
      assert.deepEqual(waiting.slice(-2), [late, early]);
      const actions = waiting.map(({ action }) => action);
      for (const action of ["account.created", "profile.changed", "profile.bound"])
        assert.ok(actions.includes(action as never));
      assert.deepEqual(await store.audit.unsealed(2), waiting.slice(0, 2));
    },
  );

  contract("sealed events keep their places and what they say; both ends are kept", async ({ store }) => {
    const first = await append(store, [
      anAuditEvent(),
      anAuditEvent({ detail: {} }),
      anAuditEvent({ requestId: null }),
    ]);
    const head = await sealAll(store);
    assert.equal(head.seq, 3);
    const ends = present(await store.audit.chainEnds());
    assert.deepEqual(ends, { base: firstBase(KEY, NOW), head });
    assert.ok(isGenuine(KEY, "base", ends.base) && isGenuine(KEY, "head", ends.head));
    assert.deepEqual(await store.audit.unsealed(9), []);
    const second = await append(store, [anAuditEvent({ at: NOW - 99 })]);
    assert.deepEqual(await store.audit.unsealed(9), second);
    await sealAll(store);
    const chain = await store.audit.chain(1, 9);
    assert.deepEqual(
      chain.map(({ seq: _seq, mac: _mac, ...event }) => event),
      [...first, ...second],
    );
    let before: Pick<ChainMark, "seq" | "mac"> = firstBase(KEY, NOW);
    for (const event of chain) {
      assert.ok(isInPlace(KEY, before, event));
      before = event;
    }
    const moved = present(await store.audit.chainEnds());
    assert.deepEqual([moved.base, moved.head.seq, moved.head.mac], [ends.base, 4, before.mac]);
    assert.deepEqual(
      (await store.audit.chain(2, 2)).map(({ seq }) => seq),
      [2, 3],
    );
    assert.deepEqual(await store.audit.chain(5, 9), []);
    // Elsewhere nobody sees the difference.
    const [newest] = await store.audit.list({ limit: 1 });
    assert.deepEqual(newest, first.at(-1));
    assert.deepEqual(await readAll(store, {}, 2), [...second, ...first].toReversed());
  });

  contract("of racers who seal the same events one does", async (opened) => {
    const { store } = opened;
    for (const round of [0, 1]) {
      const events = await append(store, [anAuditEvent(), anAuditEvent(), anAuditEvent()]);
      const ends = await store.audit.chainEnds();
      const base = ends?.base ?? firstBase(KEY, NOW);
      const behind = ends?.head ?? base;
      const { places, head } = sealing(events, behind);
      const sealed = await race(opened, 10, (racer, index) => {
        const mine = chainMark(KEY, "head", { ...head, at: NOW + index });
        return racer.audit.seal(places, { after: behind.seq, head: mine, base });
      });
      assert.equal(sealed.filter(Boolean).length, 1);
      const after = present(await store.audit.chainEnds());
      assert.deepEqual([after.head.seq, after.head.at], [3 * (round + 1), NOW + sealed.indexOf(true)]);
      assert.equal((await store.audit.chain(1, 99)).length, 3 * (round + 1));
    }
  });

  contract("what can't be sealed as a whole isn't sealed at all", async ({ store }) => {
    const [one, two, three] = await append(store, [anAuditEvent(), anAuditEvent(), anAuditEvent()]);
    assert.ok(one && two && three);
    const { places, head } = sealing([one]);
    const base = firstBase(KEY, NOW);
    assert.equal(await store.audit.seal(places, { after: 1, head, base }), false, "the head isn't there");
    assert.equal(await store.audit.chainEnds(), undefined);
    assert.equal(await store.audit.seal(places, { after: 0, head, base }), true);
    for (const wrong of [
      [two, one],
      [two, anAuditEvent()],
    ]) {
      const next = sealing(wrong, head);
      assert.equal(await store.audit.seal(next.places, { after: 1, head: next.head, base }), false);
    }
    const stale = sealing([two]);
    assert.equal(await store.audit.seal(stale.places, { after: 0, head: stale.head, base }), false);
    assert.deepEqual(await store.audit.unsealed(9), [two, three]);
    assert.deepEqual(present(await store.audit.chainEnds()).head, head);
  });

  contract("pruning removes the beginning, moves the base and says so, once", async (opened) => {
    const { store } = opened;
    const events = await append(
      store,
      Array.from({ length: 5 }, (_, index) => anAuditEvent({ at: NOW + index })),
    );
    const head = await sealAll(store);
    const unsealed = await append(store, [anAuditEvent({ at: NOW - 99 })]);
    const prunings = await Promise.all(Array.from({ length: 8 }, () => pruning(store, 2)));
    const pruned = await race(opened, 8, (racer, index) => {
      const { base, event } = present(prunings[index]);
      return racer.audit.prune(0, base, event);
    });
    assert.equal(pruned.filter(Boolean).length, 1);
    const { base, event } = present(prunings[pruned.indexOf(true)]);
    assert.deepEqual(await store.audit.chainEnds(), { base, head });
    assert.deepEqual(
      (await store.audit.chain(1, 9)).map(({ seq }) => seq),
      [3, 4, 5],
    );
    assert.deepEqual(await store.audit.unsealed(9), [...unsealed, event]);
    const left = await store.audit.list({ limit: 99 });
    assert.deepEqual(
      new Set(left.map(({ id }) => id)),
      new Set([...events.slice(2), ...unsealed, event].map(({ id }) => id)),
    );
    assert.ok(isInPlace(KEY, base, present((await store.audit.chain(3, 1))[0])));
    const second = await pruning(store, 5);
    assert.equal(await store.audit.prune(0, second.base, second.event), false, "the base is elsewhere");
    assert.equal((await store.audit.chain(1, 9)).length, 3);
    assert.equal(await store.audit.prune(2, second.base, second.event), true);
    assert.deepEqual(await store.audit.chain(1, 9), []);
    assert.equal((await sealAll(store)).seq, 8, "the chain goes on");
    const nothing = anAuditEvent();
    assert.equal(await store.audit.prune(99, base, nothing), false);
  });
}
