/**
 * Upstreams that lie, mix up or don't answer, as the whole application meets them: U2, U4, U6–U8, U14, U15,
 * U17.
 */

import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { type Attacked, returnFromUpstream, startAttacked } from "../support/attack-fixture.ts";
import { TestClock } from "../support/liaison.ts";
import { type Lies, type LyingUpstream, PEER_CLIENT, startLyingUpstream } from "../support/upstream-peer.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const where = "/.well-known/openid-configuration";
const type = { "content-type": "application/json" };

/** Where an upstream would have us go, inside of the network. */
let inside = "";
let visits = 0;

const troubles: Record<string, (response: ServerResponse) => void> = {
  hangs: () => {},
  "hangs half-way": (response) => void response.writeHead(200, type).write('{"a":'),
  "answers-500": (response) => void response.writeHead(500, type).end('{"error":"server_error"}'),
  "sends-10-MB": (response) => void response.writeHead(200, type).end(`"${"x".repeat(10_000_000)}"`),
  "redirects-inward": (response) => void response.writeHead(307, { location: inside }).end(),
};
const cases = [where, "/token", "/jwks", "/userinfo"].flatMap((path, at) =>
  Object.entries(troubles).map(([trouble, answer], which) => ({
    id: `u14-${at}-${which}`,
    path,
    trouble,
    answer,
  })),
);

describe("upstreams that lie or don't answer", () => {
  const liars = new Map<string, LyingUpstream>();
  const log: string[] = [];
  /** Theirs, too: some tests move it. */
  const clock = new TestClock();
  let liaison: Attacked;
  const hidden = createServer((_, response) => {
    visits += 1;
    response.end("{}");
  });
  before(async () => {
    await new Promise<void>((resolve) => hidden.listen(0, "127.0.0.1", resolve));
    inside = `http://127.0.0.1:${(hidden.address() as AddressInfo).port}/latest/meta-data/`;
    for (const id of ["liar", "twin", "kept", ...cases.map((one) => one.id)]) {
      liars.set(id, await startLyingUpstream(clock));
    }
    const entries = [...liars].map(([id, { issuer }]) => ({
      id,
      name: `Peer ${id}`,
      issuer,
      ...PEER_CLIENT,
    }));
    const help = { support_email: "help@peer.example" };
    liaison = await startAttacked({
      clock,
      logger: pino({ level: "info" }, { write: (line: string) => void log.push(line) }),
      config: (base) => ({ ...base, upstreams: entries.map((entry) => ({ ...entry, ...help })) }),
    });
  });
  after(async () => {
    await liaison?.close();
    for (const liar of liars.values()) await liar.close();
    hidden.close();
  });

  const liarOf = (id: string) => liars.get(id) ?? assert.fail(id);

  /** A browser that is sent to an upstream and stops at its door; or the page that it gets instead. */
  async function sentOff(id: string, parameters: Record<string, string> = {}) {
    const browser = new UserAgent({
      stopAt: ({ origin, port }) => port === "9" || origin === liarOf(id).issuer,
    });
    const started = await liaison.customerSource.start({ upstream: id, ...parameters });
    return { browser, page: await browser.visit(started.url) };
  }

  /** A whole sign-in with a lie in it. */
  async function signIn(
    id: string,
    lie: Lies,
    parameters: Record<string, string | null> = {},
  ): Promise<Page> {
    const { browser, page } = await sentOff(id);
    if (page.status !== 0) return page;
    liarOf(id).lies = lie;
    const end = await returnFromUpstream(browser, liarOf(id).callback(page.url, parameters));
    liarOf(id).lies = {};
    return end;
  }

  const accounts = async () =>
    (await liaison.store.audit.list({ limit: 500 })).filter(({ action }) => action === "account.created")
      .length;

  async function assertRefused(id: string, sign: () => Promise<Page>): Promise<void> {
    const before = await accounts();
    const page = await sign();
    assert.equal(`${page.status} ${page.heading}`, `502 We couldn't use the answer of Peer ${id}`);
    assert.match(page.text, /help@peer\.example/);
    assert.match(page.link("Try again"), /\/interaction\//);
    assert.equal(await accounts(), before);
  }

  for (const iss of ["https://evil.example", "http://127.0.0.1:1", null]) {
    it(`U2: iss ${iss ?? "left out, though it is advertised"}: a page, and no exchange`, async () => {
      const { length } = liarOf("liar").tokenRequests;
      await assertRefused("liar", () => signIn("liar", {}, { iss }));
      assert.equal(liarOf("liar").tokenRequests.length, length);
    });
  }

  it("U4: a state made for one upstream on another's callback: 400, and neither is asked", async () => {
    const { browser, page } = await sentOff("liar");
    const callback = liarOf("liar").callback(page.url);
    const cookies = await browser.jar.getCookies(callback.href);
    const mixedUp = new URL(callback.href.replace("/liar/", "/twin/"));
    for (const iss of [null, liarOf("twin").issuer, liarOf("liar").issuer]) {
      mixedUp.searchParams.delete("iss");
      if (iss !== null) mixedUp.searchParams.set("iss", iss);
      const header = cookies.map((cookie) => cookie.cookieString()).join("; ");
      assert.equal((await browser.once(mixedUp)).status, 400);
      assert.equal(
        (await browser.once(mixedUp, { headers: { cookie: header } })).status,
        400,
        "with the cookie, too",
      );
    }
    assert.equal(liarOf("twin").requests.filter((path) => path === "/token").length, 0);
    assert.equal((await returnFromUpstream(browser, callback)).status, 200);
  });

  const lies: [why: string, lie: Lies][] = [
    ["U6: alg none", { sign: "none" }],
    ["U6: alg none over a real signature", { header: { alg: "none" } }],
    ["U6: HS256 with the client secret, though advertised", { sign: "hs256" }],
    ["U6: ES256 by a published key, where RS256 is configured", { sign: "es256" }],
    ["U7: userinfo of another subject", { claims: { email: undefined }, userinfo: { sub: "person-2" } }],
  ];
  for (const [why, lie] of lies) {
    it(`${why}: a page, and nothing is written`, () => assertRefused("liar", () => signIn("liar", lie)));
  }

  it("U15: a forced sign-in that comes back with a stale auth_time, or none, is refused", async () => {
    const now = () => Math.floor(liaison.clock.now() / 1000);
    for (const auth_time of [now() - 3600, undefined]) {
      const { browser, page } = await sentOff("liar", { prompt: "login" });
      assert.equal(page.url.searchParams.get("max_age"), "0");
      liarOf("liar").lies = { claims: { auth_time } };
      const end = await returnFromUpstream(browser, liarOf("liar").callback(page.url));
      assert.equal(`${end.status} ${end.heading}`, "403 Peer liar didn't ask you to sign in again");
    }
    const { browser, page } = await sentOff("liar", { prompt: "login" });
    liarOf("liar").lies = { claims: { auth_time: now() } };
    assert.equal((await returnFromUpstream(browser, liarOf("liar").callback(page.url))).status, 200);
    liarOf("liar").lies = {};
  });

  /** That somebody is signed in although UserInfo is in trouble, and one line says which endpoint it was. */
  function assertWentOn(id: string, page: Page): void {
    assert.match(`${page.status} ${page.heading}`, /^200 .*email address registered/, page.text);
    const endpoint = `${liarOf(id).issuer}/userinfo`;
    assert.equal(log.filter((line) => line.includes(`"reason":"${endpoint}`)).length, 1, id);
  }

  it("U17: userinfo that is refused, empty or of no subject: signed in without, with a line", async () => {
    const refusals: Lies[] = [401, 403, 404].map((status) => ({
      answer: { "/userinfo": (response) => void response.writeHead(status, type).end("{}") },
    }));
    const empty: Lies = { answer: { "/userinfo": (response) => void response.writeHead(200, type).end() } };
    for (const lie of [...refusals, empty, { userinfo: { sub: undefined } }]) {
      log.length = 0;
      assertWentOn("liar", await signIn("liar", { claims: { email: undefined }, ...lie }));
    }
  });

  it(
    "U14, U17: whatever is in trouble, wherever: soon a page that says whom to write to; nothing inside " +
      "is reached",
    async () => {
      const begun = performance.now();
      const before = await accounts();
      log.length = 0;
      await Promise.all(
        cases.map(async ({ id, path, trouble, answer }) => {
          const lie: Lies = { claims: { email: undefined }, answer: { [path]: answer } };
          if (path === where) liarOf(id).lies = lie;
          const page = await signIn(id, lie);
          if (path === "/userinfo") return assertWentOn(id, page);
          const what = `${path} ${trouble}: ${page.text}`;
          assert.equal(`${page.status} ${page.heading}`, `503 Peer ${id} can't be reached`, what);
          assert.match(page.text, /help@peer\.example/, what);
          assert.match(page.link("Try again"), /\/interaction\//, what);
        }),
      );
      assert.ok(performance.now() - begun < 12_000);
      assert.equal(visits, 0);
      const withUserInfo = cases.filter(({ path }) => path === "/userinfo").length;
      assert.equal(await accounts(), before + withUserInfo);
    },
  );

  // Last: it moves the clock by days, which oidc-provider has its own of.
  it("U8: a document that names another issuer isn't taken, and the old one is kept", async () => {
    assert.equal((await signIn("kept", {})).status, 200);
    const evil = { issuer: "https://evil.example", authorization_endpoint: "https://evil.example/authorize" };
    liaison.clock.advance(24 * 3600 + 1);
    liarOf("kept").lies = { metadata: evil };
    const { page } = await sentOff("kept");
    assert.equal(page.url.origin, liarOf("kept").issuer);
    assert.equal(liarOf("kept").requests.filter((path) => path === where).length, 2, "it was asked again");
    liarOf("twin").lies = { metadata: evil };
    liaison.clock.advance(24 * 3600 + 1);
    const fresh = await sentOff("twin");
    liarOf("twin").lies = {};
    assert.equal(`${fresh.page.status} ${fresh.page.heading}`, "503 Peer twin can't be reached");
  });
});
