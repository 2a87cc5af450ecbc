/**
 * Cases of the general steps that intentions are made of (src/storage/steps.ts), the same for each engine:
 * what a condition holds for, in which order rows come, what a write leaves, and what is undone.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  add,
  first,
  get,
  getAll,
  insert,
  inserted,
  type Listing,
  list,
  take,
  type Where,
  write,
} from "../../src/storage/steps.ts";
import { inquiries, type OrganizationRow, organizations, signOuts } from "../../src/storage/tables.ts";
import { NOW } from "../support/records.ts";
import { present } from "./back-end.ts";
import {
  anInquiryRow,
  anOrganizationRow,
  aSignOut,
  type Declare,
  type EngineBackEnd,
  every,
  five,
  ids,
  inOrder,
  type OpenEngine,
  type SignOutRow,
} from "./step-fixture.ts";
import { transactionCases, writeCases } from "./steps-writing.ts";

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
