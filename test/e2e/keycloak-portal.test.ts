/**
 * Keycloak as a portal, registered by a command: an identity provider of a realm, as its defaults have it. No
 * PKCE, the secret in the form, and a back-channel address on this machine. What is sent is what Keycloak 26
 * sends.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { anId } from "../support/admin-fixture.ts";
import { type Listener, startListener } from "../support/admin-listener.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type ClientDoors, openDoors } from "../support/client-doors.ts";
import { register, signIn } from "../support/liaison.ts";

const realm = "http://localhost:9/realms/demo";
const endpoint = `${realm}/broker/liaison/endpoint`;

describe("Keycloak as a portal", { concurrency: 1 }, () => {
  let keycloak: Listener;
  let open: ClientDoors;
  before(async () => {
    keycloak = await startListener();
    open = await openDoors({ privateHosts: [new URL(keycloak.origin).host] });
  });
  after(async () => {
    await open?.close();
    await keycloak?.close();
  });

  const create = (host: string) => [
    "clients",
    "create",
    "--json",
    "--preset",
    "web",
    "--id",
    "keycloak",
    "--name",
    "Keycloak",
    "--home-url",
    realm,
    "--redirect-uris",
    endpoint,
    "--kinds",
    "customer",
    "--post-logout-redirect-uris",
    `${endpoint}/logout_response`,
    "--backchannel-logout-uri",
    `${host}/realms/demo/protocol/openid-connect/logout/backchannel-logout`,
    "--token-endpoint-auth-method",
    "client_secret_post",
    "--pkce-required",
    "false",
  ];

  it("is signed in to, signs out, and is sent its logout token", async () => {
    const elsewhere = await open.command(create("http://localhost:8081"));
    assert.ok(!elsewhere.isTaken);
    assert.match(elsewhere.said, /--backchannel-logout-uri: localhost:8081 .*private_hosts/);
    const made = await open.command(create(keycloak.origin));
    assert.ok(made.isTaken, made.said);
    const { client_secret } = JSON.parse(made.said.split("\n")[0] ?? "") as { client_secret: string };

    const { fixture } = open;
    const [id, person] = [anId(), fixture.stranger()];
    await register(fixture, { id: asOrganizationId(id), name: "Northwind" }, [
      { id: `p-${id}`, email: `${id}@northwind.example` },
    ]);
    await bindTo(fixture, person, `p-${id}`);
    const browser = fixture.browser();
    const [state, nonce] = [randomUUID(), randomUUID()];
    const asked = new URL(`${fixture.issuer}/authorize`);
    asked.search = new URLSearchParams({
      scope: "openid profile email",
      state,
      response_type: "code",
      client_id: "keycloak",
      redirect_uri: endpoint,
      nonce,
    }).toString();
    const { url: callback } = await signIn(browser, { url: asked, codeVerifier: "", state, nonce }, person);
    assert.ok(callback.href.startsWith(`${endpoint}?`), callback.href);
    assert.equal(callback.searchParams.get("state"), state);

    const answer = await fetch(`${fixture.issuer}/token`, {
      method: "POST",
      body: new URLSearchParams({
        code: callback.searchParams.get("code") ?? "",
        grant_type: "authorization_code",
        redirect_uri: endpoint,
        client_id: "keycloak",
        client_secret,
      }),
    });
    const tokens = (await answer.json()) as { id_token: string; access_token: string };
    assert.equal(answer.status, 200, JSON.stringify(tokens));
    const identity = decodeJwt(tokens.id_token);
    assert.equal(identity["nonce"], nonce);

    const out = new URL(`${fixture.issuer}/logout`);
    out.search = new URLSearchParams({
      state,
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: `${endpoint}/logout_response`,
    }).toString();
    const back = await browser.press(await browser.visit(out), "Sign out");
    assert.ok(back.url.href.startsWith(`${endpoint}/logout_response?`), back.url.href);

    await keycloak.until(1);
    const keys = createRemoteJWKSet(new URL(`${fixture.issuer}/jwks`));
    const { payload } = await jwtVerify(keycloak.heard[0]?.token ?? "", keys, {
      issuer: fixture.issuer,
      audience: "keycloak",
      currentDate: new Date(fixture.clock.now()),
    });
    assert.deepEqual([payload.sub, payload["sid"]], [identity.sub, identity["sid"]]);
    assert.deepEqual(payload["events"], { "http://schemas.openid.net/event/backchannel-logout": {} });
    assert.equal(keycloak.heard[0]?.status, 200);
  });

  it("says by the command what it has now, and takes it back", async () => {
    const shown = await open.command(["clients", "show", "keycloak"]);
    for (const line of [/token endpoint auth method +client_secret_post/, /pkce required +no/]) {
      assert.match(shown.said, line);
    }
    const edited = await open.command(["clients", "edit", "keycloak", "--pkce-required", "true"]);
    assert.ok(edited.isTaken, edited.said);
    assert.match((await open.command(["clients", "show", "keycloak"])).said, /pkce required +yes/);
  });
});
