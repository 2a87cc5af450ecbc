/**
 * What an administrator ends, portals are told of: OpenID Connect Back-Channel Logout 1.0, at a portal that
 * really listens.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createRemoteJWKSet, jwtVerify } from "jose";
import {
  type AdminFixture,
  type SignedIn,
  signInSomebody,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { type Listener, startListener } from "../support/admin-listener.ts";

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout";

describe("what an administrator ends", { concurrency: 1 }, () => {
  let fixture: AdminFixture;
  let portal: Listener;
  let silent: Listener;
  before(async () => {
    portal = await startListener();
    silent = await startListener();
    silent.isSilent = true;
    fixture = await startAdminFixture({
      strangers: 42,
      config: (base) => {
        const [customerSource, partnerSource] = base["portals"] as object[];
        const told = { ...customerSource, backchannel_logout_uri: `${portal.origin}/logout` };
        return {
          ...base,
          portals: [told, { ...partnerSource, backchannel_logout_uri: `${silent.origin}/logout` }],
        };
      },
    });
  });
  after(async () => {
    // First, so that nobody waits for its answer any more.
    await silent?.close();
    await fixture?.close();
    await portal?.close();
  });

  /** Reads a logout token as section 2.6 has a portal read it. */
  async function readToken(token: string) {
    const keys = createRemoteJWKSet(new URL(`${fixture.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: fixture.issuer,
      audience: "customersource",
      typ: "logout+jwt",
      requiredClaims: ["iat", "exp", "jti", "sub", "sid", "events"],
    });
    assert.notEqual(protectedHeader.alg, "none");
    assert.deepEqual(payload["events"], { [logoutEvent]: {} });
    assert.equal(payload["nonce"], undefined);
    return payload;
  }

  async function assertEnded(what: string, { tokens, accountId }: SignedIn): Promise<void> {
    const { refresh_token: refresh = "", access_token: access } = tokens;
    await assert.rejects(fixture.customerSource.refresh(refresh), { error: "invalid_grant" }, what);
    await assert.rejects(fixture.customerSource.userinfo(access, accountId), what);
  }

  /** Waits until so many attempts have their outcome noted. */
  async function untilSettled(attempts: number): Promise<void> {
    const settled = () => fixture.watch.calls.filter(({ method }) => method === "settleSignOut").length;
    for (const deadline = Date.now() + 5000; settled() < attempts && Date.now() < deadline; ) await pause(20);
  }

  /** Once so many attempts were settled. */
  async function assertNobodyIsDue(attempts: number): Promise<void> {
    await untilSettled(attempts);
    await pause(200);
    const nextWeek = fixture.clock.now() + 7 * 86_400_000;
    assert.equal(
      await fixture.store.administration.claimSignOut("test", nextWeek, 1),
      undefined,
      "somebody is told again",
    );
  }

  const endings: [what: string, end: (one: SignedIn) => Promise<unknown>][] = [
    [
      "a profile is disabled",
      ({ profileId }) => fixture.owner.edit(`/profiles/${profileId}`, { enabled: false }),
    ],
    [
      "its organization is disabled",
      async ({ profileId }) => {
        const { organization_id: id } = await fixture.owner.get(`/profiles/${profileId}`);
        await fixture.owner.edit(`/organizations/${id}`, { enabled: false });
      },
    ],
    [
      "it is another person's",
      ({ profileId }) => fixture.owner.edit(`/profiles/${profileId}`, { another_person: true }),
    ],
    ["it is unlinked", ({ profileId }) => fixture.owner.done("DELETE", `/profiles/${profileId}/link`)],
    ["its sign-in is ended", ({ grantId }) => fixture.owner.done("DELETE", `/grants/${grantId}`)],
    ["its session is ended", ({ sessionId }) => fixture.owner.done("DELETE", `/sessions/${sessionId}`)],
  ];

  it("S7: a portal is told once of each sign-in that ends, however it ends", async () => {
    const signedIn = new Map<string, SignedIn>();
    for (const [what] of endings) signedIn.set(what, await signInSomebody(fixture));
    const bystander = await signInSomebody(fixture);
    for (const [what, end] of endings) {
      const one = signedIn.get(what) ?? assert.fail();
      await end(one);
      await assertEnded(what, one);
    }
    await portal.until(endings.length);
    const heard = await Promise.all(portal.heard.map(({ token }) => readToken(token)));
    const expected = [...signedIn.values()].map(({ accountId, tokens }) => [
      accountId,
      tokens.claims()?.["sid"],
    ]);
    assert.deepEqual(heard.map(({ sub, sid }) => [sub, sid]).toSorted(), expected.toSorted());
    assert.equal(new Set(heard.map(({ jti }) => jti)).size, endings.length);
    await fixture.customerSource.refresh(bystander.tokens.refresh_token ?? "");
    await assertNobodyIsDue(endings.length);
    assert.equal(portal.heard.length, endings.length);
  });

  it("a portal that fails is told again when it is time, and no more once it has understood", async () => {
    const before = portal.heard.length;
    portal.answers.push(500, 503);
    const one = await signInSomebody(fixture);
    await fixture.owner.edit(`/profiles/${one.profileId}`, { enabled: false });
    await assertEnded("a profile is disabled", one);
    await portal.until(before + 1);
    await untilSettled(before + 1);
    const early = await fixture.store.administration.claimSignOut("test", fixture.clock.now() + 13_000, 1);
    assert.equal(early, undefined, "it is due before it is time");
    fixture.clock.advance(15);
    fixture.wake("sign-outs");
    await portal.until(before + 2);
    await untilSettled(before + 2);
    fixture.clock.advance(30);
    fixture.wake("sign-outs");
    await portal.until(before + 3);
    await assertNobodyIsDue(before + 3);
    assert.deepEqual(
      portal.heard.slice(before).map(({ status }) => status),
      [500, 503, 200],
    );
    for (const { token } of portal.heard.slice(before))
      assert.equal((await readToken(token)).sub, one.accountId);
  });

  it("a portal that never answers keeps no other from being told", async () => {
    const before = portal.heard.length;
    const theirs: SignedIn[] = [];
    for (let count = 0; count < 20; count += 1) {
      theirs.push(await signInSomebody(fixture, { portal: fixture.partnerSource, kind: "partner" }));
    }
    const one = await signInSomebody(fixture);
    for (const { grantId } of [...theirs, one]) await fixture.owner.done("DELETE", `/grants/${grantId}`);
    await portal.until(before + 1);
    const tried = silent.heard.length;
    assert.ok(tried > 0 && tried <= theirs.length / 2, `waited for its silence ${tried} times`);
    assert.equal((await readToken(portal.heard.at(-1)?.token ?? "")).sub, one.accountId);
  });
});
