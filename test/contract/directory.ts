import assert from "node:assert/strict";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { anId, anOrganization, aProfile, aSelection, hashOf, NOW } from "../support/records.ts";
import {
  aNotice,
  bound,
  type Case,
  present,
  profileOf,
  redemption,
  register,
  request,
  signIn,
  stateOf,
} from "./back-end.ts";

/** A bound profile with a live grant and a token under it. */
async function granted(store: Store) {
  const person = await bound(store);
  const selection = aSelection({ accountId: person.account.id, profileId: person.profile.id });
  present(await store.accountsAtClients.select(selection, NOW));
  const tokenHash = hashOf(anId("token"));
  const { grantId } = selection;
  await store.artifacts.upsert("RefreshToken", tokenHash, { kind: "RefreshToken" }, { grantId }, NOW + 9999);
  await store.artifacts.upsert("Grant", hashOf(grantId), { kind: "Grant" }, {}, NOW + 9999);
  const { clientId, accountId, sessionUid } = selection;
  const revoked = { revokedGrants: [{ grantId, clientId, accountId, sessionUid }] };
  const isGone = async () => {
    assert.equal(await store.artifacts.find("RefreshToken", tokenHash, NOW), undefined);
    assert.equal(await store.artifacts.find("Grant", hashOf(grantId), NOW), undefined);
    assert.equal(await store.accountsAtClients.forGrant(grantId, NOW), undefined);
  };
  return { ...person, selection, revoked, isGone };
}

export function directoryCases(contract: Case): void {
  contract("an organization round-trips, replaced as a whole", async ({ store }) => {
    const organization = anOrganization();
    await store.directory.putOrganization(organization, "admin:7", NOW);
    assert.deepEqual(await store.directory.organization(organization.id), organization);
    const replaced = anOrganization({
      id: organization.id,
      name: "Fabrikam",
      accountNumber: "F-1",
      kind: "customer",
      enabled: false,
      plan: { status: "active", expiresAt: null },
    });
    await store.directory.putOrganization(replaced, "admin:8", NOW + 1);
    assert.deepEqual(await store.directory.organization(organization.id), replaced);
    assert.equal(await store.directory.organization(asOrganizationId(anId("organization"))), undefined);
    const events = await store.audit.list({ limit: 9 });
    assert.deepEqual(
      events.map(({ action, actor, organizationId, at }) => [action, actor, organizationId, at]),
      [
        ["organization.changed", "admin:8", organization.id, NOW + 1],
        ["organization.changed", "admin:7", organization.id, NOW],
      ],
    );
  });

  contract("a profile round-trips with its organization, unbound and at version 1", async ({ store }) => {
    const { organization, profile } = await register(store);
    assert.deepEqual(await store.directory.membership(profile.id), {
      profile: {
        ...profile,
        emailVersion: 1,
        adminRole: null,
        invitedAt: null,
        accountId: null,
        boundAt: null,
        provenEmailVersion: null,
      },
      organization,
    });
    assert.equal(await store.directory.membership(asProfileId(anId("profile"))), undefined);
  });

  contract("A8: binding, administrator role and versions are never taken from an edit", async ({ store }) => {
    const { profile, account } = await bound(store);
    const before = await profileOf(store, profile.id);
    const smuggled = {
      adminRole: "owner",
      accountId: null,
      emailVersion: 40,
      provenEmailVersion: 40,
      boundAt: 1,
    };
    await store.directory.putProfile({ ...profile, name: "New", roles: [], ...smuggled }, "admin:7", NOW + 5);
    assert.deepEqual(await profileOf(store, profile.id), { ...before, name: "New", roles: [] });
    assert.equal(before.accountId, account.id);
    const fresh = { ...aProfile({ organizationId: profile.organizationId }), ...smuggled };
    await store.directory.putProfile(fresh, "admin:7", NOW + 5);
    const stored = await profileOf(store, fresh.id);
    assert.deepEqual([stored.adminRole, stored.emailVersion, stored.accountId], [null, 1, null]);
  });

  contract("an edit that changes nothing leaves version, links and audit alone", async ({ store }) => {
    const { organization, profile } = await register(store);
    const link = await request(store, await signIn(store), profile.id);
    const events = (await store.audit.list({ limit: 99 })).length;
    await store.directory.putProfile(profile, "admin:7", NOW);
    await store.directory.putOrganization(organization, "admin:7", NOW);
    assert.equal((await profileOf(store, profile.id)).emailVersion, 1);
    assert.equal(await stateOf(store, link), "pending");
    assert.equal((await store.audit.list({ limit: 99 })).length, events);
  });

  contract(
    "A4: a changed email grows the version, voids pending links and keeps the binding",
    async ({ store }) => {
      const { profile, account, link: used } = await bound(store);
      const edited = { ...profile, email: "new@contoso.example", emailKey: "new@contoso.example" };
      assert.deepEqual(await store.directory.putProfile(edited, "admin:7", NOW + 5), { revokedGrants: [] });
      const after = await profileOf(store, profile.id);
      assert.deepEqual([after.email, after.emailVersion, after.provenEmailVersion], [edited.email, 2, 1]);
      assert.equal(after.accountId, account.id);
      assert.equal(await stateOf(store, used), "bound");
      assert.deepEqual(await store.directory.membershipsByEmail(profile.emailKey), []);
      const actions = (await store.audit.list({ profileId: profile.id, limit: 99 })).map(
        (event) => event.action,
      );
      assert.ok(actions.includes("profile.email_changed"));
      assert.ok(!JSON.stringify(await store.audit.list({ limit: 99 })).includes("contoso.example"));

      const other = await register(store);
      const person = await signIn(store);
      const link = await request(store, person, other.profile.id);
      await store.directory.putProfile({ ...other.profile, email: edited.email }, "admin:7", NOW + 6);
      assert.equal(await stateOf(store, link), "void");
      assert.equal(
        (await store.links.redeem(redemption(person, link), aNotice(), NOW + 7)).result,
        "refused",
      );
    },
  );

  contract("an address finds every profile registered under it, in a stable order", async ({ store }) => {
    const shared = { email: "Shared@contoso.example", emailKey: "shared@contoso.example" };
    const registered = [];
    for (const id of ["profile-c", "profile-a", "profile-b"]) {
      registered.push(await register(store, { ...shared, id: asProfileId(id), enabled: id !== "profile-a" }));
    }
    await register(store);
    const found = await store.directory.membershipsByEmail(shared.emailKey);
    assert.deepEqual(
      found.map(({ profile }) => [profile.id, profile.enabled]),
      [
        ["profile-a", false],
        ["profile-b", true],
        ["profile-c", true],
      ],
    );
    assert.deepEqual(found[2]?.organization, registered[0]?.organization);
    const ids = found.map(({ profile: { id } }) => id);
    assert.deepEqual(ids, ids.toSorted());
    const page = async (after: string | null, limit: number) =>
      (
        await store.directory.membershipsByEmail(shared.emailKey, {
          after: after === null ? null : asProfileId(after),
          limit,
        })
      ).map(({ profile: { id } }) => id);
    assert.deepEqual(await page(null, 1), ids.slice(0, 1));
    assert.deepEqual(await page(ids[0] ?? "", 9), ids.slice(1));
    assert.deepEqual(await page(ids.at(-1) ?? "", 9), []);
    assert.deepEqual(await store.directory.membershipsByEmail("SHARED@contoso.example"), []);
    assert.deepEqual(await store.directory.membershipsByEmail("shared%"), []);
  });

  contract("S7: disabling a profile revokes its grants and voids its pending links", async ({ store }) => {
    const { account, profile, isGone, revoked } = await granted(store);
    const bystander = await granted(store);
    const disabled = { ...profile, enabled: false };
    assert.deepEqual(await store.directory.putProfile(disabled, "admin:7", NOW + 5), revoked);
    await isGone();
    assert.ok(await store.accountsAtClients.forGrant(bystander.selection.grantId, NOW));
    assert.equal((await profileOf(store, profile.id)).accountId, account.id);

    const unbound = await register(store);
    const link = await request(store, await signIn(store), unbound.profile.id);
    await store.directory.putProfile({ ...unbound.profile, enabled: false }, "admin:7", NOW + 5);
    assert.equal(await stateOf(store, link), "void");
  });

  contract(
    "S7: disabling an organization revokes the grants of its profiles and voids their links",
    async ({ store }) => {
      const { organization, isGone, revoked } = await granted(store);
      const bystander = await granted(store);
      const colleague = aProfile({ organizationId: organization.id });
      await store.directory.putProfile(colleague, "admin:7", NOW);
      const link = await request(store, await signIn(store), colleague.id);
      const elsewhere = await register(store);
      const otherLink = await request(store, await signIn(store), elsewhere.profile.id);
      const result = await store.directory.putOrganization(
        { ...organization, enabled: false },
        "admin:7",
        NOW + 5,
      );
      assert.deepEqual(result, revoked);
      await isGone();
      assert.equal(await stateOf(store, link), "void");
      assert.equal(await stateOf(store, otherLink), "pending");
      assert.ok(await store.accountsAtClients.forGrant(bystander.selection.grantId, NOW));
    },
  );

  contract("a grant that had expired is not told of when it is revoked", async ({ store }) => {
    const { profile, selection } = await granted(store);
    const result = await store.directory.putProfile(
      { ...profile, enabled: false },
      "admin:7",
      selection.expiresAt,
    );
    assert.deepEqual(result, { revokedGrants: [] });
  });

  contract("a profile needs an organization, and stays in it", async ({ store }) => {
    const { profile } = await register(store);
    const other = await register(store);
    const isBadRequest = (error: unknown) => error instanceof LiaisonError && error.code === "bad_request";
    const moved = { ...profile, name: "Moved", organizationId: other.organization.id };
    await assert.rejects(store.directory.putProfile(moved, "admin:7", NOW), isBadRequest);
    assert.equal((await profileOf(store, profile.id)).name, profile.name);
    const homeless = aProfile({ organizationId: asOrganizationId(anId("organization")) });
    await assert.rejects(store.directory.putProfile(homeless, "admin:7", NOW), isBadRequest);
    assert.equal(await store.directory.membership(homeless.id), undefined);
  });
}
