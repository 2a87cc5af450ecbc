/** UserInfo that can't be had, or isn't what it says: U7, U17. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { refusal, upstream, useUpstreams } from "../support/upstream-fixture.ts";
import { makeJwt, OWN_JWKS, PEER_CLIENT } from "../support/upstream-peer.ts";

const fixture = useUpstreams();
const KEY = generateKeyPairSync("rsa", { modulusLength: 2048 });
const JSON_TYPE = { "content-type": "application/json" };
const JWT_TYPE = { "content-type": "application/jwt" };
const person = { sub: "person-1", email: "info@mail.example" };

/** Has the liar's ID token lack an address, and its UserInfo be answered like this. */
function lie(answer: (response: ServerResponse) => void): void {
  fixture.liar.lies = { claims: { email: undefined }, answer: { "/userinfo": answer } };
}

/** Signs in, and returns the address that is shown. */
async function addressShown(): Promise<string | null> {
  return (await fixture.signIn(fixture.theLiar())).identity.email;
}

const reasons = () => fixture.log.map(({ fields }) => (fields as { reason?: string }).reason ?? "");

describe("U17 what is only shown", () => {
  const body = (text: string, type: Record<string, string> = JSON_TYPE) => {
    return (response: ServerResponse) => void response.writeHead(200, type).end(text);
  };
  const status = (code: number) => (response: ServerResponse) =>
    void response.writeHead(code, JSON_TYPE).end("{}");
  const challenge = { ...JSON_TYPE, "www-authenticate": 'Bearer error="invalid_token"' };
  const troubles: [why: string, answer: (response: ServerResponse) => void, reason: RegExp][] = [
    ["401", status(401), /\/userinfo answered 401/],
    ["401 with a challenge", (response) => void response.writeHead(401, challenge).end(), /answered 401/],
    ["403", status(403), /\/userinfo answered 403/],
    ["404", status(404), /\/userinfo answered 404/],
    ["429", status(429), /\/userinfo answered 429/],
    ["500", status(500), /\/userinfo answered 500/],
    ["204, nothing", (response) => void response.writeHead(204).end(), /\/userinfo answered 204/],
    ["200 and nothing", body(""), /\/userinfo answered 200 with no JSON object/],
    ["a web page", body("<h1>Hello</h1>", { "content-type": "text/html" }), /200 with no JSON object/],
    ["a list", body("[]"), /200 with no JSON object/],
    ["no sub", body('{"email":"x@mail.example"}'), /200 without a sub/],
    ["a sub of another type", body('{"sub":7,"email":"x@mail.example"}'), /200 without a sub/],
    ["what is no token, as one", body("a.b.c", JWT_TYPE), /no token|signed token/],
    ["an encrypted token", body("a.b.c.d.e", JWT_TYPE), /encrypted/],
    [
      "a redirect",
      (response) => void response.writeHead(307, { location: "http://127.0.0.1:1/" }).end(),
      /307/,
    ],
    ["a hang-up", (response) => void response.destroy(), /\/userinfo: /],
    ["silence", () => {}, /\/userinfo: .*(abort|timeout)/i],
    [
      "silence half-way",
      (response) => void response.writeHead(200, JSON_TYPE).write('{"sub":'),
      /\/userinfo: /,
    ],
    ["10 MB", body(`"${"x".repeat(10_000_000)}"`), /longer than/],
  ];
  for (const [why, answer, reason] of troubles) {
    it(`U17 UserInfo answers ${why}: the sign-in goes on without, and one line says why`, async () => {
      lie(answer);
      assert.equal(await addressShown(), null);
      const told = reasons().filter((text) => text !== "");
      assert.equal(told.length, 1, told.join("\n"));
      assert.match(told[0] ?? "", reason);
      assert.equal(JSON.stringify(fixture.log).includes("x@mail.example"), false);
    });
  }

  it("U17 an address of another type than text isn't shown, and what the ID token has is", async () => {
    lie(body(JSON.stringify({ ...person, email: { $gt: "" }, name: "Somebody Else" })));
    const { identity } = await fixture.signIn(fixture.theLiar());
    assert.deepEqual([identity.email, identity.displayName], [null, "A Person"]);
  });

  it("U17 JSON is read whatever it is called", async () => {
    for (const type of ["text/html", "application/jwt", "application/json; charset=utf-8"]) {
      lie(body(JSON.stringify(person), { "content-type": type }));
      assert.equal(await addressShown(), person.email, type);
    }
    assert.deepEqual(
      reasons().filter((text) => text !== ""),
      [],
    );
  });

  it("U7 UserInfo about another sub ends the sign-in", async () => {
    for (const sub of ["person-2", "Person-1", "person-1 ", ""]) {
      lie(body(JSON.stringify({ ...person, sub })));
      await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_rejected"), sub);
    }
  });

  it("an endpoint that no request can go to ends no sign-in", async () => {
    fixture.liar.lies = { claims: { email: undefined } };
    for (const userinfo_endpoint of ["http://198.51.100.7/userinfo", "javascript:alert(1)", "nowhere"]) {
      fixture.liar.lies.metadata = { userinfo_endpoint };
      assert.equal(await addressShown(), null, userinfo_endpoint);
    }
  });
});

describe("signed UserInfo", () => {
  const jwks = () => [...OWN_JWKS, { ...KEY.publicKey.export({ format: "jwk" }), kid: "info", alg: "RS256" }];
  const signed = (claims: object, header = { kid: "info" }, key = KEY) => makeJwt({ header }, claims, key);
  const answerWith = (token: string) => {
    lie((response) => void response.writeHead(200, JWT_TYPE).end(token));
    fixture.liar.lies.jwks = jwks();
  };

  it("is taken where a key of the upstream's verifies it", async () => {
    answerWith(signed({ ...person, iss: fixture.liar.issuer, aud: PEER_CLIENT.client_id }));
    assert.equal(await addressShown(), person.email);
    answerWith(signed(person));
    assert.equal(await addressShown(), person.email);
  });

  it("U17 goes unused where none does, or where it is for others", async () => {
    const others = generateKeyPairSync("rsa", { modulusLength: 2048 });
    for (const token of [
      signed(person, { kid: "info" }, others),
      makeJwt({ sign: "none" }, person, KEY),
      makeJwt({ sign: "hs256" }, person, KEY),
      signed({ ...person, aud: "another-client" }),
      signed({ ...person, iss: "https://evil.example" }),
    ]) {
      answerWith(token);
      assert.equal(await addressShown(), null);
    }
  });

  it("U7 ends the sign-in where it is about another sub", async () => {
    answerWith(signed({ ...person, sub: "person-2" }));
    await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_rejected"));
  });
});

describe("UserInfo isn't asked", () => {
  it("where the ID token has all, or the upstream has no such endpoint", async () => {
    await fixture.signIn(fixture.theLiar());
    fixture.liar.lies = { claims: { email: undefined }, metadata: { userinfo_endpoint: undefined } };
    assert.equal(await addressShown(), null);
    assert.equal(fixture.liar.requests.includes("/userinfo"), false);
  });

  it("again while it hangs: after three silences it is left alone, sign-ins are quick again", async () => {
    lie(() => {});
    const parties = fixture.relyingParty([upstream("liar", fixture.liar.issuer)]);
    for (let time = 0; time < 5; time += 1) await fixture.signIn(parties);
    assert.equal(fixture.liar.requests.filter((path) => path === "/userinfo").length, 3);
  });
});
