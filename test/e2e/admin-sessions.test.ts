/**
 * Sessions as an administrator sees them: where they are used, and how each one that is listed is ended,
 * after asking.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asAccountId, asOrganizationId } from "../../src/domain/ids.ts";
import { hashSecret } from "../../src/domain/secrets.ts";
import { type AdminFixture, anId, makeClient, startAdminFixture } from "../support/admin-fixture.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type ConsolePerson, openConsole } from "../support/console-person.ts";
import { register, signIn } from "../support/liaison.ts";
import type { PortalTokens } from "../support/portal.ts";
import { UserAgent, type Visit } from "../support/user-agent.ts";

interface Grant {
  id: string;
  session_id: string;
  session: { browser: string | null; network: string | null; begun_at: string; last_used_at: string } | null;
}

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0";
const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
  "Version/18.0 Mobile/15E148 Safari/604.1";

/** A browser that says what it is. */
class NamedBrowser extends UserAgent {
  readonly #name: string;
  constructor(name: string) {
    super({ stopAt: (url) => url.port === "9" });
    this.#name = name;
  }
  override async once(address: string | URL, visit: Visit = {}) {
    return await super.once(address, { ...visit, headers: { "user-agent": this.#name, ...visit.headers } });
  }
}

describe("sessions in the administration", () => {
  let fixture: AdminFixture;
  let administrator: ConsolePerson;
  before(async () => {
    fixture = await startAdminFixture();
    administrator = await openConsole(fixture);
  });
  after(() => fixture?.close());

  const grantsOf = (accountId: string) => fixture.owner.list<Grant>(`/grants?account_id=${accountId}`);

  /** Somebody with a profile, who signs in with each of these browsers. */
  async function somebody(browsers: readonly UserAgent[], scope = "openid profile email organization") {
    const [id, person] = [anId(), fixture.stranger()];
    await register(fixture, { id: asOrganizationId(id) }, [
      { id: `p-${id}`, email: `${person.username}@northwind.example` },
    ]);
    const accountId = await bindTo(fixture, person, `p-${id}`);
    const tokens: PortalTokens[] = [];
    for (const browser of browsers) {
      const started = await fixture.customerSource.start({ scope });
      const end = await signIn(browser, started, person);
      tokens.push(await fixture.customerSource.exchange(end.url, started));
    }
    return { accountId, profileId: `p-${id}`, tokens };
  }

  it("say with which browser and from where they are used, since when and when last", async () => {
    const [desk, phone] = [new NamedBrowser(firefox), new NamedBrowser(safari)];
    const { accountId } = await somebody([desk, phone]);
    const before = await grantsOf(accountId);
    const browsers = before.map(({ session }) => session?.browser).toSorted();
    assert.deepEqual(browsers, ["Firefox on Windows", "Safari on iPhone"]);
    const found = before.find(({ session }) => session?.browser === "Firefox on Windows") ?? assert.fail();
    assert.equal(found.session?.network, "127.0.0.1");
    assert.equal(found.session.last_used_at, found.session.begun_at);

    fixture.clock.advance(20);
    const again = await desk.visit((await fixture.customerSource.start({ prompt: "none" })).url);
    assert.ok(again.url.searchParams.has("code"), again.url.href);
    const after = (await grantsOf(accountId)).find(({ session_id }) => session_id === found.session_id);
    assert.equal(after?.session?.begun_at, found.session.begun_at);
    assert.ok(Date.parse(after.session.last_used_at) >= Date.parse(found.session.last_used_at) + 20_000);

    const { text } = await administrator.open(`/accounts/${accountId}`);
    assert.match(text, /Browser\s*Network\s*Begun\s*Last used\s*Portals\s*Action/);
    assert.match(text, /Firefox on Windows\s*127\.0\.0\.1/);
  });

  it("are ended one by one and all at once, and nothing ends before it was asked about", async () => {
    const { accountId, tokens } = await somebody([fixture.browser(), fixture.browser(), fixture.browser()]);
    const { browser } = administrator;
    const isGood = async ({ access_token }: PortalTokens) => {
      const headers = { authorization: `Bearer ${access_token}` };
      return (await fetch(`${fixture.issuer}/userinfo`, { headers })).status === 200;
    };
    const page = await administrator.open(`/accounts/${accountId}`);
    const asked = await browser.follow(page, "End session");
    assert.match(asked.heading, /^End this session of stranger-\d+@consumer\.example\?$/);
    const all = await browser.follow(page, "End all sessions");
    assert.match(all.text, /3 sessions end, with their sign-ins at portals\./);
    assert.equal((await grantsOf(accountId)).length, 3);

    const ended = await browser.press(asked, "End session");
    assert.deepEqual([ended.status, ended.url.pathname], [200, `/admin/accounts/${accountId}`]);
    assert.equal((await grantsOf(accountId)).length, 2);
    assert.equal((await Promise.all(tokens.map(isGood))).filter(Boolean).length, 2);
    const twice = await browser.press(asked, "End session");
    assert.equal(twice.status, 404);
    assert.match(twice.text, /There is no session of this id/);
    assert.equal((await browser.visit(asked.url)).status, 404);

    await browser.press(all, "End all sessions");
    assert.deepEqual(await grantsOf(accountId), []);
    assert.deepEqual(await Promise.all(tokens.map(isGood)), [false, false, false]);
    const none = { ended: 0 };
    assert.deepEqual(await fixture.owner.done("DELETE", `/accounts/${accountId}/sessions`), none);
    assert.equal((await fixture.owner.call("DELETE", `/accounts/${anId()}/sessions`)).status, 404);
  });

  it("that have ended, while a portal goes on by refresh, are listed and ended like others", async () => {
    const browser = fixture.browser();
    const { accountId, tokens } = await somebody(
      [browser],
      "openid profile email organization offline_access",
    );
    const logout = new URL(`${fixture.issuer}/logout`);
    logout.searchParams.set("id_token_hint", tokens[0]?.id_token ?? "");
    await browser.press(await browser.visit(logout), "Sign out");
    const refresh = tokens[0]?.refresh_token ?? "";
    const next = await fixture.customerSource.refresh(refresh);
    const [left] = await grantsOf(accountId);
    assert.equal(left?.session, null);

    const page = await administrator.open(`/accounts/${accountId}`);
    assert.match(page.text, /Signed out; a refresh token is still good/);
    const asked = await administrator.browser.follow(page, "End session");
    const ended = await administrator.browser.press(asked, "End session");
    assert.equal(ended.status, 200, ended.text);
    assert.deepEqual(await grantsOf(accountId), []);
    await assert.rejects(fixture.customerSource.refresh(next.refresh_token ?? ""), {
      error: "invalid_grant",
    });
  });

  it("whose sign-ins were ended one by one are listed and ended like others, however many", async () => {
    const browser = fixture.browser();
    const { accountId } = await somebody([browser]);
    for (const { id } of await grantsOf(accountId)) await fixture.owner.done("DELETE", `/grants/${id}`);
    assert.deepEqual(await grantsOf(accountId), []);
    const sessions = () =>
      fixture.owner.list<{ id: string; client_ids: string[] }>(`/accounts/${accountId}/sessions`);
    const [left] = await sessions();
    assert.deepEqual([(await sessions()).length, left?.client_ids], [1, []]);
    assert.deepEqual(await fixture.owner.get(`/sessions/${left?.id}`), left);

    // The store's own writes, for nobody opens three hundred browsers.
    const uids = Array.from({ length: 300 }, () => anId());
    for (const uid of uids) {
      const session = { uid, accountId: asAccountId(accountId), authorizations: {}, removed: [] };
      await fixture.store.artifacts.upsertSession(
        hashSecret(uid),
        { uid, accountId },
        session,
        fixture.clock.now() + 60_000,
      );
    }
    const page = await administrator.open(`/accounts/${accountId}`);
    assert.match(page.text, /None at the moment/);
    let shown = [...page.body.matchAll(/\/end\/[\w-]+"/g)].length;
    for (let next = page; /Next page/.test(next.text); ) {
      next = await administrator.browser.follow(next, "Next page");
      shown += [...next.body.matchAll(/\/end\/[\w-]+"/g)].length;
    }
    assert.equal(shown, 301);

    const one = await administrator.open(`/accounts/${accountId}/end/${left?.id}`);
    assert.doesNotMatch(one.text, /sign-ins end at/);
    const elsewhere = (await somebody([fixture.browser()])).accountId;
    const [foreign] = await fixture.owner.list<{ id: string }>(`/accounts/${elsewhere}/sessions`);
    const mixed = await administrator.browser.visit(one.url.href.replace(left?.id ?? "", foreign?.id ?? ""));
    assert.equal(mixed.status, 404, "a session of another account");

    const all = await administrator.browser.follow(page, "End all sessions");
    assert.match(all.text, /301 sessions end/);
    await administrator.browser.press(all, "End all sessions");
    assert.deepEqual(await sessions(), []);
    const silent = await browser.visit((await fixture.customerSource.start({ prompt: "none" })).url);
    assert.equal(silent.url.searchParams.get("error"), "login_required");
    const none = await administrator.open(`/accounts/${accountId}`);
    assert.doesNotMatch(none.text, /End all sessions/);
  });

  it("a single sign-in is ended from the person's page, after asking", async () => {
    const { profileId, accountId } = await somebody([fixture.browser()]);
    const asked = await administrator.browser.follow(await administrator.open(`/people/${profileId}`), "End");
    assert.match(asked.heading, /^End the sign-in of .* at CustomerSource\?$/);
    assert.equal((await grantsOf(accountId)).length, 1);
    const ended = await administrator.browser.press(asked, "End the sign-in");
    assert.equal(ended.status, 200);
    assert.deepEqual(await grantsOf(accountId), []);
  });

  it("a new secret is made after asking, and once", async () => {
    const { id } = await makeClient(fixture, "web");
    const page = await administrator.open(`/clients/${id}`);
    const asked = await administrator.browser.follow(page, "Make a new secret …");
    assert.match(asked.heading, /^Make a new secret for A portal\?$/);
    const before = await fixture.owner.get<{ previous_secret_until: string | null }>(`/clients/${id}`);
    assert.equal(before.previous_secret_until, null);
    const shown = await administrator.browser.press(asked, "Make a new secret");
    const again = await administrator.browser.press(asked, "Make a new secret");
    const secretOf = (one: typeof shown) => /aria-labelledby="secret"><code>([\w-]{43})</.exec(one.body)?.[1];
    assert.ok(secretOf(shown));
    assert.equal(secretOf(again), secretOf(shown));
  });
});
