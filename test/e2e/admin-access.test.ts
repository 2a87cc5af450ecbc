/**
 * Who may do what: every operation of the administration, by every role, about the operator's own records and
 * others'. The verdicts are written down here by hand, so that no definition can change one unseen.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ROLES } from "../../src/admin/scopes.ts";
import { type AdminFixture, type Api, startAdminFixture } from "../support/admin-fixture.ts";
import { type About, requests } from "../support/admin-requests.ts";

const roles = ["owner", "client_manager", "directory_manager", "support", "auditor", "nobody"] as const;
type Role = (typeof roles)[number];

type Mark = "y" | "-";
/** In the order of `roles`. `answers`: with what, of those who may, where it isn't 200 or 201. */
type Row = [
  operation: string,
  about: About,
  verdicts: `${Mark} ${Mark} ${Mark} ${Mark} ${Mark} ${Mark}`,
  answers?: 409,
];

const everybody = "y y y y y -";
const ownersOnly = "y - - - - -";

const table: Row[] = [
  //                                         own cl di su au no
  ["listClients", "", everybody],
  ["getClient", "portal", everybody],
  ["getClient", "machine", everybody],
  ["getClientSettings", "portal", everybody],
  ["getClientImpact", "portal", everybody],
  ["createClient", "portal", "y y - - - -"],
  ["createClient", "machine", ownersOnly],
  ["editClient", "portal", "y y - - - -"],
  ["editClient", "machine", ownersOnly],
  ["rotateClientSecret", "portal", "y y - - - -"],
  ["rotateClientSecret", "machine", ownersOnly],
  ["deleteClient", "portal", "y y - - - -"],
  ["deleteClient", "machine", ownersOnly],

  ["listOrganizations", "", everybody],
  ["getOrganization", "own", everybody],
  ["getOrganization", "other's", everybody],
  ["createOrganization", "own", ownersOnly],
  ["createOrganization", "other's", "y - y - - -"],
  ["editOrganization", "own", ownersOnly],
  ["editOrganization", "other's", "y - y - - -"],
  ["editOrganization", "other's, made own", ownersOnly],

  ["listProfiles", "", everybody],
  ["getProfile", "own", everybody],
  ["getProfile", "other's", everybody],
  ["createProfile", "own", ownersOnly],
  ["createProfile", "other's", "y - y - - -"],
  ["editProfile", "own", ownersOnly],
  ["editProfile", "other's", "y - y - - -"],
  ["unlinkProfile", "own", ownersOnly],
  ["unlinkProfile", "other's", "y - y y - -"],

  ["listAdministrators", "", everybody],
  ["inviteAdministrator", "own", ownersOnly],
  ["setAdminRole", "own", ownersOnly],
  // Nobody administrates from another organization, whoever says so.
  ["setAdminRole", "other's", ownersOnly, 409],

  ["listAccounts", "", everybody],
  ["getAccount", "", everybody],
  ["listInquiries", "", everybody],
  ["getInquiry", "", everybody],
  ["simulate", "own", everybody],
  ["simulate", "other's", everybody],

  // The mail was sent already.
  ["listMail", "", everybody],
  ["releaseMail", "", "y - y y - -", 409],
  ["resendMail", "", "y - y y - -", 409],

  ["listGrants", "", everybody],
  // Whoever loses a device is helped, administrators too: what ends is begun again by signing in.
  ["revokeGrant", "own", "y - - y - -"],
  ["revokeGrant", "other's", "y - - y - -"],
  ["listSessions", "", everybody],
  ["getSession", "", everybody],
  ["endSession", "own", "y - - y - -"],
  ["endSession", "other's", "y - - y - -"],
  ["endSessions", "own", "y - - y - -"],
  ["endSessions", "other's", "y - - y - -"],

  ["listApiKeys", "", everybody],
  ["createApiKey", "", ownersOnly],
  ["deleteApiKey", "", ownersOnly],
  ["listSigningKeys", "", everybody],
  ["listUpstreams", "", everybody],
  ["getFigures", "", everybody],
  ["getAttention", "", everybody],

  ["listAudit", "", "y - - - y -"],
  ["verifyAudit", "", "y - - - y -"],
  ["listAuditVerifications", "", "y - - - y -"],
  ["getAuditVerification", "", "y - - - y -"],
];

interface Route {
  method: string;
  path: string;
}

describe("who may do what", () => {
  let fixture: AdminFixture;
  const callers = new Map<Role, Api>();
  const routes = new Map<string, Route>();

  before(async () => {
    fixture = await startAdminFixture({
      strangers: 80,
      config: (base) => {
        const [customerSource, partnerSource] = base["portals"] as object[];
        const admitting = { ...partnerSource, access_policy: { kinds: ["partner", "operator"] } };
        return { ...base, portals: [customerSource, admitting] };
      },
    });
    for (const role of roles) {
      callers.set(role, role === "nobody" ? fixture.nobody : await fixture.keyWith(ROLES[role].scopes));
    }
    const { paths } = await fixture.nobody.get<{
      paths: Record<string, Record<string, { operationId: string }>>;
    }>("/openapi.json");
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { operationId }] of Object.entries(methods)) {
        routes.set(operationId, { method: method.toUpperCase(), path });
      }
    }
  });
  after(() => fixture?.close());

  it("has a verdict on every operation, and on nothing else", () => {
    const named = new Set(table.map(([operation]) => operation));
    assert.deepEqual([...named].toSorted(), [...routes.keys()].toSorted());
    assert.deepEqual(Object.keys(ROLES).toSorted(), roles.filter((role) => role !== "nobody").toSorted());
  });

  for (const [operation, about, verdicts, answers] of table) {
    it(`${operation}${about === "" ? "" : ` (${about})`}: ${verdicts}`, async () => {
      const { method, path } = routes.get(operation) ?? assert.fail("no such operation");
      const marks = verdicts.split(" ");
      const found: string[] = [];
      const wanted: string[] = [];
      for (const [index, role] of roles.entries()) {
        const {
          id = "",
          query = "",
          ...call
        } = (await requests[operation]?.(fixture, about)) ?? assert.fail("no request");
        const caller = callers.get(role) ?? assert.fail();
        const { status, body } = await caller.call(
          method,
          path.replace("{id}", encodeURIComponent(id)) + query,
          call,
        );
        const allowed = status < 300 ? "done" : String(status);
        found.push(`${role}: ${allowed}${status === 403 ? ` ${body["code"]}` : ""}`);
        const refusal = role === "nobody" ? "401" : "403 forbidden";
        wanted.push(`${role}: ${marks[index] === "y" ? (answers ?? "done") : refusal}`);
      }
      assert.deepEqual(found, wanted);
    });
  }
});
