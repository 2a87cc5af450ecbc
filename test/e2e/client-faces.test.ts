/**
 * What a client can have by one face it can have by each: the configuration, the API, the commands and the
 * pages, setting by setting, each tried for real. Whoever adds a setting has to name it here (the compiler
 * says so), and then at every face.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { operations } from "../../src/admin/definitions/operations.ts";
import { inputSchema } from "../../src/admin/rest/texts.ts";
import { administrationCommands } from "../../src/cli/administration/operation-commands.ts";
import { configShape } from "../../src/config/schema-shape.ts";
import {
  type ClientSettings,
  defaultSettings,
  type Preset,
  type SettingName,
  settingNames,
} from "../../src/domain/client-settings.ts";
import { asClientId } from "../../src/domain/ids.ts";
import { createClientDirectory } from "../../src/oidc/clients.ts";
import { anId } from "../support/admin-fixture.ts";
import { type ClientDoors, type ClientTry, openDoors, type Tried } from "../support/client-doors.ts";
import { portalSecret } from "../support/liaison.ts";
import type { Page } from "../support/user-agent.ts";

type PortalSettings = Omit<ClientSettings, "preset" | "scopes">;

/** A value of each setting that no client has by default. */
const wanted: PortalSettings = {
  name: "All of it",
  home_url: "https://p.example/home",
  about_url: "https://p.example/about",
  redirect_uris: ["https://p.example/cb", "https://p.example/cb2"],
  post_logout_redirect_uris: ["https://p.example/bye", "https://p.example/bye2"],
  initiate_login_uri: "https://p.example/login",
  backchannel_logout_uri: "https://p.example/told",
  backchannel_logout_session_required: false,
  token_endpoint_auth_method: "client_secret_post",
  id_token_signed_response_alg: "ES256",
  claims_in_id_token: true,
  refresh_tokens: false,
  listed: false,
  pkce_required: false,
  access_policy: { kinds: ["partner", "operator"], plan_required: true, roles: ["buyer", "approver"] },
};

/** What can't be left out. */
const least = {
  name: "A portal",
  home_url: "https://p.example/",
  redirect_uris: ["https://p.example/cb"],
  access_policy: { kinds: ["customer"], plan_required: false, roles: [] },
} satisfies Partial<PortalSettings>;

const names = settingNames("web");
/** Of the configuration alone, and why. */
const ofConfigurationAlone: Record<string, string> = {
  id: "given once",
  preset: "chosen once",
  client_secret: "made by Liaison elsewhere",
  grant_types: "refresh_tokens in other words",
};
/** Of those who register alone, and why. */
const ofRegistrationAlone: Record<string, string> = {
  id: "given once",
  preset: "chosen once",
  for: "what the answer shows",
  scopes: "a machine's, which is no portal: handed out by those who have them",
};

interface Face {
  /** Registers a portal of a preset. */
  register(id: string, preset: Preset, settings: Partial<PortalSettings>): Promise<Tried>;
  /** Edits one that was registered by the API. */
  edit?(id: string, settings: Partial<PortalSettings>): Promise<Tried>;
}

describe("the faces of a client's settings", { concurrency: 1 }, () => {
  const configured = { all: anId().toLowerCase(), least: anId().toLowerCase() };
  let open: ClientDoors;
  before(async () => {
    const secret = { client_secret: portalSecret };
    open = await openDoors({
      portals: [
        { id: configured.all, ...secret, ...wanted },
        { id: configured.least, ...secret, ...least, access_policy: { kinds: ["customer"] } },
      ],
    });
  });
  after(() => open?.close());

  const shown = async (id: string) => await open.fixture.owner.get<Record<string, unknown>>(`/clients/${id}`);

  function assertSettings(found: Record<string, unknown>, expected: PortalSettings, how: string): void {
    for (const name of names)
      assert.deepEqual(found[name], expected[name as keyof PortalSettings], `${how}: ${name}`);
  }

  const flagsOf = (settings: Partial<PortalSettings>) =>
    Object.entries(settings).flatMap(([name, value]) => [
      `--${name.replaceAll("_", "-")}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
  const body = (settings: object) => ({ body: settings });

  /** Posts a form with these settings in it, each in a field that the page really has. */
  async function fill(
    page: string,
    form: string,
    settings: Partial<PortalSettings>,
    more: ClientTry,
  ): Promise<Tried> {
    const fields = fieldsOf(await open.page(page));
    const entries = Object.entries(settings).flatMap(([name, value]): [string, string | string[]][] => {
      if (name !== "access_policy") return [[name, Array.isArray(value) ? value : String(value)]];
      const { kinds, plan_required, roles } = value as PortalSettings["access_policy"];
      return [
        ["kinds", kinds],
        ["roles", roles],
        ...(plan_required ? [["plan_required", "true"] as [string, string]] : []),
      ];
    });
    for (const [name] of entries) assert.ok(fields.has(name), `no field for ${name} at ${page}`);
    return await open.post(page, form, { ...Object.fromEntries(entries), ...more });
  }

  const answered = ({ status, text }: { status: number; text: string }): Tried => {
    assert.ok(status < 500, text);
    return { isTaken: status < 300, said: text };
  };

  const faces: Record<"api" | "command" | "pages", Face> = {
    api: {
      register: async (id, preset, settings) =>
        answered(await open.fixture.owner.call("POST", "/clients", body({ id, preset, ...settings }))),
      edit: async (id, settings) => {
        const headers = { "if-match": await open.fixture.owner.etag(`/clients/${id}`) };
        return answered(
          await open.fixture.owner.call("PATCH", `/clients/${id}`, { body: settings, headers }),
        );
      },
    },
    command: {
      register: (id, preset, settings) =>
        open.command(["clients", "create", "--id", id, "--preset", preset, ...flagsOf(settings)]),
      edit: (id, settings) => open.command(["clients", "edit", id, ...flagsOf(settings)]),
    },
    pages: {
      register: (id, preset, settings) =>
        fill(`/clients/new?preset=${preset}`, `/clients/new/${preset}`, settings, { id }),
      edit: (id, settings) => fill(`/clients/${id}/edit`, `/clients/${id}/edit`, settings, {}),
    },
  };
  const everyFace = Object.entries(faces);

  it("what is tried is no default", () => {
    const usual = defaultSettings("web");
    for (const name of names) {
      assert.notDeepEqual(wanted[name as keyof PortalSettings], usual[name as keyof typeof usual], name);
    }
    assert.deepEqual(Object.keys(wanted).toSorted(), [...names].toSorted());
  });

  it("the configuration has each setting, and nothing that the others lack", () => {
    const portals = configShape.keys.get("portals");
    const keys = portals?.kind === "entries" ? [...portals.entry.keys.keys()] : [];
    assert.deepEqual(keys.filter((key) => !(key in ofConfigurationAlone)).toSorted(), [...names].toSorted());
  });

  for (const operation of [operations.clients.create, operations.clients.edit]) {
    it(`${operation.name} takes each setting, and nothing that the others lack`, () => {
      const { properties = {} } = inputSchema(operation);
      const keys = Object.keys(properties).filter((key) => !(key in ofRegistrationAlone));
      assert.deepEqual(keys.toSorted(), [...names].toSorted());
      for (const [name, { description }] of Object.entries(properties)) {
        if (!["id", "preset", "name", "access_policy"].includes(name))
          assert.ok(description, `${name} says what it is`);
      }
    });
  }

  for (const command of ["clients create", "clients edit"]) {
    it(`${command} has a flag for each setting, that says what it is`, () => {
      const flags =
        administrationCommands({ now: Date.now }).find(({ name }) => name === command)?.flags ?? {};
      for (const name of names) assert.ok(flags[name.replaceAll("_", "-")]?.summary, name);
    });
  }

  it("the pages' forms, new and edited, have a field for each setting", async () => {
    const { id } = await open.fixture.owner.done<{ id: string }>(
      "POST",
      "/clients",
      body({ preset: "web", ...least }),
    );
    const parts: Partial<Record<SettingName, string[]>> = {
      access_policy: ["kinds", "plan_required", "roles"],
    };
    for (const path of ["/clients/new?preset=web", `/clients/${id}/edit`]) {
      const fields = fieldsOf(await open.page(path));
      for (const name of names) {
        for (const field of parts[name] ?? [name])
          assert.ok(fields.has(field), `no field for ${field} at ${path}`);
      }
    }
  });

  it("by each face a portal gets all of them", async () => {
    assertSettings(await shown(configured.all), wanted, "configuration");
    const made = new Map([["configuration", configured.all]]);
    for (const [face, { register }] of everyFace) {
      const id = anId();
      const { isTaken, said } = await register(id, "web", wanted);
      assert.ok(isTaken, `${face}: ${said}`);
      assertSettings(await shown(id), wanted, face);
      made.set(face, id);
    }
    // What they are to the provider is the same, too.
    const { store, config, issuer, clock } = open.fixture;
    const directory = await createClientDirectory(store.clients, config.portals, { issuer, clock });
    const metadata = await Promise.all(
      [...made.values()].map(async (id) => (await directory.find(asClientId(id)))?.metadata),
    );
    assert.equal(metadata[0]?.["pkce_required"], false);
    for (const [index, face] of [...made.keys()].entries())
      assert.deepEqual(metadata[index], metadata[0], face);
  });

  it("by each face a portal of which nothing is said gets the same", async () => {
    const usual = { ...defaultSettings("web"), ...least };
    assertSettings(await shown(configured.least), usual, "configuration");
    for (const [face, { register }] of everyFace) {
      const id = anId();
      const { isTaken, said } = await register(id, "web", least);
      assert.ok(isTaken, `${face}: ${said}`);
      assertSettings(await shown(id), usual, face);
    }
  });

  it("by each face that edits they are changed, and changed back", async () => {
    const usual = { ...defaultSettings("web"), ...least };
    for (const [face, { edit }] of everyFace) {
      const { id } = await open.fixture.owner.done<{ id: string }>(
        "POST",
        "/clients",
        body({ preset: "web", ...least }),
      );
      const changed = await edit?.(id, wanted);
      assert.ok(changed?.isTaken, `${face}: ${changed?.said}`);
      assertSettings(await shown(id), wanted, face);
      const [event] = await open.fixture.store.audit.list({ limit: 1 });
      assert.equal(event?.detail["pkce"], "exempt", face);
      for (const word of ["token_endpoint_auth_method", "id_token_signed_response_alg", "claimsInIdToken"]) {
        assert.ok(
          String(event?.detail["fields"]).includes(word),
          `${face}: ${word} in ${event?.detail["fields"]}`,
        );
      }
      const { pkce_required, token_endpoint_auth_method, refresh_tokens, claims_in_id_token } = usual;
      const some = { pkce_required, token_endpoint_auth_method, refresh_tokens, claims_in_id_token };
      // A page posts all that it has.
      const whole = face === "pages" ? { ...wanted, ...some } : some;
      const back = await edit?.(id, whole);
      assert.ok(back?.isTaken, `${face}: ${back?.said}`);
      assertSettings(await shown(id), { ...wanted, ...some }, `${face}, back`);
    }
  });

  it("apps without a secret are registered by each face, and need PKCE", async () => {
    for (const preset of ["single_page", "native"] as const) {
      const usual = { ...defaultSettings(preset), ...least };
      for (const [face, { register }] of everyFace) {
        const id = anId();
        const { isTaken, said } = await register(id, preset, least);
        assert.ok(isTaken, `${face}: ${said}`);
        assert.equal((await shown(id))["preset"], preset, face);
        assertSettings(await shown(id), usual, `${face}, ${preset}`);
      }
      const portal = { id: "tried", ...least, access_policy: { kinds: ["customer"] }, preset };
      const { isTaken, said } = await open.configuration({ portals: [portal] });
      assert.ok(isTaken, said);
      const exempt = { ...least, pkce_required: false };
      for (const face of ["api", "command"] as const) {
        const refused = await faces[face].register(anId(), preset, exempt);
        assert.ok(!refused.isTaken, face);
        assert.match(refused.said, /only a client with a secret can be exempted/, face);
      }
      const refused = await open.configuration({ portals: [{ ...portal, pkce_required: false }] });
      assert.ok(!refused.isTaken);
      assert.match(refused.said, /portals\.tried\.pkce_required .*only a client with a secret/);
    }
  });

  const refusals: [settings: Record<string, unknown>, said: RegExp][] = [
    [{ token_endpoint_auth_method: "none" }, /has a secret to show|is required, unless|no secret/],
    [{ token_endpoint_auth_method: "private_key_jwt" }, /token.endpoint.auth.method/],
    [{ id_token_signed_response_alg: "none" }, /id.token.signed.response.alg/],
    [{ id_token_signed_response_alg: "HS256" }, /id.token.signed.response.alg/],
    [{ pkce_required: "perhaps" }, /pkce.required/],
    [{ claims_in_id_token: "perhaps" }, /claims.in.id.token/],
  ];
  it("each face refuses the same", async () => {
    for (const [odd, said] of refusals) {
      const settings = { ...least, ...odd } as Partial<PortalSettings>;
      for (const [face, { register }] of everyFace) {
        const tried = await register(anId(), "web", settings);
        assert.ok(!tried.isTaken, `${face} took ${JSON.stringify(odd)}`);
        assert.match(tried.said, face === "pages" ? /There is a problem/ : said, face);
      }
      const portal = { id: "tried", client_secret: portalSecret, preset: "web", ...settings };
      const tried = await open.configuration({ portals: [portal] });
      assert.ok(!tried.isTaken, `the configuration took ${JSON.stringify(odd)}`);
      assert.match(tried.said, said);
    }
  });

  it("the configuration's two words for refresh tokens say the same, and not both", async () => {
    const portal = { id: "tried", client_secret: portalSecret, ...least };
    const both = await open.configuration({
      portals: [{ ...portal, refresh_tokens: true, grant_types: [] }],
    });
    assert.match(both.said, /portals\.tried\.grant_types .*stands beside refresh_tokens/);
    const one = await open.configuration({ portals: [{ ...portal, grant_types: ["authorization_code"] }] });
    assert.ok(one.isTaken, one.said);
  });

  it("a machine has none of what is about people, and chooses how it shows its secret", async () => {
    const { owner } = open.fixture;
    const machine = { preset: "machine", name: "M", scopes: ["admin:read"] };
    const some = {
      redirect_uris: wanted.redirect_uris,
      home_url: wanted.home_url,
      about_url: wanted.about_url,
      id_token_signed_response_alg: "ES256",
      claims_in_id_token: true,
      pkce_required: false,
    };
    for (const [name, value] of Object.entries(some)) {
      const { status, text } = await owner.call("POST", "/clients", body({ ...machine, [name]: value }));
      assert.equal(status, 400, text);
      assert.match(text, new RegExp(`${name}.*a machine has none`));
    }
    const made = await open.post("/clients/new?preset=machine", "/clients/new/machine", {
      name: "M",
      id: "posting-machine",
      scopes: "admin:read",
      token_endpoint_auth_method: "client_secret_post",
    });
    assert.ok(made.isTaken, made.said);
    assert.equal((await shown("posting-machine"))["token_endpoint_auth_method"], "client_secret_post");
  });
});

/** The names of a page's fields. */
function fieldsOf(page: Page): Set<string> {
  assert.equal(page.status, 200, page.text);
  const fields = page.dom.querySelectorAll("form.console-form [name]");
  return new Set(fields.map((field) => field.getAttribute("name") ?? ""));
}
