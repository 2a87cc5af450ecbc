/** What a code isn't given for in the Foundation's Basic OP plan, and what lies beside it. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import {
  SuiteClient,
  type SuiteFixture,
  startSuite,
  suitePortal,
  suiteUris,
} from "../support/suite-client.ts";

describe("the Foundation's Basic OP plan: refusals", { concurrency: 1 }, () => {
  let suite: SuiteFixture;
  let client: SuiteClient;
  before(async () => {
    suite = await startSuite([suitePortal("suite")]);
    client = await SuiteClient.discover(suite.liaison.issuer, "suite");
  });
  after(() => suite?.close());

  const somebody = () => suite.somebody();

  /** Somebody who signed in once, and what the client got. */
  async function signedIn(parameters: Record<string, string> = {}) {
    const one = await somebody();
    const granted = await client.redeem(await client.authorize(one.browser, one.person, parameters));
    assert.equal(granted.claims.sub, one.accountId);
    return { ...one, granted };
  }

  it("oidcc-ensure-request-with-valid-pkce-succeeds: and with a wrong verifier it doesn't", async () => {
    const { browser } = await signedIn();
    const verifier = "a-verifier-of-43-characters-at-the-very-least";
    const code_challenge = createHash("sha256").update(verifier).digest("base64url");
    const challenged = () => client.visit(browser, { code_challenge, code_challenge_method: "S256" });
    await client.redeem(await challenged(), { code_verifier: verifier });
    for (const code_verifier of [undefined, `${verifier}x`]) {
      const code = client.codeOf(await challenged());
      const fields = {
        grant_type: "authorization_code",
        code,
        redirect_uri: suiteUris.callback,
        code_verifier,
      };
      const answer = await client.token(fields);
      assert.deepEqual([answer.status, answer.body["error"]], [400, "invalid_grant"]);
    }
  });

  it("a person who cancels at the upstream and goes back: access_denied, with its state", async () => {
    const { browser } = await somebody();
    const sent = client.parameters();
    const url = `${client.endpoint("authorization_endpoint")}?${new URLSearchParams(sent)}`;
    const login = await browser.press(await browser.visit(url), /Fabrikam ID/);
    const cancelled = await browser.follow(login, "Cancel");
    const page = await browser.press(cancelled, /Go back to/);
    assert.equal(
      client.errorOf({ page, sent, told: Object.fromEntries(page.url.searchParams) }),
      "access_denied",
    );
  });

  it("a wrong secret is refused in JSON", async () => {
    const { browser } = await signedIn();
    const code = client.codeOf(await client.visit(browser));
    const answer = await fetch(client.endpoint("token_endpoint"), {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from("suite:wrong").toString("base64")}` },
      body: new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: suiteUris.callback }),
    });
    assert.equal(answer.status, 401);
    assert.equal(((await answer.json()) as { error: string }).error, "invalid_client");
    assert.match(answer.headers.get("www-authenticate") ?? "", /^Basic/);
  });
});
