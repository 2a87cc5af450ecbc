/** A well-formed request of every operation of the administration, about records that are there. */

import assert from "node:assert/strict";
import type { OrganizationKind } from "../../src/domain/records.ts";
import {
  type AdminFixture,
  type ApiCall,
  anId,
  clientBody,
  makeClient,
  makeOrganization,
  makeProfile,
  type Preset,
  signInSomebody,
} from "./admin-fixture.ts";
import { bindTo, mailsTo } from "./attack-fixture.ts";

/** What a request is about: whose organization's record, or which client app. */
export type About = "" | "own" | "other's" | "other's, made own" | "portal" | "machine";

/** The path is the operation's with its field filled in, and a query. */
export interface Prepared extends ApiCall {
  id?: string | undefined;
  query?: string;
}

type Prepare = (fixture: AdminFixture, about: About) => Prepared | Promise<Prepared>;

const kindOf = (about: About): OrganizationKind => (about === "own" ? "operator" : "customer");
const presetOf = (about: About): Preset => (about === "machine" ? "machine" : "web");

const plain: Prepare = () => ({});
const organization: Prepare = async (fixture, about) => ({
  id: await makeOrganization(fixture, kindOf(about)),
});
const profile: Prepare = async (fixture, about) => ({ id: (await makeProfile(fixture, kindOf(about))).id });
const client: Prepare = async (fixture, about) => ({ id: (await makeClient(fixture, presetOf(about))).id });

/** An edit of what `prepare` makes. */
function edit(prepare: Prepare, path: string, body: (about: About) => object): Prepare {
  return async (fixture, about) => {
    const { id } = await prepare(fixture, about);
    return { id, body: body(about), headers: { "if-match": await fixture.owner.etag(`${path}/${id}`) } };
  };
}

/** An account of somebody new, linked to a profile. */
async function link(fixture: AdminFixture, about: About) {
  const { id } = await makeProfile(fixture, kindOf(about));
  return { id, accountId: await bindTo(fixture, fixture.stranger(), id) };
}

/** The operator's own people sign in at the second portal, where it admits them. */
const signInAt = (fixture: AdminFixture, about: About) =>
  signInSomebody(fixture, about === "own" ? { portal: fixture.partnerSource, kind: "operator" } : {});

/** A mail that was sent, about an inquiry that was answered. */
async function sentMail(fixture: AdminFixture): Promise<string> {
  const known = await fixture.owner.list<{ id: string; state: string }>("/mail?state=sent");
  if (known[0] !== undefined) return known[0].id;
  const { id, email } = await makeProfile(fixture);
  await fixture.owner.edit(`/profiles/${id}`, { email: `new-${email}` });
  await mailsTo(fixture, email, 1);
  return await sentMail(fixture);
}

export const requests: Record<string, Prepare> = {
  listClients: plain,
  listOrganizations: plain,
  listProfiles: plain,
  listAdministrators: plain,
  listAccounts: plain,
  listInquiries: plain,
  listMail: plain,
  listGrants: plain,
  listApiKeys: plain,
  listSigningKeys: plain,
  listUpstreams: plain,
  getFigures: plain,
  getAttention: plain,
  listAudit: plain,
  listAuditVerifications: plain,
  verifyAudit: () => ({ body: {} }),
  getAuditVerification: async ({ owner }) => ({ id: (await owner.verifyAudit()).id }),
  getClient: client,
  getClientSettings: client,
  getClientImpact: client,
  deleteClient: client,
  createClient: (_fixture, about) => ({ body: clientBody(presetOf(about)) }),
  editClient: edit(client, "/clients", () => ({ name: "Renamed" })),
  rotateClientSecret: async (fixture, about) => ({ ...(await client(fixture, about)), body: {} }),
  createOrganization: (_fixture, about) => ({
    body: { name: "New", account_number: "N-1", kind: kindOf(about) },
  }),
  getOrganization: organization,
  editOrganization: edit(organization, "/organizations", (about) =>
    about === "other's, made own" ? { kind: "operator" } : { name: "Renamed" },
  ),
  createProfile: async (fixture, about) => {
    const body = {
      organization_id: await makeOrganization(fixture, kindOf(about)),
      email: "n@n.example",
      name: "New",
    };
    return { body };
  },
  getProfile: profile,
  editProfile: edit(profile, "/profiles", () => ({ name: "Renamed" })),
  unlinkProfile: async (fixture, about) => ({ id: (await link(fixture, about)).id }),
  inviteAdministrator: async (fixture) => ({
    body: {
      email: `${anId()}@c.example`,
      role: "auditor",
      organization_id: await makeOrganization(fixture, "operator"),
    },
  }),
  setAdminRole: async (fixture, about) => ({ ...(await profile(fixture, about)), body: { role: "auditor" } }),
  getAccount: async (fixture) => ({ id: (await link(fixture, "")).accountId }),
  getInquiry: async (fixture) => {
    const known = async () => (await fixture.owner.list<{ id: string }>("/inquiries"))[0];
    if ((await known()) === undefined) await link(fixture, "");
    return { id: (await known())?.id ?? assert.fail("no inquiry") };
  },
  releaseMail: async (fixture) => ({ id: await sentMail(fixture), body: {} }),
  resendMail: async (fixture) => ({ id: await sentMail(fixture), body: {} }),
  revokeGrant: async (fixture, about) => ({ id: (await signInAt(fixture, about)).grantId }),
  listSessions: async (fixture, about) => ({ id: (await signInAt(fixture, about)).accountId }),
  getSession: async (fixture, about) => ({ id: (await signInAt(fixture, about)).sessionId }),
  endSession: async (fixture, about) => ({ id: (await signInAt(fixture, about)).sessionId }),
  endSessions: async (fixture, about) => ({ id: (await signInAt(fixture, about)).accountId }),
  createApiKey: () => ({ body: { name: "new", scopes: ["admin:read"] } }),
  deleteApiKey: async (fixture) => {
    const { id } = await fixture.owner.done<{ id: string }>("POST", "/api-keys", {
      body: { name: "to be removed", scopes: ["admin:read"] },
    });
    return { id };
  },
  simulate: async (fixture, about) => ({
    query: `?client_id=customersource&profile_id=${(await profile(fixture, about)).id}`,
  }),
};
