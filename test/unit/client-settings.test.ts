/**
 * The settings of a client app and its recipes, without anything behind them; and that the documentation says
 * the same.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { checkRecipe, clientSettings, SECRET_STAND_INS } from "../../src/admin/client-settings.ts";
import { recipes, recipesFor } from "../../src/admin/recipes/recipes.ts";
import { settingsText } from "../../src/cli/administration/settings.ts";
import type { Client } from "../../src/domain/records.ts";
import { documentedClient, filesOf, readDocument, recipesInDocs } from "../support/recipes.ts";

const issuer = "https://id.example.com";
const secret = "the-secret-of-at-least-32-characters";

function withMetadata(name: string, metadata: Record<string, unknown>, claimsInIdToken = false): Client {
  const client = documentedClient(name);
  return { ...client, claimsInIdToken, metadata: { ...client.metadata, ...metadata } };
}

describe("the documentation", () => {
  it("has every recipe, filled in as the commands fill it in", async () => {
    const text = await readDocument("docs/portals/recipes.md");
    for (const { name, blocks } of recipesInDocs()) {
      assert.ok(
        text.includes(blocks),
        `docs/portals/recipes.md lacks the recipe ${name} as it is now:\n${blocks}`,
      );
      assert.ok(text.includes(`\`--for ${name}\``), name);
    }
  });

  it("shows the whole of what a portal is given", async () => {
    const text = await readDocument("docs/portals.md");
    const [userinfo, idToken] = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json = ""]) =>
      JSON.parse(json),
    );
    const client = withMetadata("keycloak", { backchannel_logout_session_required: true });
    assert.deepEqual(clientSettings(client, { issuer, secret: null }).claims, {
      id_token: idToken,
      userinfo,
    });
  });
});

describe("settings", () => {
  it("say the same as one text, with what isn't there left out", () => {
    const client = withMetadata("keycloak", { backchannel_logout_session_required: true });
    const { text, claims, recipes: filled, ...facts } = clientSettings(client, { issuer, secret });
    assert.ok(claims !== null && filled.length > 5);
    const { initiate_login_uri, ...known } = facts;
    assert.equal(initiate_login_uri, null);
    assert.deepEqual(parse(text), known);
  });

  it("have the secret where it was just made, and words for it elsewhere", () => {
    const client = documentedClient("openid-client");
    const made = clientSettings(client, { issuer, secret });
    assert.match(made.text, new RegExp(`^client_secret: ${secret}$`, "m"));
    assert.match(
      filesOf(made, "openid-client")["portal.env"] ?? "",
      new RegExp(`^CLIENT_SECRET=${secret}$`, "m"),
    );
    const later = clientSettings(client, { issuer, secret: null });
    assert.equal(later.client_secret, null);
    assert.ok(!JSON.stringify(later).includes(secret));
    assert.match(later.text, new RegExp(`^client_secret: ${SECRET_STAND_INS.admin}$`, "m"));
    const isIn = (recipe: { files: { text: string }[] }) =>
      recipe.files.some(({ text }) => text.includes(secret));
    assert.deepEqual(
      made.recipes.filter((one) => !isIn(one)),
      [],
      "every recipe of an app with a secret has it",
    );
  });

  it("say what is registered otherwise than by default", () => {
    const otherwise = {
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "ES256",
      pkce_required: false,
      grant_types: ["authorization_code"],
      initiate_login_uri: "https://portal.example/begin",
    };
    const settings = clientSettings(withMetadata("openid-client", otherwise, true), { issuer, secret });
    assert.deepEqual(
      {
        token_endpoint_auth_method: settings.token_endpoint_auth_method,
        id_token_signed_response_alg: settings.id_token_signed_response_alg,
        pkce_required: settings.pkce_required,
        grant_types: settings.grant_types,
        initiate_login_uri: settings.initiate_login_uri,
      },
      otherwise,
    );
    assert.equal(settings.scope, "openid profile email organization");
    assert.equal(settings.send.refresh_request, null);
    assert.equal(settings.claims?.id_token["profile_id"], settings.claims?.userinfo["profile_id"]);
    const program = filesOf(settings, "openid-client")["portal.mjs"] ?? "";
    assert.match(program, /client\.ClientSecretPost\(CLIENT_SECRET\)/);
    assert.match(program, /id_token_signed_response_alg: "ES256"/);
  });

  it("of a public client have no secret and nothing that needs one", () => {
    const settings = clientSettings(documentedClient("oidc-client-ts"), { issuer, secret: null });
    assert.deepEqual(
      [
        settings.client_secret,
        settings.pushed_authorization_request_endpoint,
        settings.token_endpoint_auth_method,
      ],
      [null, null, "none"],
    );
    assert.doesNotMatch(JSON.stringify(settings), /THE-SECRET/);
    assert.deepEqual(settings.send.token_request["client_id"], "portal");
    assert.equal("Authorization" in settings.send.token_request, false);
  });

  it("of a machine have a token endpoint, and no sign-in", () => {
    const settings = clientSettings(documentedClient("curl"), { issuer, secret });
    assert.deepEqual(
      [settings.authorization_endpoint, settings.userinfo_endpoint, settings.claims, settings.grant_types],
      [null, null, null, ["client_credentials"]],
    );
    assert.equal(settings.scope, "admin:read");
    assert.match(filesOf(settings, "curl")["token.sh"] ?? "", new RegExp(`-u 'portal:${secret}'`));
  });
});

describe("recipes", () => {
  it("say what the client app isn't registered with yet, and nothing once it is", () => {
    const needsOf = (name: string, client: Client) =>
      clientSettings(client, { issuer, secret: null, recipe: name }).recipes.flatMap(({ needs }) =>
        needs.map(({ setting, value }) => `${setting}: ${value}`),
      );
    const expected: Record<string, string[]> = {
      "passport-openidconnect": ["pkce_required: false"],
      authjs: ["redirect_uris: …/api/auth/callback/liaison", "claims_in_id_token: true"],
      "oauth2-proxy": ["claims_in_id_token: true"],
      keycloak: [
        "redirect_uris: …/realms/REALM/broker/ALIAS/endpoint",
        "post_logout_redirect_uris: …/realms/REALM/broker/ALIAS/endpoint/logout_response",
      ],
      spring: ["redirect_uris: …/login/oauth2/code/liaison"],
    };
    for (const { name } of recipesFor("web")) {
      assert.deepEqual(needsOf(name, documentedClient("openid-client")), expected[name] ?? [], name);
      assert.deepEqual(needsOf(name, withMetadata(name, { pkce_required: false }, true)), [], name);
    }
  });

  it("lack a way back from a sign-out where the library sends one, and the algorithm that it takes", () => {
    const needs = (name: string, metadata: object) =>
      clientSettings(withMetadata(name, { ...metadata }), { issuer, secret, recipe: name }).recipes.flatMap(
        (one) => one.needs.map(({ setting }) => setting),
      );
    for (const name of ["express-openid-connect", "aspnet-core", "keycloak"]) {
      assert.deepEqual(needs(name, { post_logout_redirect_uris: [] }), ["post_logout_redirect_uris"], name);
    }
    assert.deepEqual(needs("openid-client", { post_logout_redirect_uris: [] }), []);
    assert.deepEqual(needs("spring", { id_token_signed_response_alg: "ES256" }), [
      "id_token_signed_response_alg",
    ]);
  });

  it("are filled with the address that fits, wherever it stands", () => {
    const kept = "https://kc.example/realms/r1/broker/b1/endpoint";
    const client = withMetadata("keycloak", { redirect_uris: ["https://p.example/callback", kept] });
    const setup = filesOf(clientSettings(client, { issuer, secret }), "keycloak")["setup.sh"] ?? "";
    assert.match(setup, /--server https:\/\/kc\.example /);
    assert.match(setup, /instances\/b1\/mappers -r r1 /);
  });

  it("put nothing of an address into a shell that it would run", () => {
    for (const alias of ["b$(id)", "b;id", "b`id`", "b'", 'b"']) {
      const redirect_uris = [`https://kc.example/realms/r1/broker/${alias}/endpoint`];
      const settings = clientSettings(withMetadata("keycloak", { redirect_uris }), { issuer, secret });
      assert.doesNotMatch(filesOf(settings, "keycloak")["setup.sh"] ?? "", /[$;`'"]/, alias);
    }
  });

  it("are for apps of their kind alone", () => {
    assert.throws(() => checkRecipe({ preset: "machine" }, "keycloak"), /for: .* choose curl/);
    assert.throws(() => checkRecipe({ preset: "native" }, "curl"), /there is no recipe/);
    for (const { name, presets } of recipes) for (const preset of presets) checkRecipe({ preset }, name);
  });

  it("write values that hold quotes as the values they are", () => {
    const odd = 'https://portal.example/realms/a"b/broker/liaison/endpoint';
    const settings = clientSettings(withMetadata("keycloak", { redirect_uris: [odd] }), { issuer, secret });
    assert.ok(
      Object.values(filesOf(settings, "openid-client")).some((text) => text.includes(JSON.stringify(odd))),
    );
    const provider = JSON.parse(filesOf(settings, "keycloak")["liaison.json"] ?? "");
    assert.equal(provider.config.clientSecret, secret);
    assert.equal(provider.config.tokenUrl, `${issuer}/token`);
  });

  it("are printed file by file, with what is lacking before them", () => {
    const settings = clientSettings(documentedClient("openid-client"), {
      issuer,
      secret,
      recipe: "passport-openidconnect",
    });
    const text = settingsText(settings, "passport-openidconnect");
    assert.match(
      text,
      /^# Passport .* needs pkce_required: false \(.*\)\. The client app isn't registered so yet\.\n# --- /,
    );
    assert.match(text, /\n# --- portal\.env\nISSUER=https:\/\/id\.example\.com\n/);
    assert.match(text, /\n# --- portal\.mjs\n\/\/ npm install/);
    const all = settingsText(clientSettings(documentedClient("curl"), { issuer, secret }), undefined);
    assert.match(all, /^issuer: .*\nclient_id: portal\n(.*\n)*\n# Recipes, by --for NAME: curl\./);
  });
});
