/**
 * What src/oidc/internals.ts relies on and oidc-provider doesn't document: fails when the library moves. Its
 * self-submitting forms are met in sessions.test.ts, its guard of outbound addresses in sign-out.test.ts.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Adapter, type AdapterPayload, Provider } from "oidc-provider";
import {
  currentContext,
  keepAuthorizationsApart,
  newGrant,
  portalMetadataKey,
  portalSettings,
  sessionBinding,
} from "../../src/oidc/internals.ts";

const settings = {
  id: "portal",
  name: "Portal",
  homeUrl: "https://portal.example/",
  aboutUrl: null,
  policy: { kinds: ["customer" as const], planRequired: true, roles: ["buyer"] },
  claimsInIdToken: true,
  pkceRequired: false,
};

describe("oidc-provider's inside", () => {
  const calls: string[] = [];
  const adapter = (model: string): Adapter => ({
    upsert: async (id) => void calls.push(`upsert ${model} ${id}`),
    find: async () =>
      model === "Client"
        ? {
            client_id: "portal",
            client_secret: "a-portal-secret-of-at-least-32-characters",
            redirect_uris: ["https://portal.example/callback"],
            [portalMetadataKey]: settings,
          }
        : undefined,
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
    consume: async () => {},
    destroy: async (id) => void calls.push(`destroy ${model} ${id}`),
    revokeByGrantId: async () => {},
  });
  const provider = new Provider("https://issuer.example", {
    adapter,
    extraClientMetadata: { properties: [portalMetadataKey] },
    cookies: { keys: ["key"] },
  });

  it("tells the context of a request by Provider.ctx, and none outside of one", () => {
    assert.ok("ctx" in Provider);
    assert.equal(currentContext(), undefined);
  });

  it("destroys a session's old row before it writes the new one, and knows the old id", async () => {
    const session = new provider.Session();
    const old = session.jti;
    session.resetIdentifier();
    assert.equal((session as unknown as { oldId?: string }).oldId, old);
    await session.save(60);
    assert.deepEqual(calls, [`destroy Session ${old}`, `upsert Session ${session.jti}`]);
  });

  it("indexes what a session holds by the client's id, in the record that it is given", () => {
    keepAuthorizationsApart(provider);
    const apart = new provider.Session();
    for (const id of ["constructor", "__proto__", "portal"]) {
      assert.equal(apart.sidFor(id), undefined);
      apart.sidFor(id, `sid of ${id}`);
    }
    assert.deepEqual(Object.entries(apart.authorizations ?? {}), [
      ["constructor", { sid: "sid of constructor" }],
      ["__proto__", { sid: "sid of __proto__" }],
      ["portal", { sid: "sid of portal" }],
    ]);
    assert.equal(Object.hasOwn(Object, "sid") || Object.hasOwn(Object.prototype, "sid"), false);
    const asked = new provider.Session();
    asked.sidFor("constructor");
    assert.equal(asked.authorizations, undefined, "asking makes no record");
  });

  it("keeps custom client metadata under its own name", async () => {
    const client = await provider.Client.find("portal");
    assert.ok(client);
    assert.deepEqual(portalSettings(client), settings);
  });

  it(
    "holds a token that ends with its session against the grant that the session names, right after " +
      "finding it",
    async () => {
      const now = Math.floor(Date.now() / 1000);
      const times = { iat: now, exp: now + 60 };
      const token = {
        kind: "AccessToken",
        accountId: "account",
        clientId: "portal",
        grantId: "mine",
        sessionUid: "uid",
      };
      const asked: string[] = [];
      const find = async (named: string, bound: boolean) => {
        const session = { jti: "s", kind: "Session", uid: "uid", accountId: "account" };
        const answers: Record<string, AdapterPayload> = {
          AccessToken: { ...token, ...times, ...(bound ? { expiresWithSession: true } : {}), jti: "a-token" },
          Session: { ...session, ...times, authorizations: { portal: { grantId: named } } },
        };
        const answer = (model: string) => async () => {
          asked.push(model);
          return answers[model];
        };
        const holding = new Provider("https://issuer.example", {
          adapter: (model: string): Adapter => ({
            ...adapter(model),
            find: answer(model),
            findByUid: answer(model),
          }),
          cookies: { keys: ["key"] },
        });
        return await holding.AccessToken.find("a-token");
      };
      assert.ok(await find("mine", true));
      assert.deepEqual(asked, ["AccessToken", "Session"]);
      assert.equal(await find("another", true), undefined);
      assert.ok(await find("another", false), "what isn't bound isn't held against anything");

      const payload = { ...token, ...times };
      assert.equal(sessionBinding(payload), undefined);
      const { grantId, clientId } = token;
      assert.deepEqual(sessionBinding({ ...payload, expiresWithSession: true }), {
        uid: "uid",
        clientId,
        grantId,
      });
    },
  );

  it("makes a grant under the id it is given", async () => {
    const grant = newGrant(provider, { jti: "a-grant-id", accountId: "account", clientId: "portal" });
    grant.addOIDCScope("openid");
    assert.equal(await grant.save(), "a-grant-id");
  });
});
