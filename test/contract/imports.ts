import assert from "node:assert/strict";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { ImportRow, Organization } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anId, anOrganization, aProfile, aSelection, NOW } from "../support/records.ts";
import { apply, DONE, operated, setRole } from "./administrator-fixture.ts";
import {
  bound,
  type Case,
  present,
  profileOf,
  race,
  register,
  request,
  signIn,
  stateOf,
} from "./back-end.ts";

const ACTOR = "command:import";

/** A row of an organization and a profile that aren't there yet. */
function aNewRow(): ImportRow {
  const organization = anOrganization();
  return { organization, profile: aProfile({ organizationId: organization.id }) };
}

async function events(store: Store) {
  return (await store.audit.list({ limit: 99 })).map(({ action, actor, profileId, organizationId }) => {
    return { action, actor, profileId, organizationId };
  });
}

const results = ({ outcomes }: Awaited<ReturnType<Store["directory"]["importBatch"]>>) =>
  outcomes.map((outcome) =>
    outcome.result === "refused" ? outcome.reason : [outcome.organization.result, outcome.profile.result],
  );

export function importCases(contract: Case): void {
  contract("an import adds what isn't there, and finds it unchanged the second time", async ({ store }) => {
    const row = aNewRow();
    const colleague = { ...row, profile: aProfile({ organizationId: row.organization.id, enabled: false }) };
    const imported = await store.directory.importBatch([row, colleague], ACTOR, NOW);
    assert.deepEqual(results(imported), [
      ["added", "added"],
      ["unchanged", "added"],
    ]);
    assert.deepEqual(await store.directory.organization(row.organization.id), row.organization);
    const stored = await profileOf(store, row.profile.id);
    assert.deepEqual(stored, {
      ...row.profile,
      emailVersion: 1,
      adminRole: null,
      invitedAt: null,
      accountId: null,
      boundAt: null,
      provenEmailVersion: null,
    });
    const before = await events(store);
    assert.deepEqual(before.map(({ action, actor }) => [action, actor]).sort(), [
      ["organization.changed", ACTOR],
      ["profile.changed", ACTOR],
      ["profile.changed", ACTOR],
    ]);
    const shuffled = { ...row, profile: { ...row.profile, roles: row.profile.roles.toReversed() } };
    const again = await store.directory.importBatch([shuffled, colleague], ACTOR, NOW + 1);
    assert.deepEqual(results(again), [
      ["unchanged", "unchanged"],
      ["unchanged", "unchanged"],
    ]);
    assert.deepEqual(await events(store), before);
    assert.deepEqual(await profileOf(store, row.profile.id), stored);
  });

  contract("an import tells each field that it changes, before and after", async ({ store }) => {
    const { organization, profile } = await register(store);
    const row: ImportRow = {
      organization: {
        ...organization,
        name: "Fabrikam",
        accountNumber: "F-1",
        kind: "customer",
        enabled: false,
        plan: { status: "none", expiresAt: null },
      },
      profile: {
        ...profile,
        email: "new@x.example",
        emailKey: "new@x.example",
        name: "New",
        roles: [],
        enabled: false,
      },
    };
    const { outcomes } = await store.directory.importBatch([row], ACTOR, NOW);
    const [outcome] = outcomes;
    assert.ok(outcome?.result === "imported");
    assert.equal(outcome.organization.result, "changed");
    assert.deepEqual(outcome.organization.changes, [
      { field: "name", before: organization.name, after: "Fabrikam" },
      { field: "accountNumber", before: organization.accountNumber, after: "F-1" },
      { field: "kind", before: "partner", after: "customer" },
      { field: "enabled", before: true, after: false },
      { field: "planStatus", before: "suspended", after: "none" },
      { field: "planExpiresAt", before: organization.plan.expiresAt, after: null },
    ]);
    assert.deepEqual(outcome.profile.changes, [
      { field: "email", before: profile.email, after: "new@x.example" },
      { field: "name", before: profile.name, after: "New" },
      { field: "roles", before: profile.roles, after: [] },
      { field: "enabled", before: true, after: false },
    ]);
    assert.deepEqual(await store.directory.organization(organization.id), row.organization);
    assert.equal((await profileOf(store, profile.id)).emailVersion, 2);
  });

  contract("a dry run says the same and writes nothing", async ({ store }) => {
    const { organization, profile } = await register(store);
    const link = await request(store, await signIn(store), profile.id);
    const before = await events(store);
    const edited = { organization, profile: { ...profile, email: "b@x.example", emailKey: "b@x.example" } };
    const fresh = aNewRow();
    const dry = await store.directory.importBatch([edited, fresh], ACTOR, NOW, { dryRun: true });
    assert.deepEqual(results(dry), [
      ["unchanged", "changed"],
      ["added", "added"],
    ]);
    assert.equal((await profileOf(store, profile.id)).email, profile.email);
    assert.equal(await store.directory.organization(fresh.organization.id), undefined);
    assert.equal(await stateOf(store, link), "pending");
    assert.deepEqual(await events(store), before);
    const wet = await store.directory.importBatch([edited, fresh], ACTOR, NOW);
    assert.deepEqual(wet, dry);
  });

  contract(
    "A4: an imported email voids pending links, grows the version and keeps the binding",
    async ({ store }) => {
      const person = await bound(store);
      const other = await register(store);
      const link = await request(store, await signIn(store), other.profile.id);
      const edit = ({ organization, profile }: typeof other): ImportRow => {
        return { organization, profile: { ...profile, email: "c@x.example", emailKey: "c@x.example" } };
      };
      await store.directory.importBatch([edit(person), edit(other)], ACTOR, NOW);
      assert.equal(await stateOf(store, link), "void");
      const { accountId, emailVersion, provenEmailVersion } = await profileOf(store, person.profile.id);
      assert.deepEqual([accountId, emailVersion, provenEmailVersion], [person.account.id, 2, 1]);
      assert.equal((await store.directory.membershipsByEmail("c@x.example")).length, 2);
    },
  );

  contract(
    "S7: an import that disables a profile or an organization revokes its grants",
    async ({ store }) => {
      for (const disabled of ["organization", "profile"] as const) {
        const person = await bound(store);
        const selection = aSelection({ accountId: person.account.id, profileId: person.profile.id });
        present(await store.accountsAtClients.select(selection, NOW));
        const { organization, profile } = person;
        const row = { organization, profile };
        const edited = { ...row, [disabled]: { ...row[disabled], enabled: false } };
        const { revokedGrants } = await store.directory.importBatch([edited], ACTOR, NOW);
        const { grantId, clientId, accountId, sessionUid } = selection;
        assert.deepEqual(revokedGrants, [{ grantId, clientId, accountId, sessionUid }]);
        assert.equal(await store.accountsAtClients.forGrant(grantId, NOW), undefined);
        assert.deepEqual((await store.directory.importBatch([edited], ACTOR, NOW)).revokedGrants, []);
      }
    },
  );

  contract(
    "a profile of another organization is refused, its row's organization too; others go on",
    async ({ store }) => {
      const { organization, profile } = await register(store);
      const moved = aNewRow();
      const good = aNewRow();
      const rows = [
        { ...moved, profile: { ...profile, organizationId: moved.organization.id, name: "Moved" } },
        good,
      ];
      const imported = await store.directory.importBatch(rows, ACTOR, NOW);
      assert.deepEqual(results(imported), ["profile_elsewhere", ["added", "added"]]);
      assert.equal(await store.directory.organization(moved.organization.id), undefined);
      const { profile: kept } = present(await store.directory.membership(profile.id));
      assert.deepEqual([kept.organizationId, kept.name], [organization.id, profile.name]);
      assert.ok(await store.directory.membership(good.profile.id));
    },
  );

  contract(
    "A8: no import makes, changes or fills the operator's organization, or sets an administrator role",
    async ({ store }) => {
      const operator = anOrganization({ kind: "operator" });
      await store.directory.putOrganization(operator, "admin:7", NOW);
      const row = aNewRow();
      const smuggled = { ...row.profile, adminRole: "owner", accountId: "somebody", emailVersion: 40 };
      const rows: ImportRow[] = [
        { organization: { ...row.organization, kind: "operator" }, profile: row.profile },
        {
          organization: { ...operator, kind: "customer" },
          profile: aProfile({ organizationId: operator.id }),
        },
        { organization: operator, profile: aProfile({ organizationId: operator.id }) },
        { ...row, profile: smuggled },
      ];
      const imported = await store.directory.importBatch(rows, ACTOR, NOW);
      assert.deepEqual(results(imported), [
        "operator_organization",
        "operator_organization",
        "operator_organization",
        ["added", "added"],
      ]);
      assert.deepEqual(await store.directory.organization(operator.id), operator);
      const { adminRole, accountId, emailVersion } = await profileOf(store, row.profile.id);
      assert.deepEqual([adminRole, accountId, emailVersion], [null, null, 1]);
    },
  );

  contract(
    "A8: no import changes who has a role, though the organization is no operator's any more",
    async ({ store }) => {
      const { organization } = await operated(store);
      const profile = aProfile({ organizationId: organization.id });
      await store.directory.putProfile(profile, "admin:7", NOW);
      assert.deepEqual(await apply(store, setRole(profile.id, "support")), DONE);
      const customer: Organization = { ...organization, kind: "customer" };
      await store.directory.putOrganization(customer, "admin:7", NOW);
      const renamed = { ...profile, name: "Somebody Else" };
      const rows: ImportRow[] = [
        { organization: customer, profile },
        { organization: customer, profile: renamed },
      ];
      const imported = await store.directory.importBatch(rows, ACTOR, NOW);
      assert.deepEqual(results(imported), [["unchanged", "unchanged"], "administrator"]);
      assert.equal((await profileOf(store, profile.id)).name, profile.name);
    },
  );

  contract("racing imports of one file write it once", async (opened) => {
    const { store } = opened;
    const rows = Array.from({ length: 5 }, aNewRow);
    const all = await race(opened, 8, (racer) => racer.directory.importBatch(rows, ACTOR, NOW));
    const added = all.filter((imported) =>
      results(imported).every(([organization]) => organization === "added"),
    );
    assert.equal(added.length, 1);
    assert.equal((await events(store)).length, 10);
  });

  contract("an import that fails writes nothing of its batch", async ({ store }) => {
    const good = aNewRow();
    const broken = {
      ...aNewRow(),
      profile: aProfile({ organizationId: asOrganizationId(anId("organization")) }),
    };
    await assert.rejects(store.directory.importBatch([good, broken], ACTOR, NOW));
    assert.equal(await store.directory.organization(good.organization.id), undefined);
    assert.deepEqual(await events(store), []);
  });
}
