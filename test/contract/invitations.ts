/**
 * Roles that nobody takes up lapse after seven days; whoever takes one up is an administrator, and owners are
 * told.
 */

import assert from "node:assert/strict";
import { anOrganization, aProfile, MINUTE, NOW } from "../support/records.ts";
import {
  accountAtClientOf,
  apply,
  DONE,
  eventsOf,
  invitationOf,
  invited,
  LAPSED,
  mailsSince,
  operated,
  redeemAt,
  setRole,
  told,
} from "./administrator-fixture.ts";
import {
  aNotice,
  bind,
  type Case,
  dueMails,
  present,
  race,
  redemption,
  register,
  request,
  signIn,
} from "./back-end.ts";

export function invitationCases(contract: Case): void {
  lapseCases(contract);
  redemptionCases(contract);
}

function lapseCases(contract: Case): void {
  contract("A9: an invitation lapses after seven days to the millisecond, once, audited", async (opened) => {
    const { store } = opened;
    const { organization, owner } = await operated(store);
    const profile = await invited(store, organization, "directory_manager");
    const later = await invited(store, organization, "support", NOW + 1);
    assert.equal(await store.administration.lapseInvitations(LAPSED - 1), 0);
    const counts = await race(opened, 8, (racer) => racer.administration.lapseInvitations(LAPSED));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      1,
    );
    assert.deepEqual(await accountAtClientOf(store, profile.id), {
      adminRole: null,
      invitedAt: null,
      isLinked: false,
    });
    assert.deepEqual(await accountAtClientOf(store, later.id), {
      adminRole: "support",
      invitedAt: NOW + 1,
      isLinked: false,
    });
    assert.deepEqual((await accountAtClientOf(store, owner.id)).adminRole, "owner");
    const events = await eventsOf(store, profile.id, "admin.invitation_lapsed");
    assert.deepEqual(
      events.map(({ actor, at, organizationId, detail }) => [actor, at, organizationId, detail]),
      [["system", LAPSED, organization.id, { role: "directory_manager", invitedAt: NOW }]],
    );
    assert.equal(await store.administration.lapseInvitations(LAPSED), 0);
  });

  contract(
    "A9: a role given to a profile that nobody has linked lapses, too; a linked one's doesn't",
    async ({ store }) => {
      const { organization } = await operated(store);
      const [unlinked, linked] = [
        aProfile({ organizationId: organization.id }),
        aProfile({ organizationId: organization.id }),
      ];
      for (const profile of [unlinked, linked]) await store.directory.putProfile(profile, "admin:seed", NOW);
      await bind(store, await signIn(store), linked.id);
      for (const { id } of [unlinked, linked])
        assert.deepEqual(await apply(store, setRole(id, "auditor"), NOW + 3), DONE);
      assert.equal((await accountAtClientOf(store, unlinked.id)).invitedAt, NOW + 3);
      assert.equal((await accountAtClientOf(store, linked.id)).invitedAt, null);
      assert.deepEqual(
        await apply(store, setRole(unlinked.id, "support"), NOW + 4),
        DONE,
        "another role begins anew",
      );
      assert.deepEqual(
        await apply(store, setRole(unlinked.id, "support"), NOW + 9),
        DONE,
        "the same one doesn't",
      );
      assert.equal(await store.administration.lapseInvitations(LAPSED + 3), 0);
      assert.equal(await store.administration.lapseInvitations(LAPSED + 4), 1);
      assert.equal((await accountAtClientOf(store, linked.id)).adminRole, "auditor");
      assert.deepEqual(await apply(store, setRole(unlinked.id, "support"), LAPSED + 5), DONE);
      assert.deepEqual(await apply(store, setRole(unlinked.id, null), LAPSED + 6), DONE);
      assert.deepEqual(await accountAtClientOf(store, unlinked.id), {
        adminRole: null,
        invitedAt: null,
        isLinked: false,
      });
    },
  );

  contract("A9: an administrator who is unlinked has seven days to link again", async ({ store }) => {
    const { organization, owner } = await operated(store);
    const profile = await invited(store, organization, "owner");
    await bind(store, await signIn(store), profile.id);
    assert.equal((await accountAtClientOf(store, profile.id)).invitedAt, null);
    present(await store.links.unbind(profile.id, "admin:7", NOW + 7));
    assert.deepEqual(await accountAtClientOf(store, profile.id), {
      adminRole: "owner",
      invitedAt: NOW + 7,
      isLinked: false,
    });
    const member = await register(store);
    await bind(store, await signIn(store), member.profile.id);
    present(await store.links.unbind(member.profile.id, "admin:7", NOW + 7));
    assert.deepEqual(
      (await accountAtClientOf(store, member.profile.id)).invitedAt,
      null,
      "who has no role waits for nothing",
    );
    assert.equal(await store.administration.lapseInvitations(LAPSED + 6), 0);
    assert.equal(await store.administration.lapseInvitations(LAPSED + 7), 1);
    assert.equal((await accountAtClientOf(store, owner.id)).adminRole, "owner");
  });

  contract("A9: the last owner's invitation never lapses, whoever was one before", async (opened) => {
    const { store } = opened;
    const organization = anOrganization({ kind: "operator" });
    const first = await invited(store, organization, "owner");
    const second = await invited(store, organization, "owner", NOW + 1);
    const disabled = await invited(store, organization, "owner", NOW + 2);
    await store.directory.putProfile({ ...disabled, enabled: false }, "admin:seed", NOW);
    const counts = await race(opened, 6, (racer) => racer.administration.lapseInvitations(LAPSED + 9));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      2,
      "of those who wait the newest stays, and nobody who can't be linked",
    );
    assert.equal((await accountAtClientOf(store, first.id)).adminRole, null);
    assert.equal((await accountAtClientOf(store, second.id)).adminRole, "owner");
    assert.equal((await accountAtClientOf(store, disabled.id)).adminRole, null);
    assert.deepEqual(await apply(store, invitationOf(organization, first, "owner"), LAPSED + 9), DONE);
    assert.equal(await store.administration.lapseInvitations(LAPSED + 10), 1, "there is another again");
    assert.equal((await accountAtClientOf(store, second.id)).adminRole, null);
  });
}

function redemptionCases(contract: Case): void {
  contract(
    "A9: whoever redeems in time is an administrator, and every other owner is told who",
    async (opened) => {
      const { store } = opened;
      const { organization, owner } = await operated(store);
      const other = await invited(store, organization, "owner");
      const off = await invited(store, organization, "owner");
      await store.directory.putProfile({ ...off, enabled: false }, "admin:seed", NOW);
      const profile = await invited(store, organization, "owner");
      const person = await signIn(store);
      const link = await request(store, person, profile.id, { expiresAt: LAPSED });
      const results = await race(opened, 8, (racer) =>
        racer.links.redeem(redemption(person, link), aNotice(), LAPSED - 1),
      );
      assert.equal(results.filter(({ result }) => result === "bound").length, 1);
      assert.deepEqual(await accountAtClientOf(store, profile.id), {
        adminRole: "owner",
        invitedAt: null,
        isLinked: true,
      });
      const mails = await mailsSince(store, LAPSED - 1);
      assert.deepEqual(
        mails.map(({ message: { to, content } }) => [content.kind, to]).toSorted(),
        [
          ["administrator_linked", other.email],
          ["administrator_linked", owner.email],
          ["linked_notice", profile.email],
        ].toSorted(),
      );
      const { upstreamId, email, displayName } = person.identity;
      const { message } = present(mails.find(({ message: { to } }) => to === owner.email));
      assert.match(message.messageId, /@liaison\.example$/);
      assert.deepEqual(message.content, {
        kind: "administrator_linked",
        ownerName: "Olga Owner",
        profileName: profile.name,
        organizationName: organization.name,
        role: "owner",
        requester: { upstreamId, email, displayName },
        linkedAt: LAPSED - 1,
      });
      assert.equal(await store.administration.lapseInvitations(LAPSED), 2, "those who haven't");
      assert.equal((await accountAtClientOf(store, profile.id)).adminRole, "owner");
    },
  );

  contract(
    "A9: redeemed too late, swept or not, it binds a profile without a role, and nobody is told",
    async (opened) => {
      const { store } = opened;
      const { organization } = await operated(store);
      const profile = await invited(store, organization, "owner");
      await dueMails(store, NOW);
      const person = await signIn(store);
      const link = await request(store, person, profile.id, { expiresAt: LAPSED + MINUTE });
      const results = await race(opened, 9, async (racer, index) => {
        if (index % 3 === 2) return await racer.administration.lapseInvitations(LAPSED);
        return (await racer.links.redeem(redemption(person, link), aNotice(), LAPSED)).result;
      });
      assert.equal(results.filter((result) => result === "bound").length, 1);
      assert.deepEqual(await accountAtClientOf(store, profile.id), {
        adminRole: null,
        invitedAt: null,
        isLinked: true,
      });
      assert.equal((await eventsOf(store, profile.id, "admin.invitation_lapsed")).length, 1);
      assert.deepEqual(await told(store, LAPSED), [["linked_notice", profile.email]]);
    },
  );

  contract("A9: a link whose redemption is refused lapses nothing", async ({ store }) => {
    const { organization } = await operated(store);
    const profile = await invited(store, organization, "support");
    const [person, another] = [await signIn(store), await signIn(store)];
    const link = await request(store, person, profile.id, { expiresAt: LAPSED + MINUTE });
    const foreign = redemption(another, link);
    assert.equal((await store.links.redeem(foreign, aNotice(), LAPSED)).result, "refused");
    assert.equal((await accountAtClientOf(store, profile.id)).adminRole, "support");
  });

  contract("A9: the last owner comes in however late", async ({ store }) => {
    const organization = anOrganization({ kind: "operator" });
    const profile = await invited(store, organization, "owner");
    await dueMails(store, NOW);
    assert.equal((await redeemAt(store, await signIn(store), profile.id, 9 * LAPSED)).result, "bound");
    assert.deepEqual(await accountAtClientOf(store, profile.id), {
      adminRole: "owner",
      invitedAt: null,
      isLinked: true,
    });
    assert.deepEqual(
      await told(store, 9 * LAPSED),
      [["linked_notice", profile.email]],
      "there is nobody else to tell",
    );
  });

  contract("A9: owners aren't told of people without a role, nor of a role that rests", async ({ store }) => {
    const { organization } = await operated(store);
    const member = await register(store);
    await redeemAt(store, await signIn(store), member.profile.id, NOW + 3);
    const elsewhere = anOrganization({ kind: "operator" });
    const resting = await invited(store, elsewhere, "owner");
    await store.directory.putOrganization({ ...elsewhere, kind: "partner" }, "admin:seed", NOW);
    await redeemAt(store, await signIn(store), resting.id, NOW + 3);
    const notices = [resting.email, member.profile.email].map((to) => ["linked_notice", to]);
    assert.deepEqual(await told(store, NOW + 3), notices.toSorted());
    assert.equal((await accountAtClientOf(store, resting.id)).adminRole, "owner");
    assert.equal((await store.directory.organization(organization.id))?.kind, "operator");
  });
}
