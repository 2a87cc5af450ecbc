/**
 * A relying party that asks as the OpenID Foundation's conformance suite does: by requests written by hand,
 * without PKCE unless it says so, at an issuer that it knows by discovery alone; and that checks whatever it
 * is given.
 */

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, bindTo, startAttacked } from "./attack-fixture.ts";
import { type LiaisonOptions, portalSecret, register, signIn, type TestPerson } from "./liaison.ts";
import type { Page, UserAgent } from "./user-agent.ts";

/** The suite's addresses; browsers stop there. */
export const suiteUris = {
  callback: "http://localhost:9/suite/callback",
  withQuery: "http://localhost:9/suite/callback?dummy1=lorem&dummy2=ipsum",
  signedOut: "http://localhost:9/suite/post_logout_redirect",
  signedOutWithQuery: "http://localhost:9/suite/post_logout_redirect?foo=bar",
};

/** A suite's client as it is registered in the configuration. */
export function suitePortal(id: string, settings: object = {}): object {
  return {
    id,
    name: `Suite ${id}`,
    client_secret: portalSecret,
    home_url: "http://localhost:9/suite",
    redirect_uris: [suiteUris.callback, suiteUris.withQuery],
    post_logout_redirect_uris: [suiteUris.signedOut, suiteUris.signedOutWithQuery],
    pkce_required: false,
    access_policy: { kinds: ["customer"] },
    ...settings,
  };
}

/** What an authorization request came to. */
export interface Answered {
  /** The last page, or an empty one at the client's address. */
  page: Page;
  /** What the client was told, by whichever response mode; empty where it was told nothing. */
  told: Record<string, string>;
  sent: Record<string, string>;
}

export interface JsonAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** Tokens, and what the ID token says. */
export interface Granted {
  accessToken: string;
  refreshToken: string | undefined;
  idToken: string;
  claims: JWTPayload;
}

type Parameters = Record<string, string | undefined>;
type Authentication = "client_secret_basic" | "client_secret_post";

export class SuiteClient {
  readonly id: string;
  readonly #metadata: Record<string, unknown>;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  private constructor(id: string, metadata: Record<string, unknown>) {
    this.id = id;
    this.#metadata = metadata;
    this.#keys = createRemoteJWKSet(new URL(String(metadata["jwks_uri"])));
  }

  static async discover(issuer: string, id: string): Promise<SuiteClient> {
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
    assert.equal(answer.status, 200);
    return new SuiteClient(id, (await answer.json()) as Record<string, unknown>);
  }

  endpoint(name: string): string {
    const found = this.#metadata[name];
    assert.equal(typeof found, "string", `discovery has no ${name}`);
    return String(found);
  }

  get issuer(): string {
    return this.endpoint("issuer");
  }

  /** The parameters of an ordinary request; undefined leaves one away. */
  parameters(changes: Parameters = {}): Record<string, string> {
    const all: Parameters = {
      client_id: this.id,
      redirect_uri: suiteUris.callback,
      response_type: "code",
      scope: "openid",
      state: randomUUID(),
      nonce: randomUUID(),
      ...changes,
    };
    return Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  }

  /** Sends a browser with a request, and no further than it is led without a word. */
  async visit(browser: UserAgent, changes: Parameters = {}): Promise<Answered> {
    const sent = this.parameters(changes);
    const page = await browser.visit(
      `${this.endpoint("authorization_endpoint")}?${new URLSearchParams(sent)}`,
    );
    return { page, told: this.#told(page), sent };
  }

  /** The same, and signs the person in where they are asked. */
  async authorize(browser: UserAgent, person: TestPerson, changes: Parameters = {}): Promise<Answered> {
    const sent = this.parameters(changes);
    const url = new URL(`${this.endpoint("authorization_endpoint")}?${new URLSearchParams(sent)}`);
    const page = await signIn(browser, { url, codeVerifier: "", state: "", nonce: "" }, person);
    return { page, told: this.#told(page), sent };
  }

  /** The answer at the client's address: in its query, its fragment, or a form that submits itself. */
  #told(page: Page): Record<string, string> {
    const form = page.dom.querySelector("form");
    const isPosted = form?.getAttribute("action")?.startsWith(suiteUris.callback) === true;
    if (isPosted) {
      const inputs = form.querySelectorAll("input");
      return Object.fromEntries(
        inputs.map((one) => [one.getAttribute("name") ?? "", one.getAttribute("value") ?? ""]),
      );
    }
    if (!page.url.href.startsWith(suiteUris.callback)) return {};
    return Object.fromEntries(
      page.url.hash === "" ? page.url.searchParams : new URLSearchParams(page.url.hash.slice(1)),
    );
  }

  /** The code of an answer, which has to be this request's. */
  codeOf({ told, sent, page }: Answered): string {
    assert.ok(told["code"], `no code: ${page.url} ${page.text}`);
    assert.equal(told["state"], sent["state"]);
    assert.equal(told["iss"], this.issuer);
    assert.equal(told["error"], undefined);
    return told["code"];
  }

  /** An error that the client was told, which has to be this request's. */
  errorOf({ told, sent, page }: Answered): string | undefined {
    assert.equal(told["code"], undefined, `${page.url} ${page.text}`);
    assert.equal(told["state"], sent["state"], `${page.url} ${page.text}`);
    assert.equal(told["iss"], this.issuer);
    return told["error"];
  }

  /** Asks the token endpoint. */
  async token(fields: Parameters, by: Authentication = "client_secret_basic"): Promise<JsonAnswer> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value);
    if (by === "client_secret_post") {
      body.set("client_id", this.id);
      body.set("client_secret", portalSecret);
    }
    const headers = by === "client_secret_basic" ? { authorization: `Basic ${this.#basic()}` } : {};
    return await json(await fetch(this.endpoint("token_endpoint"), { method: "POST", headers, body }));
  }

  #basic(): string {
    return Buffer.from(`${this.id}:${portalSecret}`).toString("base64");
  }

  /** Redeems a code and checks what comes of it, as the suite's first module does. */
  async redeem(
    answered: Answered,
    extra: Parameters = {},
    by: Authentication = "client_secret_basic",
  ): Promise<Granted> {
    const fields = { grant_type: "authorization_code", code: this.codeOf(answered), ...extra };
    const answer = await this.token({ redirect_uri: answered.sent["redirect_uri"], ...fields }, by);
    return await this.granted(answer, answered.sent["nonce"]);
  }

  /**
   * Checks an answer of the token endpoint, and the ID token in it (OpenID Connect Core 1.0, section 3.1.3).
   */
  async granted({ status, headers, body }: JsonAnswer, nonce: string | undefined): Promise<Granted> {
    assert.equal(status, 200, JSON.stringify(body));
    assert.match(headers.get("cache-control") ?? "", /no-store/);
    assert.match(String(body["token_type"]), /^bearer$/i);
    const [idToken, accessToken] = [String(body["id_token"]), String(body["access_token"])];
    const claims = await this.verify(idToken);
    assert.equal(claims["nonce"], nonce);
    const refreshToken = body["refresh_token"];
    return {
      accessToken,
      idToken,
      claims,
      refreshToken: refreshToken === undefined ? undefined : String(refreshToken),
    };
  }

  /** Verifies an ID token by the published key that its header names. */
  async verify(idToken: string): Promise<JWTPayload> {
    const { alg, kid } = decodeProtectedHeader(idToken);
    assert.equal(alg, "RS256");
    assert.ok(kid, "a kid is needed: more keys than one are published");
    const required = ["iss", "sub", "aud", "exp", "iat"];
    const { payload } = await jwtVerify(idToken, this.#keys, {
      issuer: this.issuer,
      audience: this.id,
      requiredClaims: required,
    });
    assert.equal(payload.aud, this.id);
    assert.match(payload.sub ?? "", /^[\x21-\x7e]{1,255}$/);
    assert.ok(Math.abs((payload.iat ?? 0) - Date.now() / 1000) < 60);
    return payload;
  }

  /** Asks UserInfo, by one of the ways of RFC 6750, section 2. */
  async userinfo(accessToken: string, by: "get" | "post-header" | "post-body" = "get"): Promise<JsonAnswer> {
    const headers: Record<string, string> =
      by === "post-body" ? {} : { authorization: `Bearer ${accessToken}` };
    const body = by === "post-body" ? new URLSearchParams({ access_token: accessToken }) : null;
    return await json(
      await fetch(this.endpoint("userinfo_endpoint"), {
        method: by === "get" ? "GET" : "POST",
        headers,
        body,
      }),
    );
  }

  /** Sends a browser to the end-session endpoint. */
  async signOut(browser: UserAgent, parameters: Parameters): Promise<Page> {
    const url = new URL(this.endpoint("end_session_endpoint"));
    for (const [name, value] of Object.entries(parameters))
      if (value !== undefined) url.searchParams.set(name, value);
    return await browser.visit(url);
  }

  /** Whether a browser is signed in, as `prompt=none` tells. */
  async isSignedIn(browser: UserAgent): Promise<boolean> {
    const { told } = await this.visit(browser, { prompt: "none" });
    assert.ok(told["code"] !== undefined || told["error"] === "login_required", JSON.stringify(told));
    return told["code"] !== undefined;
  }
}

async function json(answer: Response): Promise<JsonAnswer> {
  const text = await answer.text();
  const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: answer.status, headers: answer.headers, body };
}

/** `at_hash` and the like (OpenID Connect Core 1.0, section 3.1.3.6), for RS256. */
export function halfHash(text: string): string {
  return createHash("sha256").update(text).digest().subarray(0, 16).toString("base64url");
}

export interface SuiteFixture {
  liaison: Attacked;
  /** Somebody whom no test has met, with one profile of their own. */
  somebody(): Promise<{ person: TestPerson; browser: UserAgent; accountId: string }>;
  close(): Promise<void>;
}

/** The application with the suite's clients in its configuration. */
export async function startSuite(portals: object[], options: LiaisonOptions = {}): Promise<SuiteFixture> {
  const liaison = await startAttacked({
    strangers: 120,
    ...options,
    config: (base) => ({ ...base, portals: [...(base["portals"] as object[]), ...portals] }),
  });
  let people = 0;
  return {
    liaison,
    somebody: async () => {
      const [person, id] = [liaison.stranger(), `suite-${++people}`];
      await register(liaison, { id: asOrganizationId(id) }, [
        { id, email: `${id}@northwind.example`, name: `Person ${people}` },
      ]);
      return { person, browser: liaison.browser(), accountId: await bindTo(liaison, person, id) };
    },
    close: () => liaison.close(),
  };
}
