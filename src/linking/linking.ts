/**
 * The linking service: stores what people type, shows what a mailed link is about, and redeems or declines it
 * once its person has proven an identity. Looking up addresses is inquiry-worker.ts's, the rules are
 * ../domain/link.ts's, and the conditional writes that decide races are the store's. Nothing here knows HTTP.
 */

import { randomInt } from "node:crypto";
import type { Clock, Instant, Seconds } from "../clock.ts";
import { parseAddress } from "../domain/address.ts";
import { asInquiryId } from "../domain/ids.ts";
import { longestTurnMs, lookedAtBy } from "../domain/inquiry-turn.ts";
import type { Limit } from "../domain/limit.ts";
import { judgeLink, type LinkDeadReason, type LinkVerdict, sameIdentity } from "../domain/link.ts";
import type {
  AccountId,
  Inquiry,
  LinkRequest,
  LinkRequestId,
  Membership,
  Requester,
  SecretHash,
  SignedInIdentity,
} from "../domain/records.ts";
import { hashSecret, randomId, sameId } from "../domain/secrets.ts";
import type { AuditStore, InquiryOutcome, LinkStore } from "../storage/contract.ts";
import { newMessageId } from "./message-id.ts";

interface LinkingSettings {
  /**
   * How long the worker waits before it may look at an inquiry, in milliseconds, drawn anew for each: so that
   * the moment at which somebody finds the service busy says nothing about the address just typed.
   */
  lookupDelayMs: { min: number; max: number };
  /** How long an identity waits between two inquiries, in seconds. */
  pauseSeconds: Seconds;
  /** The domain of our Message-IDs: that of the sender's address. */
  mailDomain: string;
  /** How many inquiries of one identity, and from one client address, go at once. */
  inquiryLimits: { identity: Limit; client: Limit };
}

export interface LinkingDependencies {
  links: LinkStore;
  audit: AuditStore;
  clock: Clock;
  settings: LinkingSettings;
}

/** A mailed link in the hands of somebody who has just proven an identity. */
export interface LinkAttempt {
  requestId: LinkRequestId;
  secretHash: SecretHash;
  identity: SignedInIdentity;
  accountId: AccountId;
  /** Whether the same browser made it before, and couldn't be told what came of it. */
  isRepeated?: boolean;
}

/** What a link is about, and whether it would still bind. */
export interface LinkPreview {
  request: LinkRequest;
  membership: Membership;
  verdict: LinkVerdict;
}

export type RedeemOutcome =
  | { result: "bound"; membership: Membership }
  | { result: "wrong_account"; request: LinkRequest; membership: Membership }
  | { result: "dead"; reason: LinkDeadReason; membership: Membership }
  | { result: "unknown" };

export type DeclineOutcome =
  | { result: "cancelled"; request: LinkRequest; membership: Membership }
  | { result: "dead"; reason: LinkDeadReason; membership: Membership }
  | { result: "unknown" };

export interface Linking {
  /**
   * Stores what a person typed on the link step. Looks nothing up, so that its answer says nothing about the
   * directory. What is no address (see ../domain/address.ts) is stored without one: it gets the same answer
   * and no mail. Stores nothing if the identity asked less than the pause ago, by whichever way and in
   * whichever sign-in.
   */
  inquire(input: {
    requester: Requester;
    typed: unknown;
    interactionCid: string;
    /** Where it comes from, as far as trusted proxies tell. */
    clientAddress: string;
  }): Promise<InquiryOutcome>;
  /**
   * What the person is told of when an inquiry is looked at: null where that is at once. Others' requests
   * play no part.
   */
  lookedAtBy(inquiry: Inquiry): Instant | null;
  /** The newest inquiry of an interaction chain: for the countdown and for *check your email*. */
  latestInquiry(interactionCid: string): Promise<Inquiry | undefined>;
  /**
   * What the link with this secret is about. Changes nothing; costs one hash and one read, whether there is
   * one or not.
   */
  view(requestId: LinkRequestId, secret: string): Promise<LinkPreview | undefined>;
  /** Notes, for the time line, that somebody opened the link and went on to sign in: the first time. */
  opened(preview: LinkPreview): Promise<void>;
  /**
   * Redeems a link for a freshly proven identity. `wrong_account` leaves the link alive for the one who asked
   * for it. The refusal of a known link is audited once for each account and reason, and of very many no
   * more, except that of a link which has already done its work for this account.
   */
  redeem(attempt: LinkAttempt): Promise<RedeemOutcome>;
  /**
   * *This wasn't me, don't link*: cancels the request. Any proven identity may, because the mailbox is what
   * the secret proves.
   */
  decline(attempt: LinkAttempt): Promise<DeclineOutcome>;
}

/**
 * Whether a link that is used by now did what the attempt wanted: an attempt that is made again finds it so.
 */
export function hasBoundTo(
  outcome: RedeemOutcome | DeclineOutcome,
  { accountId }: Pick<LinkAttempt, "accountId">,
): boolean {
  return (
    outcome.result === "dead" &&
    outcome.reason === "used" &&
    outcome.membership.profile.accountId === accountId
  );
}

/** Makes the linking service. */
export function createLinking(dependencies: LinkingDependencies): Linking {
  const { links, audit, clock, settings } = dependencies;
  return {
    inquire: async (input) => await inquire(dependencies, input),
    lookedAtBy: (inquiry) => lookedAtBy(inquiry, settings.inquiryLimits.identity, settings.lookupDelayMs.max),
    latestInquiry: (interactionCid) => links.latestInquiry(interactionCid),

    async view(requestId, secret) {
      const seen = await links.view(requestId, hashSecret(secret));
      return seen && { ...seen, verdict: judgeLink(seen.request, seen.membership, clock.now()) };
    },

    async opened({ request, membership }) {
      await audit.appendOnce({
        id: sameId("link.opened", request.id),
        at: clock.now(),
        action: "link.opened",
        actor: "unknown",
        profileId: membership.profile.id,
        organizationId: membership.organization.id,
        accountId: null,
        requestId: request.id,
        detail: {},
      });
    },

    redeem: async (attempt) => await redeem(dependencies, attempt),
    decline: async (attempt) => await decline(dependencies, attempt),
  };
}

async function inquire(
  { links, clock, settings }: LinkingDependencies,
  { requester, typed, interactionCid, clientAddress }: Parameters<Linking["inquire"]>[0],
): Promise<InquiryOutcome> {
  const { inquiryLimits, lookupDelayMs, pauseSeconds } = settings;
  const now = clock.now();
  const inquiry = {
    id: asInquiryId(randomId()),
    requester,
    address: parseAddress(typed)?.address ?? null,
    interactionCid,
    createdAt: now,
    notBefore: now + randomInt(lookupDelayMs.min, lookupDelayMs.max + 1),
    settledAt: null,
  };
  const { identity, client } = inquiryLimits;
  const longestMs = (ordinal: number) => longestTurnMs(ordinal, identity);
  return await links.inquire(inquiry, {
    pauseSeconds,
    identity,
    client: { ...client, key: clientAddress, longestMs },
  });
}

async function redeem(
  { links, audit, clock, settings }: LinkingDependencies,
  attempt: LinkAttempt,
): Promise<RedeemOutcome> {
  const now = clock.now();
  const notice = { id: randomId(), messageId: newMessageId(settings.mailDomain) };
  const answer = await links.redeem(attempt, notice, now);
  if (answer.result !== "refused") return answer;

  const { request, membership } = answer;
  const outcome = explainRefusal(request, membership, attempt, now);
  const reason = outcome.result === "dead" ? outcome.reason : outcome.result;
  const repeated = reason === "used" && membership.profile.accountId === attempt.accountId;
  if (!repeated) await auditRefusal(audit, { action: "redeem", reason, attempt, membership, now });
  return outcome;
}

async function decline(
  { links, audit, clock }: LinkingDependencies,
  { requestId, secretHash, identity, accountId, isRepeated = false }: LinkAttempt,
): Promise<DeclineOutcome> {
  const now = clock.now();
  const answer = await links.cancel({ requestId, secretHash, accountId }, now);
  if (answer.result !== "refused") return answer;

  const { request, membership } = answer;
  const reason = deadReason(judgeLink(request, membership, now, accountId));
  const attempt = { requestId, secretHash, identity, accountId };
  const wasTheirs = reason === "cancelled" && (await hasCancelled(audit, attempt));
  if (wasTheirs && isRepeated) return { result: "cancelled", request, membership };
  if (!wasTheirs) await auditRefusal(audit, { action: "decline", reason, attempt, membership, now });
  return { result: "dead", reason, membership };
}

/** Why the store's condition failed: the link is dead for everybody, or it is alive and somebody else's. */
function explainRefusal(
  request: LinkRequest,
  membership: Membership,
  { identity, accountId }: LinkAttempt,
  now: Instant,
): Extract<RedeemOutcome, { result: "dead" | "wrong_account" }> {
  const verdict = judgeLink(request, membership, now, accountId);
  const { requester } = request;
  const isRequester = sameIdentity(requester, identity) && requester.upstreamId === identity.upstreamId;
  if (verdict.alive && !isRequester) return { result: "wrong_account", request, membership };
  return { result: "dead", reason: deadReason(verdict), membership };
}

function deadReason(verdict: LinkVerdict): LinkDeadReason {
  // The store refused what the rules would allow: one of them is wrong, and a made-up reason would hide it.
  if (verdict.alive) throw new Error("The store refused a link that is alive by the rules of domain/link.ts");
  return verdict.reason;
}

interface Refusal {
  action: "redeem" | "decline";
  reason: LinkDeadReason | "wrong_account";
  attempt: LinkAttempt;
  membership: Membership;
  now: Instant;
}

/**
 * So many events are kept of a link, whoever tries it with how many accounts: about so many more than it has
 * by itself.
 */
const mostEvents = 50;

/** Whether it was this account that declined the link. */
async function hasCancelled(audit: AuditStore, { requestId, accountId }: LinkAttempt): Promise<boolean> {
  const events = await audit.list({ requestId, limit: mostEvents });
  return events.some((event) => event.action === "link.cancelled" && event.accountId === accountId);
}

async function auditRefusal(
  audit: AuditStore,
  { action, reason, attempt, membership, now }: Refusal,
): Promise<void> {
  const { requestId, accountId } = attempt;
  if ((await audit.list({ requestId, limit: mostEvents })).length === mostEvents) return;
  await audit.appendOnce({
    id: sameId("link.refused", requestId, accountId, action, reason),
    at: now,
    action: "link.refused",
    actor: `account:${accountId}`,
    profileId: membership.profile.id,
    organizationId: membership.organization.id,
    accountId,
    requestId,
    detail: { attempted: action, reason, upstream: attempt.identity.upstreamId },
  });
}
