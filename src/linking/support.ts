/**
 * Messages to the deployment's support, from people who don't know their registered address. Nothing is
 * looked up for them, so nothing is confirmed; how many one person and one client may send is the store's to
 * count.
 */

import type { Clock, Instant } from "../clock.ts";
import { asInquiryId } from "../domain/ids.ts";
import type { Limit } from "../domain/limit.ts";
import { matchingCode } from "../domain/matching-code.ts";
import type { Requester, SupportRequestContent } from "../domain/records.ts";
import { randomId } from "../domain/secrets.ts";
import type { OutboxStore } from "../storage/contract.ts";
import { newMessageId } from "./message-id.ts";

export interface SupportMessage {
  requester: Requester;
  clientAddress: string;
  portalName: string;
  name: string;
  organization: string;
  accountNumber: string;
  message: string;
}

/** `full`: not taken; until when, where that depends on this person alone. */
export type SupportOutcome =
  | { result: "taken"; reference: string }
  | { result: "full"; until: Instant | null };

export interface Support {
  /** Queues the mail. */
  send(message: SupportMessage): Promise<SupportOutcome>;
}

export interface SupportDependencies {
  outbox: OutboxStore;
  clock: Clock;
  settings: { mailDomain: string; supportAddress: string; limits: { identity: Limit; client: Limit } };
}

export function createSupport({ outbox, clock, settings }: SupportDependencies): Support {
  const { mailDomain, supportAddress, limits } = settings;
  return {
    async send({ requester, clientAddress, portalName, name, organization, accountNumber, message }) {
      const id = asInquiryId(randomId());
      const reference = `${matchingCode(id)}-${matchingCode(asInquiryId(`${id}:2`))}`;
      const { issuer, subject, upstreamId, email, displayName } = requester;
      const own = `support:identity:${issuer} ${subject}`;
      const content: SupportRequestContent = {
        kind: "support_request",
        reference,
        portalName,
        name,
        organization,
        accountNumber,
        message,
        requester: { upstreamId, email, displayName },
      };
      const outcome = await outbox.enqueue(
        { id, messageId: newMessageId(mailDomain), to: supportAddress, content },
        [
          { ...limits.identity, key: own },
          { ...limits.client, key: `support:client:${clientAddress}` },
        ],
        clock.now(),
      );
      if (outcome.queued) return { result: "taken", reference };
      return { result: "full", until: outcome.key === own ? outcome.resetsAt : null };
    },
  };
}
