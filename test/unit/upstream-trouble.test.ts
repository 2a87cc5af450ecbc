import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { LiaisonError } from "../../src/errors.ts";
import { refusal, upstream, useUpstreams } from "../support/upstream-fixture.ts";

const JSON_TYPE = { "content-type": "application/json" };

const fixture = useUpstreams();

describe("discovery", () => {
  const discoveries = () => fixture.liar.requests.filter((path) => path.startsWith("/.well-known/")).length;
  const DAY_MS = 24 * 3600_000;

  it("happens at the first sign-in, once for all who wait, and again after a day", async () => {
    const parties = fixture.theLiar();
    assert.equal(discoveries(), 0);
    assert.deepEqual(parties.origins(), [fixture.liar.issuer]);
    fixture.liar.lies.metadata = { authorization_endpoint: "https://sign-in.example/authorize?tenant=1" };
    const begun = await Promise.all([fixture.begin(parties), fixture.begin(parties), fixture.begin(parties)]);
    assert.equal(discoveries(), 1);
    assert.equal(begun[0].url.searchParams.get("tenant"), "1");
    assert.deepEqual(parties.origins(), ["https://sign-in.example"]);
    fixture.now += DAY_MS - 1;
    await fixture.begin(parties);
    assert.equal(discoveries(), 1);
    fixture.now += 1;
    await fixture.begin(parties);
    assert.equal(discoveries(), 2);
    assert.deepEqual(
      parties.list().map(({ id }) => id),
      ["liar"],
    );
  });

  it("U8 another issuer in the document is refused, also with a slash more", async () => {
    for (const issuer of ["https://evil.example", `${fixture.liar.issuer}/`]) {
      fixture.liar.lies.metadata = { issuer };
      await assert.rejects(fixture.begin(fixture.theLiar()), refusal("upstream_unavailable"));
    }
  });

  it("U8 old metadata is kept when the new names another issuer, or can't be had", async () => {
    const parties = fixture.theLiar();
    await fixture.begin(parties);
    fixture.now += DAY_MS;
    const evil = "https://evil.example";
    fixture.liar.lies.metadata = {
      issuer: evil,
      authorization_endpoint: `${evil}/authorize`,
      token_endpoint: `${evil}/token`,
    };
    const { url } = await fixture.begin(parties);
    assert.equal(url.origin, fixture.liar.issuer);
    assert.deepEqual(parties.origins(), [fixture.liar.issuer]);
    assert.match(JSON.stringify(fixture.log), /kept the upstream's old metadata/);
    await fixture.begin(parties);
    assert.equal(discoveries(), 2);
    fixture.now += 3_000;
    fixture.liar.lies.answer = {
      "/.well-known/openid-configuration": (response) => void response.writeHead(500).end(),
    };
    assert.equal((await fixture.begin(parties)).url.origin, fixture.liar.issuer);
    assert.equal(discoveries(), 3);
  });

  const documents: [why: string, metadata: Record<string, unknown>][] = [
    ["no authorization endpoint", { authorization_endpoint: undefined }],
    ["an authorization endpoint that is a script", { authorization_endpoint: "javascript:alert(1)" }],
    ["plain http elsewhere", { token_endpoint: "http://198.51.100.7/token" }],
    ["no keys", { jwks_uri: undefined }],
    ["algorithms that are no list", { id_token_signing_alg_values_supported: 7 }],
    [
      "algorithms of which none is allowed",
      { id_token_signing_alg_values_supported: ["HS256", "none", "PS256"] },
    ],
  ];
  for (const [why, metadata] of documents) {
    it(`U8 a document with ${why} is refused`, async () => {
      fixture.liar.lies.metadata = metadata;
      await assert.rejects(fixture.begin(fixture.theLiar()), refusal("upstream_unavailable"));
    });
  }

  it("plain http is spoken to this machine alone", async () => {
    const fetch = () => assert.fail("a request was sent");
    const remote = upstream("liar", fixture.liar.issuer, { issuer: "http://idp.internal.example" });
    const parties = fixture.relyingParty([remote], { fetch });
    await assert.rejects(fixture.begin(parties), refusal("upstream_unavailable"));
  });
});

describe("U14 an upstream in trouble", () => {
  const where = "/.well-known/openid-configuration";

  it("U14 down, remembered for three seconds, then up again without a restart", async () => {
    fixture.liar.lies.answer = { [where]: (response) => void response.writeHead(500).end() };
    const parties = fixture.theLiar();
    for (let time = 0; time < 3; time += 1)
      await assert.rejects(fixture.begin(parties), refusal("upstream_unavailable"));
    assert.equal(fixture.liar.requests.length, 1);
    fixture.liar.lies.answer = {};
    fixture.now += 2_999;
    await assert.rejects(fixture.begin(parties), refusal("upstream_unavailable"));
    fixture.now += 1;
    await fixture.begin(parties);
  });

  it("U14 nobody listens", async () => {
    await fixture.liar.close();
    const error = await fixture.begin(fixture.theLiar()).catch((thrown) => thrown);
    refusal("upstream_unavailable")(error);
    assert.equal(error.upstreamId, "liar");
    assert.match(String(error.cause), /ECONNREFUSED/);
  });

  it("U14 no redirect is followed, inward or elsewhere", async (t) => {
    let reached = 0;
    const inside = createServer((_, response) => {
      reached += 1;
      response.end("{}");
    });
    await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
    t.after(() => inside.close());
    const address = inside.address();
    const port = typeof address === "object" ? address?.port : 0;
    const redirect = { location: `http://127.0.0.1:${port}/latest/meta-data/` };
    for (const path of [where, "/token", "/jwks"]) {
      fixture.liar.lies = {
        claims: { email: undefined },
        answer: { [path]: (response) => void response.writeHead(307, redirect).end() },
      };
      await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_unavailable"));
    }
    assert.equal(reached, 0);
  });

  for (const path of [where, "/token", "/jwks"]) {
    const troubles: [why: string, answer: (response: ServerResponse) => void][] = [
      ["hangs", () => {}],
      [
        "hangs in the middle of its answer",
        (response) => void response.writeHead(200, JSON_TYPE).write('{"a":'),
      ],
      ["answers 500", (response) => void response.writeHead(500, JSON_TYPE).end('{"error":"invalid_grant"}')],
      ["answers 429", (response) => void response.writeHead(429).end()],
      ["hangs up", (response) => void response.destroy()],
      [
        "sends 10 MB",
        (response) => void response.writeHead(200, JSON_TYPE).end(`"${"x".repeat(10_000_000)}"`),
      ],
    ];
    for (const [why, answer] of troubles) {
      it(`U14 ${path} ${why}: unavailable, soon`, async () => {
        fixture.liar.lies = { claims: { email: undefined }, answer: { [path]: answer } };
        const begun = Date.now();
        await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_unavailable"));
        assert.ok(Date.now() - begun < 3_000);
      });
    }

    it(`U14 ${path} answers with a web page: refused`, async () => {
      const page = { "content-type": "text/html" };
      const answer = {
        [path]: (r: ServerResponse) => void r.writeHead(200, page).end("<h1>Hello"),
      };
      fixture.liar.lies = { claims: { email: undefined }, answer };
      await assert.rejects(fixture.signIn(fixture.theLiar()), LiaisonError);
    });
  }
});
