/** A portal written by others, by configuration alone: a real Apache with mod_auth_openidc. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type ApacheInstallation, apacheInstallation, startApachePortal } from "../support/apache-portal.ts";
import { freePort } from "../support/free-port.ts";
import {
  type Liaison,
  openLink,
  people,
  portalSecret,
  register,
  signInUpstream,
  startLiaison,
} from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const installation = await apacheInstallation();
const skip = installation === undefined && "Apache with mod_auth_openidc isn't installed";

interface Stage {
  liaison: Liaison;
  origin: string;
  vanity: string;
}

interface Variant {
  how: string;
  portal: object;
  settings: string[];
}

const variants: Variant[] = [
  { how: "basic authentication and PKCE", portal: {}, settings: ["OIDCPKCEMethod S256"] },
  {
    how: "the secret in the form, ES256, form_post, and no PKCE",
    portal: {
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "ES256",
      pkce_required: false,
    },
    settings: [
      "OIDCProviderTokenEndpointAuth client_secret_post",
      "OIDCIDTokenSignedResponseAlg ES256",
      "OIDCResponseMode form_post",
    ],
  },
];

async function withApache(
  apache: ApacheInstallation,
  variant: Variant,
  run: (stage: Stage) => Promise<void>,
) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const vanity = `${origin}/protected/oidc`;
  const registration = {
    id: "apache",
    name: "Apache",
    client_secret: portalSecret,
    home_url: `${origin}/`,
    redirect_uris: [vanity],
    post_logout_redirect_uris: [`${origin}/`],
    backchannel_logout_uri: `${vanity}?logout=backchannel`,
    access_policy: { kinds: ["customer"] },
    ...variant.portal,
  };
  const liaison = await startLiaison({
    config: (base) => ({ ...base, portals: [...(base["portals"] as object[]), registration] }),
  });
  try {
    const client = { issuer: liaison.issuer, clientId: "apache", clientSecret: portalSecret };
    const settings = ["OIDCInfoHook access_token userinfo refresh_token", ...variant.settings];
    const portal = await startApachePortal(apache, { port, ...client, settings });
    try {
      await run({ liaison, origin, vanity });
    } finally {
      await portal.close();
    }
  } finally {
    await liaison.close();
  }
}

/** Presses the button of a page that a browser would send on by itself. */
async function landed(browser: UserAgent, page: Page): Promise<Page> {
  const form = page.body.includes("<title>Submitting Callback</title>")
    ? page.dom.querySelector("form")
    : null;
  if (form === null) return page;
  const fields = form.querySelectorAll("input").map((input): [string, string] => {
    return [input.getAttribute("name") ?? "", input.getAttribute("value") ?? ""];
  });
  return await browser.visit(form.getAttribute("action") ?? "", {
    method: "POST",
    body: new URLSearchParams(fields),
  });
}

describe("mod_auth_openidc as a portal", { skip }, () => {
  for (const variant of variants) {
    it(`with ${variant.how}: link, claims, refresh, both ways to sign out`, async () => {
      if (installation === undefined) return;
      await withApache(installation, variant, journey);
    });
  }

  async function journey({ liaison, origin, vanity }: Stage): Promise<void> {
    await register(
      liaison,
      { id: asOrganizationId("northwind"), name: "Northwind Traders", accountNumber: "C-100" },
      [
        {
          id: "p-ann",
          email: "ann@northwind.example",
          name: "Ann of Northwind",
          roles: ["buyer", "approver"],
        },
      ],
    );
    const browser = new UserAgent();
    const portal = async () => await landed(browser, await browser.visit(`${origin}/protected/`));
    const signIn = await portal();
    assert.equal(signIn.heading, "Sign in to Apache");
    const linkStep = await signInUpstream(browser, await browser.press(signIn, /Fabrikam ID/), people.ann);
    const waiting = await browser.press(linkStep, "Continue", { email: "ann@northwind.example" });
    const [mail] = await liaison.mailbox.arrived(1);
    assert.ok(mail);
    await openLink(new UserAgent(), linkIn(mail), people.ann);

    const greeting = await landed(browser, await browser.follow(waiting, /opened the link/));
    assert.equal(greeting.heading, "The portal", greeting.text);
    const claim = (name: string) => greeting.headers.get(`x-claim-${name}`);
    assert.equal(claim("name"), "Ann of Northwind");
    assert.equal(claim("email"), "ann@northwind.example");
    assert.equal(claim("email-verified"), "1");
    assert.equal(claim("profile-id"), "p-ann");
    assert.equal(claim("roles"), "buyer,approver");
    assert.equal(greeting.headers.get("x-remote-user"), `${claim("sub")}@${liaison.issuer}`);

    const session = async () => JSON.parse((await browser.visit(`${vanity}?info=json`)).body);
    const before = await session();
    assert.deepEqual(before.userinfo.organization, {
      id: "northwind",
      name: "Northwind Traders",
      account_number: "C-100",
      kind: "customer",
    });
    const refresh = async (accessToken: string) => {
      const back = encodeURIComponent(`${origin}/protected/`);
      return await browser.visit(`${vanity}?refresh=${back}&access_token=${encodeURIComponent(accessToken)}`);
    };
    assert.equal((await refresh(before.access_token)).url.search, "");
    const after = await session();
    assert.notEqual(after.access_token, before.access_token);
    assert.notEqual(after.refresh_token, before.refresh_token);

    const confirm = await browser.visit(`${vanity}?logout=${encodeURIComponent(`${origin}/`)}`);
    assert.equal(confirm.url.origin, liaison.issuer);
    const out = await browser.press(confirm, "Sign out");
    assert.equal(out.url.href, `${origin}/`);
    assert.equal(out.heading, "Signed out");

    const again = await signInAgain(await portal());
    assert.equal(again.heading, "The portal", "a linked profile needs no second mail");
    assert.equal(again.headers.get("x-claim-sub"), claim("sub"), "the same person");

    /** After a sign-out the account is chosen anew, and the upstream asks for the password. */
    async function signInAgain(page: Page): Promise<Page> {
      assert.equal(page.heading, "Sign in to Apache");
      const upstream = await browser.press(page, /Fabrikam ID/);
      return await landed(browser, await signInUpstream(browser, upstream, people.ann));
    }

    const isSignedIn = async () => (await browser.once(`${origin}/protected/`)).status === 200;
    assert.ok(await isSignedIn());
    await browser.press(await browser.visit(`${liaison.issuer}/logout`), "Sign out");
    const deadline = Date.now() + 8000;
    while ((await isSignedIn()) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(!(await isSignedIn()), "the portal was told of the sign-out behind the browser's back");

    await signInAgain(await portal());
    const last = await session();
    await register(liaison, { id: asOrganizationId("northwind"), enabled: false }, []);
    liaison.clock.advance(61);
    assert.match((await refresh(last.access_token)).url.search, /error_code=refresh_failed/);
  }
});
