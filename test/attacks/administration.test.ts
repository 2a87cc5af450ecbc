/**
 * The administration under attack: A1 to A4 and A8 of the threat list. Its secrets are
 * administration-secrets.test.ts's.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { describedOperations, operatorRequests } from "../support/admin-bad-inputs.ts";
import {
  type AdminFixture,
  Api,
  clientBody,
  everythingIn,
  machineToken,
  makeClient,
  makeOrganization,
  makeProfile,
  signInSomebody,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { askForLink, mailsTo } from "../support/attack-fixture.ts";
import { brokenAuthorizations } from "../support/broken-authorizations.ts";

const script = `<script>alert("1")</script>'"><img src=x onerror=alert(1)>`;

describe("attacks on the administration", () => {
  let fixture: AdminFixture;
  before(async () => {
    fixture = await startAdminFixture({ strangers: 20 });
  });
  after(() => fixture?.close());

  const reads = [
    ["GET", "/organizations"],
    ["GET", "/clients"],
    ["GET", "/audit"],
  ] as const;
  const writes = [
    ["POST", "/api-keys", { name: "mine", scopes: ["admins:write"] }],
    ["POST", "/organizations", { name: "Mine", account_number: "1", kind: "operator" }],
    ["POST", "/administrators", { email: "me@evil.example" }],
    ["DELETE", "/clients/any", undefined],
  ] as const;

  async function assertNobody(what: string, authorization: string | undefined, cookie = ""): Promise<void> {
    const headers = {
      ...(authorization === undefined ? {} : { authorization }),
      ...(cookie === "" ? {} : { cookie }),
    };
    for (const [method, path, body] of [...reads, ...writes]) {
      const answer = await fixture.nobody.call(method, path, { body, headers });
      assert.equal(answer.status, 401, `${what}: ${method} ${path}: ${answer.text}`);
      assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer /);
      assert.deepEqual(Object.keys(answer.body).toSorted(), [
        "code",
        "detail",
        "request_id",
        "status",
        "title",
        "type",
      ]);
    }
  }

  it("A1: no token, or what is none, is nobody", async () => {
    const before = await everythingIn(fixture);
    const { token = "" } = fixture.owner;
    const secret = token.slice("liaison_".length);
    for (const authorization of brokenAuthorizations(token)) {
      await assertNobody(String(authorization).replace(secret, "…"), authorization);
    }
    for (const name of ["access_token", "api_key", "key", "token"]) {
      assert.equal((await fixture.nobody.call("GET", `/organizations?${name}=${token}`)).status, 401, name);
    }
    assert.deepEqual(await everythingIn(fixture), before);
  });

  it("A1: a person's tokens open nothing, whatever the roles of a profile are called", async () => {
    const roles = ["owner", "admin", "administrator", "client_manager", "admins:write", "admin:read"];
    const { tokens, browser, profileId, accountId } = await signInSomebody(fixture, { roles });
    await fixture.customerSource.userinfo(tokens.access_token, accountId);
    const cookie = await browser.jar.getCookieString(fixture.issuer);
    assert.match(cookie, /session/);
    await assertNobody("an access token", `Bearer ${tokens.access_token}`);
    await assertNobody("a refresh token", `Bearer ${tokens.refresh_token}`);
    await assertNobody("an ID token", `Bearer ${tokens.id_token}`);
    await assertNobody("a session's cookie", undefined, cookie);
    await assertNobody("both", `Bearer ${tokens.access_token}`, cookie);
    const asked = await fixture.customerSource.start({
      scope: "openid admin:read admins:write",
      prompt: "none",
    });
    const end = await browser.visit(asked.url);
    if (end.url.searchParams.has("code")) {
      const greedy = await fixture.customerSource.exchange(end.url, asked);
      assert.equal(greedy.scope, "openid");
      await assertNobody("a token that asked for the API's scopes", `Bearer ${greedy.access_token}`);
    } else assert.equal(end.url.searchParams.get("error"), "invalid_scope");
    const profile = await fixture.owner.get(`/profiles/${profileId}`);
    assert.equal(profile["admin_role"], null);
    assert.ok(
      !(await fixture.owner.list<{ id: string }>("/administrators")).some(({ id }) => id === profileId),
    );
  });

  it("A1: a key that expired or was removed is nobody's", async () => {
    const expires_at = new Date(fixture.clock.now() + 36_000).toISOString();
    const make = (name: string, more: object = {}) =>
      fixture.owner.done<{ id: string; key: string }>("POST", "/api-keys", {
        body: { name, scopes: ["admin:read", "audit:read", "clients:write"], ...more },
      });
    const [short, removed] = [await make("short", { expires_at }), await make("removed")];
    for (const { key } of [short, removed]) await new Api(fixture.issuer, key).get("/organizations");
    await fixture.owner.done("DELETE", `/api-keys/${removed.id}`);
    await assertNobody("a removed key", `Bearer ${removed.key}`);
    fixture.clock.advance(30);
    await new Api(fixture.issuer, short.key).get("/organizations");
    fixture.clock.advance(6);
    await assertNobody("an expired key", `Bearer ${short.key}`);
  });

  it("A1: a machine's token says what its client may now, and nothing once that is gone", async () => {
    const scopes = ["admin:read", "directory:write"];
    const machine = await makeClient(fixture, "machine", { scopes });
    const portal = await makeClient(fixture, "web");
    await assert.rejects(machineToken(fixture, machine, "admins:write"), { error: "invalid_scope" });
    await assert.rejects(machineToken(fixture, portal, "admin:read"), { error: "invalid_request" });
    await assert.rejects(machineToken(fixture, { ...machine, client_secret: "wrong" }, "admin:read"), {
      status: 401,
    });
    await assertNobody("a client's secret", `Bearer ${machine.client_secret}`);
    const api = new Api(fixture.issuer, await machineToken(fixture, machine, scopes.join(" ")));
    const reader = new Api(fixture.issuer, await machineToken(fixture, machine, "admin:read"));
    const body = { name: "By a machine", account_number: "M-1", kind: "customer" };
    await api.done("POST", "/organizations", { body });
    assert.equal(
      (await reader.call("POST", "/organizations", { body })).status,
      403,
      "only what it asked for",
    );
    await fixture.owner.edit(`/clients/${machine.id}`, { scopes: ["admin:read"] });
    assert.equal((await api.call("POST", "/organizations", { body })).status, 403);
    await api.get("/organizations");
    await fixture.owner.done("DELETE", `/clients/${machine.id}`);
    await assertNobody("a token of a client that is gone", `Bearer ${api.token}`);
    await assert.rejects(machineToken(fixture, machine, "admin:read"), { status: 401 });
    await makeClient(fixture, "machine", { id: machine.id, scopes: ["admin:read"] });
    await assertNobody(
      "a token of a client that was gone, of which there is another by now",
      `Bearer ${api.token}`,
    );
  });

  it("A2: operators and inherited names are refused in every place where something is taken", async () => {
    let count = 0;
    for (const operation of await describedOperations(fixture)) {
      const about = /Client/.test(operation.operationId) ? "portal" : "";
      const sent = await operatorRequests(fixture, operation, about);
      const before = await everythingIn(fixture);
      for (const { what, ...call } of sent) {
        const { status, headers, text } = await fixture.owner.call(call.method, call.path, call);
        assert.equal(status, 400, `${operation.operationId}: ${what}: ${text}`);
        assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
      }
      count += sent.length;
      assert.deepEqual(await everythingIn(fixture), before, operation.operationId);
    }
    assert.ok(count > 750, `only ${count} requests`);
    assert.equal(Object.hasOwn(Object.prototype, "scopes"), false);
  });

  it("A2: as an id in a path, or in a header, they name nothing", async () => {
    const before = await everythingIn(fixture);
    for (const id of ['{"$gt":""}', "$where", "__proto__", "constructor", "[$ne]", "..%2fapi-keys", "%00"]) {
      for (const { method, path, operationId } of await describedOperations(fixture)) {
        if (!path.includes("{id}")) continue;
        const isRead = method === "GET" || method === "DELETE";
        const body = isRead ? undefined : operationId === "setAdminRole" ? { role: "owner" } : {};
        const address = path.replace("{id}", id.includes("%") ? id : encodeURIComponent(id));
        const { status, text } = await fixture.owner.call(method, address, {
          body,
          headers: { "if-match": '"{$gt:1}"' },
        });
        assert.ok(status === 404 || status === 400, `${operationId} ${id}: ${status} ${text}`);
      }
    }
    const id = await makeOrganization(fixture);
    for (const tag of ['"{"$gt":""}"', "W/*", '"$where"', '{"$ne":1}', "__proto__"]) {
      const call = { body: { name: "Taken" }, headers: { "if-match": tag } };
      assert.equal((await fixture.owner.call("PATCH", `/organizations/${id}`, call)).status, 412, tag);
    }
    assert.notDeepEqual(await everythingIn(fixture), before, "the new organization shows");
    assert.equal((await fixture.owner.get(`/organizations/${id}`))["name"], `Of ${id}`);
  });

  it("A3: script in a name is text: in JSON as JSON, on pages encoded", async () => {
    const organizationId = await makeOrganization(fixture);
    const { id: profileId } = await makeProfile(fixture);
    const client = await makeClient(fixture, "web", { name: script });
    await fixture.owner.edit(`/organizations/${organizationId}`, { name: script, account_number: script });
    await fixture.owner.edit(`/profiles/${profileId}`, {
      name: script,
      roles: ["<img src=x onerror=alert(1)>"],
    });
    for (const path of [
      `/organizations/${organizationId}`,
      `/profiles/${profileId}`,
      `/clients/${client.id}`,
      "/clients",
      "/profiles",
      "/organizations",
      "/audit",
      `/clients/${client.id}/settings`,
      `/organizations?kind=${encodeURIComponent(script)}`,
    ]) {
      const { headers, text, status } = await fixture.owner.call("GET", path);
      assert.match(headers.get("content-type") ?? "", /^application\/(problem\+)?json/, path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.match(headers.get("cache-control") ?? "", /no-store/, path);
      if (status === 200 && !/audit|settings/.test(path))
        assert.ok(text.includes(JSON.stringify(script)), path);
    }
    const url = new URL(`${fixture.issuer}/authorize`);
    const redirect_uri = "http://localhost:9/registered/callback";
    const code_challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    url.search = new URLSearchParams({
      client_id: client.id,
      redirect_uri,
      response_type: "code",
      scope: "openid",
      code_challenge,
      code_challenge_method: "S256",
    }).toString();
    const page = await fixture.browser().visit(url);
    assert.ok(
      page.text.includes(script.slice(0, 20)) || page.body.includes("&lt;script"),
      "the page names the portal",
    );
    assert.ok(!page.body.includes("<script>alert") && !page.body.includes("<img src=x"), page.body);
  });

  it("A3: addresses that would run script, or leave the web, are refused wherever one is typed", async () => {
    const { id } = await makeClient(fixture, "web");
    const bad = [
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      "java\nscript:alert(1)",
      " javascript:alert(1)",
    ];
    const worse = [
      "data:text/html,<script>alert(1)</script>",
      "vbscript:x",
      "file:///etc/passwd",
      "//evil.example/",
      "x",
    ];
    const fields = ["home_url", "about_url", "initiate_login_uri", "backchannel_logout_uri"];
    for (const field of [...fields, "redirect_uris", "post_logout_redirect_uris"]) {
      for (const address of [...bad, ...worse, "blob:https://p.example/1", "https:javascript:alert(1)"]) {
        const wanted = { [field]: field.endsWith("_uris") ? ["https://p.example/cb", address] : address };
        const headers = { "if-match": await fixture.owner.etag(`/clients/${id}`) };
        const edited = await fixture.owner.call("PATCH", `/clients/${id}`, { body: wanted, headers });
        assert.equal(edited.status, 400, `${field}: ${address}: ${edited.text}`);
        const body = { ...clientBody("web"), ...wanted };
        assert.equal(
          (await fixture.owner.call("POST", "/clients", { body })).status,
          400,
          `${field}: ${address}`,
        );
      }
    }
  });

  it("A4: an edited address ends mailed links, tells both addresses and keeps the binding", async () => {
    const { id, email } = await makeProfile(fixture);
    const { link } = await askForLink(fixture, fixture.stranger(), email);
    const moved = `moved-${email}`;
    await fixture.owner.edit(`/profiles/${id}`, { email: moved });
    assert.equal((await fixture.browser().visit(link)).status, 410);
    const [, removed] = await mailsTo(fixture, email, 2);
    const [added] = await mailsTo(fixture, moved, 1);
    assert.match(removed?.text ?? "", /no longer|removed|changed/i);
    assert.ok(removed?.subject !== added?.subject && !`${added?.text}${removed?.text}`.includes("/link/"));
    assert.ok(
      !removed?.text.includes(moved) && !added?.text.includes(email.slice(0, 36)),
      "neither learns the other",
    );

    const { profileId, accountId, tokens, person } = await signInSomebody(fixture);
    const old = `${person.username}@northwind.example`;
    const renamed = await fixture.owner.edit(`/profiles/${profileId}`, {
      email: `new-${old}`,
      name: "Renamed",
    });
    assert.deepEqual([renamed["account_id"], renamed["email_proven"]], [accountId, false]);
    for (const address of [old, `new-${old}`]) await mailsTo(fixture, address, 1);
    const refreshed = await fixture.customerSource.refresh(tokens.refresh_token ?? "");
    const claims = await fixture.customerSource.userinfo(refreshed.access_token, accountId);
    assert.deepEqual([claims["email"], claims["email_verified"]], [`new-${old}`, false]);
    const other = await fixture.owner.edit(`/profiles/${profileId}`, {
      email: `2-${old}`,
      another_person: true,
    });
    assert.deepEqual([other["account_id"], other["linked_at"]], [null, null]);
    await assert.rejects(fixture.customerSource.refresh(refreshed.refresh_token ?? ""), {
      error: "invalid_grant",
    });
    await assert.rejects(fixture.customerSource.userinfo(refreshed.access_token, accountId));
  });
});
