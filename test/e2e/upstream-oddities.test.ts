/**
 * What real upstreams do that the standards don't say, at sign-ins and at mailed links, through the whole
 * application: U5, U17.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type LyingUpstreamFixture, startLyingUpstreamFixture } from "../support/lying-upstream-fixture.ts";
import type { Lies } from "../support/upstream-peer.ts";
import type { Page } from "../support/user-agent.ts";

describe("an odd upstream", () => {
  let fixture: LyingUpstreamFixture;
  let people = 0;
  before(async () => {
    fixture = await startLyingUpstreamFixture();
    await fixture.linked("ann");
  });
  after(() => fixture.close());

  const newKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
  const published = ({ publicKey }: KeyPairKeyObjectResult, members: object) => ({
    ...publicKey.export({ format: "jwk" }),
    ...members,
  });

  /** Until its keys may be fetched again because they don't fit. */
  const later = () => fixture.liaison.clock.advance(6);

  async function signIn(lies: Lies): Promise<Page> {
    const sent = await fixture.sendOff();
    later();
    return await fixture.comeBack(sent, { ...lies, claims: { sub: "ann", ...lies.claims } });
  }

  async function redeem(lies: Lies): Promise<Page> {
    people += 1;
    const sub = `person-${people}`;
    // By its own keys.
    later();
    const sent = await fixture.redeem(await fixture.linkFor(sub));
    later();
    return await fixture.comeBack(sent, { ...lies, claims: { sub, ...lies.claims } });
  }

  async function assertWorks(lies: Lies): Promise<void> {
    const page = await signIn(lies);
    assert.equal(page.url.searchParams.has("code"), true, `${page.status} ${page.text}`);
    assert.equal((await redeem(lies)).heading, "Your account is linked");
  }

  async function assertRefused(lies: Lies): Promise<void> {
    const unacceptable = "502 We couldn't use the answer of Liar";
    for (const page of [await signIn(lies), await redeem(lies)]) {
      assert.equal(`${page.status} ${page.heading}`, unacceptable);
    }
  }

  const taken: [why: string, lies: Lies][] = [
    ["scope as a list", { token: { scope: ["openid"] } }],
    ["refresh_token as null", { token: { refresh_token: null } }],
    ["no token_type, and no access token", { token: { token_type: undefined, access_token: undefined } }],
    [
      "a project beside the client in aud, azp the client",
      { claims: { aud: ["liaison", "project-7"], azp: "liaison" } },
    ],
    [
      "UserInfo refused",
      { claims: { email: undefined }, answer: { "/userinfo": (r) => void r.writeHead(401).end() } },
    ],
    ["UserInfo of nobody", { claims: { email: undefined }, userinfo: { sub: undefined } }],
  ];
  for (const [why, lies] of taken) it(`${why}: signs in and links`, () => assertWorks(lies));

  it(
    "U5 another key under the same kid, without notice: signs in and links at once, and again with the " +
      "next",
    async () => {
      const keys = [newKey(), newKey(), newKey()];
      for (const key of keys)
        await assertWorks({ key, jwks: [published(key, { kid: "k" })], header: { kid: "k" } });
    },
  );

  it(
    "U5 a key for another use first, one of a type that nobody knows, and text for a type: the one that " +
      "fits is found",
    async () => {
      const [key, other] = [newKey(), newKey()];
      const jwks = [
        { kty: "AKP", kid: "pq", alg: "ML-DSA-44", pub: "AAAA" },
        published(other, { kid: "k", use: "enc", alg: "RSA-OAEP" }),
        published(key, { kid: "k", x5c: ["MIIB\nAAAA="] }),
      ];
      await assertWorks({
        key,
        header: { kid: "k" },
        answer: {
          "/jwks": (response) => {
            response.writeHead(200, { "content-type": "text/plain" }).end(JSON.stringify({ keys: jwks }));
          },
        },
      });
    },
  );

  it("U5 a key that the token brings along, or that nobody published: no sign-in and no link", async () => {
    const [key, other] = [newKey(), newKey()];
    for (const header of [
      { jwk: published(key, {}) },
      { jku: `${fixture.liar.issuer}/jwks` },
      { kid: "k" },
    ]) {
      await assertRefused({ key, jwks: [published(other, { kid: "k" })], header });
    }
  });

  it("U5 aud with others and no azp: no sign-in and no link", async () => {
    await assertRefused({ claims: { aud: ["liaison", "project-7"] } });
  });
});
