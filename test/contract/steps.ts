/**
 * Cases of the general steps that intentions are made of (src/storage/steps.ts), the same for each engine:
 * what a condition holds for, in which order rows come, what a write leaves, and what is undone.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  asAccountId,
  asClientId,
  asInquiryId,
  asOrganizationId,
  asSecretHash,
} from "../../src/domain/ids.ts";
import {
  AlreadyThere,
  add,
  call,
  type Engine,
  first,
  get,
  getAll,
  insert,
  inserted,
  type Listing,
  list,
  type New,
  put,
  remove,
  removed,
  replaced,
  type Steps,
  take,
  update,
  updated,
  type Where,
  write,
} from "../../src/storage/steps.ts";
import {
  apiKeys,
  auditVerifications,
  clientUses,
  endings,
  inquiries,
  type OrganizationRow,
  organizations,
  type Row,
  searchTerms,
  signOuts,
} from "../../src/storage/tables.ts";
import { anInquiry, MINUTE, NOW } from "../support/records.ts";
import { present } from "./back-end.ts";

/** How the cases get at an engine: each opens it on an empty store and destroys that afterwards. */
export interface EngineBackEnd {
  name: string;
  open(): Promise<OpenEngine>;
}

export interface OpenEngine {
  engine: Engine;
  /** Another engine over the same data, as another process would have it. */
  second(): Promise<Engine>;
  destroy(): Promise<void>;
}

type SignOutRow = Row<typeof signOuts>;

const aSignOut = (id: string, dueAt: number, overrides: Partial<New<SignOutRow>> = {}): New<SignOutRow> => {
  const of = { clientId: asClientId("portal"), accountId: asAccountId("account"), sid: null };
  return { id, ...of, createdAt: NOW, dueAt, attempts: 0, leaseWorker: null, ...overrides };
};

const anOrganizationRow = (id: string, overrides: Partial<OrganizationRow> = {}): OrganizationRow => {
  const named = { id: asOrganizationId(id), name: id, accountNumber: "1", kind: "customer" } as const;
  return { ...named, enabled: true, planStatus: "none", planExpiresAt: null, ...overrides };
};

const anApiKey = (id: string, secret = id): Row<typeof apiKeys> => {
  const times = { createdAt: NOW, expiresAt: NOW + MINUTE, lastUsedAt: null };
  return { id, name: id, secretHash: asSecretHash(secret), scopes: ["admin:read"], createdBy: "x", ...times };
};

const anInquiryRow = (id: string): New<Row<typeof inquiries>> => {
  const { address: _address, matched: _matched, ...inquiry } = anInquiry({ id: asInquiryId(id) });
  const { issuer, subject, accountId } = inquiry.requester;
  const ofRequester = { issuer, subject, accountId, sealedAddress: null };
  const work = { state: "waiting", leaseWorker: null, leaseUntil: 0, dueAt: inquiry.notBefore } as const;
  return { ...inquiry, ...ofRequester, ...work, matched: null, answeredTo: null };
};

/** Holds for every one: there are sets that read nothing without an index. */
const every = { dueAt: { gte: 0 } };
const inOrder = { order: ["dueAt", "seq"] } as const;

/** Five, due one after the other; the last two at once. */
function* five(): Steps<void> {
  yield* write([
    inserted(signOuts, aSignOut("a", 10, { sid: "x" })),
    inserted(signOuts, aSignOut("b", 20, { sid: "y", attempts: 2 })),
    inserted(signOuts, aSignOut("c", 30, { attempts: 1 })),
    inserted(signOuts, aSignOut("d", 40, { sid: "x", leaseWorker: "w" })),
    inserted(signOuts, aSignOut("e", 40, { attempts: 2 })),
  ]);
}

function* ids(where: Where<SignOutRow>, listing: Listing<SignOutRow> = inOrder): Steps<string> {
  return (yield* list(signOuts, where, listing)).map(({ id }) => id).join("");
}

class Undone extends Error {}

export function stepCases(backEnd: EngineBackEnd): void {
  const declare = (name: string, body: (opened: OpenEngine) => Promise<void>) =>
    test(`${backEnd.name}: steps: ${name}`, async () => {
      const opened = await backEnd.open();
      try {
        await body(opened);
      } finally {
        await opened.destroy();
      }
    });

  conditionCases(declare);
  orderCases(declare);
  writeCases(declare);
  transactionCases(declare);
}

type Declare = (name: string, body: (opened: OpenEngine) => Promise<void>) => unknown;

function conditionCases(declare: Declare): void {
  declare("a condition holds for what it says, in every way of saying it", async ({ engine }) => {
    await engine.transaction(five);
    const cases: [Where<SignOutRow>, string][] = [
      [{}, "abcde"],
      [{ attempts: 2 }, "be"],
      [{ sid: "x" }, "ad"],
      [{ sid: null }, "ce"],
      [{ sid: { not: null } }, "abd"],
      [{ dueAt: { lt: 30 } }, "ab"],
      [{ dueAt: { lte: 30 } }, "abc"],
      [{ dueAt: { gt: 30 } }, "de"],
      [{ dueAt: { gte: 30 } }, "cde"],
      [{ dueAt: { gt: 10, lt: 40 } }, "bc"],
      [{ dueAt: { gte: 10, lte: 10 } }, "a"],
      [{ id: { gt: "b", lte: "d" } }, "cd"],
      [{ sid: { gte: "x" } }, "abd"],
      [{ sid: { lt: "y" } }, "ad"],
      [{ id: { in: ["a", "e", "none"] } }, "ae"],
      [{ id: { in: ["d"] }, sid: "x" }, "d"],
      [{ id: { in: ["c"] }, sid: "x" }, ""],
      [{ id: { in: [] } }, ""],
      [{ sid: { in: ["x", "y"] }, attempts: { lt: 2 } }, "ad"],
      [{ attempts: { in: [1, 2] } }, "bce"],
      [{ leaseWorker: "w", attempts: 0 }, "d"],
    ];
    for (const [where, expected] of cases)
      assert.equal(await engine.run(() => ids({ ...every, ...where })), expected, JSON.stringify(where));
    const left: Where<SignOutRow> = { ...every, ...({ sid: undefined } as object) };
    assert.equal(await engine.run(() => ids(left)), "abcde", "what isn't given is no condition");
  });

  declare("so it does for flags, and for what is one of few", async ({ engine }) => {
    const rows = [
      anOrganizationRow("a", { kind: "partner" }),
      anOrganizationRow("b", { enabled: false }),
      anOrganizationRow("c", { kind: "operator", enabled: false, planStatus: "active", planExpiresAt: 7 }),
    ];
    await engine.transaction(() => write(rows.map((row) => inserted(organizations, row))));
    const cases: [Where<OrganizationRow>, string][] = [
      [{ enabled: true }, "a"],
      [{ enabled: false }, "bc"],
      [{ kind: "customer" }, "b"],
      [{ kind: { in: ["partner", "operator"] } }, "ac"],
      [{ kind: { in: ["partner", "operator"] }, enabled: false }, "c"],
      [{ planExpiresAt: { lte: 7 } }, "c"],
      [{ planExpiresAt: null }, "ab"],
      [{ planExpiresAt: { not: null } }, "c"],
    ];
    for (const [where, expected] of cases) {
      const given = { name: { gte: "" }, ...where };
      const found = await engine.run(() => list(organizations, given, { order: ["name", "id"] }));
      assert.equal(found.map(({ id }) => id).join(""), expected, JSON.stringify(where));
    }
  });

  declare("what is computed is asked for as what is written", async ({ engine }) => {
    const settled = { ...anInquiryRow("settled"), state: "settled", settledAt: NOW } as const;
    await engine.transaction(function* () {
      yield* insert(inquiries, anInquiryRow("waiting"));
      yield* insert(inquiries, settled);
    });
    for (const state of ["waiting", "settled"] as const) {
      const found = await engine.run(() => list(inquiries, { state, createdAt: { gte: 0 } }));
      assert.deepEqual(
        found.map((row) => [row.id, row.state, row.requester.subject]),
        [[state, state, found[0]?.subject]],
      );
    }
  });

  declare("rows are got by their keys, each once, whatever isn't there", async ({ engine }) => {
    await engine.transaction(five);
    const got = await engine.run(() => getAll(signOuts, ["e", "none", "a", "e"]));
    assert.deepEqual(got.map(({ id }) => id).toSorted(), ["a", "e"]);
    assert.deepEqual(await engine.run(() => getAll(signOuts, [])), []);
    assert.equal((await engine.run(() => get(signOuts, "b")))?.sid, "y");
    assert.equal(await engine.run(() => get(signOuts, "none")), undefined);
    assert.equal((await engine.run(() => first(signOuts, every, inOrder)))?.id, "a");
    assert.equal(await engine.run(() => first(signOuts, { id: "none" })), undefined);
  });
}

function orderCases(declare: Declare): void {
  declare("rows come in order, from a place on, so many, some passed over", async ({ engine }) => {
    await engine.transaction(five);
    const down = { ...inOrder, isDescending: true } as const;
    const cases: [Listing<SignOutRow>, string][] = [
      [inOrder, "abcde"],
      [down, "edcba"],
      [{ ...inOrder, limit: 2 }, "ab"],
      [{ ...inOrder, limit: 0 }, ""],
      [{ ...inOrder, limit: 2, skip: 3 }, "de"],
      [{ ...down, limit: 1 }, "e"],
      [{ order: ["id"], behind: ["b"] }, "cde"],
      [{ order: ["id"], behind: ["b"], limit: 2 }, "cd"],
      [{ order: ["id"], behind: ["d"], isDescending: true }, "cba"],
      [{ order: ["dueAt", "id"], behind: [40, "d"] }, "e"],
      [{ order: ["dueAt", "id"], behind: [30, ""], limit: 2 }, "cd"],
      [{ order: ["dueAt", "id"], behind: [40, "e"], isDescending: true, limit: 3 }, "dcb"],
    ];
    for (const [listing, expected] of cases)
      assert.equal(await engine.run(() => ids(every, listing)), expected, JSON.stringify(listing));
    const behind = { order: ["dueAt", "id"], behind: [10, ""] } as const;
    assert.equal(await engine.run(() => ids({ ...every, sid: "x" }, behind)), "ad");
  });

  declare("what was written at one instant comes as it was written", async ({ engine }) => {
    const written = "hcaegbdf";
    for (const id of written) await engine.run(() => insert(signOuts, aSignOut(id, 40)));
    assert.equal(await engine.run(() => ids(every)), written);
    const rows = await engine.run(() => list(signOuts, every, inOrder));
    const third = present(rows[2]);
    const behind = [third.dueAt, third.seq];
    assert.equal(await engine.run(() => ids(every, { ...inOrder, behind, limit: 3 })), "egb");
    const down = { ...inOrder, isDescending: true } as const;
    assert.equal(await engine.run(() => ids(every, { ...down, behind })), "ch");
    const end = [40, engine.lastPlace];
    assert.equal(await engine.run(() => ids(every, { ...down, behind: end, limit: 2 })), "fd");
    assert.equal(await engine.run(() => ids(every, { ...inOrder, behind: end })), "");
  });

  declare("the first in order is taken, as it is then, by one of many", async (opened) => {
    const { engine } = opened;
    await engine.transaction(five);
    const lease = (worker: string, dueAt = 35) =>
      take(
        signOuts,
        { dueAt: { lte: dueAt } },
        { leaseWorker: worker, dueAt: 99, attempts: add(1) },
        inOrder,
      );
    const taken = present(await engine.run(() => lease("w1")));
    const { seq, ...row } = taken;
    assert.deepEqual(row, aSignOut("a", 99, { sid: "x", leaseWorker: "w1", attempts: 1 }));
    assert.deepEqual(await engine.run(() => get(signOuts, "a")), taken);
    const engines = [engine, await opened.second()];
    const racers = Array.from({ length: 8 }, (_, index) => present(engines[index % 2]));
    const got = await Promise.all(racers.map((one, index) => one.run(() => lease(`r${index}`))));
    assert.deepEqual(got.flatMap((one) => one?.id ?? []).toSorted(), ["b", "c"]);
    assert.equal(await engine.run(() => lease("w2")), undefined);
    assert.equal(await engine.run(() => ids({ dueAt: { lt: 99 } })), "de");
  });
}

function writeCases(declare: Declare): void {
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

function transactionCases(declare: Declare): void {
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
    const racers = Array.from({ length: 16 }, (_, index) => present(engines[index % 2]));
    const counts = await Promise.all(racers.map((engine) => engine.transaction(again)));
    assert.deepEqual(
      counts.toSorted((one, other) => one - other),
      counts.map((_, index) => index + 2),
    );
  });
}
