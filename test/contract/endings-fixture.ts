/**
 * Many grants for the storage suite, the ways in which all of them are ended, and what is removed afterwards.
 * No case lives here.
 */

import assert from "node:assert/strict";
import type { RemovedPart } from "../../src/domain/endings.ts";
import { asSecretHash } from "../../src/domain/ids.ts";
import type { AuditEvent, Client, Organization, Selection, SignOut } from "../../src/domain/records.ts";
import { revisionOf } from "../../src/domain/revision.ts";
import type { Store } from "../../src/storage/contract.ts";
import { aClient, anId, aSelection, hashOf, MINUTE, NOW, type ProfileEdit } from "../support/records.ts";
import { apply, DONE } from "./administrator-fixture.ts";
import { bind, bound, present, profileOf, type Registered, type SignedIn } from "./back-end.ts";

export interface ManyGrants extends Registered, SignedIn {
  client: Client;
  selections: Selection[];
  /** A token of each. */
  tokens: string[];
}

/** A person with grants at one client in so many sessions, each with a token. */
export async function manyGrants(store: Store, count: number): Promise<ManyGrants> {
  const { organization, profile, account, identity } = await bound(store);
  const client = aClient({ managedBy: "admin" });
  assert.deepEqual(await apply(store, { kind: "register_client", client }), DONE);
  const selections: Selection[] = [];
  const tokens: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const selection = aSelection({ accountId: account.id, profileId: profile.id, clientId: client.id });
    const { grantId, sessionUid: uid, clientId } = selection;
    present(await store.accountsAtClients.select(selection, NOW));
    const token = hashOf(anId("token"));
    await store.artifacts.upsert("RefreshToken", token, {}, { grantId }, NOW + 99 * MINUTE);
    const session = {
      uid,
      accountId: account.id,
      authorizations: { [clientId]: { sid: `sid-of-${uid}` } },
      removed: [],
    };
    await store.artifacts.upsertSession(hashOf(uid), {}, session, NOW + 99 * MINUTE);
    selections.push(selection);
    tokens.push(token);
  }
  return { organization, profile, account, identity, client, selections, tokens };
}

export interface WayToEnd {
  name: string;
  end(store: Store, many: ManyGrants): Promise<unknown>;
  /** Undoes what it was ended by, so that nothing but the ending itself stands in the grants' way. */
  revive(store: Store, many: ManyGrants): Promise<unknown>;
  /** Whether portals are told. */
  tells: boolean;
  isItsEvent(event: AuditEvent): boolean;
}

const isUnbinding = ({ action }: AuditEvent) => action === "profile.unbound";

export const endings: readonly WayToEnd[] = [
  {
    tells: true,
    name: "organization",
    end: (store, { organization }) =>
      store.directory.putOrganization({ ...organization, enabled: false }, "admin:7", NOW),
    revive: (store, { organization }) => store.directory.putOrganization(organization, "admin:8", NOW),
    isItsEvent: ({ action, detail }) => action === "organization.changed" && detail["enabled"] === false,
  },
  {
    tells: true,
    name: "profile",
    end: (store, { profile }) => store.directory.putProfile({ ...profile, enabled: false }, "admin:7", NOW),
    revive: (store, { profile }) => store.directory.putProfile(profile, "admin:8", NOW),
    isItsEvent: ({ action, detail }) => action === "profile.changed" && detail["enabled"] === false,
  },
  {
    tells: true,
    name: "unlinking",
    end: (store, { profile }) => store.links.unbind(profile.id, "admin:7", NOW),
    revive: (store, { profile, account, identity }) => bind(store, { account, identity }, profile.id),
    isItsEvent: isUnbinding,
  },
  {
    tells: true,
    name: "another person",
    end: async (store, { profile }) =>
      await apply(store, {
        kind: "edit_profile",
        profile,
        revision: revisionOf(await profileOf(store, profile.id)),
        isAnotherPerson: true,
        mailDomain: "x.example",
      }),
    revive: (store, { profile, account, identity }) => bind(store, { account, identity }, profile.id),
    isItsEvent: isUnbinding,
  },
  {
    name: "client",
    end: (store, { client }) => apply(store, { kind: "remove_client", clientId: client.id }),
    revive: (store, { client }) => apply(store, { kind: "register_client", client }),
    tells: false,
    isItsEvent: ({ action }) => action === "client.removed",
  },
];

/** Removes all that is ended, so many at a time, until nothing is left to be claimed. */
export async function removeAll(store: Store, worker: string, most: number, now = NOW) {
  const parts: RemovedPart[] = [];
  const grants: string[] = [];
  for (;;) {
    const claimed = await store.administration.claimEnding(worker, now, MINUTE);
    if (claimed === undefined) return { parts, grants };
    for (let result: RemovedPart["result"] = "more"; result === "more"; ) {
      const part = await store.administration.removeEnded(claimed.key, worker, {
        most,
        now,
        leaseMs: MINUTE,
      });
      assert.notEqual(part.result, "lost");
      parts.push(part);
      if (part.result !== "lost") grants.push(...part.grants);
      result = part.result;
    }
  }
}

/** Every sign-out that is due, each taken off the queue. */
export async function told(store: Store, now = NOW): Promise<SignOut[]> {
  const all: SignOut[] = [];
  for (;;) {
    const next = await store.administration.claimSignOut("teller", now, MINUTE);
    if (next === undefined) return all;
    all.push(next);
    await store.administration.settleSignOut(next.id, "teller", null);
  }
}

/** Gives a grant's portal a token; tells whether it is there still. */
export async function redeemed(store: Store, { grantId }: Selection): Promise<() => Promise<boolean>> {
  const token = hashOf(anId("token"));
  await store.artifacts.upsert("RefreshToken", token, {}, { grantId }, NOW + 99 * MINUTE);
  return () => isTokenStored(store, token);
}

export const isTokenStored = async (store: Store, token: string) =>
  (await store.artifacts.find("RefreshToken", asSecretHash(token), NOW)) !== undefined;

/** A row of an import that disables a profile. */
export function editOf(organization: Organization, profile: ProfileEdit) {
  return { organization, profile: { ...profile, enabled: false } };
}

/** Whatever reads grants finds none of them, also while their rows are there. */
export async function assertEnded(store: Store, { selections, account, profile }: ManyGrants) {
  const { clientId } = present(selections[0]);
  for (const { grantId, sessionUid } of selections) {
    assert.equal(await store.accountsAtClients.forGrant(grantId, NOW), undefined);
    assert.equal(
      (await store.accountsAtClients.forClient(account.id, clientId, sessionUid, NOW))?.current,
      null,
    );
  }
  for (const filter of [{ accountId: account.id }, { clientId }, { profileId: profile.id }, {}]) {
    const listed = await store.administration.grants(filter, { after: null, limit: 100 }, NOW);
    assert.deepEqual(listed, { items: [], next: null });
  }
  assert.equal(await store.administration.countGrants(clientId, NOW, 1000), 0);
}
