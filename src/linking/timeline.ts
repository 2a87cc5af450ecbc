/**
 * What became of an inquiry and the requests made of it, told in the order in which it happened: for
 * administrators alone. People are always given the neutral answer. It is put together from what is stored;
 * nothing is written for it but that a link was opened.
 */

import { setImmediate } from "node:timers/promises";
import type { Instant } from "../clock.ts";
import { asInquiryId, asLinkRequestId } from "../domain/ids.ts";
import { endOf, type TimelineWhat } from "../domain/link.ts";
import { matchingCode } from "../domain/matching-code.ts";
import type {
  AuditEvent,
  Delivery,
  Inquiry,
  LinkRequest,
  LinkRequestId,
  ProfileId,
} from "../domain/records.ts";
import type { AuditStore, LinkStore, OutboxStore } from "../storage/contract.ts";

export interface TimelineEntry {
  at: Instant;
  what: TimelineWhat;
  requestId: LinkRequestId | null;
  profileId: ProfileId | null;
  /** More of it: how many matched, until when it is throttled, what a server said, why it was refused. */
  detail: string | null;
}

export interface Timeline {
  inquiry: Omit<Inquiry, "address">;
  /** The code that the person sees. */
  code: string;
  entries: TimelineEntry[];
}

export interface TimelineStores {
  links: LinkStore;
  outbox: OutboxStore;
  audit: AuditStore;
}

const eventsARequest = 200;
/**
 * Of an address that very many profiles have, the time line tells of so many requests and mails, the newest.
 */
const mostRequests = 200;
/** Of how many requests events are read between two turns of the event loop. */
const requestsAtATime = 25;

/** The time line of an inquiry, by its own id or that of a request made of it. Undefined if there is none. */
export async function timeline(
  { links, outbox, audit }: TimelineStores,
  id: string,
  now: Instant,
): Promise<Timeline | undefined> {
  const historyOf = (inquiryId: string) => links.history(asInquiryId(inquiryId), mostRequests);
  const history =
    (await historyOf(id)) ?? (await historyOf((await links.inquiryOf(asLinkRequestId(id))) ?? ""));
  if (history === undefined) return undefined;
  const { address: _typed, ...inquiry } = history.inquiry;
  const deliveries = await outbox.list({ inquiryId: inquiry.id, limit: mostRequests });
  const carriers = await carriersOf(outbox, deliveries);
  const events: AuditEvent[][] = [];
  for (let first = 0; first < history.requests.length; first += requestsAtATime) {
    await setImmediate();
    const some = history.requests.slice(first, first + requestsAtATime);
    events.push(
      ...(await Promise.all(
        some.map(({ id: requestId }) => audit.list({ requestId, limit: eventsARequest })),
      )),
    );
  }
  const profileOf = new Map(history.requests.map((request) => [request.id, request.profileId]));
  const entries = [
    ...ofInquiry(inquiry),
    ...history.requests.flatMap((request) => ofRequest(request, now)),
    ...deliveries.toReversed().flatMap((delivery) => ofDelivery(delivery, carriers)),
    ...events.flatMap((list) => list.toReversed().flatMap(ofEvent)),
  ].map((entry): TimelineEntry => {
    const requestId = entry.requestId ?? null;
    return {
      profileId: profileOf.get(asLinkRequestId(requestId ?? "")) ?? null,
      detail: null,
      ...entry,
      requestId,
    };
  });
  return {
    inquiry,
    code: matchingCode(inquiry.id),
    entries: entries.toSorted((one, other) => one.at - other.at),
  };
}

/** The mails that carry some of these, by their ids. */
async function carriersOf(
  outbox: OutboxStore,
  deliveries: readonly Delivery[],
): Promise<Map<string, Delivery>> {
  const ids = new Set(deliveries.flatMap(({ carriedBy }) => carriedBy ?? []));
  const found = await Promise.all([...ids].map((id) => outbox.find(id)));
  return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one]])));
}

type Entry = Pick<TimelineEntry, "at" | "what"> & Partial<TimelineEntry>;

function ofInquiry({ createdAt, heldUntil, settledAt, matched }: Omit<Inquiry, "address">): Entry[] {
  const entries: Entry[] = [{ at: createdAt, what: "asked" }];
  if (heldUntil !== null) entries.push({ at: createdAt, what: "held", detail: instant(heldUntil) });
  if (settledAt === null) return entries;
  // Before how many matched was kept, every settled one had been looked up.
  if (matched === null && heldUntil !== null) return [...entries, { at: settledAt, what: "dismissed" }];
  return [...entries, { at: settledAt, what: "matched", detail: matched === null ? null : String(matched) }];
}

function ofRequest(request: LinkRequest, now: Instant): Entry[] {
  const { id, profileId, createdAt } = request;
  const requested: Entry = { at: createdAt, what: "requested", requestId: id, profileId };
  const end = endOf(request, now);
  return end === undefined ? [requested] : [requested, { ...end, requestId: id }];
}

function ofDelivery(delivery: Delivery, carriers: ReadonlyMap<string, Delivery> = new Map()): Entry[] {
  const {
    requestId,
    state,
    carriedBy,
    nextAttemptAt,
    sentAt,
    serverReply,
    bouncedAt,
    bounce,
    lastError,
    createdAt,
  } = delivery;
  const about = { requestId };
  const sent: Entry[] =
    sentAt === null ? [] : [{ ...about, at: sentAt, what: "mail_sent", detail: serverReply }];
  switch (state) {
    case "held":
      return [{ ...about, at: createdAt, what: "mail_held", detail: instant(nextAttemptAt) }];
    case "carried": {
      const carrier = carriers.get(carriedBy ?? "");
      const became = carrier === undefined ? [] : ofDelivery({ ...carrier, requestId });
      return [{ ...about, at: nextAttemptAt, what: "mail_carried", detail: carriedBy }, ...became];
    }
    case "queued": {
      const detail = `${lastError}; next attempt ${instant(nextAttemptAt)}`;
      return lastError === null ? [] : [{ ...about, at: createdAt, what: "mail_deferred", detail }];
    }
    case "sent":
      return bounce === null
        ? sent
        : [...sent, { ...about, at: sentAt ?? createdAt, what: "mail_deferred", detail: bounce }];
    case "bounced":
      return [...sent, { ...about, at: bouncedAt ?? createdAt, what: "mail_bounced", detail: bounce }];
    case "failed":
      return [{ ...about, at: nextAttemptAt, what: "mail_failed", detail: lastError }];
    case "dropped":
      return [{ ...about, at: nextAttemptAt, what: "mail_dropped" }];
  }
}

function ofEvent({ at, action, requestId, profileId, detail, actor }: AuditEvent): Entry[] {
  const about = { at, requestId, ...(profileId === null ? {} : { profileId }) };
  const signedIn: Entry = { ...about, what: "reauthenticated", detail: actor };
  switch (action) {
    case "link.opened":
      return [{ ...about, what: "opened" }];
    case "profile.bound":
      return [signedIn, { ...about, what: "bound", detail: actor }];
    case "link.refused":
      return [signedIn, { ...about, what: "refused", detail: String(detail["reason"]) }];
    case "link.cancelled":
      return [signedIn, { ...about, what: "cancelled", detail: actor }];
    case "mail.released":
      return [{ ...about, what: "mail_released", detail: actor }];
    case "mail.resent":
      return [{ ...about, what: "mail_resent", detail: actor }];
    default:
      return [];
  }
}

function instant(at: Instant): string {
  return new Date(at).toISOString();
}
