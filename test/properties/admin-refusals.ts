/**
 * Why a call that the document allows may yet be refused: written by hand, so that no refusal goes unnoticed.
 */

import type { ApiOperation } from "./admin-document.ts";
import type { RawResponse } from "./fuzz-client.ts";

/** What is wrong with how a valid call was answered; undefined if nothing is. */
export function semanticRefusal(
  { name, isConditional, heedsIdempotencyKey }: ApiOperation,
  answer: RawResponse,
): string | undefined {
  const { status, body } = answer;
  if (status < 300 || status === 404) return undefined;
  if (status === 412 && isConditional) return undefined;
  if (status === 422 && heedsIdempotencyKey) return undefined;
  const detail = detailOf(body);
  const known = [...(refusals["*"]?.[status] ?? []), ...(refusals[name]?.[status] ?? [])];
  return known.some((one) => one.test(detail)) ? undefined : `a valid call was refused: ${status} ${detail}`;
}

function detailOf(body: string): string {
  try {
    return String((JSON.parse(body) as { detail?: unknown }).detail);
  } catch {
    return body;
  }
}

const uris = [/begins? with https:\/\//, /use https;/, /must be a web uri/i, /absolute http\(s\) address/];
const ofClients = [
  ...uris,
  /redirect_uris: name at least one/,
  /home_url: write where/,
  /scopes: name at least one/,
  /only a machine has scopes/,
  /a machine has none/,
  /token_endpoint_auth_method: \w+ (?:has a secret to show|keeps no secret)/,
  /pkce_required: only a client with a secret/,
  /private_hosts/,
];
const endOfPlan = [/plan\.last_day: is another day than that/, /plan\.time_zone: plans end in/];
const ofRecipes = /recipe isn't for an app of this kind/;
const ofRoles = /roles\.\d+: write each role by itself/;
const inConfiguration = /stands in the configuration/;

const refusals: Record<string, Record<number, RegExp[]>> = {
  "*": { 400: [/^This is no cursor of this list/] },
  createClient: { 400: [...ofClients, ofRecipes], 409: [/This id is taken|a client app of this id already/] },
  editClient: { 400: ofClients, 409: [inConfiguration] },
  deleteClient: { 409: [inConfiguration] },
  getClientSettings: { 400: [ofRecipes] },
  rotateClientSecret: { 400: [ofRecipes], 409: [inConfiguration, /has no secret/] },
  createOrganization: { 400: endOfPlan, 409: [/an organization of this id already/] },
  editOrganization: { 400: endOfPlan, 409: [/leave no owner/] },
  createProfile: { 400: [ofRoles], 409: [/a profile of this id already/] },
  editProfile: { 400: [ofRoles], 409: [/leave no owner/] },
  unlinkProfile: { 409: [/isn't linked/] },
  inviteAdministrator: {
    409: [
      /registered there already/,
      /several organizations of the operator/,
      /of the operator's own organization/,
    ],
  },
  setAdminRole: { 409: [/leave no owner/, /operator's own organization alone/] },
  releaseMail: { 409: [/isn't held|came back/] },
  resendMail: { 409: [/wasn't given up|is held|came back/] },
  createApiKey: { 400: [/within the next year/] },
  verifyAudit: { 409: [/Too many verifications wait/] },
  simulate: { 400: [/name a profile or an account/] },
};
