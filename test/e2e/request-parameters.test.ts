/**
 * Every parameter of an authorization request that Liaison reads, sent through `/authorize` and seen at the
 * other end.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as client from "openid-client";
import { type LyingUpstreamFixture, startLyingUpstreamFixture } from "../support/lying-upstream-fixture.ts";
import { PEER_CLIENT } from "../support/upstream-peer.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

const longest = 2 ** 31 - 1;

describe("what a portal asks", () => {
  let fixture: LyingUpstreamFixture;
  before(async () => {
    fixture = await startLyingUpstreamFixture({
      config: (base) => ({
        ...base,
        upstreams: [
          ...(base["upstreams"] as object[]),
          { id: "other", name: "Other", issuer: "http://127.0.0.1:9", ...PEER_CLIENT },
        ],
      }),
    });
    await fixture.linked("ann");
  });
  after(() => fixture.close());

  const portal = () => fixture.liaison.customerSource;

  /**
   * The authorization request that our upstream gets for one of a portal's, whose query is changed by hand.
   */
  async function forwarded(change: (query: URLSearchParams) => void): Promise<URLSearchParams> {
    const { url } = await portal().start();
    change(url.searchParams);
    const browser = fixture.browser();
    return (await fixture.leave(browser, await browser.visit(url))).request.searchParams;
  }

  /** The error that a portal gets for a request. */
  async function refused(change: (query: URLSearchParams) => void): Promise<string | null> {
    const { url } = await portal().start();
    change(url.searchParams);
    return (await fixture.browser().visit(url)).url.searchParams.get("error");
  }

  /** Somebody signed in, with tokens for the first of her profiles. */
  async function signedIn(
    browser: UserAgent,
    sub: string,
    parameters: Record<string, string> = {},
  ): Promise<Page> {
    const sent = await fixture.sendOff(parameters, browser);
    return await fixture.comeBack(sent, { claims: { sub } });
  }

  const ages: [sent: string, forwarded: string | null, prompt: string | null][] = [
    ["1", "1", null],
    ["10000", "10000", null],
    ["0", "0", "login"],
    ["-0", "0", "login"],
    ["1e3", "1000", null],
    [" 5 ", "5", null],
    ["007", "7", null],
    ["2.0", "2", null],
    [String(longest), String(longest), null],
    [String(longest + 1), String(longest), null],
    [String(Number.MAX_SAFE_INTEGER), String(longest), null],
    ["", null, null],
  ];
  for (const [sent, age, prompt] of ages) {
    it(`max_age "${sent}" reaches the upstream as ${age ?? "nothing"}`, async () => {
      const asked = await forwarded((query) => query.set("max_age", sent));
      assert.deepEqual([asked.get("max_age"), asked.get("prompt")], [age, prompt]);
    });
  }

  for (const sent of [
    "-1",
    "1.5",
    "soon",
    "1s",
    "NaN",
    "Infinity",
    "9007199254740992",
    "1e400",
    "[]",
    "null",
  ]) {
    it(`max_age "${sent}" is the portal's mistake`, async () => {
      assert.equal(await refused((query) => query.set("max_age", sent)), "invalid_request");
    });
  }

  for (const name of ["max_age", "login_hint", "upstream", "profile_hint", "prompt", "scope"]) {
    it(`${name} given twice is the portal's mistake, whatever else is asked`, async () => {
      const twice = (query: URLSearchParams) => {
        query.append(name, name === "max_age" ? "1" : "openid");
        query.append(name, name === "max_age" ? "1" : "openid");
      };
      assert.equal(await refused(twice), "invalid_request");
      if (name === "scope") return;
      const offline = (query: URLSearchParams) => {
        query.set("scope", "openid offline_access");
        twice(query);
      };
      assert.equal(await refused(offline), "invalid_request");
    });
  }

  it("by POST and by PAR they are read alike", async () => {
    const started = await portal().start({ max_age: "1", login_hint: "ann@liar.example", upstream: "liar" });
    const browser = fixture.browser();
    const posted = await browser.visit(`${fixture.liaison.issuer}/authorize`, {
      method: "POST",
      body: started.url.searchParams,
    });
    const pushed = await client.buildAuthorizationUrlWithPAR(
      portal().configuration,
      started.url.searchParams,
    );
    assert.deepEqual([...pushed.searchParams.keys()].sort(), ["client_id", "request_uri"]);
    const byReference = await fixture.browser().visit(pushed);
    for (const { url, text } of [posted, byReference]) {
      assert.equal(url.origin, fixture.liar.issuer, `${url} ${text}`);
      assert.equal(url.searchParams.get("max_age"), "1");
      assert.equal(url.searchParams.get("login_hint"), "ann@liar.example");
    }
  });

  const hints: [sent: string, forwarded: string | null][] = [
    ["ann@liar.example", "ann@liar.example"],
    ["a b+c&d=é", "a b+c&d=é"],
    ["42", "42"],
    ["x".repeat(1024), "x".repeat(1024)],
    ["x".repeat(1025), null],
    ["", null],
  ];
  for (const [sent, hint] of hints) {
    it(
      `login_hint of ${sent.length} characters ("${sent.slice(0, 20)}") reaches the upstream: ` +
        `${hint !== null}`,
      async () => {
        const asked = await forwarded((query) => query.set("login_hint", sent));
        assert.equal(asked.get("login_hint"), hint);
      },
    );
  }

  const upstreams: [hint: string, straight: boolean][] = [
    ["liar", true],
    ["nobody", false],
    ["Liar", false],
    ["constructor", false],
    ["", false],
  ];
  for (const [hint, straight] of upstreams) {
    it(`upstream "${hint}" ${straight ? "leads straight there" : "leaves the choice"}`, async () => {
      const { url } = await portal().start({ upstream: hint });
      const page = await fixture.browser().visit(url);
      assert.equal(page.url.origin, straight ? fixture.liar.issuer : fixture.liaison.issuer);
      if (!straight) assert.match(page.body, /name="upstream"/);
    });
  }

  it("prompt: login asks again, none nothing, select_account for a profile, others are refused", async () => {
    const browser = fixture.browser();
    assert.equal((await signedIn(browser, "ann")).status, 0);
    const asked = async (prompt: string) => await browser.visit((await portal().start({ prompt })).url);
    assert.ok((await asked("none")).url.searchParams.has("code"));
    assert.ok((await asked("")).url.searchParams.has("code"));
    assert.equal((await asked("login")).url.searchParams.get("prompt"), "login");
    assert.equal((await asked("login consent")).url.searchParams.get("max_age"), "0");
    assert.match((await asked("select_account")).heading, /profile/i);
    for (const prompt of ["none login", "LOGIN", "create"]) {
      assert.equal((await asked(prompt)).url.searchParams.get("error"), "invalid_request", prompt);
    }
  });

  it("profile_hint speaks for that profile, where it is one of the person's", async () => {
    await fixture.linked("ann", "second");
    for (const profile of ["ann", "second"]) {
      const sent = await fixture.sendOff({ profile_hint: profile });
      const page = await fixture.comeBack(sent, { claims: { sub: "ann" } });
      const tokens = await portal().exchange(page.url, sent.started);
      const claims = await portal().userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
      assert.equal(claims["profile_id"], profile);
    }
    for (const profile of ["somebody-elses", "constructor", ""]) {
      const page = await signedIn(fixture.browser(), "ann", { profile_hint: profile });
      assert.equal(page.dom.querySelectorAll("input[type=radio]").length, 2, `${profile}: ${page.text}`);
    }
  });

  it("offline_access brings a refresh token without prompt=consent", async () => {
    const sent = await fixture.sendOff({ scope: "openid offline_access", profile_hint: "ann" });
    const page = await fixture.comeBack(sent, { claims: { sub: "ann" } });
    const tokens = await portal().exchange(page.url, sent.started);
    assert.match(tokens.scope ?? "", /offline_access/);
    assert.ok(tokens.refresh_token);
  });

  it("client_id and redirect_uri: the interaction is that portal's, its forms may lead there", async () => {
    const { url } = await portal().start();
    const page = await fixture.browser().visit(url);
    assert.match(page.text, /CustomerSource/);
    assert.match(page.headers.get("content-security-policy") ?? "", /form-action [^;]*http:\/\/localhost:9/);
  });
});

describe("what our own addresses are asked", () => {
  let fixture: LyingUpstreamFixture;
  before(async () => {
    fixture = await startLyingUpstreamFixture();
  });
  after(() => fixture.close());

  it("given twice it says nothing, and nothing breaks", async () => {
    const sent = await fixture.sendOff();
    const step = await fixture.comeBack(sent, { claims: { sub: "somebody" } });
    const at = step.url.href.split("?")[0] ?? "";
    const { issuer } = fixture.liaison;
    const statuses: [address: string, status: number][] = [
      [`${at}?returned&returned=1`, 200],
      [`${at}/upstreams?notice=cancelled&notice=failed`, 200],
      [`${at}/upstreams?notice[a]=b&fresh[]=1`, 200],
      [`${at}/upstreams?notice=${"x".repeat(5000)}`, 200],
      [`${issuer}/upstream/liar/callback?posted=a&posted=b`, 400],
      [`${issuer}/upstream/liar/callback?posted=`, 400],
      [`${issuer}/upstream/liar/callback?state=a&state=b&code=c`, 400],
      [`${issuer}/admin/callback?state=a&state=b&code=c&code=d`, 400],
    ];
    for (const [address, status] of statuses) {
      const page = await sent.browser.visit(address);
      assert.equal(page.status, status, `${address}: ${page.text}`);
    }
    const notice = await sent.browser.visit(`${at}/upstreams?notice=cancelled`);
    const twice = await sent.browser.visit(`${at}/upstreams?notice=cancelled&notice=cancelled`);
    assert.notEqual(notice.text, twice.text);
  });
});
