/**
 * Signing out at a portal, and what oidc-provider's undocumented corners (src/oidc/internals.ts) do for it.
 */

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { decodeJwt } from "jose";
import { pino } from "pino";
import { asClientId, asOrganizationId } from "../../src/domain/ids.ts";
import { type Liaison, linkByMail, people, register, signIn, startLiaison } from "../support/liaison.ts";
import { registerClient } from "../support/stored-clients.ts";

describe("signing out", () => {
  let liaison: Liaison;
  let portal: Server;
  const logged: string[] = [];
  const received: { path: string; body: string }[] = [];

  before(async () => {
    portal = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        received.push({ path: request.url ?? "", body: Buffer.concat(chunks).toString() });
        response.writeHead(200).end();
      });
    });
    await new Promise<void>((resolve) => portal.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
    liaison = await startLiaison({
      logger: pino({ level: "warn" }, { write: (line: string) => void logged.push(line) }),
      config: (base) => ({
        ...base,
        portals: (base["portals"] as object[]).map((entry) => ({
          ...entry,
          backchannel_logout_uri: `${origin}/logged-out`,
        })),
      }),
    });
    // Registered in the store, so not by the operator's own hand: its address on loopback must not be called.
    await registerClient(liaison.store, {
      id: asClientId("registered"),
      name: "Registered",
      homeUrl: "https://registered.example/",
      aboutUrl: null,
      secret: "a-portal-secret-of-at-least-32-characters",
      previousSecret: null,
      policy: { kinds: ["customer"], planRequired: false, roles: [] },
      claimsInIdToken: true,
      metadata: {
        redirect_uris: ["http://localhost:9/registered/callback"],
        backchannel_logout_uri: `${origin}/internal`,
        backchannel_logout_session_required: true,
      },
      managedBy: "admin",
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example", name: "Ann" },
    ]);
  });
  after(async () => {
    await liaison.close();
    await new Promise((resolve) => portal.close(resolve));
  });

  it("ends the session, tells the portals it may reach, and returns to the portal", async () => {
    const browser = liaison.browser();
    const started = await liaison.customerSource.start();
    const end = await linkByMail(liaison, browser, started, people.ann, "ann@northwind.example");
    const tokens = await liaison.customerSource.exchange(end.url, started);
    const subject = tokens.claims()?.sub ?? "";
    assert.ok(
      tokens.refresh_token,
      "a portal with the grant gets a refresh token that ends with the session",
    );

    const registered = new URL(`${liaison.issuer}/authorize`);
    registered.search = new URLSearchParams({
      client_id: "registered",
      redirect_uri: "http://localhost:9/registered/callback",
      response_type: "code",
      scope: "openid profile",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
    }).toString();
    assert.ok(
      (await browser.visit(registered)).url.searchParams.has("code"),
      "the second portal signs on silently",
    );

    const logout = new URL(`${liaison.issuer}/logout`);
    logout.searchParams.set("id_token_hint", tokens.id_token ?? "");
    logout.searchParams.set("post_logout_redirect_uri", "http://localhost:9/customersource/signed-out");
    const confirm = await browser.visit(logout);
    assert.equal(confirm.status, 200);
    const done = await browser.press(confirm, "Sign out");
    assert.equal(done.url.href, "http://localhost:9/customersource/signed-out");

    const isRefused = () =>
      logged.some((line) => line.includes("private_hosts") && line.includes('"registered"'));
    for (const deadline = Date.now() + 8000; Date.now() < deadline && !(isRefused() && received.length > 0); )
      await pause(20);
    assert.ok(isRefused(), "the log names the client and the key");
    assert.deepEqual(
      received.map(({ path }) => path),
      ["/logged-out"],
      "the configured address is called, the registered one on loopback is refused",
    );
    const logoutToken = decodeJwt(new URLSearchParams(received[0]?.body).get("logout_token") ?? "");
    assert.equal(logoutToken.sub, subject);
    assert.equal(logoutToken["sid"], tokens.claims()?.["sid"]);

    await assert.rejects(liaison.customerSource.userinfo(tokens.access_token, subject));
    await assert.rejects(liaison.customerSource.refresh(tokens.refresh_token), { error: "invalid_grant" });
    const again = await liaison.customerSource.start({ prompt: "none" });
    const refused = await browser.visit(again.url);
    assert.equal(refused.url.searchParams.get("error"), "login_required");
  });

  it("asks when no portal proves who is meant, and shows a page where the return isn't known", async () => {
    const browser = liaison.browser();
    const started = await liaison.customerSource.start();
    await browser.visit(started.url);
    const foreign = new URL(`${liaison.issuer}/logout`);
    foreign.searchParams.set("client_id", "customersource");
    foreign.searchParams.set("post_logout_redirect_uri", "https://evil.example/");
    const page = await browser.visit(foreign);
    assert.equal(page.status, 400);
    assert.equal(page.url.origin, liaison.issuer);
  });

  it("puts the profile's claims into the ID token of a client that asks for it", async () => {
    const browser = liaison.browser();
    const registered = new URL(`${liaison.issuer}/authorize`);
    const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    registered.search = new URLSearchParams({
      client_id: "registered",
      redirect_uri: "http://localhost:9/registered/callback",
      response_type: "code",
      scope: "openid profile organization",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
    }).toString();
    const started = { url: registered, codeVerifier: verifier, state: "", nonce: "" };
    const end = await signIn(browser, started, people.ann);
    const response = await fetch(`${liaison.issuer}/token`, {
      method: "POST",
      headers: {
        authorization:
          "Basic " +
          `${Buffer.from("registered:a-portal-secret-of-at-least-32-characters").toString("base64")}`,
      },
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: end.url.searchParams.get("code") ?? "",
        redirect_uri: "http://localhost:9/registered/callback",
        code_verifier: verifier,
      }),
    });
    const { id_token: idToken } = (await response.json()) as { id_token: string };
    const claims = decodeJwt(idToken);
    assert.equal(claims["name"], "Ann");
    assert.equal(claims["profile_id"], "p-ann");
  });
});
