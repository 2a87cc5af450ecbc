/**
 * What a developer is told of a client app, by the API, a command and the console, beside what the service
 * really does.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse as parseHtml } from "node-html-parser";
import { pino } from "pino";
import { parse } from "yaml";
import type { ClientSettings } from "../../src/admin/client-settings.ts";
import { asProfileId } from "../../src/domain/ids.ts";
import { type AdminFixture, clientBody, makeClient, signInSomebody } from "../support/admin-fixture.ts";
import { type ClientDoors, openDoors } from "../support/client-doors.ts";
import { TestPortal } from "../support/portal.ts";

type Made = { id: string; client_secret: string; settings: ClientSettings };

describe("the settings of a client app", () => {
  let doors: ClientDoors;
  let fixture: AdminFixture;
  const logged: string[] = [];
  before(async () => {
    const logger = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
    doors = await openDoors({ logger });
    fixture = doors.fixture;
  });
  after(() => doors?.close());

  it("name every endpoint as discovery has it", async () => {
    const settings = await fixture.owner.get<Record<string, unknown>>("/clients/customersource/settings");
    const response = await fetch(String(settings["discovery"]));
    const discovered = (await response.json()) as Record<string, unknown>;
    const endpoints = Object.keys(discovered).filter((name) => /_endpoint$|^jwks_uri$|^issuer$/.test(name));
    assert.ok(endpoints.length >= 9, endpoints.join());
    for (const name of endpoints) assert.equal(settings[name], discovered[name], name);
    const supports = (name: string, value: unknown) =>
      assert.ok(
        [value].flat().every((one) => (discovered[name] as unknown[]).includes(one)),
        `${name}: ${value}`,
      );
    supports("token_endpoint_auth_methods_supported", settings["token_endpoint_auth_method"]);
    supports("id_token_signing_alg_values_supported", settings["id_token_signed_response_alg"]);
    supports("code_challenge_methods_supported", settings["code_challenge_methods"]);
    supports("response_types_supported", settings["response_types"]);
    supports("grant_types_supported", settings["grant_types"]);
    supports("scopes_supported", String(settings["scope"]).split(" "));
  });

  it("show all claims that userinfo and ID token have, with times in seconds", async () => {
    const plan = { status: "active" as const, expiresAt: fixture.clock.now() + 86_400_000 };
    const registered = { backchannel_logout_uri: "https://portal.example/logout", claims_in_id_token: true };
    const made = await makeClient(fixture, "web", registered);
    const { redirect_uris: redirects = [] } = await fixture.owner.get<ClientSettings>(
      `/clients/${made.id}/settings`,
    );
    const portal = await TestPortal.connect({
      issuer: fixture.issuer,
      clientId: made.id,
      clientSecret: made.client_secret,
      redirectUri: redirects[0] ?? "",
    });
    const { browser, profileId, tokens: first } = await signInSomebody(fixture, { portal });
    const membership = await fixture.store.directory.membership(asProfileId(profileId));
    assert.ok(membership);
    await fixture.store.directory.putOrganization(
      { ...membership.organization, plan },
      "test",
      fixture.clock.now(),
    );
    const started = await portal.start({ max_age: "3600" });
    const tokens = await portal.exchange((await browser.visit(started.url)).url, started);
    const idToken = tokens.claims() ?? assert.fail();
    const userinfo = await portal.userinfo(tokens.access_token, idToken.sub);
    const { claims } = await fixture.owner.get<ClientSettings>(`/clients/${made.id}/settings`);
    assert.deepEqual(shape(userinfo), shape(claims?.userinfo));
    assert.deepEqual(shape(idToken), shape(claims?.id_token));
    assert.equal(
      (userinfo["service_plan"] as { expires_at: number }).expires_at,
      Math.floor(plan.expiresAt / 1000),
    );
    assert.equal("auth_time" in (first.claims() ?? {}), false, "it is there when max_age was sent");
  });

  it("carry the secret where it is made and nowhere later, by API, command and console", async () => {
    const secrets: string[] = [];
    const told = async ({ client_secret: secret, settings, id }: Made) => {
      secrets.push(secret);
      assert.equal(settings.client_secret, secret);
      assert.equal((parse(settings.text) as { client_secret: string }).client_secret, secret);
      assert.ok(settings.recipes.length > 5);
      for (const { name, files } of settings.recipes) {
        assert.ok(
          files.some(({ text }) => text.includes(secret)),
          name,
        );
      }
      const later = await fixture.owner.call("GET", `/clients/${id}/settings`);
      assert.ok(!later.text.includes(secret));
    };
    const made = await fixture.owner.done<Made>("POST", "/clients", { body: clientBody("web") });
    await told(made);
    const rotated = await fixture.owner.done<Made>("POST", `/clients/${made.id}/secret`, { body: {} });
    await told(rotated);
    assert.notEqual(rotated.client_secret, made.client_secret);

    const { said } = await doors.command(["clients", "rotate", made.id, "--json"]);
    await told(JSON.parse(said.split("\n")[0] ?? "") as Made);
    const asText = await doors.command(["clients", "rotate", made.id]);
    const [, printed = ""] = /^client secret +(\S+)$/m.exec(asText.said) ?? [];
    assert.match(asText.said, new RegExp(`^client_secret: ${printed}$`, "m"));
    const recipe = await doors.command(["clients", "rotate", made.id, "--for", "openid-client"]);
    const [, filled = ""] = /^CLIENT_SECRET=(\S{43})$/m.exec(recipe.said) ?? [];
    assert.match(recipe.said, new RegExp(`^client secret +${filled}$`, "m"));
    assert.match(recipe.said, /^# --- portal\.mjs$/m);
    assert.doesNotMatch(recipe.said, /^# --- application\.yaml$/m);

    const { page } = await doors.post("/clients/new?preset=web", "/clients/new/web", {
      name: "Of the console",
      home_url: "http://localhost:9/",
      redirect_uris: ["http://localhost:9/console/callback"],
      kinds: "customer",
    });
    const blocks = page.dom.querySelectorAll(".copy pre").map((block) => parseHtml(block.innerHTML).text);
    const [shown = "", all = "", ...others] = blocks;
    assert.match(shown, /^[\w-]{43}$/);
    assert.equal((parse(all) as { client_secret: string }).client_secret, shown);
    assert.ok(others.filter((text) => text.includes(shown)).length >= 10, "recipes have it, too");
    secrets.push(printed, filled, shown);

    const stored = readdirSync(fixture.dataDir).filter((name) => name.startsWith("liaison.db"));
    assert.ok(stored.length > 0);
    const bytes = stored.map((name) => readFileSync(join(fixture.dataDir, name)));
    for (const secret of secrets) {
      assert.match(secret, /^[\w-]{43}$/);
      assert.ok(!bytes.some((one) => one.includes(secret)), "a secret in the database");
      assert.equal(logged.filter((line) => line.includes(secret)).length, 0, "a secret in the log");
    }
  });

  it("are the same for one who repeats what made them", async () => {
    const headers = { "idempotency-key": "settings-1" };
    const create = () => fixture.owner.done<Made>("POST", "/clients", { body: clientBody("web"), headers });
    const [first, second] = [await create(), await create()];
    assert.deepEqual(second, first);
    const rotate = () =>
      fixture.owner.done<Made>("POST", `/clients/${first.id}/secret`, { body: {}, headers });
    assert.deepEqual(await rotate(), await rotate());
  });

  it("fill one recipe in, and say which there are for an app of another kind", async () => {
    const { recipes } = await fixture.owner.get<ClientSettings>(
      "/clients/customersource/settings?for=authlib",
    );
    assert.deepEqual(
      recipes.map(({ name }) => name),
      ["authlib"],
    );
    const machine = await makeClient(fixture, "machine");
    const refused = await fixture.owner.call("GET", `/clients/${machine.id}/settings?for=authlib`);
    assert.equal(refused.status, 400);
    assert.match(refused.text, /choose curl/);
    const body = { ...clientBody("machine"), for: "authlib" };
    assert.equal((await fixture.owner.call("POST", "/clients", { body })).status, 400);
    const unknown = await doors.command(["clients", "settings", "customersource", "--for", "nothing"]);
    assert.match(unknown.said, /--for takes openid-client, .* or curl, not "nothing"/);
    const said = (await doors.command(["clients", "settings", "customersource"])).said;
    assert.match(said, /^issuer: .*\nclient_id: customersource\n/);
    assert.match(said, /\n# Recipes, by --for NAME: openid-client, /);
  });
});

/**
 * The names within a value, and whether a number is seconds of our days: what an example and the real thing
 * have in common.
 */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return "list";
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shape(one)]));
  }
  if (typeof value === "number") return value > 1_700_000_000 && value < 4_000_000_000 ? "seconds" : value;
  return typeof value;
}
