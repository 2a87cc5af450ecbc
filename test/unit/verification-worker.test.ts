/**
 * The worker that verifies the audit: whoever asks gets an answer, whatever dies meanwhile, and nobody waits
 * for it.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVerificationWorker, outcomeOf } from "../../src/admin/verification-worker.ts";
import { verificationMac } from "../../src/domain/audit-chain.ts";
import type { AuditVerification } from "../../src/domain/records.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { AuditStore, Store } from "../../src/storage/contract.ts";
import { runAlone } from "../../src/worker-loop.ts";
import { type AuditDeployment, append, appendWaiting, deployment, Intruder } from "../support/admin-audit.ts";
import { anId } from "../support/records.ts";

// Nothing here waits for the world outside, and a runner told to exit at the end loses the reports that never
// got their turn.
afterEach(() => turn());

const many = 1200;

describe("a verification that was asked for", () => {
  let made: AuditDeployment;
  const logged: string[] = [];
  before(async () => {
    made = await deployment();
    await append(made, many);
    await appendWaiting(made);
  });
  after(() => made.file.destroy());
  beforeEach(() => logged.splice(0));

  async function ask(keptHead: string | null = null, actor = "admin:1"): Promise<AuditVerification> {
    const asked = { id: anId("verification"), keptHead };
    const written = {
      ...asked,
      seal: verificationMac(made.key, { ...asked, progress: null, result: null }),
    };
    return (
      (await made.store.verifications.ask(written, { actor, now: made.clock.now() })) ??
      assert.fail("refused")
    );
  }

  /** A worker that notes each of its turns. */
  function workerOn(store: Store, audit: Pick<AuditStore, "chain"> = store.audit, noteEveryMs = 0) {
    const { chainEnds, countUnsealed } = store.audit;
    return createVerificationWorker({
      audit: { chain: audit.chain, chainEnds, countUnsealed },
      verifications: store.verifications,
      key: made.key,
      clock: made.clock,
      logger: { error: (_fields, message) => void logged.push(message) },
      noteEveryMs,
    });
  }

  async function found(id: string): Promise<AuditVerification> {
    return (await made.store.verifications.find(id)) ?? assert.fail("it is gone");
  }

  /** Notes from where each batch was read. */
  function watched(store: Store, before: (fromSeq: number) => void = () => {}) {
    const places: number[] = [];
    const chain: AuditStore["chain"] = async (fromSeq, limit) => {
      before(fromSeq);
      places.push(fromSeq);
      return await store.audit.chain(fromSeq, limit);
    };
    return { chain, places };
  }

  /** Begins it in a store that is closed once so many events were read, and goes away. */
  async function dieAt(place: number): Promise<void> {
    const store = await made.file.open();
    const { chain } = watched(store, (fromSeq) => {
      if (fromSeq > place) void store.close();
    });
    const isUnavailable = (error: unknown) =>
      error instanceof LiaisonError && error.code === "store_unavailable";
    await assert.rejects(workerOn(store, { chain }).runOnce(), isUnavailable);
  }

  it("is one for two who ask at once, and both get what it came to", async () => {
    const [one, other] = await Promise.all([ask(null, "admin:1"), ask(null, "admin:2")]);
    assert.equal(one.id, other.id);
    assert.deepEqual([one.state, one.askedBy], ["waiting", "admin:1"]);
    assert.equal(await workerOn(made.store).runOnce(), 1);
    const { state, result, progress, endedAt } = await found(one.id);
    assert.equal(state, "finished");
    assert.deepEqual(
      { ...result, head: null },
      { intact: true, verified: many, unsealed: 2, pruned: 0, head: null, problem: null },
    );
    assert.equal(progress?.total, many);
    assert.ok(endedAt !== null && endedAt >= one.askedAt && endedAt <= made.clock.now());
    assert.equal(await workerOn(made.store).runOnce(), 0);
  });

  it("goes on at the place that was noted when its worker's store died", async () => {
    const { id } = await ask();
    await dieAt(400);
    const left = await found(id);
    assert.equal(left.state, "running");
    const place = left.progress?.seq ?? assert.fail("nothing was noted");
    assert.ok(place > 300 && place < 1000, String(place));
    assert.equal(left.progress?.verified, place);

    const store = await made.file.open();
    const { chain, places } = watched(store);
    const rescue = workerOn(store, { chain });
    assert.equal(await rescue.runOnce(), 0, "the lease of the dead one holds");
    made.clock.advance(30);
    assert.equal(await rescue.runOnce(), 1);
    const { result, attempts } = await found(id);
    assert.deepEqual([result?.intact, result?.verified, attempts], [true, many, 0]);
    // The beginning and the place that was noted are looked at once more, what lies between isn't.
    const [first, again, ...rest] = places;
    assert.deepEqual([first, again], [Number.MIN_SAFE_INTEGER, place - 1]);
    assert.ok(rest.length > 0 && rest.every((fromSeq) => fromSeq > place), String(places));
    await store.close();
  });

  it("begins anew where the place that was noted isn't as it was, and finds what was done", async () => {
    const { id } = await ask();
    await dieAt(400);
    const place = (await found(id)).progress?.seq ?? assert.fail("nothing was noted");
    const intruder = new Intruder(made.file.file);
    const mac = intruder.database.prepare("SELECT mac FROM audit_events WHERE chain_seq = ?").get(place)?.[
      "mac"
    ];
    intruder.run("UPDATE audit_events SET mac = 'forged' WHERE chain_seq = ?", place);
    made.clock.advance(30);
    assert.equal(await workerOn(made.store).runOnce(), 1);
    intruder.run("UPDATE audit_events SET mac = ? WHERE chain_seq = ?", String(mac), place);
    const { state, result } = await found(id);
    assert.equal(state, "finished");
    assert.match(String(result?.problem), new RegExp(`^place ${place}: event .* isn't as it was sealed$`));
    assert.deepEqual([result?.intact, result?.verified], [false, place - 1]);
  });

  it("finds a chain that is cut behind the place where it ended when it was begun", async () => {
    const { id } = await ask();
    await dieAt(400);
    const intruder = new Intruder(made.file.file);
    const head = intruder.database
      .prepare("SELECT seq, mac, at, seal FROM audit_chain WHERE name = 'head'")
      .get();
    const put = (mark: typeof head) =>
      intruder.run(
        "UPDATE audit_chain SET seq = ?, mac = ?, at = ?, seal = ? WHERE name = 'head'",
        ...["seq", "mac", "at", "seal"].map((field) => mark?.[field] as string | number),
      );
    await appendWaiting(made);
    const later = intruder.database
      .prepare("SELECT seq, mac, at, seal FROM audit_chain WHERE name = 'head'")
      .get();
    assert.ok(Number(later?.["seq"]) > Number(head?.["seq"]));
    // Begun at the later end: an older state is put back then.
    made.clock.advance(30);
    await dieAt(1000);
    put(head);
    made.clock.advance(30);
    assert.equal(await workerOn(made.store).runOnce(), 1);
    put(later);
    const problem = String((await found(id)).result?.problem);
    assert.equal(
      problem,
      `the chain ends at ${head?.["seq"]}, and ended at ${later?.["seq"]} when this began`,
    );
  });

  it("fails where somebody without the key changed what is kept of it, and so does a result", async () => {
    const intruder = new Intruder(made.file.file);
    const begun = await ask();
    await dieAt(400);
    intruder.run(
      "UPDATE audit_verifications SET progress = json_set(progress, '$.seq', 1100) WHERE id = ?",
      begun.id,
    );
    const asked = await ask("7.forged");
    intruder.run("UPDATE audit_verifications SET kept_head = NULL WHERE id = ?", asked.id);
    made.clock.advance(30);
    assert.equal(await workerOn(made.store).runOnce(), 2);
    for (const { id } of [begun, asked]) {
      const { state, failure, result } = await found(id);
      assert.deepEqual([state, result], ["failed", null]);
      assert.match(String(failure), /isn't as the service wrote it/);
    }
    const finished = await ask();
    assert.equal(await workerOn(made.store).runOnce(), 1);
    assert.equal(outcomeOf(made.key, await found(finished.id)).result?.intact, true);
    intruder.run(
      "UPDATE audit_verifications SET result = json_set(result, '$.verified', 5) WHERE id = ?",
      finished.id,
    );
    const { state, result, failure } = outcomeOf(made.key, await found(finished.id));
    assert.deepEqual([state, result], ["failed", null]);
    assert.match(String(failure), /isn't as the service wrote it/);
  });

  it("looks for the head that was kept, and reports what is broken", async () => {
    const kept = await ask("99999.AAAA");
    const { id } = await ask();
    const intruder = new Intruder(made.file.file);
    intruder.run("UPDATE audit_events SET actor = 'nobody' WHERE chain_seq = 800");
    assert.equal(await workerOn(made.store).runOnce(), 2);
    intruder.run("UPDATE audit_events SET actor = 'account:799' WHERE chain_seq = 800");
    assert.match(
      String((await found(kept.id)).result?.problem),
      /^the chain ends at \d+, before the head given$/,
    );
    const { result } = await found(id);
    assert.deepEqual([result?.intact, result?.verified], [false, 799]);
    assert.match(String(result?.problem), /^place 800: event .* isn't as it was sealed$/);
  });

  it("lets the event loop turn between two batches, is given back when told to stop", async () => {
    const { id } = await ask();
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    const before: number[] = [];
    const stopping = new AbortController();
    let steps = 0;
    const { chain } = watched(made.store, () => {
      before.push(turns);
      if (before.length === 4) stopping.abort();
    });
    const worker = workerOn(made.store, { chain }, 1000);
    const onStep = () => {
      steps += 1;
    };
    assert.equal(await worker.runOnce({ signal: stopping.signal, onStep }), 0);
    clearInterval(counting);
    // The first looks at the beginning; each of the others is a turn of its own.
    assert.equal(before.length, 4);
    assert.equal(new Set(before.slice(1)).size, 3, `no turn of the loop between two batches: ${before}`);
    assert.ok(steps >= 3, String(steps));
    // Another takes it over at once, where it was.
    const { chain: others, places } = watched(made.store);
    assert.equal(await workerOn(made.store, { chain: others }).runOnce(), 1);
    assert.equal((await found(id)).state, "finished");
    assert.ok((places[1] ?? 0) > 100, String(places));
  });

  it("is given up when it was begun again and again and never got on", async () => {
    const { id } = await ask();
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      assert.equal((await made.store.verifications.claim("dies", made.clock.now(), 1000))?.attempts, attempt);
      made.clock.advance(1);
    }
    assert.equal(await workerOn(made.store).runOnce(), 1);
    const { state, failure } = await found(id);
    assert.deepEqual([state, failure], ["failed", "it was begun 10 times and never got on"]);
  });

  it("fails with a line in the log where the worker itself does, and the next is carried out", async () => {
    const { id } = await ask("1.a");
    const next = await ask();
    const { chain } = watched(made.store);
    let calls = 0;
    const failing: AuditStore["chain"] = async (fromSeq, limit) => {
      calls += 1;
      if (calls === 1) throw new TypeError("a fault");
      return await chain(fromSeq, limit);
    };
    assert.equal(await workerOn(made.store, { chain: failing }).runOnce(runAlone), 2);
    const { state, failure } = await found(id);
    assert.deepEqual([state, failure], ["failed", "something went wrong; the log of the service says what"]);
    assert.deepEqual(logged, ["a verification of the audit failed"]);
    assert.equal((await found(next.id)).state, "finished");
  });
});
