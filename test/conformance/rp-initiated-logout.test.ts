/**
 * What the OpenID Foundation's RP-Initiated Logout plan (`oidcc-rp-initiated-logout-certification-test-plan`)
 * sends, by GET and by POST: one test a module, named as there. Whether somebody is signed out, `prompt=none`
 * says afterwards.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  SuiteClient,
  type SuiteFixture,
  startSuite,
  suitePortal,
  suiteUris,
} from "../support/suite-client.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

type Parameters = Record<string, string | undefined>;

describe("the Foundation's RP-Initiated Logout plan", { concurrency: 1 }, () => {
  let suite: SuiteFixture;
  let client: SuiteClient;
  before(async () => {
    suite = await startSuite([suitePortal("suite"), suitePortal("suite2")]);
    client = await SuiteClient.discover(suite.liaison.issuer, "suite");
  });
  after(() => suite?.close());

  async function signedIn() {
    const { browser, person } = await suite.somebody();
    const { idToken } = await client.redeem(await client.authorize(browser, person));
    assert.equal(await client.isSignedIn(browser), true);
    return { browser, idToken };
  }

  /** By GET, and as a form of another site posts it. */
  const ways: Record<string, (browser: UserAgent, parameters: Parameters) => Promise<Page>> = {
    GET: (browser, parameters) => client.signOut(browser, parameters),
    POST: async (browser, parameters) => {
      const body = new URLSearchParams();
      for (const [name, value] of Object.entries(parameters)) if (value !== undefined) body.set(name, value);
      const address = client.endpoint("end_session_endpoint");
      const answer = await new UserAgent().once(address, { method: "POST", body });
      return await browser.visit(
        new URL(answer.headers.get("location") ?? assert.fail(answer.text), answer.url),
      );
    },
  };

  it("oidcc-rp-initiated-logout-discovery-endpoint-verification", () => {
    assert.ok(client.endpoint("end_session_endpoint").startsWith(`${client.issuer}/`));
  });

  for (const [method, signOut] of Object.entries(ways)) {
    describe(`by ${method}`, () => {
      /** Sends it, and does what the page asks. */
      async function confirmed(parameters: (idToken: string) => Parameters) {
        const { browser, idToken } = await signedIn();
        const page = await signOut(browser, parameters(idToken));
        const end = await browser.press(page, "Sign out");
        assert.equal(await client.isSignedIn(browser), false);
        return { page, end };
      }

      /** Sends what is no sign-out: a page says so, and nobody is signed out by it. */
      async function refused(parameters: (idToken: string) => Parameters): Promise<void> {
        const { browser, idToken } = await signedIn();
        const page = await signOut(browser, parameters(idToken));
        assert.equal(page.status, 400, page.text);
        assert.ok(page.url.href.startsWith(client.issuer));
        assert.equal(await client.isSignedIn(browser), true);
      }

      it("oidcc-rp-initiated-logout: back at the client with its state, signed out", async () => {
        const { page, end } = await confirmed((id_token_hint) => {
          return { id_token_hint, post_logout_redirect_uri: suiteUris.signedOut, state: "a state+/=&" };
        });
        assert.match(page.body, /data-auto-submit/, "nothing is asked of whoever is meant");
        assert.equal(
          end.url.href,
          `${suiteUris.signedOut}?state=${encodeURIComponent("a state+/=&").replace(/%20/g, "+")}`,
        );
      });

      it("oidcc-rp-initiated-logout-no-state: back without one", async () => {
        const { end } = await confirmed((id_token_hint) => {
          return { id_token_hint, post_logout_redirect_uri: suiteUris.signedOut };
        });
        assert.equal(end.url.href, suiteUris.signedOut);
      });

      it("with a query that is registered: it stays, beside the state", async () => {
        const { end } = await confirmed((id_token_hint) => {
          return { id_token_hint, post_logout_redirect_uri: suiteUris.signedOutWithQuery, state: "x" };
        });
        assert.equal(end.url.href, `${suiteUris.signedOutWithQuery}&state=x`);
      });

      it("oidcc-rp-initiated-logout-no-post-logout-redirect-uri: signed out, a page says so", async () => {
        const { end } = await confirmed((id_token_hint) => ({ id_token_hint, state: "x" }));
        assert.equal(end.heading, "You are signed out");
        assert.ok(end.url.href.startsWith(client.issuer));
      });

      for (const [module, parameters] of [
        ["no-params", {}],
        ["only-state", { state: "x" }],
        ["no-id-token-hint", { post_logout_redirect_uri: suiteUris.signedOut, state: "x" }],
        [
          "no-id-token-hint beside one that isn't registered",
          { post_logout_redirect_uri: "https://evil.example/" },
        ],
      ] as const) {
        it(`oidcc-rp-initiated-logout-${module}: the person is asked, and led to no client`, async () => {
          const { page, end } = await confirmed(() => ({ ...parameters }));
          assert.equal(page.heading, "Do you want to sign out?");
          assert.doesNotMatch(page.body, /data-auto-submit/);
          assert.equal(end.heading, "You are signed out");
          assert.ok(end.url.href.startsWith(client.issuer));
        });
      }

      it("no-id-token-hint, but client_id: asked, and led to that client's address", async () => {
        const { page, end } = await confirmed(() => {
          return { client_id: "suite", post_logout_redirect_uri: suiteUris.signedOut, state: "x" };
        });
        assert.doesNotMatch(page.body, /data-auto-submit/, "whoever links here doesn't sign people out");
        assert.equal(end.url.href, `${suiteUris.signedOut}?state=x`);
      });

      it("oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", async () => {
        for (const address of [
          "https://evil.example/",
          `${suiteUris.signedOut}/x`,
          "javascript:alert(1)",
          "x",
        ]) {
          await refused((id_token_hint) => ({ id_token_hint, post_logout_redirect_uri: address }));
        }
      });

      it("oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", async () => {
        await refused((id_token_hint) => ({
          id_token_hint,
          post_logout_redirect_uri: `${suiteUris.signedOut}?extra=1`,
          state: "x",
        }));
      });

      it("oidcc-rp-initiated-logout-modified-id-token-hint", async () => {
        const changed = (idToken: string, claims: object): string => {
          const [head = "", body = "", signature = ""] = idToken.split(".");
          const told = { ...JSON.parse(Buffer.from(body, "base64url").toString()), ...claims };
          return [head, Buffer.from(JSON.stringify(told)).toString("base64url"), signature].join(".");
        };
        for (const change of [
          (idToken: string) => changed(idToken, { sub: "somebody-else" }),
          (idToken: string) => changed(idToken, { aud: "suite2" }),
          (idToken: string) => idToken.slice(0, -4),
          (idToken: string) => `${idToken.split(".").slice(0, 2).join(".")}.`,
        ]) {
          await refused((idToken) => ({
            id_token_hint: change(idToken),
            post_logout_redirect_uri: suiteUris.signedOut,
            state: "x",
          }));
        }
      });

      it("a hint for one client with another's client_id", async () => {
        await refused((id_token_hint) => ({
          id_token_hint,
          client_id: "suite2",
          post_logout_redirect_uri: suiteUris.signedOut,
        }));
      });

      it("another person's hint: this one is asked, because somebody else is meant", async () => {
        const other = await signedIn();
        const { browser } = await signedIn();
        const page = await signOut(browser, {
          id_token_hint: other.idToken,
          post_logout_redirect_uri: suiteUris.signedOut,
        });
        assert.doesNotMatch(page.body, /data-auto-submit/);
        assert.equal(await client.isSignedIn(browser), true);
      });

      it("whoever is signed out already goes back to the client all the same", async () => {
        const { browser, idToken } = await signedIn();
        const fields = { id_token_hint: idToken, post_logout_redirect_uri: suiteUris.signedOut, state: "x" };
        await browser.press(await signOut(browser, fields), "Sign out");
        const again = await browser.press(await signOut(browser, fields), "Continue");
        assert.equal(again.url.href, `${suiteUris.signedOut}?state=x`);
      });
    });
  }
});
