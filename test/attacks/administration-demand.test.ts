/**
 * What the administration asks of a sign-in: through which upstream, with which `acr` and `amr`. Upstreams
 * that lie, sessions that were made for a portal, and brokers of another configuration are tried (A9 of the
 * threat list).
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { createApp } from "../../src/app.ts";
import { asUpstreamId } from "../../src/domain/ids.ts";
import { type AdminFixture, Api, startAdminFixture } from "../support/admin-fixture.ts";
import { bindIdentity } from "../support/attack-fixture.ts";
import { type LyingUpstream, PEER_CLIENT, startLyingUpstream } from "../support/upstream-peer.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const demand = {
  upstreams: ["corp"],
  acr_values: ["urn:corp:mfa", "urn:corp:phr"],
  amr_values: ["pwd", "otp"],
};
const enough = { acr: "urn:corp:phr", amr: ["otp", "hwk", "pwd"] };

describe("what the administration asks of a sign-in", { concurrency: 1 }, () => {
  let fixture: AdminFixture;
  const upstreams: Record<string, LyingUpstream> = {};
  before(async () => {
    for (const id of ["corp", "other"]) upstreams[id] = await startLyingUpstream();
    fixture = await startAdminFixture({
      config: (base) => {
        const entry = (id: string, name: string) => ({
          id,
          name,
          issuer: upstreams[id]?.issuer,
          ...PEER_CLIENT,
        });
        const [customerSource, partnerSource] = base["portals"] as object[];
        const admitting = { ...partnerSource, access_policy: { kinds: ["partner", "operator"] } };
        return {
          ...base,
          upstreams: [
            ...(base["upstreams"] as object[]),
            entry("corp", "Corp ID"),
            entry("other", "Other ID"),
          ],
          portals: [customerSource, admitting],
          administration: demand,
        };
      },
    });
    const { id } = await fixture.owner.done<{ id: string }>("POST", "/administrators", {
      body: { email: "first@contoso.example" },
    });
    for (const [upstreamId, upstream] of Object.entries(upstreams)) {
      const organization_id = "operator";
      const body = { organization_id, email: `${upstreamId}@contoso.example`, name: `Of ${upstreamId}` };
      const profile = await fixture.owner.done<{ id: string }>("POST", "/profiles", { body });
      await fixture.owner.done("PUT", `/profiles/${profile.id}/admin-role`, { body: { role: "auditor" } });
      const identity = { issuer: upstream.issuer, subject: "person-1", email: null, displayName: "A Person" };
      await bindIdentity(fixture, { upstreamId: asUpstreamId(upstreamId), ...identity }, profile.id);
    }
    assert.ok(id);
  });
  after(async () => {
    await fixture?.close();
    for (const upstream of Object.values(upstreams)) await upstream.close();
  });

  /** Lets an upstream answer a browser that was sent there, with claims of its choice. */
  async function answer(browser: UserAgent, at: Page, claims: Record<string, unknown>): Promise<Page> {
    const upstream = Object.values(upstreams).find(({ issuer }) => at.url.origin === issuer);
    assert.ok(upstream, `${at.url} is no upstream's: ${at.text}`);
    upstream.lies = { claims };
    return await browser.visit(upstream.callback(at.url));
  }

  /** Returns the same page as it is shown to whoever opens the pages again. */
  async function assertAsksForMore(browser: UserAgent, page: Page): Promise<Page> {
    assert.deepEqual([page.status, page.heading], [200, "Sign in to Administration"]);
    assert.match(page.text, /This needs another sign-in .* an account at Corp ID\. .* second factor/);
    assert.match(page.text, /acr: urn:corp:mfa or urn:corp:phr and amr: pwd and otp/);
    assert.match(page.text, /write to help@contoso\.example/);
    const cookies = await browser.jar.getCookieString(`${fixture.issuer}/admin`);
    assert.doesNotMatch(cookies, /liaison\.console=/);
    const again = await browser.visit(`${fixture.issuer}/admin`);
    assert.match(again.text, /This needs another sign-in/);
    return again;
  }

  const beginAt = async (browser: UserAgent, page: Page) =>
    await browser.press(page, "Continue with Corp ID");

  it("A9: offers the named upstreams, asks them for the acr, and takes no other's name", async () => {
    const browser = fixture.browser();
    const page = await browser.visit(`${fixture.issuer}/admin`);
    assert.deepEqual(
      page.dom.querySelectorAll('button[name="upstream"]').map((button) => button.getAttribute("value")),
      ["corp"],
    );
    const { action, fields } = page.form("Continue with Corp ID");
    for (const upstream of ["fabrikam", "other", "", "constructor"]) {
      const forged = new URLSearchParams(fields);
      forged.set("upstream", upstream);
      const again = await browser.visit(action, { method: "POST", body: forged });
      assert.deepEqual(
        [again.url.origin, again.heading],
        [fixture.issuer, "Sign in to Administration"],
        upstream,
      );
    }
    // Neither a hint nor what the browser remembers leads elsewhere.
    const hinted = new URL(browser.visited.find((url) => url.includes("/authorize?")) ?? "");
    hinted.searchParams.set("upstream", "other");
    await browser.jar.setCookie("liaison.upstream=other; Path=/", fixture.issuer);
    assert.equal((await browser.visit(hinted)).heading, "Sign in to Administration");
    const atCorp = await beginAt(browser, page);
    assert.equal(atCorp.url.searchParams.get("acr_values"), "urn:corp:mfa urn:corp:phr");
    const portal = await fixture.browser().visit((await fixture.partnerSource.start()).url);
    assert.equal(
      portal.dom.querySelectorAll('button[name="upstream"]').length,
      3,
      "portals are none of its business",
    );
    const atPortal = await fixture
      .browser()
      .press(portal, "Continue with Corp ID")
      .catch(() => undefined);
    assert.equal(atPortal?.url.searchParams.get("acr_values") ?? null, null);
  });

  it("A9: a sign-in there that shows all of it opens the pages", async () => {
    const browser = fixture.browser();
    const atCorp = await beginAt(browser, await browser.visit(`${fixture.issuer}/admin`));
    assert.equal((await answer(browser, atCorp, enough)).heading, "Overview");
  });

  const short: [what: string, claims: Record<string, unknown>][] = [
    ["neither", {}],
    ["no acr", { amr: enough.amr }],
    ["another acr", { ...enough, acr: "urn:corp:pwd" }],
    ["an acr that begins so", { ...enough, acr: "urn:corp:mfa2" }],
    ["an acr in another case", { ...enough, acr: "URN:CORP:MFA" }],
    ["several as one acr", { ...enough, acr: "urn:corp:mfa urn:corp:phr" }],
    ["a list as acr", { ...enough, acr: ["urn:corp:mfa"] }],
    ["no amr", { acr: enough.acr }],
    ["one of two amr", { ...enough, amr: ["pwd"] }],
    ["amr as one text", { ...enough, amr: "pwd otp" }],
    ["amr as an object", { ...enough, amr: { 0: "pwd", 1: "otp" } }],
    ["amr within a list", { ...enough, amr: [["pwd", "otp"]] }],
    [
      "amr behind more than anybody has",
      { ...enough, amr: [...Array.from({ length: 400 }, (_, at) => `m${at}`), "pwd", "otp"] },
    ],
  ];
  for (const [what, claims] of short) {
    it(`A9: a sign-in that shows ${what} leads to a page that says what is asked for`, async () => {
      const browser = fixture.browser();
      const atCorp = await beginAt(browser, await browser.visit(`${fixture.issuer}/admin`));
      const page = await assertAsksForMore(browser, await answer(browser, atCorp, claims));
      const again = await beginAt(browser, page);
      assert.equal(again.url.searchParams.get("prompt"), "login", "the upstream is to ask anew");
      assert.equal((await answer(browser, again, enough)).heading, "Overview");
    });
  }

  it("A9: whoever cancels there is still told what is asked for, the next asks anew", async () => {
    const browser = fixture.browser();
    const page = await answer(
      browser,
      await beginAt(browser, await browser.visit(`${fixture.issuer}/admin`)),
      {},
    );
    const atCorp = await beginAt(browser, page);
    const refusal = { code: null, error: "access_denied" };
    const back = await browser.visit(upstreams["corp"]?.callback(atCorp.url, refusal) ?? assert.fail());
    assert.match(back.text, /Signing in was cancelled.*This needs another sign-in/);
    const again = await beginAt(browser, back);
    assert.equal(again.url.searchParams.get("prompt"), "login");
    assert.equal((await answer(browser, again, enough)).heading, "Overview");
  });

  it("A9: a session of another upstream opens nothing, whatever it says of itself", async () => {
    for (const claims of [
      enough,
      { ...enough, amr: ["upstream:corp", ...enough.amr] },
      { ...enough, iss_upstream: "corp", upstream: "corp", upstreamId: "corp" },
    ]) {
      const browser = fixture.browser();
      const started = await fixture.partnerSource.start();
      const atOther = await browser.press(await browser.visit(started.url), "Continue with Other ID");
      const end = await answer(browser, atOther, claims);
      const tokens = await fixture.partnerSource.exchange(end.url, started);
      const told = tokens.claims() ?? {};
      assert.deepEqual(
        Object.keys(told).filter((name) => ["acr", "amr"].includes(name)),
        [],
        "portals learn nothing of it",
      );
      await assertAsksForMore(browser, await browser.visit(`${fixture.issuer}/admin`));
    }
  });

  it(
    "A9: a portal's session of the right upstream opens the pages if it shows enough, and leads on if it " +
      "doesn't",
    async () => {
      for (const claims of [enough, {}]) {
        const browser = fixture.browser();
        const started = await fixture.partnerSource.start();
        const atCorp = await beginAt(browser, await browser.visit(started.url));
        assert.equal((await answer(browser, atCorp, claims)).status, 0, "at the portal's callback");
        const page = await browser.visit(`${fixture.issuer}/admin`);
        if (claims === enough) assert.equal(page.heading, "Overview");
        else await assertAsksForMore(browser, page);
      }
    },
  );

  it("A9: without a person nothing is answered: prompt=none is told that a login is needed", async () => {
    const browser = new UserAgent({ stopAt: (url) => url.pathname === "/admin/callback" });
    const atCorp = await beginAt(browser, await browser.visit(`${fixture.issuer}/admin`));
    await answer(browser, atCorp, {});
    const asked = new URL(browser.visited.find((url) => url.includes("/authorize?")) ?? "");
    asked.searchParams.set("prompt", "none");
    const end = await browser.visit(asked);
    assert.deepEqual(
      [end.url.pathname, end.url.searchParams.get("error")],
      ["/admin/callback", "login_required"],
    );
  });

  it("A9: a code that a broker of another configuration issued isn't redeemed here", async () => {
    const { administration, ...rest } = fixture.config;
    const listen = { ...fixture.config.listen, host: "127.0.0.1", port: 0 };
    const lenient = {
      ...rest,
      listen,
      administration: { ...administration, upstreams: [], acr_values: [], amr_values: [] },
    };
    const logger = pino({ level: "silent" });
    const app = await createApp({ config: lenient, store: fixture.store, clock: fixture.clock, logger });
    const { port } = await app.listen();
    try {
      const viaLenient = (isTo: (url: URL) => boolean) =>
        new UserAgent({
          proxy: (url) =>
            url.origin === fixture.issuer && isTo(url)
              ? new URL(url.pathname + url.search, `http://127.0.0.1:${port}`)
              : url,
        });
      const signIn = async (isTo: (url: URL) => boolean) => {
        const browser = viaLenient(isTo);
        const page = await browser.visit(`${fixture.issuer}/admin`);
        const end = await answer(browser, await beginAt(browser, page), {});
        return { end, cookies: await browser.jar.getCookieString(`${fixture.issuer}/admin`) };
      };
      assert.equal((await signIn(() => true)).end.heading, "Overview", "it would do there");
      const { end, cookies } = await signIn(({ pathname }) => pathname !== "/admin/callback");
      assert.equal(end.status, 403, end.text);
      assert.doesNotMatch(cookies, /liaison\.console=/);
    } finally {
      await app.close();
    }
  });

  it("A9: programs are asked for none of it", async () => {
    const { token } = fixture.owner;
    assert.equal((await new Api(fixture.issuer, token).call("GET", "/administrators")).status, 200);
  });
});
