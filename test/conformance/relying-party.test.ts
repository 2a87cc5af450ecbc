/**
 * What the OpenID Foundation's relying party plans (`oidcc-client-basic-certification-test-plan`,
 * `…-formpost-basic-…`, `…-config-…`) answer a client with: one test a module, named as there, with Liaison
 * as the client of an upstream that answers so. Those of logout don't apply: an upstream's sign-outs end
 * nothing here (docs/upstreams.md).
 */

import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { after, before, describe, it } from "node:test";
import {
  type LyingUpstreamFixture,
  type SentOff,
  startLyingUpstreamFixture,
} from "../support/lying-upstream-fixture.ts";
import {
  type Lies,
  type LyingUpstream,
  OWN_JWKS,
  PEER_CLIENT,
  startLyingUpstream,
} from "../support/upstream-peer.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const [rsaKey, ecKey] = OWN_JWKS;
const newKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const published = ({ publicKey }: KeyPairKeyObjectResult, kid: string) => ({
  ...publicKey.export({ format: "jwk" }),
  kid,
  use: "sig",
});

for (const mode of ["query", "form_post"] as const) {
  describe(`the Foundation's relying party plan, response_mode=${mode}`, { concurrency: 1 }, () => {
    let fixture: LyingUpstreamFixture;
    before(async () => {
      fixture = await startLyingUpstreamFixture(mode === "query" ? {} : { entry: { response_mode: mode } });
    });
    after(() => fixture?.close());

    /**
     * Comes back as the response mode has it: a post brings no cookie along, the redirect that answers it
     * does.
     */
    async function comeBack(
      sent: Pick<SentOff, "browser" | "request">,
      lies: Lies,
      parameters: Record<string, string | null> = {},
    ): Promise<Page> {
      if (mode === "query") return await fixture.comeBack(sent, lies, parameters);
      const callback = fixture.liar.callback(sent.request, parameters);
      fixture.liar.lies = lies;
      const body = callback.searchParams;
      const answer = await fetch(callback.origin + callback.pathname, {
        method: "POST",
        body,
        redirect: "manual",
      });
      assert.equal(answer.status, 303);
      const page = await sent.browser.visit(answer.headers.get("location") ?? "");
      fixture.liar.lies = {};
      return page;
    }

    let people = 0;

    /** A sign-in of somebody new, answered so. */
    async function signIn(lies: Lies, parameters: Record<string, string | null> = {}): Promise<Page> {
      const sent = await fixture.sendOff();
      // Keys may be fetched again because they don't fit.
      fixture.liaison.clock.advance(6);
      const sub = `person-${mode}-${++people}`;
      const whose = { claims: { sub, ...lies.claims }, userinfo: { sub, ...lies.userinfo } };
      return await comeBack(sent, { ...lies, ...whose }, parameters);
    }

    async function assertSignsIn(lies: Lies): Promise<Page> {
      const page = await signIn(lies);
      assert.match(page.heading, /email address registered/, `${page.status} ${page.text}`);
      return page;
    }

    const accounts = async () =>
      (await fixture.liaison.store.audit.list({ limit: 500 })).filter(
        ({ action }) => action === "account.created",
      ).length;

    async function assertRefused(lies: Lies, parameters?: Record<string, string | null>): Promise<void> {
      const before = await accounts();
      const page = await signIn(lies, parameters);
      assert.equal(`${page.status} ${page.heading}`, "502 We couldn't use the answer of Liar");
      assert.equal(await accounts(), before, "something was written");
      assert.ok(fixture.reasons.length > 0);
    }

    it("oidcc-client-test: code flow with state, nonce and PKCE", async () => {
      const { request } = await fixture.sendOff();
      const { searchParams: sent } = request;
      for (const name of ["state", "nonce", "code_challenge"])
        assert.ok((sent.get(name) ?? "").length >= 43, name);
      assert.deepEqual([sent.get("response_type"), sent.get("code_challenge_method")], ["code", "S256"]);
      assert.equal(sent.get("response_mode"), mode === "query" ? null : mode);
      assert.ok(sent.get("scope")?.split(" ").includes("openid"));
      await assertSignsIn({});
    });

    it("oidcc-client-test-client-secret-basic", async () => {
      await assertSignsIn({});
      assert.match(fixture.liar.authorizations.at(-1) ?? "", /^Basic /);
      assert.equal(fixture.liar.tokenRequests.at(-1)?.has("client_secret"), false);
    });

    it(
      "oidcc-client-test-scope-userinfo-claims, -userinfo-bearer-header: what the ID token lacks is " +
        "shown from UserInfo",
      async () => {
        const page = await assertSignsIn({ claims: { email: undefined, name: undefined } });
        assert.match(page.text, /info@mail\.example/);
      },
    );

    const accepted: [module: string, lies: Lies][] = [
      ["idtoken-sig-rs256", {}],
      ["kid-absent-single-jwks", { jwks: [rsaKey ?? {}] }],
      [
        "kid-absent-multiple-jwks",
        { jwks: [newKey(), newKey()].map((key, at) => published(key, `k${at}`)).concat(ownKey()) },
      ],
      ["aud as a list of one", { claims: { aud: [PEER_CLIENT.client_id] } }],
      [
        "an azp that is the client",
        { claims: { aud: [PEER_CLIENT.client_id, "other"], azp: PEER_CLIENT.client_id } },
      ],
      [
        "members that nobody knows",
        { claims: { c_hash: "x", "https://example.org/claim": {} }, token: { extra: [1] } },
      ],
    ];
    for (const [module, lies] of accepted) {
      it(`oidcc-client-test-${module}: signed in`, async () => void (await assertSignsIn(lies)));
    }

    const refused: [module: string, lies: Lies][] = [
      ["nonce-invalid", { claims: { nonce: "another" } }],
      ["nonce-invalid: none", { claims: { nonce: undefined } }],
      ["invalid-iss", { claims: { iss: "https://other.example" } }],
      ["invalid-iss: none", { claims: { iss: undefined } }],
      ["invalid-iss: with a slash more", { claims: { iss: "SLASH" } }],
      ["missing-sub", { claims: { sub: undefined } }],
      ["missing-sub: empty", { claims: { sub: "" } }],
      ["invalid-aud", { claims: { aud: "another-client" } }],
      [
        "invalid-aud: the client among others, without azp",
        { claims: { aud: [PEER_CLIENT.client_id, "other"] } },
      ],
      ["invalid-aud: azp another", { claims: { aud: [PEER_CLIENT.client_id, "other"], azp: "other" } }],
      ["missing-aud", { claims: { aud: undefined } }],
      ["missing-iat", { claims: { iat: undefined } }],
      ["missing exp", { claims: { exp: undefined } }],
      ["expired", { claims: { exp: 1_000_000_000 } }],
      ["invalid-sig-rs256", { sign: "other-key" }],
      ["invalid-sig-hs256", { sign: "hs256" }],
      ["invalid-sig-es256: by a published key of another type", { sign: "es256" }],
      ["idtoken-sig-none", { sign: "none" }],
      ["idtoken-sig-none, over a signature", { header: { alg: "none" } }],
      ["a kid that is published for nothing", { jwks: [{ ...ecKey, kid: "k" }], header: { kid: "other" } }],
      ["userinfo-invalid-sub", { claims: { email: undefined }, userinfo: { sub: "somebody-else" } }],
      ["no ID token", { token: { id_token: undefined } }],
      ["an encrypted one", { token: { id_token: "a.b.c.d.e" } }],
      ["one that is no JWT", { token: { id_token: "text" } }],
    ];
    for (const [module, lies] of refused) {
      it(`oidcc-client-test-${module}: a page, and nothing is written`, async () => {
        const iss = lies.claims?.["iss"] === "SLASH" ? { claims: { iss: `${fixture.liar.issuer}/` } } : {};
        await assertRefused({ ...lies, ...iss });
      });
    }

    it("an answer without iss, or with another's, isn't exchanged (RFC 9207)", async () => {
      const { length } = fixture.liar.tokenRequests;
      for (const iss of [null, "https://other.example"]) await assertRefused({}, { iss });
      assert.equal(fixture.liar.tokenRequests.length, length);
    });

    it("oidcc-client-test-signing-key-rotation, -just-before-signing: signed in by the new", async () => {
      for (const kid of ["first", "second", "second"]) {
        const key = newKey();
        await assertSignsIn({ key, jwks: [published(key, kid)], header: { kid } });
      }
      // One that is withdrawn is believed until the kept keys are old, and no longer.
      const old = newKey();
      const now = newKey();
      await assertSignsIn({ key: old, jwks: [published(old, "third")], header: { kid: "third" } });
      fixture.liaison.clock.advance(300);
      await assertRefused({ key: old, jwks: [published(now, "fourth")], header: { kid: "third" } });
    });

    it(
      "oidcc-formpost-error and its like: access_denied is a cancelled sign-in, with another try and a " +
        "way back",
      async () => {
        const denied = { code: null, error: "access_denied", error_description: "<b>no</b>" };
        const page = await signIn({}, denied);
        assert.match(page.text, /You are not signed in yet/, `${page.status} ${page.text}`);
        assert.ok(!page.body.includes("<b>no</b>"));
      },
    );
  });
}

function ownKey(): { kid: string; use: string } {
  return { ...rsaKey, kid: "own", use: "sig" };
}

describe("the Foundation's relying party plan, configuration", { concurrency: 1 }, () => {
  let fixture: LyingUpstreamFixture;
  let other: LyingUpstream;
  before(async () => {
    other = await startLyingUpstream();
    fixture = await startLyingUpstreamFixture({
      config: (base) => {
        const [liar] = base["upstreams"] as object[];
        const entry = { id: "other", name: "Other", issuer: other.issuer, ...PEER_CLIENT };
        return { ...base, upstreams: [liar, entry] };
      },
    });
  });
  after(async () => {
    await fixture?.close();
    await other?.close();
  });

  async function atOther(): Promise<Page> {
    const { url } = await fixture.liaison.customerSource.start({ upstream: "other" });
    return await new UserAgent({ stopAt: ({ origin }) => origin === other.issuer }).visit(url);
  }

  it("oidcc-client-test-discovery-issuer-mismatch: nobody is sent there, the log names both", async () => {
    for (const issuer of ["https://evil.example", `${other.issuer}/`, undefined]) {
      other.lies = { metadata: { issuer } };
      const page = await atOther();
      assert.ok(page.status >= 500, `${page.status} ${page.url}`);
      assert.ok(page.url.href.startsWith(fixture.liaison.issuer));
      fixture.liaison.clock.advance(10);
    }
    assert.ok(
      fixture.reasons.some((reason) => reason.includes("evil.example") && reason.includes(other.issuer)),
    );
    assert.deepEqual(
      other.requests.filter((path) => path !== "/.well-known/openid-configuration"),
      [],
    );
  });

  it("oidcc-client-test-discovery-openid-config, -jwks-uri-keys: endpoints are the document's", async () => {
    other.lies = { metadata: { authorization_endpoint: `${other.issuer}/elsewhere/authorize` } };
    const page = await atOther();
    assert.equal(page.url.origin + page.url.pathname, `${other.issuer}/elsewhere/authorize`);
    assert.equal(
      page.url.searchParams.get("redirect_uri"),
      `${fixture.liaison.issuer}/upstream/other/callback`,
    );
  });
});
