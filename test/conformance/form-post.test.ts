/**
 * What the OpenID Foundation's Form Post OP plan (`oidcc-formpost-basic-certification-test-plan`) sends: the
 * Basic plan's modules with `response_mode=form_post`, whose answer is a page that posts itself to the
 * client.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type Answered,
  SuiteClient,
  type SuiteFixture,
  startSuite,
  suitePortal,
  suiteUris,
} from "../support/suite-client.ts";

const posted = { response_mode: "form_post" };

describe("the Foundation's Form Post OP plan", { concurrency: 1 }, () => {
  let suite: SuiteFixture;
  let client: SuiteClient;
  before(async () => {
    suite = await startSuite([suitePortal("suite")]);
    client = await SuiteClient.discover(suite.liaison.issuer, "suite");
  });
  after(() => suite?.close());

  /** The answer has to be a form that a browser may send, and nothing that is kept or read on the way. */
  function assertPosted({ page, told }: Answered, address = suiteUris.callback): void {
    assert.equal(page.status, told["error"] === undefined ? 200 : page.status);
    const form = page.dom.querySelector("form");
    assert.equal(form?.getAttribute("method")?.toLowerCase(), "post");
    assert.equal(form?.getAttribute("action"), address);
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(page.headers.get("cache-control") ?? "", /no-store/);
    const policy = page.headers.get("content-security-policy") ?? "";
    assert.match(policy, /form-action 'self' http:\/\/localhost:9/);
    assert.match(policy, /script-src [^;]*'sha256-/, "it couldn't post itself");
    assert.ok(page.url.href.startsWith(client.issuer), "nothing of it stands in an address");
  }

  it("oidcc-server: code, tokens and UserInfo, at the first sign-in and within a session", async () => {
    const { browser, person, accountId } = await suite.somebody();
    for (const answered of [
      await client.authorize(browser, person, posted),
      await client.visit(browser, posted),
    ]) {
      assertPosted(answered);
      const granted = await client.redeem(answered);
      assert.equal(granted.claims.sub, accountId);
      assert.equal((await client.userinfo(granted.accessToken)).body["sub"], accountId);
    }
  });

  const errors: [module: string, parameters: Record<string, string | undefined>, error: RegExp][] = [
    ["prompt-none-not-logged-in", { prompt: "none" }, /^login_required$/],
    ["prompt-none with login", { prompt: "none login" }, /^invalid_request$/],
    [
      "response-type-missing",
      { response_type: undefined },
      /^(?:invalid_request|unsupported_response_type)$/,
    ],
    ["unsigned-request-object", { request: "eyJhbGciOiJub25lIn0.e30." }, /^request_not_supported$/],
    ["max-age that is no age", { max_age: "soon" }, /^invalid_request$/],
  ];
  for (const [module, parameters, error] of errors) {
    it(`oidcc-${module}: the error is posted, too`, async () => {
      const { browser } = await suite.somebody();
      const answered = await client.visit(browser, { ...posted, ...parameters });
      assertPosted(answered);
      assert.match(client.errorOf(answered) ?? "", error);
    });
  }

  it("oidcc-prompt-none-logged-in, id-token-hint, max-age-10000: posted, no page before", async () => {
    const { browser, person } = await suite.somebody();
    const first = await client.redeem(await client.authorize(browser, person, posted));
    for (const parameters of [
      { prompt: "none" },
      { prompt: "none", id_token_hint: first.idToken },
      { max_age: "10000" },
    ]) {
      const answered = await client.visit(browser, { ...posted, ...parameters });
      assertPosted(answered);
      assert.equal((await client.redeem(answered)).claims.sub, first.claims.sub);
    }
  });

  it("oidcc-redirect-uri-query-OK: the form goes to the registered address, query and all", async () => {
    const { browser, person } = await suite.somebody();
    await client.authorize(browser, person, posted);
    const answered = await client.visit(browser, { ...posted, redirect_uri: suiteUris.withQuery });
    assertPosted(answered, suiteUris.withQuery);
    await client.redeem(answered);
  });

  it("oidcc-ensure-registered-redirect-uri: an error page, and no form to anywhere", async () => {
    const { browser } = await suite.somebody();
    const { page } = await client.visit(browser, {
      ...posted,
      redirect_uri: "https://unregistered.example/",
    });
    assert.equal(page.status, 400);
    assert.equal(page.dom.querySelector("form"), null);
    assert.doesNotMatch(page.headers.get("content-security-policy") ?? "", /unregistered/);
  });

  it("oidcc-codereuse: refused the second time", async () => {
    const { browser, person } = await suite.somebody();
    const answered = await client.authorize(browser, person, posted);
    const granted = await client.redeem(answered);
    const fields = {
      grant_type: "authorization_code",
      code: client.codeOf(answered),
      redirect_uri: suiteUris.callback,
    };
    assert.equal((await client.token(fields)).body["error"], "invalid_grant");
    assert.equal((await client.userinfo(granted.accessToken)).status, 401);
  });

  it("oidcc-ensure-post-request-succeeds: asked by POST and answered by POST", async () => {
    const { browser, person } = await suite.somebody();
    await client.authorize(browser, person, posted);
    const body = new URLSearchParams(client.parameters(posted));
    const page = await browser.visit(client.endpoint("authorization_endpoint"), { method: "POST", body });
    assert.equal(page.dom.querySelector("form")?.getAttribute("action"), suiteUris.callback, page.text);
    assert.ok(page.dom.querySelector('input[name="code"]'));
  });

  it("a person who cancels at the upstream and goes back: access_denied is posted", async () => {
    const { browser } = await suite.somebody();
    const { page, sent } = await client.visit(browser, posted);
    const cancelled = await browser.follow(await browser.press(page, /Fabrikam ID/), "Cancel");
    const end = await browser.press(cancelled, /Go back to/);
    assert.equal(
      end.dom.querySelector('input[name="error"]')?.getAttribute("value"),
      "access_denied",
      end.text,
    );
    assert.equal(end.dom.querySelector('input[name="state"]')?.getAttribute("value"), sent["state"]);
  });

  it("what an answer carries is text, whatever the client put into state", async () => {
    const { browser } = await suite.somebody();
    const state = `"><script>alert(1)</script>'&amp;ü`;
    const answered = await client.visit(browser, { ...posted, prompt: "none", state });
    assert.equal(client.errorOf(answered), "login_required");
    assert.equal(answered.page.dom.querySelectorAll("script").length, 1);
  });
});
