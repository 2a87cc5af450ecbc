/** The module of the OpenID Foundation's Basic OP plan that waits for half a minute. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { SuiteClient, startSuite, suitePortal, suiteUris } from "../support/suite-client.ts";

it("oidcc-codereuse-30seconds: refused, what the first use gave is over, refreshed too", async (t) => {
  const suite = await startSuite([suitePortal("suite")]);
  t.after(() => suite.close());
  const client = await SuiteClient.discover(suite.liaison.issuer, "suite");
  const { browser, person } = await suite.somebody();
  const answered = await client.authorize(browser, person, {
    scope: "openid offline_access",
    prompt: "consent",
  });
  const granted = await client.redeem(answered);
  await pause(31_000);
  const refreshed = await client.token({ grant_type: "refresh_token", refresh_token: granted.refreshToken });
  assert.equal(refreshed.status, 200);
  const fields = {
    grant_type: "authorization_code",
    code: client.codeOf(answered),
    redirect_uri: suiteUris.callback,
  };
  const again = await client.token(fields);
  assert.deepEqual([again.status, again.body["error"]], [400, "invalid_grant"]);
  for (const token of [granted.accessToken, String(refreshed.body["access_token"])]) {
    assert.equal((await client.userinfo(token)).status, 401);
  }
});
