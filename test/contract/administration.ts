/**
 * Changes of the directory and of who administrates: conditional on what was seen, whole or not at all, some
 * of them once.
 */

import assert from "node:assert/strict";
import { asOrganizationId, asProfileId, type ProfileId } from "../../src/domain/ids.ts";
import type { AdminRole, Organization, ProfileEdit } from "../../src/domain/records.ts";
import { revisionOf } from "../../src/domain/revision.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { AdminChange, ChangeOutcome, Store } from "../../src/storage/contract.ts";
import { anId, anOrganization, aProfile, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import {
  bound,
  type Case,
  dueMails,
  present,
  profileOf,
  race,
  register,
  request,
  signIn,
  stateOf,
} from "./back-end.ts";

const BY = { actor: "admin:7", now: NOW };
const DOMAIN = "liaison.example";
const LATER = NOW + 60 * MINUTE;

const apply = (store: Store, change: AdminChange, now = NOW) =>
  store.administration.apply(change, { ...BY, now });
const DONE = { result: "done", revokedGrants: [] } as const;

/** An operator's organization, with one owner for each name. */
async function operated(store: Store, ...names: string[]) {
  const organization = anOrganization({ kind: "operator" });
  const owners: ProfileEdit[] = [];
  for (const name of names) {
    const profile = aProfile({ organizationId: organization.id, name });
    const invite = { kind: "invite", organization, profile, adminRole: "owner", mailDomain: DOMAIN } as const;
    assert.deepEqual(await apply(store, invite), DONE);
    owners.push(profile);
  }
  return { organization, owners };
}

const setRole = (profileId: ProfileId, adminRole: AdminRole | null): AdminChange => ({
  kind: "set_admin_role",
  profileId,
  adminRole,
});

async function editProfile(
  store: Store,
  profile: ProfileEdit,
  overrides: Partial<ProfileEdit>,
): Promise<AdminChange> {
  const revision = revisionOf(await profileOf(store, profile.id));
  const edited = { ...profile, ...overrides };
  return { kind: "edit_profile", profile: edited, revision, isAnotherPerson: false, mailDomain: DOMAIN };
}

async function editOrganization(
  store: Store,
  id: string,
  overrides: Partial<Organization>,
): Promise<AdminChange> {
  const before = present(await store.directory.organization(asOrganizationId(id)));
  return {
    kind: "edit_organization",
    organization: { ...before, ...overrides },
    revision: revisionOf(before),
  };
}

const roleOf = async (store: Store, id: string) => (await profileOf(store, id)).adminRole;
const countEvents = async (store: Store) => (await store.audit.list({ limit: 99 })).length;
const tally = (outcomes: readonly ChangeOutcome[]) => outcomes.map(({ result }) => result).toSorted();
const expected = (count: number, others: ChangeOutcome["result"]) =>
  ["done", ...Array.from({ length: count - 1 }, () => others)].toSorted();

/** What is told to which address. */
async function told(store: Store) {
  const mails = await dueMails(store, NOW + MINUTE);
  return mails.map(({ message: { to, content } }) => [content.kind, to]).toSorted();
}

export function administrationCases(contract: Case): void {
  contract("an organization is made once, audited, and found by its id", async (opened) => {
    const { store } = opened;
    const organization = anOrganization();
    const make = { kind: "create_organization", organization } as const;
    const outcomes = await race(opened, 10, (racer) => apply(racer, make));
    assert.deepEqual(tally(outcomes), expected(10, "exists"));
    assert.deepEqual(await store.directory.organization(organization.id), organization);
    const events = await store.audit.list({ limit: 9 });
    assert.deepEqual(
      events.map(({ action, actor, organizationId, at }) => [action, actor, organizationId, at]),
      [["organization.changed", BY.actor, organization.id, NOW]],
    );
    const other = { ...organization, name: "Other" };
    assert.deepEqual(await apply(store, { kind: "create_organization", organization: other }), {
      result: "exists",
    });
    assert.deepEqual(await store.directory.organization(organization.id), organization);
  });

  contract("an organization is edited as it was read, by one of those who read it", async (opened) => {
    const { store } = opened;
    const organization = anOrganization();
    await store.directory.putOrganization(organization, "admin:seed", NOW);
    const stale = await editOrganization(store, organization.id, { name: "Stale" });
    const outcomes = await race(opened, 10, async (racer, index) => {
      const edit = { ...organization, name: `Edit ${index}`, accountNumber: `E-${index}` };
      return apply(racer, {
        kind: "edit_organization",
        organization: edit,
        revision: revisionOf(organization),
      });
    });
    assert.deepEqual(tally(outcomes), expected(10, "changed"));
    const after = present(await store.directory.organization(organization.id));
    assert.equal(`Edit ${outcomes.findIndex(({ result }) => result === "done")}`, after.name);
    const events = await countEvents(store);
    assert.deepEqual(await apply(store, stale), { result: "changed" });
    const nobody = anOrganization();
    const unknown = {
      kind: "edit_organization",
      organization: nobody,
      revision: revisionOf(nobody),
    } as const;
    assert.deepEqual(await apply(store, unknown), { result: "missing" });
    assert.deepEqual(await store.directory.organization(organization.id), after);
    assert.equal(await countEvents(store), events);
  });

  contract("a profile is made once, and only in an organization that is there", async (opened) => {
    const { store } = opened;
    const organization = anOrganization();
    await store.directory.putOrganization(organization, "admin:seed", NOW);
    const profile = aProfile({ organizationId: organization.id, enabled: false });
    const outcomes = await race(opened, 10, (racer) => apply(racer, { kind: "create_profile", profile }));
    assert.deepEqual(tally(outcomes), expected(10, "exists"));
    const { id, name, roles, enabled, emailVersion } = await profileOf(store, profile.id);
    assert.deepEqual(
      [id, name, roles, enabled, emailVersion],
      [profile.id, profile.name, profile.roles, false, 1],
    );
    const homeless = aProfile({ organizationId: asOrganizationId(anId("organization")) });
    assert.deepEqual(await apply(store, { kind: "create_profile", profile: homeless }), {
      result: "missing",
    });
    assert.equal(await store.directory.membership(homeless.id), undefined);
    assert.deepEqual(await told(store), [], "nobody is told of a first address");
  });

  contract("a changed address is told to both, voids links and keeps the binding", async ({ store }) => {
    const { profile, account } = await bound(store);
    await dueMails(store, LATER);
    const pending = await register(store);
    const link = await request(store, await signIn(store), pending.profile.id);
    await dueMails(store, NOW + 1);
    const moved = {
      email: "Ada.New@fabrikam.example",
      emailKey: "ada.new@fabrikam.example",
      name: "Ada New",
    };
    assert.deepEqual(await apply(store, await editProfile(store, profile, moved)), DONE);
    const elsewhere = { email: "B@x.example", emailKey: "b@x.example" };
    assert.deepEqual(await apply(store, await editProfile(store, pending.profile, elsewhere)), DONE);
    assert.equal(await stateOf(store, link), "void");
    const after = await profileOf(store, profile.id);
    assert.deepEqual([after.accountId, after.emailVersion, after.name], [account.id, 2, "Ada New"]);
    const mails = await dueMails(store, NOW + 2);
    assert.deepEqual(
      mails.map(({ message: { to, content } }) => [content.kind, to]).toSorted(),
      [
        ["address_added", "Ada.New@fabrikam.example"],
        ["address_added", "B@x.example"],
        ["address_removed", pending.profile.email],
        ["address_removed", profile.email],
      ].toSorted(),
    );
    const { content, messageId, createdAt } = present(mails[0]).message;
    assert.deepEqual(content, {
      kind: content.kind,
      profileName: "Ada New",
      organizationName: 'Contoso "Nordic" A/S',
    });
    assert.match(messageId, /@liaison\.example$/);
    assert.equal(createdAt, NOW);
    const deliveries = await store.administration.deliveries({}, { after: null, limit: 9 });
    assert.equal(deliveries.items.filter(({ kind }) => kind === "address_removed").length, 2);
  });

  contract("an edit that leaves the address alone tells nobody", async ({ store }) => {
    const { profile } = await register(store);
    assert.deepEqual(
      await apply(store, await editProfile(store, profile, { name: "Grace", roles: [] })),
      DONE,
    );
    assert.equal((await profileOf(store, profile.id)).name, "Grace");
    assert.deepEqual(await told(store), []);
    const { action, actor } = present((await store.audit.list({ profileId: profile.id, limit: 1 }))[0]);
    assert.deepEqual([action, actor], ["profile.changed", BY.actor]);
  });

  contract("a profile is edited as it was read, by one of those who read it", async (opened) => {
    const { store } = opened;
    const { profile } = await register(store);
    const edit = await editProfile(store, profile, {});
    const outcomes = await race(opened, 10, (racer, index) => {
      const email = `a${index}@x.example`;
      return apply(racer, { ...edit, profile: { ...profile, email, emailKey: email } } as AdminChange);
    });
    assert.deepEqual(tally(outcomes), expected(10, "changed"));
    assert.equal((await profileOf(store, profile.id)).emailVersion, 2);
    assert.equal((await told(store)).length, 2, "the losers' addresses aren't told");
    const unknown = { ...edit, profile: { ...profile, id: anId("profile") } } as AdminChange;
    assert.deepEqual(await apply(store, unknown), { result: "missing" });
    const elsewhere = await register(store);
    const move = await editProfile(store, profile, { organizationId: elsewhere.organization.id });
    await assert.rejects(
      apply(store, move),
      (error) => error instanceof LiaisonError && error.code === "bad_request",
    );
  });

  contract(
    "another person: the binding goes, with its grants, its choices and its links",
    async ({ store }) => {
      const { profile, account, link } = await bound(store);
      const selection = aSelection({ accountId: account.id, profileId: profile.id });
      present(await store.accountsAtClients.select(selection, NOW));
      const { grantId, clientId, sessionUid } = selection;
      const token = hashOf(anId("token"));
      await store.artifacts.upsert("RefreshToken", token, { a: 1 }, { grantId }, LATER);
      const edit = await editProfile(store, profile, {
        name: "Grace",
        email: "g@x.example",
        emailKey: "g@x.example",
      });
      const outcome = await apply(store, { ...edit, isAnotherPerson: true } as AdminChange);
      const revokedGrants = [{ grantId, clientId, accountId: account.id, sessionUid }];
      assert.deepEqual(outcome, { result: "done", revokedGrants });
      const { accountId, boundAt, provenEmailVersion, name } = await profileOf(store, profile.id);
      assert.deepEqual([accountId, boundAt, provenEmailVersion, name], [null, null, null, "Grace"]);
      assert.equal(await stateOf(store, link), "bound");
      assert.equal(await store.artifacts.find("RefreshToken", token, NOW), undefined);
      assert.equal(
        (await store.accountsAtClients.forClient(account.id, clientId, null, NOW))?.rememberedProfileId,
        null,
      );
      const events = await store.audit.list({ profileId: profile.id, limit: 3 });
      const actions = events.map(({ action }) => action).toSorted();
      assert.deepEqual(actions, ["profile.changed", "profile.email_changed", "profile.unbound"]);
      const unbound = events.find(({ action }) => action === "profile.unbound");
      assert.deepEqual([unbound?.accountId, unbound?.actor], [account.id, BY.actor]);
      const notAnyMore = await apply(store, {
        ...(await editProfile(store, profile, {})),
        isAnotherPerson: true,
      } as AdminChange);
      assert.deepEqual(notAnyMore, DONE, "whoever isn't bound can be another person, too");
    },
  );

  contract("an import tells both addresses of a changed one, when it is asked to", async ({ store }) => {
    const [one, other] = [await register(store), await register(store)];
    const row = ({ organization, profile }: typeof one, address: string) => ({
      organization: { ...organization, name: "Renamed" },
      profile: { ...profile, email: address, emailKey: address },
    });
    const fresh = {
      organization: one.organization,
      profile: aProfile({ organizationId: one.organization.id }),
    };
    const options = { dryRun: false, mailDomain: DOMAIN };
    await store.directory.importBatch([row(one, "a@x.example")], BY.actor, NOW, { ...options, dryRun: true });
    assert.deepEqual(await told(store), []);
    await store.directory.importBatch([row(one, "a@x.example"), fresh], BY.actor, NOW, options);
    await store.directory.importBatch([row(other, "b@x.example")], BY.actor, NOW);
    const mails = await dueMails(store, NOW);
    assert.deepEqual(mails.map(({ message: { to, content } }) => [content.kind, to]).toSorted(), [
      ["address_added", "a@x.example"],
      ["address_removed", one.profile.email],
    ]);
    const { content } = present(mails[0]).message;
    assert.equal("organizationName" in content && content.organizationName, "Renamed");
  });

  contract(
    "a role is given in an operator's organization alone, and audited when it is another",
    async ({ store }) => {
      const { owners } = await operated(store, "Ann");
      const { profile } = await register(store);
      const before = await countEvents(store);
      assert.deepEqual(await apply(store, setRole(profile.id, "auditor")), { result: "not_operator" });
      assert.deepEqual(await apply(store, setRole(asProfileId(anId("profile")), "auditor")), {
        result: "missing",
      });
      assert.equal(await roleOf(store, profile.id), null);
      assert.deepEqual(await apply(store, setRole(profile.id, null)), DONE, "nothing can be taken anywhere");
      const ann = present(owners[0]);
      assert.deepEqual(await apply(store, setRole(ann.id, "owner")), DONE);
      assert.equal(await countEvents(store), before);
      const colleague = aProfile({ organizationId: ann.organizationId });
      await store.directory.putProfile(colleague, "admin:seed", NOW);
      assert.deepEqual(await apply(store, setRole(colleague.id, "support")), DONE);
      assert.equal(await roleOf(store, colleague.id), "support");
      const [event] = await store.audit.list({ profileId: colleague.id, limit: 1 });
      assert.deepEqual(
        [event?.action, event?.actor, event?.detail],
        ["admin.role_changed", BY.actor, { role: "support" }],
      );
    },
  );

  contract("the last owner can't be demoted, disabled, or lose the organization", async ({ store }) => {
    const { organization, owners } = await operated(store, "Ann");
    const ann = present(owners[0]);
    const colleague = aProfile({ organizationId: organization.id });
    await store.directory.putProfile(colleague, "admin:seed", NOW);
    const before = [await profileOf(store, ann.id), await store.directory.organization(organization.id)];
    const events = await countEvents(store);
    for (const change of [
      setRole(ann.id, null),
      setRole(ann.id, "support"),
      await editProfile(store, ann, { enabled: false, email: "ann@x.example", emailKey: "ann@x.example" }),
      await editOrganization(store, organization.id, { enabled: false }),
      await editOrganization(store, organization.id, { kind: "partner", name: "Renamed" }),
    ]) {
      assert.deepEqual(await apply(store, change), { result: "last_owner" }, change.kind);
    }
    assert.deepEqual(
      [await profileOf(store, ann.id), await store.directory.organization(organization.id)],
      before,
    );
    assert.equal(await countEvents(store), events);
    assert.equal((await told(store)).length, 1, "nothing but the invitation");
    // What leaves an owner goes.
    assert.deepEqual(
      await apply(store, await editOrganization(store, organization.id, { name: "Renamed" })),
      DONE,
    );
    assert.deepEqual(await apply(store, await editProfile(store, ann, { name: "Ann B." })), DONE);
    assert.deepEqual(await apply(store, await editProfile(store, colleague, { enabled: false })), DONE);
    const second = await operated(store, "Bea");
    assert.deepEqual(await apply(store, setRole(ann.id, null)), DONE);
    const bea = present(second.owners[0]);
    assert.deepEqual(await apply(store, setRole(bea.id, null)), { result: "last_owner" });
    assert.deepEqual(
      await apply(store, await editOrganization(store, organization.id, { enabled: false })),
      DONE,
    );
  });

  contract(
    "an owner who is disabled is none, and where there is none nothing is refused",
    async ({ store }) => {
      const { organization, owners } = await operated(store, "Ann", "Bea");
      const [ann, bea] = [present(owners[0]), present(owners[1])];
      assert.deepEqual(await apply(store, await editProfile(store, ann, { enabled: false })), DONE);
      assert.deepEqual(await apply(store, setRole(bea.id, "support")), { result: "last_owner" });
      // Not by an administrator: the command line may.
      await store.directory.putProfile({ ...bea, enabled: false }, "command:disable", NOW);
      assert.deepEqual(await apply(store, setRole(bea.id, "support")), DONE);
      assert.deepEqual(
        await apply(store, await editOrganization(store, organization.id, { enabled: false })),
        DONE,
      );
    },
  );

  contract("two owners who demote each other at once don't both succeed", async (opened) => {
    const { store } = opened;
    const { organization, owners } = await operated(store, "Ann", "Bea");
    const [ann, bea] = owners.map(({ id }) => id);
    for (let round = 0; round < 8; round += 1) {
      const outcomes = await race(opened, 2, (racer, index) =>
        apply(racer, setRole(present(index === 0 ? ann : bea), "support")),
      );
      assert.deepEqual(tally(outcomes), ["done", "last_owner"]);
      for (const { id } of owners) assert.deepEqual(await apply(store, setRole(id, "owner")), DONE);
    }
    const elsewhere = await operated(store, "Cem");
    assert.deepEqual(await apply(store, setRole(present(bea), null)), DONE);
    for (let round = 0; round < 5; round += 1) {
      const disabling = await editOrganization(store, organization.id, { enabled: false });
      const demoting = setRole(present(elsewhere.owners[0]).id, null);
      const outcomes = await race(opened, 2, (racer, index) =>
        apply(racer, index === 0 ? disabling : demoting),
      );
      assert.deepEqual(tally(outcomes), ["done", "last_owner"]);
      await apply(store, await editOrganization(store, organization.id, { enabled: true }));
      await apply(store, setRole(present(elsewhere.owners[0]).id, "owner"));
    }
  });
}
