/**
 * What a visitor may cost, in memory: the pace, the windows under a clock that is set back, connections of
 * one network.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { asAccountId } from "../../src/domain/ids.ts";
import { createConnections } from "../../src/http/connections.ts";
import { createCookies } from "../../src/http/cookies.ts";
import { createKnownBrowsers } from "../../src/http/costs/known-browser.ts";
import { createPace } from "../../src/http/costs/pace.ts";
import { createVisitorCosts } from "../../src/http/costs/visitor-costs.ts";
import { createWindows } from "../../src/http/costs/windows.ts";
import { createEncryptedCookies } from "../../src/http/encrypted-cookie.ts";
import { createEncryptedState } from "../../src/http/encrypted-state.ts";

describe("pace", () => {
  const paced = (longestWaitMs = 1000, remembered = 10) => {
    let elapsed = 0;
    const pace = createPace({
      limit: { limit: 4, windowSeconds: 1 },
      longestWaitMs,
      remembered,
      elapsed: () => elapsed,
    });
    return { pace, at: (ms: number) => (elapsed = ms) };
  };

  it("serves a burst at once, then each at its own moment, and refuses what would wait too long", () => {
    const { pace, at } = paced();
    const waits = Array.from({ length: 9 }, () => pace.take("a"));
    assert.deepEqual(waits, [
      ...[0, 0, 0, 0].map((waitMs) => ({ waitMs })),
      ...[250, 500, 750, 1000].map((waitMs) => ({ waitMs })),
      { fullForMs: 250 },
    ]);
    assert.deepEqual(pace.take("b"), { waitMs: 0 }, "each key has its own");
    at(250);
    assert.deepEqual(pace.take("a"), { waitMs: 1000 }, "what was refused took no place");
    at(10_000);
    assert.deepEqual(pace.take("a"), { waitMs: 0 });
  });

  it("remembers so many keys and no more", () => {
    const { pace } = paced(0, 2);
    for (let turn = 0; turn < 4; turn += 1) pace.take("a");
    assert.ok("fullForMs" in pace.take("a"));
    pace.take("b");
    pace.take("c");
    assert.deepEqual(pace.take("a"), { waitMs: 0 });
  });
});

describe("windows", () => {
  it("end at their millisecond, and with a clock that is set back", () => {
    const windows = createWindows(10);
    const first = windows.at("a", 60, 1_000_000);
    assert.equal(windows.at("a", 60, 1_059_999), first);
    assert.notEqual(windows.at("a", 60, 1_060_000), first);
    assert.equal(windows.at("a", 60, 5).startedAt, 5);
    assert.equal(windows.find("a", 4), undefined);
  });
});

describe("what is charged", () => {
  const context = () => ({ state: { clientAddress: "192.0.2.1" } as Record<string, unknown>, get: () => "" });

  it("a clock set back by years delays nobody by more than one window, whatever the store says", async () => {
    const year = 365 * 86_400_000;
    let now = 10 * year;
    let isFull = false;
    const limit = { limit: 10, windowSeconds: 60 };
    const costs = createVisitorCosts({
      throttles: {
        takeSlots: async (_key, wanted) => ({ taken: isFull ? 0 : wanted, resetsAt: 10 * year + 60_000 }),
      },
      limits: { signIns: limit, signOuts: limit, knownBrowser: limit, interaction: limit },
      known: { idOf: () => undefined },
      clock: { now: () => now },
    });
    const charge = async () => {
      const ctx = context();
      const isRefused = await costs.charge(ctx as never, "sign_in").then(
        () => false,
        () => true,
      );
      return { isRefused, after: ctx.state["retryAfterSeconds"] };
    };
    await charge();
    isFull = true;
    assert.equal((await charge()).isRefused, true);
    now -= 5 * year;
    // A window of its own again: its first is counted here alone.
    assert.equal((await charge()).isRefused, false);
    assert.deepEqual(await charge(), { isRefused: true, after: 60 });
    isFull = false;
    now += 60_000;
    assert.equal((await charge()).isRefused, false);
    assert.equal((await charge()).isRefused, false);
  });
});

describe("what is charged to one network", () => {
  it("is counted in memory first, then taken of the store by some, never more than the limit", async () => {
    const limit = { limit: 500, windowSeconds: 60 };
    const asked: number[] = [];
    let left = 450;
    const costs = createVisitorCosts({
      throttles: {
        takeSlots: async (_key, wanted, { limit: shared }) => {
          assert.equal(shared, 450);
          asked.push(wanted);
          const taken = Math.min(left, wanted);
          left -= taken;
          return { taken, resetsAt: 60_000 };
        },
      },
      limits: { signIns: limit, signOuts: limit, knownBrowser: limit, interaction: limit },
      known: { idOf: () => undefined },
      clock: { now: () => 1000 },
    });
    const ctx = { state: { clientAddress: "192.0.2.1" }, get: () => "" };
    const charge = (weight?: number) =>
      costs.charge(ctx as never, "sign_in", weight).then(
        () => true,
        () => false,
      );
    const served = [];
    for (let turn = 0; turn < 50; turn += 1) served.push(await charge());
    assert.deepEqual([served.every(Boolean), asked], [true, []]);
    for (let turn = 0; turn < 440; turn += 1) served.push(await charge());
    assert.deepEqual([served.every(Boolean), asked.length, new Set(asked)], [true, 44, new Set([10])]);
    assert.equal(await charge(9), true);
    assert.equal(await charge(4), false, "one is left");
    assert.equal(left, 0);
  });
});

describe("a known browser's cookie", () => {
  it("is good for a year, also where it is remembered; one that was tampered with never is", async () => {
    let now = Date.UTC(2026, 10, 23);
    const clock = { now: () => now };
    const cookies = createCookies(new URL("https://id.example.com"));
    const key = Buffer.alloc(32, 7).toString("base64url");
    const broker = () =>
      createKnownBrowsers({
        key,
        cookies,
        encryptedCookies: createEncryptedCookies({ state: createEncryptedState({ key, clock }), cookies }),
        clock,
      });
    const [one, another] = [broker(), broker()];
    const set: string[] = [];
    const jar = { set: (name: string, value: string) => void set.push(`${name}=${value}`) };
    const ctx = { state: {}, get: () => "", cookies: jar };
    one.completed(ctx, asAccountId("account"));
    await one.middleware(ctx as never, async () => {});
    const [header = assert.fail("no cookie was set")] = set;
    const id = await one.idOf(header);
    assert.ok(id !== undefined);
    assert.equal(await another.idOf(header), id, "whichever broker it comes to");
    assert.equal(await one.idOf(`${header}x`), undefined);
    now += 365 * 86_400_000 - 1000;
    assert.deepEqual([await one.idOf(header), await another.idOf(header)], [id, id]);
    now += 1000;
    assert.deepEqual([await one.idOf(header), await another.idOf(header)], [undefined, undefined]);
  });
});

describe("connections of one network", () => {
  it("beyond so many the oldest goes that has no whole request in it; no trusted proxy counts", async () => {
    for (const isTrusted of [false, true]) {
      const connections = createConnections({ most: 2, isTrustedProxy: () => isTrusted });
      const taken: Socket[] = [];
      const server = createServer((socket) => {
        socket.on("error", () => {});
        taken.push(socket);
        connections.opened(socket);
        // The first is being answered.
        if (taken.length === 1) connections.asked({ socket, complete: true, destroyed: false } as never);
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      const open = async () => {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        return socket;
      };
      const sockets = [await open(), await open(), await open()];
      while (taken.length < 3) await new Promise(setImmediate);
      assert.deepEqual(
        taken.map(({ destroyed }) => destroyed),
        [false, !isTrusted, false],
      );
      for (const socket of [...sockets, ...taken]) socket.destroy();
      server.close();
    }
  });
});
