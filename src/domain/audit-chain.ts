/**
 * The audit chain: each event's MAC covers what it says, its place and the MAC before it, under a key of the
 * deployment. Both ends are stored with a MAC of their own, in their field `seal`: the head, so that cutting
 * the tail off shows, and the base, which moves on when retention removes what is old. What a verification
 * notes has a MAC, too, for whoever could change the audit could change that. Pure; where the chain is stored
 * is each back end's.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Instant } from "../clock.ts";
import type { AuditEvent, AuditVerification, ChainedEvent, ChainMark } from "./records.ts";
import { canonical } from "./revision.ts";

/** What stands before the first event. */
const BEGINNING = "";

/** The MAC of an event at its place. */
export function chainMac(key: Buffer, previous: string, seq: number, event: AuditEvent): string {
  const { id, at, action, actor, profileId, organizationId, accountId, requestId, detail } = event;
  const said = { id, at, action, actor, profileId, organizationId, accountId, requestId, detail };
  return mac(key, "event", { previous, seq, said });
}

export function chainMark(key: Buffer, end: "base" | "head", mark: Omit<ChainMark, "seal">): ChainMark {
  return { ...mark, seal: mac(key, end, mark) };
}

/** The base of a chain from which nothing was removed. */
export const firstBase = (key: Buffer, at: Instant): ChainMark =>
  chainMark(key, "base", { seq: 0, mac: BEGINNING, at });

/** Whether an end is one that the holder of the key wrote. */
export function isGenuine(key: Buffer, end: "base" | "head", { seal, ...mark }: ChainMark): boolean {
  return equal(seal, mac(key, end, mark));
}

/** Whether an event stands where it was appended, as it was appended. */
export function isInPlace(
  key: Buffer,
  previous: Pick<ChainedEvent, "seq" | "mac">,
  event: ChainedEvent,
): boolean {
  return event.seq === previous.seq + 1 && equal(event.mac, chainMac(key, previous.mac, event.seq, event));
}

type Noted = Pick<AuditVerification, "id" | "keptHead" | "progress" | "result">;

/**
 * The MAC over what is stored of a verification: what was asked for, the place that its worker came to, or
 * its result.
 */
export function verificationMac(key: Buffer, { id, keptHead, progress, result }: Noted): string {
  return mac(key, "verification", { id, keptHead, progress, result });
}

/** Whether what is stored of a verification was written by a holder of the key. */
export function isGenuinelyNoted(key: Buffer, noted: Noted & Pick<AuditVerification, "seal">): boolean {
  return equal(noted.seal, verificationMac(key, noted));
}

function mac(key: Buffer, purpose: string, value: object): string {
  return createHmac("sha256", key).update(purpose).update("\0").update(canonical(value)).digest("base64url");
}

function equal(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
