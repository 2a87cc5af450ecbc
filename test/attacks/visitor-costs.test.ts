/**
 * Z5 and Z7, as far as requests are refused: what a stranger can have stored is bounded, in size and in
 * number.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parse } from "node-html-parser";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { CONSOLE_CLIENT_ID } from "../../src/domain/records.ts";
import { type Attacked, askForLink, startAttacked } from "../support/attack-fixture.ts";
import { linkByMail, people, portalSecret, register, signIn } from "../support/liaison.ts";
import { askFrom } from "../support/raw-socket.ts";
import type { UserAgent } from "../support/user-agent.ts";

const limited = (limits: Record<string, { limit: number; window_seconds: number }>) => ({
  config: (base: Record<string, unknown>) => ({
    ...base,
    limits: { ...(base["limits"] as object), ...limits },
  }),
});

describe("Z5: parameters that are too long", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({ strangers: 0 });
  });
  after(() => liaison?.close());

  const long = "x".repeat(2100);
  const asked = async (more: Record<string, string>) => {
    const { url } = await liaison.customerSource.start();
    for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
    liaison.watch.calls.length = 0;
    return await askFrom("127.0.0.1", url.href);
  };

  it("Z5: of an authorization request are sent back to the portal, and nothing is stored", async () => {
    const { status, headers } = await asked({ nonce: long });
    const back = new URL(String(headers["location"]));
    assert.equal(status, 303);
    assert.equal(back.port, "9");
    assert.equal(back.searchParams.get("error"), "invalid_request");
    assert.match(back.searchParams.get("error_description") ?? "", /nonce is longer than 2048/);
    assert.deepEqual(liaison.watch.writes, []);
  });

  it("Z5: a state that is too long isn't carried back, four kilobytes of it are", async () => {
    const { status, headers } = await asked({ state: "x".repeat(5000) });
    assert.equal(status, 400);
    assert.equal(headers["location"], undefined);
    assert.deepEqual(liaison.watch.writes, []);
    const served = await asked({ state: "x".repeat(4000) });
    assert.match(String(served.headers["location"]), /\/interaction\//);
  });

  it("Z5: of a request that is long altogether, too, each parameter within its bound", async () => {
    const each = "x".repeat(1900);
    const more = { state: "x".repeat(4000), login_hint: each, ui_locales: each, acr_values: each };
    const { headers } = await asked(more);
    assert.match(String(headers["location"]), /error=invalid_request/);
    assert.deepEqual(liaison.watch.writes, []);
  });

  it("Z5: of a sign-out, sent either way", async () => {
    liaison.watch.calls.length = 0;
    const tooLong = `state=${"x".repeat(5000)}&client_id=customersource`;
    const tooMany = Array.from({ length: 101 }, (_, index) => index).join("&");
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    for (const fields of [tooLong, tooMany]) {
      for (const answer of [
        await askFrom("127.0.0.1", `${liaison.issuer}/logout?${fields}`),
        await askFrom("127.0.0.1", `${liaison.issuer}/logout`, { method: "POST", headers, body: fields }),
      ]) {
        assert.equal(answer.status, 400);
        assert.equal(answer.headers["set-cookie"], undefined);
      }
    }
    assert.deepEqual(liaison.watch.writes, []);
  });

  it("an empty session, which asking to sign out makes, lives for ten minutes", async () => {
    const answer = await askFrom("127.0.0.1", `${liaison.issuer}/logout`);
    const line = [answer.headers["set-cookie"] ?? []]
      .flat()
      .find((one) => one.startsWith("liaison.session="));
    const expires = Date.parse(/expires=([^;]+)/.exec(line ?? "")?.[1] ?? "");
    assert.ok(expires - Date.now() < 602_000, line);
  });

  it("Z5: a request is pushed by clients with a secret alone, within the same bounds", async () => {
    const { url } = await liaison.customerSource.start();
    const asked = Object.fromEntries(url.searchParams);
    const push = async (fields: Record<string, string>, secret = "") => {
      liaison.watch.calls.length = 0;
      const body = new URLSearchParams({ ...asked, ...fields }).toString();
      const headers = {
        "content-type": "application/x-www-form-urlencoded",
        ...(secret === "" ? {} : { authorization: `Basic ${Buffer.from(secret).toString("base64")}` }),
      };
      return await askFrom("127.0.0.1", `${liaison.issuer}/par`, { method: "POST", headers, body });
    };
    const redirectUri = `${liaison.issuer}/admin/callback`;
    const ofConsole = await push({
      client_id: CONSOLE_CLIENT_ID,
      redirect_uri: redirectUri,
      scope: "openid",
    });
    assert.equal(ofConsole.status, 400, ofConsole.body);
    assert.match(ofConsole.body, /"unauthorized_client"/);
    assert.deepEqual(liaison.watch.writes, []);

    const withSecret = (fields: Record<string, string>) => push(fields, `customersource:${portalSecret}`);
    const pushed = await withSecret({});
    assert.equal(pushed.status, 201, pushed.body);
    assert.equal((JSON.parse(pushed.body) as { expires_in: number }).expires_in, 60);
    const tooLong = await withSecret({ nonce: long });
    assert.equal(tooLong.status, 400);
    assert.match(tooLong.body, /invalid_request/);
    assert.deepEqual(liaison.watch.writes, []);
  });
});

describe("Z5: a flood of whatever from one address", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({
      strangers: 1,
      ...limited({
        requests_per_client_address: { limit: 20, window_seconds: 1 },
        failures_per_client_address: { limit: 10, window_seconds: 300 },
      }),
    });
  });
  after(() => liaison?.close());

  const flood = (path: string, count: number, from = "127.0.0.7") =>
    Promise.all(
      Array.from({ length: count }, () =>
        askFrom(from, liaison.issuer + path, { headers: { accept: "text/html" } }),
      ),
    );

  it(
    "Z5: is served at an even pace, and beyond it told when to come back; an address beside it is served " +
      "at once",
    async () => {
      const flooding = flood("/help", 250);
      const [beside] = await flood("/help", 1, "127.0.0.8");
      assert.equal(beside?.status, 200);
      const answers = await flooding;
      const served = answers.filter(({ status }) => status === 200);
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(served.length + refused.length, 250);
      // A burst of 20, the places of four seconds, and one for each 50 ms that a busy machine takes to have
      // heard them all: what is refused is answered a second after it was heard.
      const heardWithinMs = Math.max(...refused.map(({ ms }) => ms)) - 1000;
      const most = 20 + 80 + heardWithinMs / 50;
      assert.ok(
        served.length >= 20 && served.length <= most,
        `${served.length} were served, of ${most} at the most`,
      );
      assert.ok(refused.every(({ headers }) => Number(headers["retry-after"]) > 0));
      assert.match(
        parse(refused[0]?.body ?? "").text,
        /Too many requests[\s\S]*Wait \d+ seconds and try again/,
      );
      assert.ok(answers.every(({ ms }) => ms < 8000));
    },
  );

  it("Z5: health checks and programs that authenticate aren't held back; those that fail are", async () => {
    await flood("/help", 150, "127.0.0.9");
    const probes = await flood("/livez", 30, "127.0.0.9");
    assert.ok(probes.every(({ status }) => status === 200));
    const failing = await flood("/userinfo", 11, "127.0.0.10");
    assert.ok(failing.every(({ status }) => status === 400 || status === 401));
    const more = await flood("/userinfo", 200, "127.0.0.10");
    assert.ok(more.some(({ status }) => status === 429));
  });
});

describe("Z5: a known browser while its network is over the limit", () => {
  const cap = 40;
  const ofBrowser = 12;
  let liaison: Attacked;
  const known: UserAgent[] = [];
  before(async () => {
    liaison = await startAttacked({
      strangers: 1,
      ...limited({
        sign_ins_per_client_address: { limit: cap, window_seconds: 300 },
        sign_ins_per_known_browser: { limit: ofBrowser, window_seconds: 300 },
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "known", email: "ann@northwind.example" },
    ]);
    const first = liaison.browser();
    await linkByMail(
      liaison,
      first,
      await liaison.customerSource.start(),
      people.ann,
      "ann@northwind.example",
    );
    known.push(first);
    const second = liaison.browser();
    await signIn(second, await liaison.customerSource.start(), people.ann);
    known.push(second);
    liaison.clock.advance(301);
  });
  after(() => liaison?.close());

  it("Z5: is served, and a new one is told when to come back", async () => {
    const url = (await liaison.customerSource.start()).url.href;
    // From the address of the browsers.
    const flooded = await Promise.all(Array.from({ length: cap + 20 }, () => askFrom("127.0.0.1", url)));
    assert.equal(flooded.filter(({ status }) => status === 303).length, cap);
    const fresh = await liaison.browser().visit((await liaison.customerSource.start()).url);
    assert.equal(fresh.status, 429);
    assert.ok(Number(fresh.headers.get("retry-after")) <= 300);
    assert.match(fresh.text, /Wait \d minutes and try again/);
    const signedIn = await known[0]?.visit((await liaison.customerSource.start()).url);
    assert.ok(signedIn?.url.searchParams.has("code"), signedIn?.text);
  });

  it(
    "Z5: has one budget with every other browser of its account, and none by a cookie of somebody's own " +
      "making",
    async () => {
      const statuses: number[] = [];
      for (let turn = 0; turn < 2 * ofBrowser; turn += 1) {
        const browser = known[turn % 2];
        const page = await browser?.once((await liaison.customerSource.start()).url);
        statuses.push(page?.status ?? 0);
      }
      const served = statuses.filter((status) => status === 303).length;
      // One was spent before.
      assert.equal(served, ofBrowser - 1);
      const url = (await liaison.customerSource.start()).url.href;
      for (const value of ["x", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c"]) {
        assert.equal(
          (await askFrom("127.0.0.1", url, { headers: { cookie: `liaison.known=${value}` } })).status,
          429,
        );
      }
    },
  );

  it("is known by a cookie that names nobody", async () => {
    const line = known[0]?.cookiesSet.find((one) => one.startsWith("liaison.known="));
    assert.match(line ?? "", /^liaison\.known=[\w.-]+; path=\/; expires=[^;]+; samesite=lax; httponly$/i);
    const value = line?.slice(0, line.indexOf(";")) ?? "";
    const readable = value
      .split(".")
      .map((part) => Buffer.from(part, "base64url").toString("latin1"))
      .join(" ");
    const { accountId } = (await liaison.store.directory.membership(asProfileId("known")))?.profile ?? {};
    assert.ok(accountId && !readable.includes(accountId) && !value.includes(accountId));
  });
});

describe("Z7: one interaction or one link used a thousand times", () => {
  const most = 5;
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({
      ...limited({ sign_ins_per_interaction: { limit: most, window_seconds: 300 } }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "z7", email: "z7@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  const begun = () => liaison.watch.calls.filter(({ method }) => method === "begin").length;

  it("Z7: an interaction begins so many sign-ins and no more, and says when it may again", async () => {
    const browser = liaison.browser();
    const page = await browser.visit((await liaison.customerSource.start()).url);
    const { action, fields } = page.form(/Fabrikam/);
    liaison.watch.calls.length = 0;
    const statuses: number[] = [];
    for (let turn = 0; turn < 3 * most; turn += 1) {
      statuses.push((await browser.once(action, { method: "POST", body: fields })).status);
    }
    assert.deepEqual(statuses.filter((status) => status === 303).length, most);
    assert.ok(statuses.slice(most).every((status) => status === 429));
    assert.equal(begun(), most);
  });

  it("Z7: a link, likewise, and it isn't spent by that", async () => {
    const { link } = await askForLink(liaison, liaison.stranger(), "z7@northwind.example");
    const browser = liaison.browser();
    const landing = await browser.visit(link);
    const { action, fields } = landing.form("Continue to sign in");
    liaison.watch.calls.length = 0;
    for (let turn = 0; turn < 3 * most; turn += 1)
      await browser.once(action, { method: "POST", body: fields });
    assert.equal(begun(), most);
    liaison.clock.advance(301);
    const again = await browser.once(action, { method: "POST", body: fields });
    assert.equal(again.status, 303);
  });
});
