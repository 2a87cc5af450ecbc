/**
 * What flows cost: operations on the store, counted on whichever back end the suite runs on; and what a
 * response waits for.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type Liaison, linkByMail, people, register, signIn, startLiaison } from "../support/liaison.ts";
import { TestPortal } from "../support/portal.ts";
import { isRead, StoreCounter } from "../support/store-counter.ts";
import type { UserAgent } from "../support/user-agent.ts";

const address = "ann@northwind.example";

/** oidc-provider's own calls of its adapter, measured against a bare one: reads and writes together. */
const adapterCalls = {
  userinfo: 3,
  introspection: 4,
  refresh: 6,
  silent: 10,
  first: 17,
  switching: 12,
  exchange: 5,
};

describe("operations on the store", () => {
  const counter = new StoreCounter();
  let liaison: Liaison;
  let portal: TestPortal;
  let browser: UserAgent;
  before(async () => {
    liaison = await startLiaison({ decorate: counter.decorate });
    await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "p-ann", email: address }]);
    const scope = "openid profile organization offline_access";
    portal = await TestPortal.connect({ ...liaison.customerSource.options, scope });
    const linking = await portal.start({ prompt: "consent" });
    await linkByMail(liaison, liaison.browser(), linking, people.ann, address);
    browser = liaison.browser();
  });
  after(() => liaison?.close());

  /** Runs a flow and returns what it asked of the store, and how many requests it made of the broker. */
  async function measured<T>(
    flow: () => Promise<T>,
    requests: number,
  ): Promise<{ result: T; requests: number; calls: string[] }> {
    counter.take();
    const result = await flow();
    return { result, requests, calls: counter.take() };
  }

  function assertCost(
    calls: string[],
    requests: number,
    adapter: number,
    more: Record<string, number> = {},
  ): void {
    const said = JSON.stringify(calls);
    const ofAdapter = calls.filter((call) => call.startsWith("artifacts.")).length;
    assert.ok(ofAdapter <= adapter, `${ofAdapter} calls of the adapter, not ${adapter}: ${said}`);
    const others = calls.filter((call) => !call.startsWith("artifacts."));
    const reads = others.filter(isRead).length;
    assert.ok(reads <= requests, `${reads} reads of ours in ${requests} requests: ${said}`);
    const writes = others.filter((call) => !isRead(call));
    const counted = Object.fromEntries(
      [...new Set(writes)].map((call) => [call, writes.filter((other) => other === call).length]),
    );
    assert.deepEqual(counted, more, said);
  }

  it("a first sign-in in a browser, the code's exchange included", async (test) => {
    const started = await portal.start({ prompt: "consent" });
    const before = browser.visited.length;
    const { result, calls } = await measured(async () => {
      const end = await signIn(browser, started, people.ann);
      return await portal.exchange(end.url, started);
    }, 0);
    const requests = browser.visited.slice(before).filter((url) => url.startsWith(liaison.issuer)).length + 1;
    test.diagnostic(`${requests} requests: ${calls.join(" ")}`);
    assert.ok(result.refresh_token);
    // And one of our own: somebody has the page open on which they choose where to sign in.
    assertCost(calls, requests, adapterCalls.first + 1, {
      "signIns.begin": 1,
      "signIns.take": 1,
      "accounts.signIn": 1,
      "signIns.leaveOutcome": 1,
      "signIns.takeOutcome": 1,
      "accountsAtClients.select": 1,
    });
  });

  it("a sign-in that leads straight to the upstream, with no write for the page opened", async () => {
    const started = await portal.start({ prompt: "login consent" });
    const { calls } = await measured(() => signIn(browser, started, people.ann), 0);
    assert.equal(calls.filter((call) => call === "signIns.begin").length, 1);
    assert.deepEqual(
      calls.filter((call) => call === "artifacts.keep"),
      [],
      calls.join(" "),
    );
  });

  it("a silent sign-in at the same portal with exchange, userinfo, introspection, refresh", async (test) => {
    const started = await portal.start({ prompt: "consent" });
    const silent = await measured(async () => {
      const end = await browser.visit(started.url);
      return await portal.exchange(end.url, started);
    }, 2);
    test.diagnostic(silent.calls.join(" "));
    assertCost(silent.calls, silent.requests, adapterCalls.silent);

    const { access_token, refresh_token = "" } = silent.result;
    const subject = silent.result.claims()?.sub ?? "";
    const userinfo = await measured(() => portal.userinfo(access_token, subject), 1);
    test.diagnostic(userinfo.calls.join(" "));
    assertCost(userinfo.calls, userinfo.requests, adapterCalls.userinfo);

    const introspection = await measured(() => portal.introspect(access_token), 1);
    test.diagnostic(introspection.calls.join(" "));
    assert.equal(introspection.result.active, true);
    assertCost(introspection.calls, introspection.requests, adapterCalls.introspection);

    const refresh = await measured(() => portal.refresh(refresh_token), 1);
    test.diagnostic(refresh.calls.join(" "));
    assertCost(refresh.calls, refresh.requests, adapterCalls.refresh);
  });

  it("a switch of profiles, and what the old tokens cost until its code is redeemed", async (test) => {
    await register(liaison, { id: asOrganizationId("adatum") }, [
      { id: "p-too", email: "ann@adatum.example" },
    ]);
    await bindTo(liaison, people.ann, "p-too");
    const asked = await portal.start({ prompt: "consent select_account" });
    const chooser = await browser.visit(asked.url);
    const old = await portal.exchange(
      (await browser.press(chooser, "Continue", { profile_id: "p-ann" })).url,
      asked,
    );
    const started = await portal.start({ prompt: "consent select_account" });
    const page = await browser.visit(started.url);
    // What the worker does with the notice of the binding is no cost of the switch.
    while ((await liaison.store.outbox.nextDueAt()) !== undefined) await pause(20);
    const switching = await measured(() => browser.press(page, "Continue", { profile_id: "p-too" }), 2);
    test.diagnostic(switching.calls.join(" "));
    // And one of our own: the chooser stands on a session, which has to be this browser's.
    assertCost(switching.calls, switching.requests, adapterCalls.switching + 1, {
      "accountsAtClients.select": 1,
    });

    const userinfo = await measured(() => portal.userinfo(old.access_token, old.claims()?.sub ?? ""), 1);
    assertCost(userinfo.calls, userinfo.requests, adapterCalls.userinfo);
    const refresh = await measured(() => portal.refresh(old.refresh_token ?? ""), 1);
    assertCost(refresh.calls, refresh.requests, adapterCalls.refresh);
    const redemption = await measured(() => portal.exchange(switching.result.url, started), 1);
    test.diagnostic(redemption.calls.join(" "));
    assertCost(redemption.calls, redemption.requests, adapterCalls.exchange);
    await assert.rejects(portal.refresh(refresh.result.refresh_token ?? ""), { error: "invalid_grant" });
  });

  it("no response leaves before its writes are acknowledged", async () => {
    counter.writeDelayMs = 150;
    const slow = await timed(flows());
    for (const [name, { writes, left, took }] of Object.entries(slow)) {
      assert.ok(writes > 0, `${name} writes nothing`);
      assert.equal(left, 0, `${name}: writes were under way when its response came`);
      // A response that waits for a write can't be faster than it, however fast the machine.
      assert.ok(took >= counter.writeDelayMs - 2, `${name}: a response after ${took} ms`);
    }
    counter.writeDelayMs = 0;
  });

  /** Requests that write, each by what it is. */
  async function* flows(): AsyncGenerator<[string, () => Promise<unknown>]> {
    const started = await portal.start({ prompt: "consent" });
    let callback = new URL("http://localhost");
    yield ["authorize", async () => (callback = (await browser.visit(started.url)).url)];
    let refreshToken = "";
    yield [
      "code",
      async () => (refreshToken = (await portal.exchange(callback, started)).refresh_token ?? ""),
    ];
    yield ["refresh", () => portal.refresh(refreshToken)];
  }

  async function timed(steps: AsyncGenerator<[string, () => Promise<unknown>]>) {
    const times: Record<string, { took: number; left: number; writes: number }> = {};
    for await (const [name, step] of steps) {
      counter.take();
      const began = performance.now();
      await step();
      const left = counter.underWay;
      const writes = counter.take().filter((call) => !isRead(call)).length;
      times[name] = { took: performance.now() - began, left, writes };
    }
    return times;
  }
});
