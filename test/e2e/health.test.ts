/**
 * `/livez`, `/readyz` and `/healthz`: what they say of the store, the workers, upstreams and the mail server,
 * and to whom.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { until } from "../crash/broker-process.ts";
import { type Liaison, startLiaison } from "../support/liaison.ts";

interface Answer {
  status: number;
  body: { status: string; checks?: Record<string, { status: string; reason?: string }> };
}

async function ask(url: string): Promise<Answer> {
  const response = await fetch(url);
  assert.equal(response.headers.get("cache-control"), "no-store");
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** What isn't ok, by name. */
const amiss = ({ body }: Answer) =>
  Object.fromEntries(Object.entries(body.checks ?? {}).filter(([, { status }]) => status !== "ok"));

const workers = [
  "inquiries",
  "outbox",
  "sign-outs",
  "endings",
  "audit",
  "verification",
  "figures",
  "invitations",
  "clock",
  "sweep",
];

describe("health", () => {
  let liaison: Liaison;
  let isStoreGone = false;
  const lines: string[] = [];
  before(async () => {
    liaison = await startLiaison({
      embedded: true,
      upstream: false,
      logger: pino({ level: "info" }, { write: (line: string) => void lines.push(line) }),
      config: (base) => ({
        ...base,
        issuer: `${base["issuer"]}/auth`,
        listen: { ...(base["listen"] as object), drain_seconds: 1 },
        limits: { sign_ins_per_client_address: { limit: 1, window_seconds: 600 } },
      }),
      decorate: (store: Store) => ({
        ...store,
        schemaVersion: async () => {
          if (isStoreGone) throw new LiaisonError("store_unavailable", "gone");
          return await store.schemaVersion();
        },
      }),
    });
  });
  after(() => liaison?.close());
  const origin = () => new URL(liaison.issuer).origin;

  it("a service that has just started is ready, and names every check", async () => {
    assert.deepEqual(await ask(`${liaison.issuer}/livez`), { status: 200, body: { status: "ok" } });
    const ready = await ask(`${liaison.issuer}/readyz`);
    assert.equal(ready.status, 200);
    assert.equal(ready.body.status, "ok");
    const named = workers.map((name) => `background.${name}`);
    const expected = ["store", "schema", "signing_keys", ...named, "mail", "upstream.fabrikam"];
    assert.deepEqual(Object.keys(ready.body.checks ?? {}), expected);
  });

  it("outside of the issuer's path too; however often it is asked, no cap and no line", async () => {
    const before = lines.length;
    for (let turn = 0; turn < 20; turn += 1) {
      for (const path of ["/livez", "/readyz", "/healthz"])
        assert.equal((await ask(origin() + path)).status, 200);
    }
    assert.equal((await fetch(`${origin()}/readyz`, { method: "HEAD" })).status, 200);
    assert.equal(lines.length, before, lines.slice(before).join(""));
  });

  it("an upstream that can't be reached is degraded, by its id alone, and still ready", async () => {
    const start = `${liaison.issuer}/authorize?client_id=customersource&response_type=code&upstream=fabrikam`;
    const challenge = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    const redirect = encodeURIComponent("http://localhost:9/customersource/callback");
    const page = await liaison.browser().visit(`${start}&scope=openid&redirect_uri=${redirect}&${challenge}`);
    assert.equal(page.status, 503);
    const seen = async () => Object.keys(amiss(await ask(`${origin()}/readyz`))).length > 0;
    await until(seen, "the upstream is degraded", 8000);
    const answer = await ask(`${origin()}/readyz`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.status, "degraded");
    assert.deepEqual(amiss(answer), {
      "upstream.fabrikam": { status: "degraded", reason: "no usable metadata" },
    });
    const text = JSON.stringify(answer.body);
    assert.ok(!/localhost|127\.0\.0\.1|:\d{4}/.test(text), text);
  });

  it("a store that is gone, or of an older schema, is failing and named; ready again once back", async () => {
    const database = new DatabaseSync(liaison.config.storage.sqlite?.file ?? "");
    const [{ version }] = database.prepare("SELECT max(version) AS version FROM migrations").all() as [
      { version: number },
    ];
    database.exec(`UPDATE migrations SET version = -version WHERE version = ${version}`);
    const failing = () => ask(`${origin()}/healthz`);
    await until(async () => (await failing()).status === 503, "the schema fails", 8000);
    assert.deepEqual(amiss(await failing())["schema"], { status: "failing", reason: "older than needed" });
    assert.equal((await failing()).body.status, "failing");
    isStoreGone = true;
    const isGone = async () => amiss(await failing())["store"]?.reason === "unreachable";
    await until(isGone, "the store fails", 8000);
    assert.equal((await ask(`${origin()}/livez`)).status, 200, "alive all the same");

    database.exec(`UPDATE migrations SET version = -version WHERE version < 0`);
    database.close();
    isStoreGone = false;
    await until(async () => (await failing()).status === 200, "it is ready again", 8000);
    const told = lines.filter((line) => line.includes('"check":"store"'));
    assert.equal(told.length, 2, "once when it goes and once when it comes");
  });

  it("one that drains says so at once, and is alive", async () => {
    const drained = liaison.app.drain();
    const answer = await ask(`${origin()}/readyz`);
    assert.equal(answer.status, 503);
    assert.equal(answer.body.status, "draining");
    assert.equal((await ask(`${origin()}/livez`)).status, 200);
    await drained;
    await assert.rejects(fetch(`${origin()}/livez`));
  });
});
