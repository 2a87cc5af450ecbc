/** Cases of the general steps that write (steps.ts): what they leave, and what is undone. */

import assert from "node:assert/strict";
import { asClientId, asInquiryId, asSecretHash } from "../../src/domain/ids.ts";
import {
  AlreadyThere,
  add,
  call,
  get,
  insert,
  inserted,
  list,
  put,
  remove,
  removed,
  replaced,
  type Steps,
  update,
  updated,
  write,
} from "../../src/storage/steps.ts";
import {
  apiKeys,
  auditVerifications,
  clientUses,
  endings,
  inquiries,
  organizations,
  type Row,
  searchTerms,
  signOuts,
} from "../../src/storage/tables.ts";
import { MINUTE, NOW } from "../support/records.ts";
import { present } from "./back-end.ts";
import {
  anInquiryRow,
  anOrganizationRow,
  aSignOut,
  type Declare,
  every,
  five,
  ids,
  inOrder,
} from "./step-fixture.ts";

const anApiKey = (id: string, secret = id): Row<typeof apiKeys> => {
  const times = { createdAt: NOW, expiresAt: NOW + MINUTE, lastUsedAt: null };
  return { id, name: id, secretHash: asSecretHash(secret), scopes: ["admin:read"], createdBy: "x", ...times };
};

class Undone extends Error {}

export function writeCases(declare: Declare): void {
  declare("what is written is what is read, of every kind", async ({ engine }) => {
    const verification = {
      id: "v'1\"",
      askedBy: "admin:Åsa 🐙 $set.a",
      askedAt: NOW,
      keptHead: null,
      state: "running",
      startedAt: NOW + 1,
      endedAt: null,
      progress: { verified: 7, total: 12, seq: 9, mac: "nine", headSeq: 14 },
      result: null,
      failure: "",
      attempts: 3,
      seal: "s",
      openHead: "h",
      dueAt: NOW + 2,
      leaseWorker: "w",
    } as const;
    await engine.run(() => insert(auditVerifications, verification));
    const { seq: _seq, ...read } = present(await engine.run(() => get(auditVerifications, verification.id)));
    assert.deepEqual(read, verification);
    const use = {
      clientId: asClientId("portal"),
      usedAt: NOW,
      previousUsedAt: null,
      refusedAddresses: [{ parameter: "redirect_uri", address: "https://x.example/?a=$b", at: NOW }],
    } as Row<typeof clientUses>;
    await engine.run(() => insert(clientUses, use));
    assert.deepEqual(await engine.run(() => get(clientUses, use.clientId)), use);
    const organization = anOrganizationRow("o", { planStatus: "active", planExpiresAt: NOW });
    await engine.run(() => insert(organizations, organization));
    assert.deepEqual(await engine.run(() => get(organizations, "o")), organization);
  });

  declare("changes set, add, and clear, in all that the condition holds for", async ({ engine }) => {
    await engine.transaction(five);
    const change = { sid: "z", attempts: add(3), leaseWorker: null };
    assert.equal(await engine.run(() => update(signOuts, { dueAt: { gte: 40 } }, change)), 2);
    const changed = await engine.run(() => list(signOuts, { sid: "z", ...every }, inOrder));
    assert.deepEqual(
      changed.map(({ id, attempts, leaseWorker }) => [id, attempts, leaseWorker]),
      [
        ["d", 3, null],
        ["e", 5, null],
      ],
    );
    assert.equal(await engine.run(() => update(signOuts, { id: "d" }, { sid: "z" })), 1, "as it was already");
    assert.equal(await engine.run(() => update(signOuts, { id: "none" }, { sid: "z" })), 0);
    assert.equal(await engine.run(() => update(signOuts, { id: { in: ["a", "b"] } }, { sid: null })), 2);
    assert.equal(await engine.run(() => ids({ ...every, sid: null })), "abc");
    const left = { attempts: 9, ...({ sid: undefined } as object) };
    assert.equal(await engine.run(() => update(signOuts, { id: "d" }, left)), 1);
    const row = present(await engine.run(() => get(signOuts, "d")));
    assert.deepEqual([row.attempts, row.sid], [9, "z"], "what isn't given stays as it was");
    assert.deepEqual([row.createdAt, row.dueAt], [NOW, 40]);
  });

  declare("what is null counts as nothing where something is added", async ({ engine }) => {
    await engine.run(() => insert(inquiries, anInquiryRow("i")));
    const change = { matched: add(2), leaseWorker: "$subject", dueAt: 7 };
    assert.equal(await engine.run(() => update(inquiries, { id: asInquiryId("i") }, change)), 1);
    const once = present(await engine.run(() => get(inquiries, "i")));
    assert.deepEqual([once.matched, once.leaseWorker], [2, "$subject"]);
    await engine.run(() => update(inquiries, { id: asInquiryId("i") }, { matched: add(3) }));
    assert.equal((await engine.run(() => get(inquiries, "i")))?.matched, 5);
  });

  declare("one is put, and replaced as a whole", async ({ engine }) => {
    const before = anOrganizationRow("o", { planStatus: "active", planExpiresAt: NOW });
    const other = anOrganizationRow("p");
    const after = anOrganizationRow("o", { name: "Other", enabled: false });
    for (const row of [before, other, after]) await engine.run(() => put(organizations, row));
    assert.deepEqual(await engine.run(() => get(organizations, "o")), after);
    assert.deepEqual(await engine.run(() => get(organizations, "p")), other);
  });

  declare("some are removed, or so many of them", async ({ engine }) => {
    await engine.transaction(five);
    assert.equal(await engine.run(() => remove(signOuts, { ...every, sid: "x" })), 2);
    assert.equal(await engine.run(() => ids(every)), "bce");
    assert.equal(await engine.run(() => remove(signOuts, every, 2)), 2);
    assert.equal((await engine.run(() => ids(every))).length, 1);
    assert.equal(await engine.run(() => remove(signOuts, every, 2)), 1);
    assert.equal(await engine.run(() => remove(signOuts, { id: { in: ["a"] } })), 0);
  });

  declare("several writes come true in their order", async ({ engine }) => {
    await engine.transaction(() =>
      write([
        inserted(signOuts, aSignOut("a", 10)),
        updated(signOuts, { id: "a" }, { attempts: add(1) }),
        replaced(searchTerms, { entry: "x", record: "1" }),
        removed(searchTerms, { entry: "x" }),
        replaced(searchTerms, { entry: "x", record: "2" }),
        replaced(searchTerms, { entry: "y", record: "3" }),
        updated(signOuts, { attempts: 1, ...every }, { sid: "s" }),
      ]),
    );
    assert.equal((await engine.run(() => get(signOuts, "a")))?.sid, "s");
    assert.equal((await engine.run(() => get(searchTerms, "x")))?.record, "2");
    await engine.run(() => write([]));
  });

  declare("no two have one key, nor anything else that no two may have", async ({ engine }) => {
    await engine.run(() => insert(apiKeys, anApiKey("a")));
    for (const again of [anApiKey("a", "other"), anApiKey("other", "a")]) {
      await assert.rejects(
        engine.run(() => insert(apiKeys, again)),
        AlreadyThere,
      );
      const attempt = function* (): Steps<void> {
        yield* insert(signOuts, aSignOut("s", 10));
        yield* insert(apiKeys, again);
      };
      await assert.rejects(engine.transaction(attempt), AlreadyThere);
    }
    assert.deepEqual(await engine.run(() => get(apiKeys, "a")), anApiKey("a"));
    assert.equal(await engine.run(() => get(apiKeys, "other")), undefined);
    assert.equal(await engine.run(() => ids(every)), "", "what was written before it is undone");
  });
}

export function transactionCases(declare: Declare): void {
  const limit = { limit: 1, windowSeconds: 60 };
  const count = () => ({ key: "k", count: 1, endedAt: NOW, dueAt: null, place: "", leaseWorker: null });

  declare("a throw undoes all that was written, and comes out as it is", async ({ engine }) => {
    await engine.transaction(five);
    const thrown = new Undone("never mind");
    const attempt = function* (): Steps<void> {
      yield* insert(endings, count());
      yield* update(signOuts, every, { sid: "gone" });
      yield* remove(signOuts, { id: "a" });
      yield* put(searchTerms, { entry: "x", record: "1" });
      assert.equal((yield* call("takeSlot", "slot", limit, NOW)).taken, true);
      assert.equal(yield* ids({ ...every, sid: "gone" }), "bcde", "it reads what it wrote");
      assert.equal((yield* get(endings, "k"))?.count, 1);
      throw thrown;
    };
    await assert.rejects(engine.transaction(attempt), (error) => error === thrown);
    assert.equal(await engine.run(() => ids({ ...every, sid: "x" })), "ad");
    assert.equal(await engine.run(() => get(endings, "k")), undefined);
    assert.equal(await engine.run(() => get(searchTerms, "x")), undefined);
    const slot = () => call("takeSlot", "slot", limit, NOW);
    assert.equal((await engine.transaction(slot)).taken, true, "its slot is free");
    assert.equal((await engine.transaction(slot)).taken, false);
  });

  declare("what it comes to is what it returns", async ({ engine }) => {
    const intention = function* (): Steps<{ left: string }> {
      yield* five();
      yield* remove(signOuts, { id: "b" });
      return { left: yield* ids(every) };
    };
    assert.deepEqual(await engine.transaction(intention), { left: "acde" });
    assert.equal(await engine.transaction(function* () {}), undefined);
  });

  declare("racers that read and write one row come one after the other", async (opened) => {
    const engines = [opened.engine, await opened.second()];
    await opened.engine.run(() => insert(endings, count()));
    const again = function* (): Steps<number> {
      const row = present(yield* get(endings, "k"));
      yield* update(endings, { key: "k" }, { count: row.count + 1 });
      return row.count + 1;
    };
    const racers = Array.from({ length: 6 }, (_, index) => present(engines[index % 2]));
    const counts = await Promise.all(racers.map((engine) => engine.transaction(again)));
    assert.deepEqual(
      counts.toSorted((one, other) => one - other),
      counts.map((_, index) => index + 2),
    );
  });
}
