/**
 * The administration for tests: its REST API as callers use it, with records made by that API, and people
 * signed in for real.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as oidc from "openid-client";
import { operations } from "../../src/admin/definitions/operations.ts";
import { createOfflineAdministration } from "../../src/admin/offline-administration.ts";
import { ALL_SCOPES, type Scope } from "../../src/admin/scopes.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { OrganizationKind } from "../../src/domain/records.ts";
import { randomId } from "../../src/domain/secrets.ts";
import { type Attacked, bindTo, startAttacked } from "./attack-fixture.ts";
import { type LiaisonOptions, register, signIn, type TestPerson } from "./liaison.ts";
import type { PortalTokens, TestPortal } from "./portal.ts";
import type { UserAgent } from "./user-agent.ts";

/** What the API answered. `body` is an empty object where it is no JSON. */
export interface ApiAnswer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  text: string;
  body: Body;
}

export interface ApiCall {
  body?: object | string | undefined;
  headers?: Record<string, string> | undefined;
}

/** The API as somebody with a token calls it, or with none. */
export class Api {
  readonly issuer: string;
  readonly token: string | undefined;

  constructor(issuer: string, token?: string) {
    this.issuer = issuer;
    this.token = token;
  }

  async call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    { body, headers = {} }: ApiCall = {},
  ): Promise<ApiAnswer<Body>> {
    const response = await fetch(`${this.issuer}/admin/api/v1${path}`, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /^application\/(?:problem\+)?json(?:;|$)/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : {}) as Body,
    };
  }

  /** What must succeed. */
  async done<Body = Record<string, unknown>>(
    method: string,
    path: string,
    call: ApiCall = {},
  ): Promise<Body> {
    const { status, text, body } = await this.call<Body>(method, path, call);
    assert.ok(status === 200 || status === 201, `${method} ${path}: ${status} ${text}`);
    return body;
  }

  /** Asks for a verification of the audit. */
  async verifyAudit<Verification = { id: string }>(head?: string): Promise<Verification> {
    const { status, text, body } = await this.call<Verification>("POST", "/audit/verifications", {
      body: head === undefined ? {} : { head },
    });
    assert.equal(status, 202, text);
    return body;
  }

  async get<Body = Record<string, unknown>>(path: string): Promise<Body> {
    return await this.done<Body>("GET", path);
  }

  /** The items of a list, of all its pages. */
  async list<Item = Record<string, unknown>>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const more =
        cursor === "" ? "" : `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
      const page: { items: Item[]; next_cursor: string | null } = await this.get(path + more);
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    return items;
  }

  /** Edits a record as it is now. */
  async edit<Body = Record<string, unknown>>(path: string, body: object): Promise<Body> {
    return await this.done<Body>("PATCH", path, { body, headers: { "if-match": await this.etag(path) } });
  }

  async etag(path: string): Promise<string> {
    return (await this.call("GET", path)).headers.get("etag") ?? assert.fail(`no ETag at ${path}`);
  }
}

export interface SignedIn {
  browser: UserAgent;
  person: TestPerson;
  tokens: PortalTokens;
  accountId: string;
  profileId: string;
  grantId: string;
  sessionId: string;
}

export interface AdminFixture extends Attacked {
  /** With every scope. */
  owner: Api;
  nobody: Api;
  /** With an API key of some scopes. */
  keyWith(scopes: readonly Scope[]): Promise<Api>;
}

/** The application, and an API key with every scope that was made beside it, as a command makes the first. */
export async function startAdminFixture(
  options: LiaisonOptions & { strangers?: number } = {},
): Promise<AdminFixture> {
  const liaison = await startAttacked(options);
  try {
    const { service, principal } = await createOfflineAdministration(
      { ...liaison, checksOutputs: true },
      "test",
    );
    const keyWith = async (scopes: readonly Scope[]) => {
      const { output } = await service.call(operations.apiKeys.create, principal, { name: "test", scopes });
      return new Api(liaison.issuer, output.key);
    };
    return Object.assign(liaison, {
      keyWith,
      owner: await keyWith(ALL_SCOPES),
      nobody: new Api(liaison.issuer),
    });
  } catch (error) {
    await liaison.close();
    throw error;
  }
}

/** An id that nobody has: one that begins with a letter, as given ones must. */
export const anId = () => `t${randomId()}`;

export async function makeOrganization(
  { owner }: AdminFixture,
  kind: OrganizationKind = "customer",
): Promise<string> {
  const id = anId();
  const plan = { status: "active", expires_at: null };
  await owner.done("POST", "/organizations", {
    body: { id, name: `Of ${id}`, account_number: "A-1", kind, plan },
  });
  return id;
}

export interface MadeProfile {
  id: string;
  email: string;
  organizationId: string;
}

export async function makeProfile(
  fixture: AdminFixture,
  kind: OrganizationKind = "customer",
): Promise<MadeProfile> {
  const organizationId = await makeOrganization(fixture, kind);
  const id = anId();
  const email = `${randomUUID()}@northwind.example`;
  const body = { id, organization_id: organizationId, email, name: `Person ${id}` };
  await fixture.owner.done("POST", "/profiles", { body });
  return { id, email, organizationId };
}

export type Preset = "web" | "single_page" | "native" | "machine";

/** What registers a client app of each preset. */
export function clientBody(preset: Preset): Record<string, unknown> {
  if (preset === "machine") return { preset, name: "A machine", scopes: ["admin:read"] };
  const redirect_uris = ["http://localhost:9/registered/callback"];
  return { preset, name: "A portal", home_url: "http://localhost:9/", redirect_uris };
}

export async function makeClient(
  { owner }: AdminFixture,
  preset: Preset,
  fields: Record<string, unknown> = {},
): Promise<{ id: string; client_secret: string }> {
  return await owner.done("POST", "/clients", { body: { ...clientBody(preset), ...fields } });
}

/** Signs somebody whom no test has met in at a portal, with a profile of their own. */
export async function signInSomebody(
  fixture: AdminFixture,
  {
    portal = fixture.customerSource,
    kind = "customer",
    roles = ["user"],
  }: { portal?: TestPortal; kind?: OrganizationKind; roles?: string[] } = {},
): Promise<SignedIn> {
  const [id, person] = [anId(), fixture.stranger()];
  await register(fixture, { id: asOrganizationId(id), kind }, [
    { id: `p-${id}`, email: `${person.username}@northwind.example`, roles },
  ]);
  const accountId = await bindTo(fixture, person, `p-${id}`);
  const browser = fixture.browser();
  const started = await portal.start();
  const end = await signIn(browser, started, person);
  assert.equal(end.status, 0, end.text);
  const tokens = await portal.exchange(end.url, started);
  const [grant] = await fixture.owner.list<{ id: string; session_id: string }>(`/grants?profile_id=p-${id}`);
  assert.ok(grant);
  return {
    browser,
    person,
    tokens,
    accountId,
    profileId: `p-${id}`,
    grantId: grant.id,
    sessionId: grant.session_id,
  };
}

/**
 * Asks our provider for a machine's token, as RFC 6749, section 4.4 has it. Rejects with what the provider
 * answered.
 */
export async function machineToken(
  { issuer }: Pick<AdminFixture, "issuer">,
  { id, client_secret }: { id: string; client_secret: string },
  scope: string,
): Promise<string> {
  const configuration = await oidc.discovery(
    new URL(issuer),
    id,
    undefined,
    oidc.ClientSecretBasic(client_secret),
    {
      execute: [oidc.allowInsecureRequests],
    },
  );
  return (await oidc.clientCredentialsGrant(configuration, { scope })).access_token;
}

/** Everything that an operation could have written, but what is noted of uses and mails by whoever reads. */
export async function everythingIn({ owner }: Pick<AdminFixture, "owner">): Promise<unknown> {
  const lists = [
    "/organizations",
    "/profiles",
    "/administrators",
    "/clients",
    "/api-keys",
    "/accounts",
    "/grants",
    "/mail",
    "/audit",
  ];
  const found = [];
  for (const list of lists) found.push((await owner.list<object>(list)).map(unnoted));
  return found;
}

const unnoted = (item: object) =>
  JSON.stringify(item, (name, value: unknown) =>
    /_at$|^state$|^attempts$|^reason$/.test(name) ? null : value,
  );
