/**
 * The disk under the database takes no more, and then it does again: of a broker process that is never
 * restarted.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fillDiskFor, makeRoomFor, noFullDisks } from "../support/full-disk.ts";
import { people, portalSecret, signIn } from "../support/liaison.ts";
import type { PortalTokens, StartedSignIn, TestPortal } from "../support/portal.ts";
import type { UserAgent } from "../support/user-agent.ts";
import { type BrokerProcess, until } from "./broker-process.ts";
import { type Deployment, ordersAtIssuer, startDeployment } from "./deployment.ts";
import { linkedBrowser } from "./two-brokers.ts";

describe("the disk is full", { skip: noFullDisks, concurrency: 1 }, () => {
  let deployment: Deployment;
  let folder: string;
  let broker: BrokerProcess;
  let portal: TestPortal;
  let browser: UserAgent;
  let tokens: PortalTokens;
  /** Signed in before, with a code that nobody exchanged yet. */
  let unexchanged: { callback: URL; started: StartedSignIn };

  before(async () => {
    deployment = await startDeployment();
    folder = await deployment.data.copy();
    broker = deployment.broker();
    await broker.start(ordersAtIssuer(deployment, folder));
    const store = await deployment.openStore(folder);
    browser = await linkedBrowser({ deployment, store });
    await store.close();
    portal = await deployment.portal("openid profile email organization offline_access");
    const first = await portal.start();
    tokens = await portal.exchange((await signIn(browser, first, people.ann)).url, first);
    const started = await portal.start();
    unexchanged = { callback: (await signIn(browser, started, people.ann)).url, started };
  });
  after(() => deployment?.close());

  const readiness = async () => {
    const response = await fetch(`${deployment.issuer}/readyz`);
    const { checks } = (await response.json()) as {
      checks: Record<string, { status: string; reason?: string }>;
    };
    return { status: response.status, store: checks["store"], background: checks["background"] };
  };

  const post = async (parameters: Record<string, string>) => {
    const credentials = Buffer.from(`${portal.options.clientId}:${portalSecret}`).toString("base64");
    const authorization = `Basic ${credentials}`;
    const body = new URLSearchParams(parameters);
    const response = await fetch(`${deployment.issuer}/token`, {
      method: "POST",
      headers: { authorization },
      body,
    });
    const retryAfter = response.headers.get("retry-after");
    return {
      status: response.status,
      retryAfter,
      answer: (await response.json()) as Record<string, unknown>,
    };
  };
  const refresh = () => post({ grant_type: "refresh_token", refresh_token: tokens.refresh_token ?? "" });
  const exchange = () =>
    post({
      grant_type: "authorization_code",
      code: unexchanged.callback.searchParams.get("code") ?? "",
      redirect_uri: portal.options.redirectUri,
      code_verifier: unexchanged.started.codeVerifier,
    });

  /** Each row of each table, read past the broker, but for what lapses and what the background counts. */
  function stored(): Record<string, unknown[]> {
    const database = new DatabaseSync(`${folder}/liaison.db`, { readOnly: true });
    try {
      const kept = [
        "accounts",
        "identities",
        "profiles",
        "artifacts",
        "session_clients",
        "selections",
        "audit_events",
      ];
      return Object.fromEntries(
        kept.map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]),
      );
    } finally {
      database.close();
    }
  }

  it("people get the page that says so, portals the error, and nothing is half done", async () => {
    const before = stored();
    fillDiskFor(broker.pid);
    for (const who of [browser, deployment.browser()]) {
      const page = await signIn(who, await portal.start(), people.ann);
      assert.equal(page.status, 503, page.text);
      assert.equal(page.headers.get("retry-after"), "5");
      assert.match(page.heading, /can.t do that right now/i);
      assert.ok(page.url.href.startsWith(deployment.issuer), "nobody is sent to the portal");
    }
    for (const answer of [await refresh(), await exchange(), await refresh()]) {
      assert.deepEqual(
        [answer.status, answer.retryAfter, answer.answer["error"]],
        [503, "5", "temporarily_unavailable"],
      );
    }
    assert.deepEqual(stored(), before);
  });

  it("what needs no write is answered", async () => {
    const { sub } = tokens.claims() ?? { sub: "" };
    assert.equal((await portal.userinfo(tokens.access_token, sub))["sub"], sub);
    for (const path of ["/.well-known/openid-configuration", "/jwks", "/livez"]) {
      assert.equal((await fetch(deployment.issuer + path)).status, 200, path);
    }
  });

  it("readiness says it", async () => {
    await until(async () => (await readiness()).status === 503, "readiness says it", 15_000, 100);
    assert.deepEqual((await readiness()).store, {
      status: "failing",
      reason: "its disk refuses what is written",
    });
  });

  it("the background goes on through it", async () => {
    await until(() => broker.log.includes("the worker failed"), "a worker writes", 15_000, 100);
    assert.equal((await readiness()).background?.status, "ok");
    const failures = broker.log.split("\n").filter((line) => line.includes("the worker failed"));
    const workers = failures.map((line) => (JSON.parse(line) as { worker: string }).worker);
    assert.equal(new Set(workers).size, workers.length, "each worker says it once");
    assert.match(failures[0] ?? "", /Its disk refuses what is written: see whether it is full/);
  });

  it("with room again all goes on, the refresh token and the code that failed included", async () => {
    makeRoomFor(broker.pid);
    for (const { status, answer } of [await refresh(), await exchange()]) {
      assert.equal(status, 200, JSON.stringify(answer));
    }
    for (const who of [browser, deployment.browser()]) {
      const page = await signIn(who, await portal.start(), people.ann);
      assert.ok(page.url.searchParams.has("code"), page.text);
    }
    await until(async () => (await readiness()).store?.status === "ok", "readiness passes", 15_000, 100);
    assert.ok(broker.isAlive);
    assert.doesNotMatch(broker.log, /fatal|unhandled|thread/i);
    const database = new DatabaseSync(`${folder}/liaison.db`);
    const found = database.prepare("PRAGMA integrity_check").all();
    database.close();
    assert.deepEqual(
      found.map((row) => ({ ...row })),
      [{ integrity_check: "ok" }],
    );
  });
});
