/** A well-formed request of every operation of the administration, about records that are there. */

import assert from "node:assert/strict";
import type { OrganizationKind } from "../../src/domain/records.ts";
import {
  type AdminScene,
  type ApiCall,
  anId,
  clientBody,
  makeClient,
  makeOrganization,
  makeProfile,
  type Preset,
  signInSomebody,
} from "./admin-scene.ts";
import { bindTo, mailsTo } from "./attack-kit.ts";

/** What a request is about: whose organization's record, or which client app. */
export type About = "" | "own" | "other's" | "other's, made own" | "portal" | "machine";

/** The path is the operation's with its field filled in, and a query. */
export interface Prepared extends ApiCall {
  id?: string | undefined;
  query?: string;
}

type Prepare = (scene: AdminScene, about: About) => Prepared | Promise<Prepared>;

const kindOf = (about: About): OrganizationKind => (about === "own" ? "operator" : "customer");
const presetOf = (about: About): Preset => (about === "machine" ? "machine" : "web");

const plain: Prepare = () => ({});
const organization: Prepare = async (scene, about) => ({ id: await makeOrganization(scene, kindOf(about)) });
const profile: Prepare = async (scene, about) => ({ id: (await makeProfile(scene, kindOf(about))).id });
const client: Prepare = async (scene, about) => ({ id: (await makeClient(scene, presetOf(about))).id });

/** An edit of what `prepare` makes. */
function edit(prepare: Prepare, path: string, body: (about: About) => object): Prepare {
  return async (scene, about) => {
    const { id } = await prepare(scene, about);
    return { id, body: body(about), headers: { "if-match": await scene.owner.etag(`${path}/${id}`) } };
  };
}

/** An account of somebody new, linked to a profile. */
async function link(scene: AdminScene, about: About) {
  const { id } = await makeProfile(scene, kindOf(about));
  return { id, accountId: await bindTo(scene, scene.stranger(), id) };
}

/** The operator's own people sign in at the second portal, where it admits them. */
const signInAt = (scene: AdminScene, about: About) =>
  signInSomebody(scene, about === "own" ? { portal: scene.partnerSource, kind: "operator" } : {});

/** A mail that was sent, about an inquiry that was answered. */
async function sentMail(scene: AdminScene): Promise<string> {
  const known = await scene.owner.list<{ id: string; state: string }>("/mail?state=sent");
  if (known[0] !== undefined) return known[0].id;
  const { id, email } = await makeProfile(scene);
  await scene.owner.edit(`/profiles/${id}`, { email: `new-${email}` });
  await mailsTo(scene, email, 1);
  return await sentMail(scene);
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
  createClient: (_scene, about) => ({ body: clientBody(presetOf(about)) }),
  editClient: edit(client, "/clients", () => ({ name: "Renamed" })),
  rotateClientSecret: async (scene, about) => ({ ...(await client(scene, about)), body: {} }),
  createOrganization: (_scene, about) => ({
    body: { name: "New", account_number: "N-1", kind: kindOf(about) },
  }),
  getOrganization: organization,
  editOrganization: edit(organization, "/organizations", (about) =>
    about === "other's, made own" ? { kind: "operator" } : { name: "Renamed" },
  ),
  createProfile: async (scene, about) => {
    const body = {
      organization_id: await makeOrganization(scene, kindOf(about)),
      email: "n@n.example",
      name: "New",
    };
    return { body };
  },
  getProfile: profile,
  editProfile: edit(profile, "/profiles", () => ({ name: "Renamed" })),
  unlinkProfile: async (scene, about) => ({ id: (await link(scene, about)).id }),
  inviteAdministrator: async (scene) => ({
    body: {
      email: `${anId()}@c.example`,
      role: "auditor",
      organization_id: await makeOrganization(scene, "operator"),
    },
  }),
  setAdminRole: async (scene, about) => ({ ...(await profile(scene, about)), body: { role: "auditor" } }),
  getAccount: async (scene) => ({ id: (await link(scene, "")).accountId }),
  getInquiry: async (scene) => {
    const known = async () => (await scene.owner.list<{ id: string }>("/inquiries"))[0];
    if ((await known()) === undefined) await link(scene, "");
    return { id: (await known())?.id ?? assert.fail("no inquiry") };
  },
  releaseMail: async (scene) => ({ id: await sentMail(scene), body: {} }),
  resendMail: async (scene) => ({ id: await sentMail(scene), body: {} }),
  revokeGrant: async (scene, about) => ({ id: (await signInAt(scene, about)).grantId }),
  listSessions: async (scene, about) => ({ id: (await signInAt(scene, about)).accountId }),
  getSession: async (scene, about) => ({ id: (await signInAt(scene, about)).sessionId }),
  endSession: async (scene, about) => ({ id: (await signInAt(scene, about)).sessionId }),
  endSessions: async (scene, about) => ({ id: (await signInAt(scene, about)).accountId }),
  createApiKey: () => ({ body: { name: "new", scopes: ["admin:read"] } }),
  deleteApiKey: async (scene) => {
    const { id } = await scene.owner.done<{ id: string }>("POST", "/api-keys", {
      body: { name: "to be removed", scopes: ["admin:read"] },
    });
    return { id };
  },
  simulate: async (scene, about) => ({
    query: `?client_id=customersource&profile_id=${(await profile(scene, about)).id}`,
  }),
};
