/**
 * What the storage suite needs of a back end, and the situations that its cases start from. No case lives
 * here.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { asProfileId, type ProfileId } from "../../src/domain/ids.ts";
import type {
  Account,
  AccountId,
  Organization,
  Profile,
  SignedInIdentity,
} from "../../src/domain/records.ts";
import type { NewLink, Store } from "../../src/storage/contract.ts";
import {
  aNewLink,
  anId,
  anIdentity,
  anInquiry,
  anOrganization,
  aProfile,
  hashOf,
  NOW,
  type ProfileEdit,
  secretOf,
} from "../support/records.ts";

/** How the suite gets at a back end: each case opens it empty and destroys it afterwards. */
export interface BackEnd {
  name: string;
  open(): Promise<OpenBackEnd>;
}

export interface OpenBackEnd {
  store: Store;
  /** Another store over the same data, as another process would have it. */
  second(): Promise<Store>;
  destroy(): Promise<void>;
}

export type Case = (name: string, body: (opened: OpenBackEnd) => Promise<void>) => void;

/** Makes the function that declares a case for one back end. */
export function casesFor(backEnd: BackEnd): Case {
  return (name, body) => {
    test(`${backEnd.name}: ${name}`, async () => {
      const opened = await backEnd.open();
      try {
        await body(opened);
      } finally {
        await opened.destroy();
      }
    });
  };
}

/** Calls `racer` many times at once, by turns on two stores over the same data. */
export async function race<T>(
  opened: OpenBackEnd,
  times: number,
  racer: (store: Store, index: number) => Promise<T>,
) {
  const other = await opened.second();
  const turns = Array.from({ length: times }, (_, index) => index);
  return Promise.all(turns.map((index) => racer(index % 2 === 0 ? opened.store : other, index)));
}

/** Asserts that a value is there and narrows its type. */
export function present<T>(value: T | null | undefined): T {
  assert.ok(value !== undefined && value !== null, "expected a value, got none");
  return value;
}

export interface Registered {
  organization: Organization;
  profile: ProfileEdit;
}

/** Registers a profile in an organization of its own. */
export async function register(store: Store, overrides: Partial<ProfileEdit> = {}): Promise<Registered> {
  const organization = anOrganization();
  await store.directory.putOrganization(organization, "admin:seed", NOW - 5000);
  const profile = aProfile({ organizationId: organization.id, ...overrides });
  await store.directory.putProfile(profile, "admin:seed", NOW - 4000);
  return { organization, profile };
}

export interface SignedIn {
  account: Account;
  identity: SignedInIdentity;
}

export async function signIn(store: Store, overrides: Partial<SignedInIdentity> = {}): Promise<SignedIn> {
  const identity = anIdentity(overrides);
  return { account: await store.accounts.signIn(identity, NOW - 3000), identity };
}

/** Lets a person ask for a profile: an inquiry, claimed and settled with one request. */
export async function request(
  store: Store,
  person: SignedIn,
  profileId: ProfileId,
  overrides: Partial<NewLink["request"]> = {},
): Promise<NewLink> {
  const requester = { ...person.identity, accountId: person.account.id };
  const inquiry = anInquiry({ requester });
  await store.links.inquire(inquiry);
  const worker = anId("worker");
  assert.equal(
    (await store.links.claimInquiry(worker, NOW, 1000))?.id,
    inquiry.id,
    "another inquiry was waiting",
  );
  const link = aNewLink({ requester, inquiryId: inquiry.id, profileId, ...overrides });
  assert.equal(await store.links.settleInquiry(inquiry.id, worker, { links: [link], mails: [] }, NOW), true);
  return link;
}

/** How the person of a request redeems it, with what a case changes about that. */
export function redemption(
  person: SignedIn,
  link: NewLink,
  overrides: Partial<{ secret: string; identity: SignedInIdentity; accountId: AccountId }> = {},
) {
  return {
    requestId: link.request.id,
    secretHash: hashOf(overrides.secret ?? secretOf(link.request.id)),
    identity: overrides.identity ?? person.identity,
    accountId: overrides.accountId ?? person.account.id,
  };
}

export function aNotice() {
  const id = anId("notice");
  return { id, messageId: `${id}@liaison.example` };
}

/** Signs a person in and binds a new profile to them. */
export async function bound(store: Store): Promise<Registered & SignedIn & { link: NewLink }> {
  const registered = await register(store);
  const person = await signIn(store);
  const link = await bind(store, person, registered.profile.id);
  return { ...registered, ...person, link };
}

/** Binds a profile to a person by a link of its own. */
export async function bind(store: Store, person: SignedIn, profileId: string): Promise<NewLink> {
  const link = await request(store, person, asProfileId(profileId));
  const redeemed = await store.links.redeem(redemption(person, link), aNotice(), NOW);
  assert.equal(redeemed.result, "bound");
  return link;
}

export async function profileOf(store: Store, profileId: string): Promise<Profile> {
  return present(await store.directory.membership(asProfileId(profileId))).profile;
}

/** The state of a request that aLinkRequest made. */
export async function stateOf(store: Store, link: NewLink) {
  return present(await store.links.view(link.request.id, link.request.secretHash)).request.state;
}

/** Claims every message that is due, and returns them without sending any. */
export async function dueMails(store: Store, now: number) {
  const claimed = [];
  for (;;) {
    const next = await store.outbox.claim(anId("courier"), now, 60_000, 1_800_000);
    if (next === undefined) return claimed;
    claimed.push(next);
  }
}
