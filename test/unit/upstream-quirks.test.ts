/**
 * What upstreams do otherwise than the standards say: by configuration, and in answers that are taken from
 * any.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { configSchema, type UpstreamConfig } from "../../src/config/schema.ts";
import { REDEEM, refusal, upstream, useUpstreams } from "../support/upstream-fixture.ts";
import { PEER_CLIENT } from "../support/upstream-peer.ts";

const fixture = useUpstreams();
type Quirk = UpstreamConfig["quirks"][number];

async function sent(change: Partial<UpstreamConfig>, request = {}): Promise<URLSearchParams> {
  return (await fixture.begin(fixture.theLiar(change), request)).url.searchParams;
}

describe("an upstream's quirks", () => {
  it("are none unless they are configured, and others are refused", () => {
    const base = { id: "a", name: "A", issuer: "https://a.example", ...PEER_CLIENT };
    const parse = (quirks: unknown) => configSchema.shape.upstreams.safeParse([{ ...base, quirks }]);
    assert.deepEqual(parse(undefined).data?.[0]?.quirks, []);
    assert.deepEqual(parse(["no_max_age", "no_pkce"]).data?.[0]?.quirks, ["no_max_age", "no_pkce"]);
    for (const quirk of ["no_state", "toString", "", null]) assert.equal(parse([quirk]).success, false);
  });

  it("no_max_age: prompt=login asks alone, and auth_time still proves", async () => {
    const quirks: Quirk[] = ["no_max_age"];
    for (const request of [REDEEM, { maxAge: 600 }]) {
      const parameters = await sent({ quirks }, request);
      assert.deepEqual([parameters.get("prompt"), parameters.has("max_age")], ["login", false]);
    }
    assert.equal((await sent({ quirks })).has("prompt"), false);
    const party = fixture.theLiar({ quirks });
    await fixture.signIn(party, REDEEM);
    for (const auth_time of [Math.floor(fixture.now / 1000) - 60, undefined]) {
      fixture.liar.lies = { claims: { auth_time } };
      await assert.rejects(fixture.signIn(party, REDEEM), refusal("upstream_stale"));
    }
  });

  it("no_prompt_login: max_age asks alone, and a prompt of the configuration goes along", async () => {
    const quirks: Quirk[] = ["no_prompt_login"];
    const parameters = await sent({ quirks }, REDEEM);
    assert.deepEqual([parameters.has("prompt"), parameters.get("max_age")], [false, "0"]);
    const own = await sent({ quirks, authorize_parameters: { prompt: "select_account" } }, REDEEM);
    assert.deepEqual(own.getAll("prompt"), ["select_account"]);
    fixture.liar.lies = { claims: { auth_time: Math.floor(fixture.now / 1000) - 60 } };
    await assert.rejects(fixture.signIn(fixture.theLiar({ quirks }), REDEEM), refusal("upstream_stale"));
  });

  it(
    "who has to choose the account is shown it by prompt=login, by select_account where that isn't " +
      "known, or as configured",
    async () => {
      const request = { choosesAccount: true };
      const promptOf = async (entry: Partial<UpstreamConfig>, more = {}) =>
        (await sent(entry, { ...request, ...more })).getAll("prompt").join(" ");
      const own = (prompt: string) => ({ authorize_parameters: { prompt } });
      assert.equal(await promptOf({}), "login");
      assert.equal((await sent({}, request)).has("max_age"), false, "how old the sign-in is doesn't matter");
      assert.equal(await promptOf({ quirks: ["no_max_age"] }), "login");
      assert.equal(await promptOf({ quirks: ["no_prompt_login"] }), "select_account");
      assert.equal(await promptOf({ quirks: ["no_prompt_login"], ...own("consent") }), "consent");
      assert.equal(
        await promptOf({ reauthentication: "prompt_only", ...own("select_account") }),
        "select_account",
      );
      assert.equal(await promptOf(own("consent")), "login", "it isn't shown by anything else");
      // A portal that asks for a fresh sign-in is asked no less for.
      const forced = { prompt: "login", forced: true };
      assert.equal(await promptOf({}, forced), "login");
      assert.equal(await promptOf({ quirks: ["no_prompt_login"] }, forced), "select_account");
    },
  );

  it("no_nonce: none is sent, and none is taken", async () => {
    const quirks: Quirk[] = ["no_nonce"];
    assert.equal((await sent({ quirks })).has("nonce"), false);
    fixture.liar.lies = { claims: { nonce: undefined } };
    assert.equal((await fixture.signIn(fixture.theLiar({ quirks }))).identity.subject, "person-1");
    await assert.rejects(fixture.signIn(fixture.theLiar()), refusal("upstream_rejected"));
    fixture.liar.lies = { claims: { nonce: "a-nonce-of-another-sign-in" } };
    await assert.rejects(fixture.signIn(fixture.theLiar({ quirks })), refusal("upstream_rejected"));
  });

  it("no_pkce: neither challenge nor verifier is sent", async () => {
    const quirks: Quirk[] = ["no_pkce"];
    const parameters = await sent({ quirks });
    assert.deepEqual(
      ["code_challenge", "code_challenge_method"].filter((name) => parameters.has(name)),
      [],
    );
    await fixture.signIn(fixture.theLiar({ quirks }));
    assert.equal(fixture.liar.tokenRequests.at(-1)?.has("code_verifier"), false);
    await fixture.signIn(fixture.theLiar());
    assert.equal(fixture.liar.tokenRequests.at(-1)?.has("code_verifier"), true);
  });

  it("stand in the documentation, each with the product that needs it", async () => {
    const text = await readFile(new URL("../../docs/upstreams.md", import.meta.url), "utf8");
    for (const quirk of ["no_prompt_login", "no_max_age", "no_nonce", "no_pkce"]) {
      assert.match(text, new RegExp(`\\| \`${quirk}\` +\\| \\S.+\\| \\S.+\\|`), quirk);
    }
  });
});

describe("odd token answers", () => {
  const shown = { claims: { email: undefined } };
  const taken: [why: string, token: Record<string, unknown>, asksUserInfo: boolean][] = [
    ["scope as a list", { scope: ["openid"] }, true],
    ["scope as null", { scope: null }, true],
    ["refresh_token as null", { refresh_token: null }, true],
    ["refresh_token empty", { refresh_token: "" }, true],
    ["expires_in as text", { expires_in: "3600" }, true],
    ["expires_in as nonsense", { expires_in: "soon" }, true],
    ["expires_in negative", { expires_in: -1 }, true],
    ["token_type in another case", { token_type: "BEARER" }, true],
    ["no token_type", { token_type: undefined }, true],
    ["token_type as null", { token_type: null }, true],
    ["a token_type that nobody knows", { token_type: "mac" }, false],
    ["no access token", { access_token: undefined }, false],
    ["an access token that is empty", { access_token: "" }, false],
    ["an access token that is no text", { access_token: { value: "x" } }, false],
  ];
  for (const [why, token, asksUserInfo] of taken) {
    it(`${why}: the ID token is what counts`, async () => {
      fixture.liar.lies = { ...shown, token };
      const { identity } = await fixture.signIn(fixture.theLiar());
      assert.equal(identity.subject, "person-1");
      assert.equal(identity.email, asksUserInfo ? "info@mail.example" : null);
      assert.equal(fixture.liar.requests.includes("/userinfo"), asksUserInfo);
    });
  }

  it("an access token that fits into no header ends no sign-in", async () => {
    fixture.liar.lies = { ...shown, token: { access_token: "a\r\nb" } };
    assert.equal((await fixture.signIn(fixture.theLiar())).identity.email, null);
  });

  const refused: [why: string, token: Record<string, unknown>, reason: RegExp][] = [
    ["no ID token", { id_token: undefined }, /gave no ID token/],
    ["an ID token that is empty", { id_token: "" }, /gave no ID token/],
    ["an ID token that is no text", { id_token: {} }, /gave no ID token/],
    ["an encrypted ID token", { id_token: "a.b.c.d.e" }, /encrypted, which isn't supported/],
    ["an ID token of two parts", { id_token: "a.b" }, /./],
  ];
  for (const [why, token, reason] of refused) {
    it(`${why}: refused, and the log says so`, async () => {
      fixture.liar.lies = { token };
      const thrown: unknown = await fixture.signIn(fixture.theLiar()).catch((caught: unknown) => caught);
      refusal("upstream_rejected")(thrown);
      assert.match(String((thrown as Error).cause), reason);
    });
  }
});

describe("subjects and audiences as real upstreams write them", () => {
  const subjects = [
    "auth0|AD/Jane Roe+x=",
    "x".repeat(255),
    "__proto__",
    "constructor",
    " lead",
    "trail ",
    "0",
  ];
  it("U5 each subject is an identity of its own, byte for byte", async () => {
    const accounts = new Set<string>();
    for (const sub of [...subjects, "Person", "person"]) {
      fixture.liar.lies = { claims: { sub }, userinfo: { sub } };
      const { identity, accountId } = await fixture.signIn(fixture.theLiar());
      assert.equal(identity.subject, sub);
      assert.equal((await fixture.signIn(fixture.theLiar())).accountId, accountId);
      accounts.add(accountId);
    }
    assert.equal(accounts.size, subjects.length + 2);
  });

  const refused: unknown[] = [
    "x".repeat(256),
    "müller",
    "\u{1f600}",
    7,
    ["person-1"],
    "",
    null,
    true,
    { $gt: "" },
  ];
  for (const sub of refused) {
    it(`U5 sub ${JSON.stringify(sub).slice(0, 20)} is refused with a reason`, async () => {
      fixture.liar.lies = { claims: { sub } };
      const thrown: unknown = await fixture.signIn(fixture.theLiar()).catch((caught: unknown) => caught);
      refusal("upstream_rejected")(thrown);
      assert.match(String((thrown as Error).cause), /sub/);
    });
  }

  const audiences: [aud: unknown, azp: unknown, isTaken: boolean][] = [
    [["liaison", "project-7"], "liaison", true],
    [["project-7", "liaison"], "liaison", true],
    [["liaison"], undefined, true],
    ["liaison", "liaison", true],
    [["liaison", "project-7"], undefined, false],
    [["liaison", "project-7"], "project-7", false],
    [["liaison", "project-7"], ["liaison"], false],
    [["project-7"], "liaison", false],
    [[], "liaison", false],
  ];
  for (const [aud, azp, isTaken] of audiences) {
    const audience = `aud ${JSON.stringify(aud)}, azp ${JSON.stringify(azp)}`;
    it(`U5 ${audience}: ${isTaken ? "taken" : "refused"}`, async () => {
      fixture.liar.lies = { claims: { aud, azp } };
      const signedIn = fixture.signIn(fixture.relyingParty([upstream("liar", fixture.liar.issuer)]));
      if (isTaken) assert.equal((await signedIn).identity.subject, "person-1");
      else await assert.rejects(signedIn, refusal("upstream_rejected"));
    });
  }
});
