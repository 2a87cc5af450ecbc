/**
 * What the tests of src/linking share: a store in memory made anew for each test, two people, three
 * organizations and a clock.
 */

import assert from "node:assert/strict";
import { afterEach, beforeEach } from "node:test";
import { parseAddress } from "../../src/domain/address.ts";
import {
  asLinkRequestId,
  asProfileId,
  asUpstreamId,
  type LinkRequestId,
  type OrganizationId,
  type ProfileId,
} from "../../src/domain/ids.ts";
import type { AccountId, OutboxMessage, Requester, SignedInIdentity } from "../../src/domain/records.ts";
import { hashSecret } from "../../src/domain/secrets.ts";
import {
  createInquiryWorker,
  type InquiryWorker,
  type InquiryWorkerDependencies,
} from "../../src/linking/inquiry-worker.ts";
import {
  createLinking,
  type LinkAttempt,
  type Linking,
  type LinkingDependencies,
} from "../../src/linking/linking.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openMemoryStore } from "./memory-store/store.ts";
import { PLENTY, PLENTY_FOR_A_MAILBOX } from "./records.ts";

export const LINK_LIFETIME_MS = 30 * 60_000;
export const ANSWER_DELAY_MS = 250;
export const settings = {
  mailDomain: "liaison.example",
  lookupDelayMs: { min: ANSWER_DELAY_MS, max: ANSWER_DELAY_MS },
  pauseSeconds: 0,
  inquiryLimits: { identity: PLENTY, client: PLENTY },
  mailLimits: { mailbox: PLENTY_FOR_A_MAILBOX, profile: PLENTY },
};

export interface Person {
  identity: SignedInIdentity;
  accountId: AccountId;
  requester: Requester;
}

export interface MailedLink {
  requestId: string;
  secret: string;
}

export interface LinkingFixture {
  now: number;
  store: Store;
  linking: Linking;
  worker: InquiryWorker;
  anna: Person;
  eve: Person;
  /** The service with other settings, on the same store. */
  linkingWith(change: Partial<LinkingDependencies["settings"]>): Linking;
  /** Another worker on the same store. */
  anotherWorker(change?: Partial<InquiryWorkerDependencies>): InquiryWorker;
  organization(id: string, enabled?: boolean): Promise<void>;
  profile(id: string, organizationId: string, email: string, enabled?: boolean): Promise<void>;
  /** Stores what a person typed, and lets the answer leave. */
  inquire(person: Person, typed: unknown, interactionCid?: string): Promise<void>;
  /** Inquires, lets the worker answer, and returns the mails that were queued. */
  ask(person: Person, typed: unknown): Promise<OutboxMessage[]>;
  /** Claims and sends whatever is queued, as the outbox worker does. */
  drain(): Promise<OutboxMessage[]>;
  boundTo(profileId: string): Promise<AccountId | null | undefined>;
  /** The reasons of the refusals audited for a request. */
  refusals(requestId: string): Promise<unknown[]>;
}

/** The link in a mail that must be a link mail. */
export function linkIn(mail: OutboxMessage | undefined): MailedLink {
  if (mail?.content.kind !== "link") assert.fail(`no link mail but ${mail?.content.kind}`);
  return { requestId: mail.content.requestId, secret: mail.content.secret };
}

/** Only the link mails' links. */
export function linksIn(mails: OutboxMessage[]): MailedLink[] {
  return mails.filter(({ content }) => content.kind === "link").map(linkIn);
}

/** A link in the hands of a person who has just signed in. */
export function attempt({ requestId, secret }: MailedLink, { identity, accountId }: Person): LinkAttempt {
  return { requestId: asLinkRequestId(requestId), secretHash: hashSecret(secret), identity, accountId };
}

/** Registers the hooks of a test file and returns what they fill in. */
export function useLinking(): LinkingFixture {
  const clock = { now: () => h.now };
  const h = {} as LinkingFixture;

  async function person(subject: string, email: string): Promise<Person> {
    const identity = {
      issuer: "https://id.example",
      subject,
      upstreamId: asUpstreamId("consumer"),
      email,
      displayName: subject,
    };
    const { id: accountId } = await h.store.accounts.signIn(identity, h.now);
    return { identity, accountId, requester: { ...identity, accountId } };
  }

  Object.assign(h, {
    linkingWith: (change: Partial<LinkingDependencies["settings"]>) => {
      const { links, audit } = h.store;
      return createLinking({ links, audit, clock, settings: { ...settings, ...change } });
    },
    anotherWorker: (change: Partial<InquiryWorkerDependencies> = {}) => {
      const { links, directory } = h.store;
      return createInquiryWorker({
        links,
        directory,
        clock,
        logger: { warn: () => {} },
        settings,
        ...change,
      });
    },
    async organization(id: OrganizationId, enabled = true) {
      const plan = { status: "suspended" as const, expiresAt: h.now - 1 };
      const record = {
        id,
        name: id.toUpperCase(),
        accountNumber: `A-${id}`,
        kind: "customer" as const,
        plan,
        enabled,
      };
      await h.store.directory.putOrganization(record, "system", h.now);
    },
    async profile(id: ProfileId, organizationId: OrganizationId, email: string, enabled = true) {
      const emailKey = parseAddress(email)?.key ?? assert.fail(email);
      const record = {
        id,
        organizationId,
        email,
        emailKey,
        name: `Profile ${id}`,
        roles: ["buyer"],
        enabled,
      };
      await h.store.directory.putProfile(record, "system", h.now);
    },
    async inquire({ requester }: Person, typed: unknown, interactionCid = "cid-1") {
      await h.linking.inquire({ requester, typed, interactionCid, clientAddress: "192.0.2.1" });
      h.now += ANSWER_DELAY_MS;
    },
    async ask(who: Person, typed: unknown) {
      await h.inquire(who, typed);
      assert.equal(await h.worker.runOnce(), 1);
      return h.drain();
    },
    async drain() {
      const mails: OutboxMessage[] = [];
      for (;;) {
        const claimed = await h.store.outbox.claim("test", h.now, 60_000, LINK_LIFETIME_MS);
        if (claimed === undefined) return mails;
        mails.push(claimed.message);
        await h.store.outbox.markSent(claimed.message.id, "test", "250 ok", h.now);
      }
    },
    boundTo: async (profileId: string) =>
      (await h.store.directory.membership(asProfileId(profileId)))?.profile.accountId,
    async refusals(requestId: LinkRequestId) {
      const events = await h.store.audit.list({ requestId, limit: 100 });
      return events.filter(({ action }) => action === "link.refused").map(({ detail }) => detail["reason"]);
    },
  } satisfies Partial<LinkingFixture>);

  beforeEach(async () => {
    h.now = 1_800_000_000_000;
    h.store = openMemoryStore();
    h.linking = h.linkingWith({});
    h.worker = h.anotherWorker();
    h.anna = await person("subject-anna", "anna@mail.example");
    h.eve = await person("subject-eve", "eve@mail.example");
    await h.organization("contoso");
    await h.organization("fabrikam");
    await h.organization("closed", false);
  });
  afterEach(() => h.store.close());
  return h;
}
