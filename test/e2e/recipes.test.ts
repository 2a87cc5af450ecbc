/**
 * Portals made of the recipes' own text, against the real service: each program is started as its files stand
 * in the answer that registered it. People sign in, are known by their claims, sign out, and cancel.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { type ClientSettings, SECRET_STAND_INS } from "../../src/admin/client-settings.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type AdminFixture, anId, startAdminFixture } from "../support/admin-fixture.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { freePort } from "../support/free-port.ts";
import { portalSecret, register, signInUpstream, type TestPerson } from "../support/liaison.ts";
import { filesOf, runRecipe } from "../support/recipes.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const node: [string, ...string[]] = [process.execPath, "--env-file=portal.env", "portal.mjs"];
const python: [string, ...string[]] = [
  "sh",
  "-c",
  `set -a; . ./portal.env; exec ${pythonProgram()} portal.py`,
];

/** Where Authlib is installed otherwise than for the system, `PYTHON` names its interpreter. */
function pythonProgram(): string {
  return process.env["PYTHON"] ?? "python3";
}

async function lacksAuthlib(): Promise<string | false> {
  try {
    await promisify(execFile)(pythonProgram(), ["-c", "import authlib, flask, requests"]);
    return false;
  } catch {
    return "Python with authlib, flask and requests isn't installed";
  }
}

interface Variant {
  recipe: string;
  how: string;
  command: [string, ...string[]];
  /**
   * Where the program shows the claims of whoever is signed in, and whether they come from userinfo there.
   */
  shows: string;
  /** What only the configuration says of a client app. */
  portal?: Record<string, unknown>;
  skip?: string | false;
}

const variants: Variant[] = [
  { recipe: "openid-client", how: "as registered by default", command: node, shows: "/" },
  {
    recipe: "openid-client",
    how: "the secret in the form, ES256",
    command: node,
    shows: "/",
    portal: { token_endpoint_auth_method: "client_secret_post", id_token_signed_response_alg: "ES256" },
  },
  { recipe: "express-openid-connect", how: "as registered by default", command: node, shows: "/person" },
  {
    recipe: "passport-openidconnect",
    how: "exempt from PKCE",
    command: node,
    shows: "/",
    portal: { pkce_required: false },
  },
  {
    recipe: "authlib",
    how: "as registered by default",
    command: python,
    shows: "/",
    skip: await lacksAuthlib(),
  },
];

describe("recipes", () => {
  let fixture: AdminFixture;
  const ports = new Map<Variant, number>();
  before(async () => {
    for (const variant of variants) ports.set(variant, await freePort());
    fixture = await startAdminFixture({
      config: (base) => {
        const configured = variants.flatMap((variant, index) => {
          const { portal } = variant;
          if (portal === undefined) return [];
          const common = { id: `recipe-${index}`, name: "Recipe", client_secret: portalSecret };
          return [{ ...common, ...addresses(variant), access_policy: { kinds: ["customer"] }, ...portal }];
        });
        return { ...base, portals: [...(base["portals"] as object[]), ...configured] };
      },
    });
  });
  after(() => fixture?.close());

  function addresses(variant: Variant) {
    const origin = `http://localhost:${ports.get(variant)}`;
    return {
      home_url: `${origin}/`,
      redirect_uris: [`${origin}/callback`],
      post_logout_redirect_uris: [`${origin}/`],
    };
  }

  /**
   * The recipe's files: in the answer that made the secret, or of a client app of the configuration, whose
   * secret is known.
   */
  async function files(variant: Variant): Promise<Record<string, string>> {
    const { recipe, portal } = variant;
    if (portal === undefined) {
      const body = { preset: "web", name: "Recipe", ...addresses(variant), for: recipe };
      const { settings } = await fixture.owner.done<{ settings: ClientSettings }>("POST", "/clients", {
        body,
      });
      return filesOf(settings, recipe);
    }
    const path = `/clients/recipe-${variants.indexOf(variant)}/settings?for=${recipe}`;
    const settings = await fixture.owner.get<ClientSettings>(path);
    assert.deepEqual(settings.recipes[0]?.needs, []);
    const known = Object.entries(filesOf(settings, recipe));
    return Object.fromEntries(
      known.map(([file, text]) => [file, text.replace(SECRET_STAND_INS.config, portalSecret)]),
    );
  }

  async function somebody(): Promise<{ person: TestPerson; profileId: string }> {
    const [id, person] = [anId(), fixture.stranger()];
    await register(fixture, { id: asOrganizationId(id) }, [
      { id: `p-${id}`, email: `${person.username}@northwind.example`, roles: ["buyer"] },
    ]);
    await bindTo(fixture, person, `p-${id}`);
    return { person, profileId: `p-${id}` };
  }

  /** From the portal's own sign-in to the upstream's form. */
  async function toUpstream(browser: UserAgent, origin: string): Promise<Page> {
    const page = await browser.visit(`${origin}/login`);
    return page.body.includes('name="upstream"') ? await browser.press(page, /Fabrikam ID/) : page;
  }

  for (const variant of variants) {
    const { recipe, how, command, shows, skip = false } = variant;
    it(`${recipe}, ${how}: signs in, shows the claims, signs out, and takes a cancelled sign-in`, {
      skip,
    }, async () => {
      const port = ports.get(variant) ?? assert.fail();
      const origin = `http://localhost:${port}`;
      const program = await runRecipe(await files(variant), { command, port });
      try {
        const { person, profileId } = await somebody();
        const browser = new UserAgent({ stopAt: (url) => url.port === "9" });
        const back = await signInUpstream(browser, await toUpstream(browser, origin), person);
        assert.equal(back.url.href, `${origin}/`, back.text);
        const claims = JSON.parse((await browser.visit(origin + shows)).body);
        assert.equal(claims.profile_id, profileId, JSON.stringify(claims));
        assert.deepEqual(claims.roles, ["buyer"]);
        assert.equal(claims.organization.kind, "customer");

        const signOut = await browser.visit(`${origin}/logout`);
        assert.equal(new URL(signOut.url).origin, fixture.issuer);
        const left = await browser.press(signOut, "Sign out");
        assert.equal(`${left.url.origin}${left.url.pathname}`, `${origin}/`, left.text);
        assert.equal(JSON.parse(left.body), null, "the portal knows nobody any more");
        const silent = await browser.visit((await fixture.customerSource.start({ prompt: "none" })).url);
        assert.equal(silent.url.searchParams.get("error"), "login_required");

        const other = new UserAgent();
        const choice = await other.follow(await toUpstream(other, origin), "Cancel");
        const told = await other.press(choice, /^Go back to /);
        assert.equal(new URL(told.url).origin, origin, told.text);
        assert.deepEqual([told.status, told.text], [403, "You are not signed in. Sign in"]);
        const elsewhere = await new UserAgent().visit(`${origin}/callback?code=x&state=y`);
        assert.ok(elsewhere.status >= 400 && elsewhere.status < 500, `${elsewhere.status} ${elsewhere.text}`);
        assert.equal(JSON.parse((await other.visit(`${origin}/`)).body), null, "and goes on");
      } finally {
        await program.close();
      }
    });
  }
});
