/** Roles under attack: A8 of the threat list, by whom and by what they are given. */

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { COLUMNS } from "../../src/admin/import/columns.ts";
import { importDirectory } from "../../src/admin/import/import.ts";
import { ROLES } from "../../src/admin/scopes.ts";
import {
  type AdminFixture,
  clientBody,
  everythingIn,
  makeClient,
  makeProfile,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { aRow, csvOf } from "../support/import-fixture.ts";

interface ListedEvent {
  at: string;
  action: string;
  actor: string;
  detail: Record<string, unknown>;
}

describe("attacks on the roles of administrators", () => {
  let fixture: AdminFixture;
  before(async () => {
    fixture = await startAdminFixture({ strangers: 20 });
  });
  after(() => fixture?.close());

  const eventsOf = (action: string) => fixture.owner.list<ListedEvent>(`/audit?action=${action}&limit=200`);

  it("A8: no body of a profile holds an administrator's role", async () => {
    const { id, organizationId } = await makeProfile(fixture, "operator");
    const role = { admin_role: "owner" };
    const body = { organization_id: organizationId, email: "a8@c.example", name: "A8", ...role };
    assert.equal((await fixture.owner.call("POST", "/profiles", { body })).status, 400);
    const headers = { "if-match": await fixture.owner.etag(`/profiles/${id}`) };
    for (const more of [
      role,
      { adminRole: "owner" },
      { "admin_role ": "owner" },
      { profile: role },
      { id: "other" },
    ]) {
      const { status, text } = await fixture.owner.call("PATCH", `/profiles/${id}`, {
        body: { name: "A", ...more },
        headers,
      });
      assert.equal(status, 400, text);
    }
    const profile = await fixture.owner.get(`/profiles/${id}`);
    assert.deepEqual([profile["admin_role"], profile["name"]], [null, `Person ${id}`]);
  });

  it("A8: an import file makes no administrator, and its attempt is written down", async () => {
    const { id, organizationId } = await makeProfile(fixture, "operator");
    await fixture.owner.done("PUT", `/profiles/${id}/admin-role`, { body: { role: "auditor" } });
    const run = (text: string) =>
      importDirectory(
        {
          store: fixture.store,
          clock: fixture.clock,
          timeZone: "UTC",
          mailDomain: "contoso.example",
          actor: "command:import",
        },
        {
          source: Readable.from([Buffer.from(text)]),
          dryRun: false,
          signal: new AbortController().signal,
          onRow: async () => {},
          onProgress: () => {},
        },
      );
    await assert.rejects(
      run(csvOf([aRow()], { columns: [...COLUMNS, "admin_role"] })),
      /never made by an import/,
    );
    const row = { organization_id: organizationId, profile_id: id, email: "evil@evil.example", name: "Evil" };
    const summary = await run(
      csvOf([aRow(row), aRow({ kind: "operator", profile_id: "a8-new", organization_id: "a8-new" })]),
    );
    assert.equal(summary.badRows, 2);
    assert.equal((await eventsOf("import.refused")).length, 2);
    const profile = await fixture.owner.get(`/profiles/${id}`);
    assert.deepEqual([profile["name"], profile["admin_role"]], [`Person ${id}`, "auditor"]);
    assert.equal((await fixture.owner.call("GET", "/profiles/a8-new")).status, 404);
  });

  it("A8, Z7: whoever tries what only owners may is refused, and that is written down once", async () => {
    const { id, organizationId } = await makeProfile(fixture, "operator");
    const machine = await makeClient(fixture, "machine");
    const tag = await fixture.owner.etag(`/profiles/${id}`);
    const attempts: [operation: string, method: string, path: string, body?: object][] = [
      ["createApiKey", "POST", "/api-keys", { name: "k", scopes: ["admin:read"] }],
      ["deleteApiKey", "DELETE", "/api-keys/any"],
      ["inviteAdministrator", "POST", "/administrators", { email: "a8@evil.example" }],
      ["setAdminRole", "PUT", `/profiles/${id}/admin-role`, { role: "owner" }],
      ["createOrganization", "POST", "/organizations", { name: "O", account_number: "1", kind: "operator" }],
      [
        "createProfile",
        "POST",
        "/profiles",
        { organization_id: organizationId, email: "a8@evil.example", name: "E" },
      ],
      ["editProfile", "PATCH", `/profiles/${id}`, { email: "a8@evil.example" }],
      ["createClient", "POST", "/clients", clientBody("machine")],
      ["rotateClientSecret", "POST", `/clients/${machine.id}/secret`, {}],
      ["deleteClient", "DELETE", `/clients/${machine.id}`],
    ];
    const scopes = [...ROLES.directory_manager.scopes, ...ROLES.client_manager.scopes];
    const manager = await fixture.keyWith([...new Set(scopes)]);
    const before = await everythingIn(fixture);
    const actor = (await eventsOf("api_key.created"))[0]?.detail["key"];
    for (const [, method, path, body] of [...attempts, ...attempts]) {
      const { status, text } = await manager.call(method, path, { body, headers: { "if-match": tag } });
      assert.equal(status, 403, `${method} ${path}: ${text}`);
    }
    const refused = (await eventsOf("administration.refused")).filter(
      (event) => event.actor === `key:${actor}`,
    );
    const hours = refused.map(({ at, detail }) => `${at.slice(0, 13)} ${detail["operation"]}`);
    assert.equal(new Set(hours).size, hours.length, "each is noted once an hour");
    const noted = refused.map(({ detail }) => [detail["operation"], detail["scope"]]).toReversed();
    assert.deepEqual(
      noted.slice(0, attempts.length),
      attempts.map(([operation]) => [operation, "admins:write"]),
    );
    assert.equal((await fixture.owner.get(`/profiles/${id}`))["admin_role"], null);
    const known = ((await everythingIn(fixture)) as string[][]).slice(0, -1);
    assert.deepEqual(known, (before as string[][]).slice(0, -1), "nothing but the audit grew");
  });

  it("A8: nobody hands out a scope that they lack, by whatever gives it", async () => {
    const { id, organizationId: organization_id } = await makeProfile(fixture, "operator");
    const machine = await makeClient(fixture, "machine", { scopes: ["audit:read"] });
    const key = await fixture.keyWith(["admin:read", "admins:write", "clients:write"]);
    const attempts: [method: string, path: string, body: object][] = [
      ["POST", "/administrators", { email: "own@evil.example", organization_id }],
      ["POST", "/administrators", { email: "own@evil.example", role: "auditor" }],
      ["PUT", `/profiles/${id}/admin-role`, { role: "owner" }],
      ["POST", "/api-keys", { name: "k", scopes: ["audit:read"] }],
      ["POST", "/clients", { ...clientBody("machine"), scopes: ["audit:read"] }],
      ["POST", `/clients/${machine.id}/secret`, {}],
    ];
    for (const [method, path, body] of attempts) {
      const { status, text } = await key.call(method, path, { body });
      assert.equal(status, 403, `${method} ${path}: ${text}`);
    }
    assert.equal(
      (await key.call("PUT", `/profiles/${id}/admin-role`, { body: { role: "client_manager" } })).status,
      200,
    );
  });
});
