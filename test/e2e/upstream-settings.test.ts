/**
 * Upstreams of all sorts, by configuration alone: independent providers that each insist on one way of being
 * spoken to.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { freePort } from "../support/free-port.ts";
import { type Liaison, startLiaison } from "../support/liaison.ts";
import { rawRequest } from "../support/raw-request.ts";
import { PEER_CLIENT, startUpstreamPeer, type UpstreamPeer } from "../support/upstream-peer.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const { client_id, client_secret } = PEER_CLIENT;

/** How each upstream has registered us, and how we are told of it. */
const upstreams: Record<string, { registered: (issuer: string) => object; configured: object }> = {
  basic: {
    registered: () => ({ client_secret, token_endpoint_auth_method: "client_secret_basic" }),
    configured: { client_secret, token_endpoint_auth_method: "client_secret_basic" },
  },
  post: {
    registered: () => ({ client_secret, token_endpoint_auth_method: "client_secret_post" }),
    configured: { client_secret, token_endpoint_auth_method: "client_secret_post" },
  },
  "keys-rsa": {
    registered: (issuer) => ({
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "RS256",
      jwks_uri: `${issuer}/upstream/jwks`,
    }),
    configured: { token_endpoint_auth_method: "private_key_jwt" },
  },
  "keys-ec": {
    registered: (issuer) => ({
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      id_token_signed_response_alg: "ES256",
      jwks_uri: `${issuer}/upstream/jwks`,
    }),
    configured: {
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      id_token_signed_response_alg: "ES256",
    },
  },
  posting: {
    registered: () => ({ client_secret, id_token_signed_response_alg: "PS256" }),
    configured: {
      client_secret,
      id_token_signed_response_alg: ["PS256", "RS256"],
      response_mode: "form_post",
    },
  },
};

describe("upstreams by configuration alone", () => {
  const peers = new Map<string, UpstreamPeer>();
  const log: string[] = [];
  let liaison: Liaison;
  before(async () => {
    const port = await freePort();
    const issuer = `http://localhost:${port}`;
    const people = { anna: { email: "anna@mail.example", name: "Anna Berg" } };
    for (const [id, { registered }] of Object.entries(upstreams)) {
      const redirectUris = [`${issuer}/upstream/${id}/callback`];
      peers.set(id, await startUpstreamPeer({ redirectUris, people, client: registered(issuer) }));
    }
    const entries = Object.entries(upstreams).map(([id, { configured }]) => ({
      id,
      name: `Upstream ${id}`,
      issuer: peers.get(id)?.issuer,
      client_id,
      ...configured,
    }));
    liaison = await startLiaison({
      upstream: false,
      logger: pino({ level: "trace" }, { write: (line: string) => void log.push(line) }),
      config: (base) => ({ ...base, issuer, listen: { host: "127.0.0.1", port }, upstreams: entries }),
    });
  });
  after(async () => {
    await liaison?.close();
    for (const peer of peers.values()) await peer.close();
  });

  const peerOf = (id: string) => peers.get(id) ?? assert.fail(id);

  /** Sent off to an upstream, and stopped at its door. */
  async function sentOff(id: string): Promise<{ browser: UserAgent; leaving: URL }> {
    const browser = new UserAgent({ stopAt: ({ origin }) => origin === peerOf(id).issuer });
    const { url } = await browser.visit((await liaison.customerSource.start({ upstream: id })).url);
    assert.equal(url.origin, peerOf(id).issuer);
    return { browser, leaving: url };
  }

  const assertArrived = (page: Page) => assert.match(page.heading, /email address registered/, page.text);

  for (const id of ["basic", "post", "keys-rsa", "keys-ec"]) {
    it(`${id}: a sign-in gets through`, async () => {
      const { browser, leaving } = await sentOff(id);
      assertArrived(await browser.visit(await peerOf(id).signIn(leaving)));
    });
  }

  it("our keys are published, each with an id of its own, without their private parts", async () => {
    const response = await fetch(`${liaison.issuer}/upstream/jwks`);
    assert.match(response.headers.get("content-type") ?? "", /^application\/jwk-set\+json/);
    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    assert.deepEqual(keys.map(({ alg }) => alg).sort(), ["ES256", "RS256"]);
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, 2);
    for (const key of keys)
      for (const name of ["d", "p", "q", "dp", "dq", "qi", "k"]) assert.ok(!(name in key), name);
    const ours = (await (await fetch(`${liaison.issuer}/jwks`)).json()) as { keys: Record<string, string>[] };
    const signing = new Set(ours.keys.map(({ n, x }) => n ?? x));
    for (const { n, x } of keys) assert.ok(!signing.has(n ?? x), "portals' tokens are signed by other keys");
  });

  describe("form_post", () => {
    /** What the upstream has the browser post, which being cross-site brings no SameSite=Lax cookie along. */
    async function posted(change: (fields: URLSearchParams) => void = () => {}) {
      const { browser, leaving } = await sentOff("posting");
      assert.equal(leaving.searchParams.get("response_mode"), "form_post");
      const { action, fields } = await peerOf("posting").signInByPost(leaving);
      assert.equal(action.href, `${liaison.issuer}/upstream/posting/callback`);
      change(fields);
      const answer = await fetch(action, { method: "POST", body: fields, redirect: "manual" });
      return { browser, fields, answer, location: answer.headers.get("location") ?? "" };
    }

    it("is taken over a redirect, in which neither code nor state can be read", async () => {
      const { browser, fields, answer, location } = await posted((all) =>
        all.set("user", '{"name":"Somebody Else"}'),
      );
      assert.equal(answer.status, 303);
      assert.deepEqual(answer.headers.getSetCookie(), []);
      const [code, state] = [fields.get("code") ?? assert.fail(), fields.get("state") ?? assert.fail()];
      assert.ok(!location.includes(code) && !location.includes(state));
      const carried = Buffer.from(new URL(location).searchParams.get("posted") ?? assert.fail(), "base64url");
      assert.ok(!carried.includes(code) && !carried.includes(state));
      const page = await browser.visit(location);
      assertArrived(page);
      assert.match(page.text, /anna@mail\.example/);
      assert.ok(!page.url.href.includes(code) && !page.url.search.includes("posted"));
      assert.ok(!page.text.includes("Somebody Else"), "what nobody signed isn't believed");
      assert.ok(!log.join("").includes(code) && !log.join("").includes(state));
      assert.equal((await browser.visit(location)).status, 400, "once");
    });

    it("U1 in another browser it is worth nothing", async () => {
      const { browser, location } = await posted();
      assert.equal((await new UserAgent().visit(location)).status, 400);
      assertArrived(await browser.visit(location));
    });

    it("U2 without iss, though it is advertised, or with another, it is refused", async () => {
      for (const change of [
        (fields: URLSearchParams) => fields.delete("iss"),
        (fields: URLSearchParams) => fields.set("iss", "https://evil.example"),
      ]) {
        const { browser, location } = await posted(change);
        const page = await browser.visit(location);
        assert.equal(`${page.status} ${page.heading}`, "502 We couldn't use the answer of Upstream posting");
      }
    });

    it("U4 what was posted for one upstream isn't taken at another's callback", async () => {
      const { browser, location } = await posted();
      const page = await browser.visit(location.replace("/posting/", "/basic/"));
      assert.equal(page.status, 400);
      assertArrived(await browser.visit(location));
    });

    it("a minute later, or changed, it is too late", async () => {
      const { browser, location } = await posted();
      assert.equal((await browser.visit(`${location.slice(0, -3)}xxx`)).status, 400);
      liaison.clock.advance(61);
      const page = await browser.visit(location);
      assert.equal(page.status, 400);
      assert.match(page.text, /CustomerSource|portal/);
    });

    it("a cancelled sign-in goes back to where it began", async () => {
      const { browser, location } = await posted((fields) => {
        fields.delete("code");
        fields.set("error", "access_denied");
      });
      assert.match((await browser.visit(location)).url.search, /notice=cancelled/);
    });

    const url = () => `${liaison.issuer}/upstream/posting/callback`;
    const form = { "content-type": "application/x-www-form-urlencoded" };

    it("nonsense, doubles, other types and too much are answered by 4xx pages", async () => {
      const bodies: [body: string, headers: Record<string, string>][] = [
        ["", form],
        ["state=a&state=b&code=x", form],
        ["state[$gt]=&code=x", form],
        ['{"state":"a"}', { "content-type": "application/json" }],
        ["%%%", form],
      ];
      for (const [body, headers] of bodies) {
        const answer = await rawRequest(url(), { method: "POST", headers, body });
        assert.equal(answer.status, 303, body);
        const page = await new UserAgent().visit(String(answer.headers["location"]));
        assert.equal(page.status, 400, body);
      }
      const much = await rawRequest(url(), {
        method: "POST",
        headers: form,
        body: `code=${"x".repeat(9000)}`,
      });
      assert.equal(much.status, 413);
      const most = await rawRequest(url(), {
        method: "POST",
        headers: form,
        body: `code=${"x".repeat(8100)}`,
      });
      assert.equal(
        (await new UserAgent().visit(String(most.headers["location"]))).status,
        400,
        "the address isn't too long",
      );
    });

    it("only where it is configured; HEAD does nothing", async () => {
      for (const id of ["basic", "nobody"]) {
        const answer = await fetch(`${liaison.issuer}/upstream/${id}/callback`, {
          method: "POST",
          redirect: "manual",
        });
        assert.equal(answer.status, 404, id);
      }
      const { browser, location } = await posted();
      const head = await browser.once(location, { method: "HEAD" });
      assert.equal(head.status, 405);
      assertArrived(await browser.visit(location));
    });
  });
});
