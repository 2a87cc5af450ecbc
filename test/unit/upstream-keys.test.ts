/**
 * The keys that upstreams sign with: which fit, when they are fetched again, and where they may come from.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { describe, it } from "node:test";
import type { Upstreams } from "../../src/upstream/upstreams.ts";
import { refusal, useUpstreams } from "../support/upstream-fixture.ts";
import { OWN_JWKS } from "../support/upstream-peer.ts";

const fixture = useUpstreams();
const newKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const [first, second, third] = [newKey(), newKey(), newKey()];
const published = ({ publicKey }: KeyPairKeyObjectResult, members: object = {}) => ({
  ...publicKey.export({ format: "jwk" }),
  ...members,
});

/** The liar signs by one key and publishes these. */
function signBy(
  key: KeyPairKeyObjectResult,
  jwks: readonly object[],
  header: Record<string, unknown> = {},
): void {
  fixture.liar.lies = { key, jwks, header };
}

const fetches = () => fixture.liar.requests.filter((path) => path === "/jwks").length;

async function assertSignsIn(parties: Upstreams): Promise<void> {
  const exchanged = fixture.liar.tokenRequests.length;
  assert.equal((await fixture.signIn(parties)).identity.subject, "person-1");
  assert.equal(fixture.liar.tokenRequests.length, exchanged + 1, "the code is exchanged once");
}

async function assertRefused(parties: Upstreams): Promise<void> {
  const exchanged = fixture.liar.tokenRequests.length;
  await assert.rejects(fixture.signIn(parties), refusal("upstream_rejected"));
  assert.equal(fixture.liar.tokenRequests.length, exchanged + 1, "the code is exchanged once");
}

describe("keys that change without notice", () => {
  it("another key under the same kid is fetched at once, once for all who wait", async () => {
    // The liar knows one nonce at a time.
    const parties = fixture.theLiar({ quirks: ["no_nonce"] });
    signBy(first, [published(first, { kid: "k" })], { kid: "k" });
    fixture.liar.lies.claims = { nonce: undefined };
    await assertSignsIn(parties);
    signBy(second, [published(second, { kid: "k" })], { kid: "k" });
    fixture.liar.lies.claims = { nonce: undefined };
    await Promise.all(Array.from({ length: 5 }, () => fixture.signIn(parties)));
    assert.equal(fetches(), 2);
    assert.equal(fixture.liar.tokenRequests.length, 6);
    await assertSignsIn(parties);
    assert.equal(fetches(), 2, "the new ones are kept");
  });

  it("so are one under a new kid, and one without any, beside the old or instead of it", async () => {
    for (const members of [{ kid: "new" }, {}]) {
      for (const beside of [[], [published(first, { kid: "old" })]]) {
        const parties = fixture.theLiar();
        signBy(first, [published(first, { kid: "old" })], { kid: "old" });
        await assertSignsIn(parties);
        signBy(second, [...beside, published(second, members)], members);
        await assertSignsIn(parties);
      }
    }
  });

  it(
    "keys that don't fit are asked for again once in five seconds at most, however many tokens they " +
      "don't fit",
    async () => {
      const parties = fixture.theLiar();
      signBy(first, [published(first)]);
      await assertSignsIn(parties);
      signBy(second, [published(first)]);
      for (let time = 0; time < 4; time += 1) await assertRefused(parties);
      assert.equal(fetches(), 2);
      fixture.now += 4_999;
      await assertRefused(parties);
      assert.equal(fetches(), 2);
      fixture.now += 1;
      await assertRefused(parties);
      assert.equal(fetches(), 3);
      signBy(third, [published(third)]);
      await assertRefused(parties);
      fixture.now += 5_000;
      await assertSignsIn(parties);
    },
  );

  it("each upstream has its own turn: one whose keys never fit costs another nothing", async () => {
    const [one, other] = [fixture.theLiar(), fixture.theLiar()];
    signBy(first, [published(first)]);
    await assertSignsIn(other);
    signBy(second, [published(first)]);
    await assertRefused(one);
    signBy(second, [published(second)]);
    await assertSignsIn(other);
  });

  it("a clock that was set back doesn't keep old keys", async () => {
    const parties = fixture.theLiar();
    signBy(second, [published(first)]);
    await assertRefused(parties);
    fixture.now -= 3600_000;
    signBy(second, [published(second)]);
    await assertSignsIn(parties);
  });

  it("keys are kept for five minutes, and a key that is withdrawn is believed no longer", async () => {
    const parties = fixture.theLiar();
    signBy(first, [published(first)]);
    await assertSignsIn(parties);
    signBy(first, [published(second)]);
    fixture.now += 299_999;
    await assertSignsIn(parties);
    assert.equal(fetches(), 1);
    fixture.now += 1;
    await assertRefused(parties);
  });

  it("an upstream whose keys can't be had again is out of reach, and back when they can", async () => {
    const parties = fixture.theLiar();
    signBy(first, [published(first)]);
    await assertSignsIn(parties);
    signBy(second, [published(second)]);
    fixture.liar.lies.answer = { "/jwks": (response) => void response.writeHead(500).end() };
    await assert.rejects(fixture.signIn(parties), refusal("upstream_unavailable"));
    signBy(second, [published(second)]);
    fixture.now += 5_000;
    await assertSignsIn(parties);
  });
});

describe("keys among others", () => {
  const enc = published(second, { kid: "k", use: "enc", alg: "RSA-OAEP" });
  const sets: [why: string, jwks: readonly object[], header: Record<string, unknown>][] = [
    [
      "of types that nobody knows",
      [{ kty: "AKP", kid: "pq", alg: "ML-DSA-44", pub: "AAAA" }, { kty: 7 }, {}],
      {},
    ],
    ["for encryption, under the same kid", [enc], { kid: "k" }],
    ["of another algorithm", [published(second, { alg: "PS256" }), published(third, { alg: "RS512" })], {}],
    ["that sign nothing", [published(second, { key_ops: ["encrypt"] })], {}],
    ["of another curve", OWN_JWKS.slice(1), {}],
    [
      "that are broken",
      [{ kty: "RSA" }, { kty: "RSA", n: "AQAB", e: "AQAB" }, { kty: "RSA", n: 7, e: [] }],
      {},
    ],
    [
      "of the same kind under the same kid",
      [published(second, { kid: "k" }), published(third, { kid: "k" })],
      { kid: "k" },
    ],
    ["without any kid", [published(second), published(third)], {}],
  ];
  for (const [why, others, header] of sets) {
    it(`the one that fits is found among those ${why}`, async () => {
      const fitting = published(first, { ...header, use: null, alg: null, x5c: ["MIIB\nAAAA="] });
      for (const jwks of [
        [...others, fitting],
        [fitting, ...others],
      ]) {
        signBy(first, jwks, header);
        await assertSignsIn(fixture.theLiar());
      }
    });
  }

  it("sixteen are tried, and no more", async () => {
    const fillers = Array.from({ length: 16 }, (_, index) => published(second, { kid: `k${index}` }));
    signBy(first, [...fillers.slice(1), published(first)]);
    await assertSignsIn(fixture.theLiar());
    signBy(first, [...fillers, published(first)]);
    await assertRefused(fixture.theLiar());
    const encrypting = fillers.map((key) => ({ ...key, use: "enc" }));
    signBy(first, [...encrypting, ...encrypting, published(first)]);
    await assertSignsIn(fixture.theLiar());
  });

  it("a key set in any type of text is read; what is none is the upstream's trouble", async () => {
    const text = JSON.stringify({ keys: OWN_JWKS });
    for (const type of ["text/plain", "text/html", "application/jwk-set+json"]) {
      fixture.liar.lies.answer = {
        "/jwks": (response) => void response.writeHead(200, { "content-type": type }).end(text),
      };
      await assertSignsIn(fixture.theLiar());
    }
    for (const body of ["", "[]", "{}", '{"keys":{}}', "<h1>Hello"]) {
      fixture.liar.lies.answer = { "/jwks": (response) => void response.writeHead(200).end(body) };
      await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_unavailable"), body);
    }
  });
});

describe("U5 keys of the token's own", () => {
  it("U5 neither jwk nor jku, x5u or x5c of a token's header is read or fetched", async () => {
    const base = fixture.liar.issuer;
    const own = published(second);
    for (const header of [
      { jwk: own },
      { jku: `${base}/own-keys` },
      { x5u: `${base}/own-keys` },
      { x5c: ["MIIB"] },
      { jwk: own, jku: `${base}/own-keys`, kid: "own" },
    ]) {
      signBy(second, [published(first)], header);
      fixture.liar.lies.answer = {
        "/own-keys": (response) => void response.writeHead(200).end(JSON.stringify({ keys: [own] })),
      };
      await assertRefused(fixture.theLiar());
      assert.equal(fixture.liar.requests.includes("/own-keys"), false);
    }
  });

  it("U5 a kid that is published for another key verifies nothing", async () => {
    signBy(second, [published(first, { kid: "k" }), published(second, { kid: "other" })], { kid: "k" });
    await assertRefused(fixture.theLiar());
  });
});
