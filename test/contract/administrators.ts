/** Who administrates: who is invited, once and again, and what another role ends. */

import assert from "node:assert/strict";
import type { Organization } from "../../src/domain/records.ts";
import { revisionOf } from "../../src/domain/revision.ts";
import { anOrganization, aProfile, NOW } from "../support/records.ts";
import {
  accountAtClientOf,
  apply,
  BY,
  DONE,
  eventsOf,
  invitationOf,
  invited,
  LAPSED,
  operated,
  revoked,
  setRole,
  signedOn,
  tally,
  told,
} from "./administrator-fixture.ts";
import { bind, type Case, dueMails, present, profileOf, race, register, signIn } from "./back-end.ts";

export function administratorCases(contract: Case): void {
  invitationCases(contract);
  grantCases(contract);
}

function invitationCases(contract: Case): void {
  contract(
    "an invitation makes organization, profile and role once, and mails where to sign in",
    async (opened) => {
      const { store } = opened;
      const organization = anOrganization({ kind: "operator", name: "Liaison Ltd" });
      const profile = aProfile({ organizationId: organization.id, name: "Ann" });
      const invite = invitationOf(organization, profile, "auditor");
      const outcomes = await race(opened, 6, (racer) => apply(racer, invite));
      assert.deepEqual(tally(outcomes), Array(6).fill("done"));
      assert.deepEqual(await store.directory.organization(organization.id), organization);
      assert.equal((await store.directory.membershipsByEmail(profile.emailKey)).length, 1);
      assert.deepEqual(await accountAtClientOf(store, profile.id), {
        adminRole: "auditor",
        invitedAt: NOW,
        isLinked: false,
      });
      assert.equal((await eventsOf(store, profile.id, "admin.role_changed")).length, 1);
      assert.equal((await eventsOf(store, profile.id, "admin.invited_again")).length, 5);
      const mails = await dueMails(store, NOW);
      const names = { profileName: "Ann", organizationName: "Liaison Ltd" };
      const content = { kind: "admin_invitation", ...names, lapsesAt: LAPSED };
      assert.equal(mails.length, 6);
      for (const { message } of mails)
        assert.deepEqual([message.to, message.content], [profile.email, content]);
      // Into the organization as it is.
      const second = aProfile({ organizationId: organization.id });
      assert.deepEqual(
        await apply(store, invitationOf({ ...organization, name: "Other" }, second, "auditor")),
        DONE,
      );
      assert.deepEqual(await store.directory.organization(organization.id), organization);
      const customer = await register(store);
      const events = (await store.audit.list({ limit: 99 })).length;
      const guest = aProfile({ organizationId: customer.organization.id });
      const wrong = invitationOf(customer.organization, guest, "auditor");
      assert.deepEqual(await apply(store, wrong), { result: "not_operator" });
      assert.equal(await store.directory.membership(guest.id), undefined);
      assert.equal((await store.audit.list({ limit: 99 })).length, events);
    },
  );

  contract(
    "of those who invite one address at once by different ids, one makes a profile",
    async (opened) => {
      const { store } = opened;
      const { organization } = await operated(store);
      const { email, emailKey } = aProfile();
      const outcomes = await race(opened, 6, (racer) =>
        apply(
          racer,
          invitationOf(
            organization,
            aProfile({ organizationId: organization.id, email, emailKey }),
            "auditor",
          ),
        ),
      );
      assert.deepEqual(tally(outcomes), ["done", ...Array(5).fill("exists")]);
      assert.equal((await store.directory.membershipsByEmail(emailKey)).length, 1);
      assert.equal((await told(store, NOW)).filter(([, to]) => to === email).length, 1);
    },
  );

  contract("inviting again gives the role, begins the time anew and mails again", async ({ store }) => {
    const { organization } = await operated(store);
    const profile = await invited(store, organization, "support");
    const renamed = { ...profile, name: "Somebody else" };
    assert.deepEqual(await apply(store, invitationOf(organization, renamed, "support"), NOW + 5), DONE);
    assert.deepEqual(await accountAtClientOf(store, profile.id), {
      adminRole: "support",
      invitedAt: NOW + 5,
      isLinked: false,
    });
    assert.deepEqual(await apply(store, invitationOf(organization, profile, "auditor"), NOW + 6), DONE);
    assert.deepEqual(await accountAtClientOf(store, profile.id), {
      adminRole: "auditor",
      invitedAt: NOW + 6,
      isLinked: false,
    });
    assert.equal(
      (await profileOf(store, profile.id)).name,
      profile.name,
      "whoever is registered keeps their name",
    );
    assert.equal(await store.administration.lapseInvitations(LAPSED + 6), 1);
    assert.deepEqual(await apply(store, invitationOf(organization, profile, "auditor"), LAPSED + 7), DONE);
    assert.deepEqual((await accountAtClientOf(store, profile.id)).invitedAt, LAPSED + 7);
    const mails = (await told(store, NOW)).filter(([, to]) => to === profile.email);
    assert.deepEqual(mails, Array(4).fill(["admin_invitation", profile.email]));
    const [again] = await eventsOf(store, profile.id, "admin.invited_again");
    assert.deepEqual([again?.actor, again?.at, again?.detail], [BY.actor, NOW + 5, { role: "support" }]);
  });

  contract(
    "whoever is linked, disabled or registered under another id is invited by nobody",
    async ({ store }) => {
      const { organization, owner } = await operated(store);
      const waiting = await invited(store, organization);
      const disabled = { ...(await invited(store, organization)), enabled: false };
      await store.directory.putProfile(disabled, "admin:seed", NOW);
      const events = (await store.audit.list({ limit: 99 })).length;
      await dueMails(store, NOW);
      const EXISTS = { result: "exists" };
      assert.deepEqual(await apply(store, invitationOf(organization, owner, "owner")), EXISTS, "linked");
      assert.deepEqual(
        await apply(store, invitationOf(organization, disabled, "support")),
        EXISTS,
        "disabled",
      );
      const twin = {
        ...aProfile(),
        organizationId: organization.id,
        email: waiting.email,
        emailKey: waiting.emailKey,
      };
      assert.deepEqual(await apply(store, invitationOf(organization, twin, "support")), EXISTS, "another id");
      const moved = { ...aProfile(), id: waiting.id, organizationId: organization.id };
      assert.deepEqual(
        await apply(store, invitationOf(organization, moved, "support")),
        EXISTS,
        "another address",
      );
      assert.deepEqual(await told(store, NOW + 1), []);
      assert.equal((await store.audit.list({ limit: 99 })).length, events);
    },
  );

  contract(
    "the last owner's invitation says no end, and nobody makes them less by inviting",
    async ({ store }) => {
      assert.equal(await store.administration.hasOwner(), false);
      const organization = anOrganization({ kind: "operator" });
      const profile = await invited(store, organization, "owner");
      assert.equal(await store.administration.hasOwner(), true);
      const [mail] = await dueMails(store, NOW);
      const { content } = present(mail).message;
      assert.equal(content.kind === "admin_invitation" && content.lapsesAt, null);
      assert.deepEqual(await apply(store, invitationOf(organization, profile, "auditor"), NOW + 2), {
        result: "last_owner",
      });
      assert.deepEqual(await told(store, NOW + 1), []);
      await store.directory.putProfile({ ...profile, enabled: false }, "command:x", NOW);
      assert.equal(await store.administration.hasOwner(), false);
    },
  );
}

function grantCases(contract: Case): void {
  contract(
    "A9: another role ends the sign-ins to the pages, and only those; the same role ends none",
    async ({ store }) => {
      const { organization } = await operated(store);
      const profile = await invited(store, organization, "support");
      const person = await signIn(store);
      await bind(store, person, profile.id);
      for (const role of ["auditor", null, "support"] as const) {
        const { pages, portal, isLive } = await signedOn(store, person.account.id, profile.id);
        const done = { result: "done", revokedGrants: [revoked(pages)] };
        assert.deepEqual(await apply(store, setRole(profile.id, role)), done, String(role));
        assert.deepEqual([await isLive(pages), await isLive(portal)], [false, true], String(role));
        await store.artifacts.revokeGrant(portal.grantId);
      }
      const { pages, isLive } = await signedOn(store, person.account.id, profile.id);
      assert.deepEqual(await apply(store, setRole(profile.id, "support")), DONE);
      assert.equal(await isLive(pages), true);
      const refused = aProfile({ organizationId: organization.id });
      assert.deepEqual(await apply(store, setRole(refused.id, null)), { result: "missing" });
    },
  );

  contract("A9: what is refused ends nothing", async ({ store }) => {
    const { owner } = await operated(store);
    const { accountId } = await profileOf(store, owner.id);
    const { pages, isLive } = await signedOn(store, present(accountId), owner.id);
    assert.deepEqual(await apply(store, setRole(owner.id, null)), { result: "last_owner" });
    assert.equal(await isLive(pages), true);
  });

  contract(
    "A9: an organization that is no operator's any more ends them for all its people",
    async ({ store }) => {
      await operated(store);
      const organization = anOrganization({ kind: "operator" });
      const [one, other] = [await invited(store, organization), await invited(store, organization)];
      const signedIn = [];
      for (const { id } of [one, other]) {
        const person = await signIn(store);
        await bind(store, person, id);
        signedIn.push(await signedOn(store, person.account.id, id));
      }
      const change = async (kind: Organization["kind"], name: string) => {
        const before = present(await store.directory.organization(organization.id));
        const edited = { ...before, kind, name };
        return await apply(store, {
          kind: "edit_organization",
          organization: edited,
          revision: revisionOf(before),
        });
      };
      assert.deepEqual(await change("operator", "Renamed"), DONE);
      const outcome = await change("partner", "Renamed");
      assert.ok(outcome.result === "done");
      const grants = ({ revokedGrants }: { revokedGrants: { grantId: string }[] }) =>
        revokedGrants.map(({ grantId }) => grantId).toSorted();
      assert.deepEqual(grants(outcome), signedIn.map(({ pages }) => pages.grantId).toSorted());
      for (const { pages, portal, isLive } of signedIn) {
        assert.deepEqual([await isLive(pages), await isLive(portal)], [false, true]);
      }
      assert.deepEqual(await change("operator", "Again"), DONE);
      for (const { pages, isLive } of signedIn) assert.equal(await isLive(pages), false, "it stays ended");
    },
  );
}
