/** Who and what is in one lifecycle: people, organizations, profiles and their addresses. */

import assert from "node:assert/strict";
import { asUpstreamId } from "../../src/domain/ids.ts";
import type { AuditEvent, SignedInIdentity } from "../../src/domain/records.ts";
import type { DeclineOutcome, RedeemOutcome } from "../../src/linking/linking.ts";
import type { ModelInquiry, ModelOrganization, ModelProfile } from "./lifecycle-model.ts";
import { organizationCount, peopleCount, profileCount } from "./lifecycle-operations.ts";

export interface Person {
  identity: SignedInIdentity;
  accountId: string | undefined;
}

export function peopleOf(name: string): Person[] {
  // The second person has the third's subject at another issuer: who that is depends on both.
  const upstreams = ["one", "one", "two"];
  return Array.from({ length: peopleCount }, (_, who) => {
    const upstreamId = asUpstreamId(upstreams[who] ?? "one");
    const subject = `${name}-${who === 0 ? "a" : "b"}`;
    const names = { email: `p${who}@mail.example`, displayName: `Person ${who}` };
    return {
      identity: { issuer: `https://${upstreamId}.example`, subject, upstreamId, ...names },
      accountId: undefined,
    };
  });
}

export function organizationsOf(name: string): ModelOrganization[] {
  return Array.from({ length: organizationCount }, (_, at) => ({
    id: `${name}-o${at}`,
    enabled: true,
  }));
}

export function profilesOf(name: string, organizations: readonly ModelOrganization[]): ModelProfile[] {
  return Array.from({ length: profileCount }, (_, at): ModelProfile => {
    const organization = nth(organizations, at);
    const email = addressOf(name, at === 2 ? 1 : 0);
    return {
      id: `${name}-p${at}`,
      organization,
      email,
      version: 1,
      provenVersion: null,
      enabled: true,
      boundTo: null,
    };
  });
}

export function addressOf(name: string, address: number): string {
  const local = ["shared", "second", "spare", "Shared"][address] ?? "shared";
  return `${local}.${name}@contoso.example`;
}

/** One of things, however many there are. */
export function nth<T>(things: readonly T[], index: number): T {
  return things[index % things.length] ?? assert.fail("nothing there");
}

/** An inquiry as its row must be: the address goes when it is settled. */
export function keptOf({ id, settled, mailbox }: ModelInquiry) {
  return { id, settled, kept: !settled && mailbox !== null };
}

/** What became of a link, in a word or two. */
export function inShort(outcome: RedeemOutcome | DeclineOutcome): string {
  return outcome.result === "dead" ? `dead ${outcome.reason}` : outcome.result;
}

/** What the model says of an event. */
export function eventInShort(
  { action, profileId, organizationId, actor, accountId, detail }: AuditEvent,
  people: readonly Person[],
): string {
  const who = people.findIndex((person) => person.accountId !== undefined && person.accountId === accountId);
  if (action === "account.created") return `${action} by ${who}`;
  if (action === "organization.changed") return `${action} ${organizationId}`;
  if (actor === "admin:test") return `${action} ${profileId}`;
  assert.equal(actor, `account:${accountId}`);
  const more = action === "link.refused" ? `: ${detail["attempted"]} ${detail["reason"]}` : "";
  return `${action} ${profileId} by ${who}${more}`;
}
