/**
 * Whatever somebody does to the audit who can write to the database and doesn't have its key, verifying it
 * finds. Nothing tests a worker that is killed half-way: places, head and base are one conditional write,
 * which came true as a whole or not at all, as the tests of racing workers and of killed processes show of
 * every such write.
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { chainMac, chainMark } from "../../src/domain/audit-chain.ts";
import type { VerificationResult } from "../../src/domain/records.ts";
import {
  type AuditDeployment,
  append,
  appendWaiting,
  chainWorkerOf,
  deployment,
  events,
  Intruder,
  tampering,
  verify,
  verifyAll,
} from "../support/admin-audit.ts";

// Nothing here waits for the world outside, and a runner told to exit at the end loses the reports that never
// got their turn.
afterEach(() => turn());

const dayMs = 24 * 3_600_000;

describe("a chain that somebody with the database and without its key", () => {
  for (const [what, tamper, problem] of tampering) {
    it(what, async (test) => {
      const made = await sealed(test);
      assert.equal((await verify(made)).problem, null);
      tamper(new Intruder(made.file.file));
      const { intact, problem: found } = await verify(made);
      assert.equal(intact, false);
      assert.match(String(found), problem);
    });
  }

  it("recomputes under a key of their own", async (test) => {
    const made = await sealed(test);
    const key = randomBytes(32);
    const intruder = new Intruder(made.file.file);
    let mac = "";
    for (const event of await made.store.audit.chain(1, 100)) {
      const forged = { ...event, actor: "admin:forged" };
      mac = chainMac(key, mac, event.seq, forged);
      intruder.run("UPDATE audit_events SET actor = ?, mac = ? WHERE id = ?", forged.actor, mac, event.id);
    }
    assert.match(String((await verify(made)).problem), /^place 1: event .* isn't as it was sealed$/);
    const head = chainMark(key, "head", { seq: events, mac, at: 1 });
    intruder.run("UPDATE audit_chain SET mac = ?, seal = ?, at = 1 WHERE name = 'head'", mac, head.seal);
    assert.equal((await verify(made)).problem, "the end of the chain isn't as it was written");
    const base = chainMark(key, "base", { seq: 0, mac: "", at: 1 });
    intruder.run("UPDATE audit_chain SET seal = ?, at = 1 WHERE name = 'base'", base.seal);
    assert.equal((await verify(made)).problem, "the beginning of the chain isn't as it was written");
    // Under the key that was used it would have passed: the key is what tells.
    assert.equal((await verify({ store: made.store, key })).problem, null);
  });

  it("puts back as it was a while ago: found with a head that was kept", async (test) => {
    const made = await sealed(test);
    const intruder = new Intruder(made.file.file);
    const older = intruder.database
      .prepare("SELECT seq, mac, at, seal FROM audit_chain WHERE name = 'head'")
      .get();
    await append(made, 5);
    await appendWaiting(made);
    const { head: kept, verified } = await verify(made);
    assert.equal(verified, events + 7);
    const head = kept ?? assert.fail("no head");
    assert.equal((await verify(made, head)).problem, null);

    intruder.run("DELETE FROM audit_events WHERE chain_seq > ? OR chain_seq IS NULL", events);
    intruder.run(
      "UPDATE audit_chain SET seq = ?, mac = ?, at = ?, seal = ? WHERE name = 'head'",
      ...["seq", "mac", "at", "seal"].map((field) => older?.[field] as string | number),
    );
    // It is a chain that once was: by itself nothing tells.
    assert.equal((await verify(made)).problem, null);
    assert.equal((await verify(made, head)).problem, `the chain ends at ${events}, before the head given`);
    // And what is sealed since then is another event at the place of the kept head.
    await append(made, 10);
    await appendWaiting(made);
    assert.equal((await verify(made)).problem, null);
    assert.equal(
      (await verify(made, head)).problem,
      `place ${events + 7}: another event than under the head given`,
    );
  });

  it("removes altogether, ends included: found with a head that was kept", async (test) => {
    const made = await sealed(test);
    const { head } = await verify(made);
    const intruder = new Intruder(made.file.file);
    intruder.run("DELETE FROM audit_events");
    intruder.run("DELETE FROM audit_chain");
    assert.equal((await verify(made)).problem, null);
    assert.equal((await verify(made, head ?? "")).problem, "the ends of the chain are gone");
  });

  /** 12 events with a place, and 2 that wait for theirs. */
  async function sealed(test: TestContext): Promise<AuditDeployment> {
    const made = await deployment();
    test.after(() => made.file.destroy());
    await append(made, events);
    assert.equal(await appendWaiting(made), events);
    await append(made, 2);
    return made;
  }
});

describe("the audit of a deployment", () => {
  let unsealed = 0;
  let made: AuditDeployment;
  before(async () => {
    made = await deployment();
  });
  after(() => made.file.destroy());

  it("is nothing at first, and that is intact", async () => {
    const nothing: VerificationResult = {
      intact: true,
      verified: 0,
      unsealed: 0,
      pruned: 0,
      head: null,
      problem: null,
    };
    assert.deepEqual(await verify(made), nothing);
    assert.equal(await appendWaiting(made), 0);
    assert.deepEqual(await verify(made), nothing);
    assert.equal((await verify(made, "1.abc")).problem, "the ends of the chain are gone");
  });

  it("tells what was verified and what waits", async () => {
    await append(made, 450);
    assert.deepEqual(await verify(made), {
      intact: true,
      verified: 0,
      unsealed: 450,
      pruned: 0,
      head: null,
      problem: null,
    });
    assert.equal(await appendWaiting(made), 450);
    await append(made, 3);
    const { head, ...found } = await verify(made);
    assert.deepEqual(found, { intact: true, verified: 450, unsealed: 3, pruned: 0, problem: null });
    assert.match(String(head), /^450\.[\w-]{43}$/);
    assert.equal((await verify(made, "no head")).problem, "the head given is none");
  });

  it("passes after retention has pruned it, and says that it was", async () => {
    const { head } = await verify(made);
    made.clock.advance((10 * dayMs) / 1000);
    await append(made, 7);
    // The 3 that wait are old, too: they are given a place before they go.
    assert.equal(await appendWaiting(made, { retentionMs: 5 * dayMs }), 10);
    const pruned = await made.store.audit.search({ action: "audit.pruned" }, { after: null, limit: 99 });
    // As many at a time as a short turn allows: each says how many, and up to where.
    const turns = pruned.items.toReversed();
    assert.ok(turns.length >= 3, "more than 200 went at once");
    let until = 0;
    for (const { actor, detail } of turns) {
      until += Number(detail["events"]);
      assert.deepEqual({ actor, until: detail["until"] }, { actor: "system", until });
    }
    assert.equal(until, 453);
    assert.equal((await made.store.audit.list({ limit: 1000 })).length, 7 + turns.length);
    const found = await verify(made);
    unsealed = found.unsealed;
    assert.equal(unsealed, turns.length);
    assert.deepEqual(
      { ...found, head: null },
      { intact: true, verified: 7, unsealed, pruned: 453, head: null, problem: null },
    );
    // The head that was kept names an event that retention has removed.
    assert.equal((await verify(made, head ?? "")).problem, null);
  });

  it("goes on where it was pruned, and finds what is put before it", async () => {
    assert.equal(await appendWaiting(made, { retentionMs: 5 * dayMs }), unsealed);
    assert.equal((await verify(made)).verified, 7 + unsealed);
    const intruder = new Intruder(made.file.file);
    intruder.insert(453);
    assert.equal(
      (await verify(made)).problem,
      "place 453: an event stands before the beginning of the chain",
    );
    intruder.run("DELETE FROM audit_events WHERE chain_seq = 453");
    assert.equal((await verify(made)).problem, null);
    // An event that must be kept may not go with them.
    intruder.run("DELETE FROM audit_events WHERE chain_seq = 454");
    assert.equal((await verify(made)).problem, "place 454: an event is gone");
  });
});

describe("verifying while the audit goes on", () => {
  const everyRead = (made: AuditDeployment, between: () => Promise<unknown>) => {
    const { chain, chainEnds, countUnsealed } = made.store.audit;
    const read =
      <Given extends unknown[], Found>(method: (...given: Given) => Promise<Found>) =>
      async (...given: Given): Promise<Found> => {
        await between();
        return await method(...given);
      };
    return { chain: read(chain), chainEnds: read(chainEnds), countUnsealed: read(countUnsealed) };
  };

  it("takes what is sealed meanwhile for no fault", async (test) => {
    const made = await deployment();
    test.after(() => made.file.destroy());
    await append(made, 510);
    await appendWaiting(made);
    const kept = (await verify(made)).head ?? "";
    let reads = 0;
    // Before each of its reads, one run for each.
    for (let moment = 1; moment <= Math.max(8, reads); moment += 1) {
      reads = 0;
      const audit = everyRead(made, async () => {
        reads += 1;
        if (reads !== moment) return;
        await append(made, 1);
        await appendWaiting(made);
      });
      assert.equal((await verifyAll({ audit, key: made.key }, kept)).problem, null, `before read ${moment}`);
    }
    assert.ok(reads < 24, "the moments after all reads prove nothing");
  });

  it("takes what retention removes meanwhile for no fault, and a gap for one", async (test) => {
    const made = await deployment();
    test.after(() => made.file.destroy());
    await append(made, 700);
    await appendWaiting(made);
    let reads = 0;
    const audit = everyRead(made, async () => {
      reads += 1;
      if (reads !== 4) return;
      // All but the newest hundred, while the first events are known and the others aren't.
      await appendWaiting(made, { retentionMs: made.clock.now() + 31_000 - (await atOf(made, 600)) });
    });
    const found = await verifyAll({ audit, key: made.key });
    assert.equal(found.problem, null);
    assert.ok(found.pruned > 500, String(found.pruned));
    new Intruder(made.file.file).run("DELETE FROM audit_events WHERE chain_seq = 650");
    assert.equal((await verifyAll({ audit, key: made.key })).problem, "place 650: an event is gone");
  });

  it("goes on at the new beginning where retention removes even where the chain ended", async (test) => {
    const made = await deployment();
    test.after(() => made.file.destroy());
    await append(made, 700);
    await appendWaiting(made);
    let reads = 0;
    const audit = everyRead(made, async () => {
      reads += 1;
      if (reads !== 5) return;
      await append(made, 200);
      await appendWaiting(made);
      await appendWaiting(made, { retentionMs: made.clock.now() + 31_000 - (await atOf(made, 800)) });
    });
    const found = await verifyAll({ audit, key: made.key });
    assert.equal(found.problem, null);
    assert.equal(found.pruned, 800);
    assert.match(String(found.head), /^9\d\d\./);
  });

  async function atOf({ store }: AuditDeployment, seq: number): Promise<number> {
    return (await store.audit.chain(seq, 1))[0]?.at ?? assert.fail(`no event ${seq}`);
  }
});

describe("sealing many events", () => {
  it("lets the event loop turn between two batches, and ends after the one at work if told", async (test) => {
    const made = await deployment();
    test.after(() => made.file.destroy());
    await append(made, 900);
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    test.after(() => clearInterval(counting));
    const before: number[] = [];
    const stopping = new AbortController();
    const { seal: place } = made.store.audit;
    const noting: typeof place = async (...given) => {
      before.push(turns);
      if (before.length === 3) stopping.abort();
      return await place(...given);
    };
    const chainWorker = chainWorkerOf(made, { audit: { ...made.store.audit, seal: noting } });
    const sealed = await chainWorker.runOnce({ signal: stopping.signal, onStep: () => {} });
    assert.equal(before.length, 3);
    assert.ok(sealed > 0 && sealed < 900, String(sealed));
    assert.equal(new Set(before).size, 3, `no turn of the loop between two batches: ${before}`);
    assert.equal(await chainWorker.runOnce(), 900 - sealed);
    assert.equal(new Set(before).size, before.length);
    assert.equal((await verify(made)).verified, 900);
  });
});

describe("racing workers", () => {
  it("leave one chain of 200 events, though each believes that it has the lease", async (test) => {
    const made = await deployment();
    test.after(() => made.file.destroy());
    const another = { ...made, store: await made.file.open() };
    const administration = { takeLease: async () => true };
    let lost = 0;
    const workers = [made, another, made, another].map((one) => {
      const { seal: place } = one.store.audit;
      const counting: typeof place = async (...given) => {
        const isPlaced = await place(...given);
        if (!isPlaced) lost += 1;
        return isPlaced;
      };
      return chainWorkerOf(one, { administration, audit: { ...one.store.audit, seal: counting } });
    });
    const counts = workers.map(() => 0);
    for (let batch = 0; batch < 40; batch += 1) {
      await append(made, 5);
      const sealed = await Promise.all(workers.map((worker) => worker.runOnce()));
      for (const [at, count] of sealed.entries()) counts[at] = (counts[at] ?? 0) + count;
    }
    test.diagnostic(`sealed by each: ${counts.join(", ")}; lost ${lost} races`);
    assert.ok(lost > 40, "they didn't race");
    const { head: _head, ...found } = await verify(made);
    assert.deepEqual(found, { intact: true, verified: 200, unsealed: 0, pruned: 0, problem: null });
    const places = (await another.store.audit.chain(1, 1000)).map(({ seq }) => seq);
    assert.deepEqual(
      places,
      Array.from({ length: 200 }, (_, at) => at + 1),
    );
  });

  it("take turns by a lease", async (test) => {
    const made = await deployment();
    test.after(() => made.file.destroy());
    const [one, other] = [chainWorkerOf(made), chainWorkerOf(made)];
    await append(made, 3);
    assert.deepEqual(await Promise.all([one.runOnce(), other.runOnce()]), [3, 0]);
    await append(made, 2);
    assert.equal(await other.runOnce(), 0);
    // Whoever held it is gone for as long as a lease lasts.
    made.clock.advance(31);
    assert.equal(await other.runOnce(), 2);
    assert.equal((await verify(made)).verified, 5);
  });
});
