/** How Liaison authenticates at an upstream's token endpoint, and what the log says where that refuses it. */

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import type { UpstreamConfig } from "../../src/config/schema.ts";
import type { LiaisonError } from "../../src/errors.ts";
import type { UpstreamSignInError } from "../../src/upstream/failures.ts";
import { ISSUER, refusal, useUpstreams } from "../support/upstream-fixture.ts";
import { PEER_CLIENT } from "../support/upstream-peer.ts";

const fixture = useUpstreams();

describe("client_secret_basic", () => {
  const credentials = () => {
    const [, encoded = ""] = /^Basic (\S+)$/.exec(fixture.liar.authorizations.at(-1) ?? "") ?? [];
    return Buffer.from(encoded, "base64").toString();
  };

  it("leaves what forms leave, for servers that decode nothing", async () => {
    const change = { client_id: "a-client_of.ours*", client_secret: "A-secret_of.letters*09" };
    fixture.liar.lies.claims = { aud: change.client_id };
    await fixture.signIn(fixture.theLiar(change));
    assert.equal(credentials(), "a-client_of.ours*:A-secret_of.letters*09");
  });

  it("encodes everything else, so that servers that decode read it back", async () => {
    const change = { client_id: "https://a.example/?b", client_secret: "a b+c:d%e&f=g~h!i'(j)é\u{1f511}" };
    fixture.liar.lies.claims = { aud: change.client_id };
    await fixture.signIn(fixture.theLiar(change));
    const [id, secret, ...rest] = credentials().split(":");
    assert.deepEqual(rest, []);
    const decoded = [id, secret].map((part) => decodeURIComponent((part ?? "").replaceAll("+", " ")));
    assert.deepEqual(decoded, [change.client_id, change.client_secret]);
    assert.match(credentials(), /^[\w.*%+:-]+$/);
  });

  it("goes with no secret in the body, and the other way round", async () => {
    await fixture.signIn(fixture.theLiar());
    assert.equal(fixture.liar.tokenRequests.at(-1)?.has("client_secret"), false);
    await fixture.signIn(fixture.theLiar({ token_endpoint_auth_method: "client_secret_post" }));
    assert.equal(fixture.liar.authorizations.at(-1), undefined);
    assert.equal(fixture.liar.tokenRequests.at(-1)?.get("client_secret"), PEER_CLIENT.client_secret);
  });
});

describe("what the log says of a refusal", () => {
  const JSON_TYPE = { "content-type": "application/json" };
  const answers = (status: number, body: string, headers: Record<string, string> = JSON_TYPE) => {
    return (response: ServerResponse) => void response.writeHead(status, headers).end(body);
  };

  async function reasonFor(answer: (response: ServerResponse) => void, change: Partial<UpstreamConfig> = {}) {
    fixture.liar.lies = { answer: { "/token": answer } };
    const error: unknown = await fixture.signIn(fixture.theLiar(change)).catch((thrown: unknown) => thrown);
    refusal("upstream_rejected")(error);
    assert.equal((error as UpstreamSignInError).upstreamId, "liar");
    return String(((error as LiaisonError).cause as Error).message);
  }

  const invalidClient = answers(401, '{"error":"invalid_client","error_description":"bad\\nsecret"}');

  it("names the endpoint, the status, the upstream's error and its words", async () => {
    const reason = await reasonFor(invalidClient);
    assert.ok(
      reason.startsWith(`${fixture.liar.issuer}/token answered 401 invalid_client (bad secret): `),
      reason,
    );
  });

  const methods: [method: UpstreamConfig["token_endpoint_auth_method"], advice: RegExp][] = [
    [
      "client_secret_basic",
      /sent by client_secret_basic.* set token_endpoint_auth_method to client_secret_post/,
    ],
    [
      "client_secret_post",
      /sent by client_secret_post.* set token_endpoint_auth_method to client_secret_basic/,
    ],
    [null, /sent by client_secret_basic/],
    ["private_key_jwt", /fetch our keys from \/upstream\/jwks/],
  ];
  for (const [method, advice] of methods) {
    it(`says what to try where the client isn't known, for ${method ?? "what discovery says"}`, async () => {
      assert.match(await reasonFor(invalidClient, { token_endpoint_auth_method: method }), advice);
    });
  }

  const refusals: [why: string, answer: (response: ServerResponse) => void, reason: RegExp][] = [
    [
      "with a challenge",
      answers(401, '{"error":"invalid_client"}', { "www-authenticate": "Basic realm=x" }),
      /401 invalid_client: check/,
    ],
    [
      "with an error in the challenge alone",
      answers(400, "", { "www-authenticate": 'Bearer error="invalid_client"' }),
      /400 invalid_client/,
    ],
    ["without a word", answers(401, ""), /401 without an error code: check client_id/],
    [
      "by a web page",
      answers(403, "<h1>Forbidden</h1>", { "content-type": "text/html" }),
      /403 without an error code: see/,
    ],
    [
      "of the code",
      answers(400, '{"error":"invalid_grant"}'),
      new RegExp(`invalid_grant: .* exactly ${ISSUER}/upstream/liar/callback`),
    ],
    [
      "of the flow",
      answers(400, '{"error":"unauthorized_client"}'),
      /allow this client the authorization code flow/,
    ],
    ["of a scope", answers(400, '{"error":"invalid_scope"}'), /check scope/],
    ["of a parameter", answers(400, '{"error":"invalid_request"}'), /quirks in docs\/upstreams\.md/],
    [
      "with a status of success",
      answers(200, '{"error":"bad_verification_code"}'),
      /200 bad_verification_code/,
    ],
    [
      "by a name of Object.prototype",
      answers(400, '{"error":"constructor"}'),
      /400 constructor: see its own log$/,
    ],
    [
      "by nothing that can be read",
      answers(200, "access_token=x&id_token=y"),
      /\/token answered 200 with no JSON object/,
    ],
  ];
  for (const [why, answer, reason] of refusals) {
    it(`names what is refused ${why}`, async () => {
      assert.match(await reasonFor(answer), reason);
    });
  }

  it("names the error of the authorization endpoint, and what to try", async () => {
    for (const [error, advice] of [
      ["invalid_scope", /authorization endpoint answered invalid_scope \(no such scope\): check scope/],
      ["unauthorized_client", /answered unauthorized_client \(no such scope\): allow this client/],
      ["toString", /answered toString \(no such scope\)$/],
    ] as const) {
      const thrown: unknown = await fixture
        .signIn(fixture.theLiar(), {}, { code: null, error, error_description: "no such scope" })
        .catch((caught: unknown) => caught);
      refusal("upstream_rejected")(thrown);
      assert.match(String(((thrown as LiaisonError).cause as Error).message), advice);
    }
  });

  it("of a discovery document names both issuers", async () => {
    for (const issuer of ["https://other.example", `${fixture.liar.issuer}/`]) {
      fixture.liar.lies.metadata = { issuer };
      const thrown: unknown = await fixture.begin(fixture.theLiar()).catch((caught: unknown) => caught);
      refusal("upstream_unavailable")(thrown);
      const reason = String(((thrown as LiaisonError).cause as Error).message);
      assert.ok(reason.includes(`"${issuer}"`) && reason.includes(`"${fixture.liar.issuer}"`), reason);
    }
  });

  it("of a discovery document that isn't there names its address and the status", async () => {
    const path = "/.well-known/openid-configuration";
    fixture.liar.lies.answer = { [path]: answers(404, "") };
    const thrown: unknown = await fixture.begin(fixture.theLiar()).catch((caught: unknown) => caught);
    refusal("upstream_unavailable")(thrown);
    const reason = String(((thrown as LiaisonError).cause as Error).message);
    assert.ok(reason.startsWith(`${fixture.liar.issuer}${path} answered 404`), reason);
  });

  it("of a stale token says by how much", async () => {
    const now = Math.floor(fixture.now / 1000);
    const stale: [claims: Record<string, unknown>, reason: RegExp][] = [
      [{ auth_time: now - 3600 }, /auth_time is \d+, earlier than \d+ by 359[78] s: more than 0 s old/],
      [{ iat: now - 400, exp: now - 100 }, /exp is \d+, which was 100 s before the upstream's clock/],
      [
        { auth_time: now + 200 },
        /auth_time is \d+, 200 s later than the upstream's clock \(\d+\); the limit is 60 s/,
      ],
    ];
    for (const [claims, reason] of stale) {
      fixture.liar.lies = { claims };
      const request = { purpose: { kind: "sign_in" as const, interactionUid: "uid-1" }, forced: true };
      const thrown: unknown = await fixture
        .signIn(fixture.theLiar(), request)
        .catch((caught: unknown) => caught);
      assert.match(String(((thrown as LiaisonError).cause as Error).message), reason);
    }
  });
});
