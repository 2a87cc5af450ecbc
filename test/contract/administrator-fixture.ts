/**
 * Administrators for the storage suite: an operator, people who are invited, and what is read of them. No
 * case lives here.
 */

import assert from "node:assert/strict";
import { type AccountId, asProfileId, asSecretHash, type ProfileId } from "../../src/domain/ids.ts";
import { INVITATION_LIFE_MS } from "../../src/domain/invitations.ts";
import {
  type AdminRole,
  CONSOLE_CLIENT_ID,
  type Organization,
  type ProfileEdit,
  type Selection,
} from "../../src/domain/records.ts";
import type { AdminChange, ChangeOutcome, Store } from "../../src/storage/contract.ts";
import { anId, anOrganization, aProfile, aSelection, hashOf, MINUTE, NOW } from "../support/records.ts";
import {
  aNotice,
  bind,
  dueMails,
  present,
  profileOf,
  redemption,
  request,
  type SignedIn,
  signIn,
} from "./back-end.ts";

export const BY = { actor: "admin:7", now: NOW };
export const DOMAIN = "liaison.example";
export const DONE = { result: "done", revokedGrants: [] } as const;
export const LAPSED = NOW + INVITATION_LIFE_MS;

export const apply = (store: Store, change: AdminChange, now = NOW) =>
  store.administration.apply(change, { ...BY, now });
export const tally = (outcomes: readonly ChangeOutcome[]) => outcomes.map(({ result }) => result).toSorted();
export const setRole = (profileId: ProfileId, adminRole: AdminRole | null): AdminChange => ({
  kind: "set_admin_role",
  profileId,
  adminRole,
});
export const invitationOf = (
  organization: Organization,
  profile: ProfileEdit,
  adminRole: AdminRole,
): AdminChange => ({
  kind: "invite",
  organization,
  profile,
  adminRole,
  mailDomain: DOMAIN,
});

/** An operator's organization with an owner who is linked, and whom nothing here is about. */
export async function operated(store: Store) {
  const organization = anOrganization({ kind: "operator", name: "Liaison Ltd" });
  const owner = aProfile({ organizationId: organization.id, name: "Olga Owner" });
  assert.deepEqual(await apply(store, invitationOf(organization, owner, "owner")), DONE);
  await bind(store, await signIn(store), owner.id);
  await dueMails(store, NOW);
  return { organization, owner };
}

export async function invited(
  store: Store,
  organization: Organization,
  adminRole: AdminRole = "support",
  now = NOW,
) {
  const profile = aProfile({ organizationId: organization.id, name: `Invited as ${adminRole}` });
  assert.deepEqual(await apply(store, invitationOf(organization, profile, adminRole), now), DONE);
  return profile;
}

/** Redeems a link for a profile as late as `now`. */
export async function redeemAt(store: Store, person: SignedIn, profileId: string, now: number) {
  const link = await request(store, person, asProfileId(profileId), { expiresAt: now + MINUTE });
  return await store.links.redeem(redemption(person, link), aNotice(), now);
}

export const accountAtClientOf = async (store: Store, id: string) => {
  const { adminRole, invitedAt, accountId } = await profileOf(store, id);
  return { adminRole, invitedAt, isLinked: accountId !== null };
};
export const eventsOf = async (store: Store, profileId: ProfileId, action: string) =>
  (await store.audit.list({ profileId, limit: 99 })).filter((event) => event.action === action);
/** The mails that were queued from an instant on. */
export const mailsSince = async (store: Store, since: number) =>
  (await dueMails(store, 20 * LAPSED)).filter(({ message: { createdAt } }) => createdAt >= since);
export const told = async (store: Store, since: number) =>
  (await mailsSince(store, since)).map(({ message: { to, content } }) => [content.kind, to]).toSorted();

/** A grant with a token at the administration's pages, and one at a portal. */
export async function signedOn(store: Store, accountId: AccountId, profileId: ProfileId) {
  const of = { accountId, profileId };
  const [pages, portal] = [aSelection({ ...of, clientId: CONSOLE_CLIENT_ID }), aSelection(of)];
  const tokens = new Map<string, string>();
  for (const selection of [pages, portal]) {
    present(await store.accountsAtClients.select(selection, NOW));
    const token = hashOf(anId("token"));
    tokens.set(selection.grantId, token);
    await store.artifacts.upsert(
      "AccessToken",
      token,
      { a: 1 },
      { grantId: selection.grantId },
      NOW + MINUTE,
    );
  }
  const isLive = async ({ grantId }: Selection) => {
    const token = await store.artifacts.find("AccessToken", asSecretHash(present(tokens.get(grantId))), NOW);
    const accountAtClient = await store.accountsAtClients.forGrant(grantId, NOW);
    assert.equal(token !== undefined, accountAtClient !== undefined);
    return accountAtClient !== undefined;
  };
  return { pages, portal, isLive };
}

export const revoked = ({ grantId, clientId, accountId, sessionUid }: Selection) => ({
  grantId,
  clientId,
  accountId,
  sessionUid,
});
