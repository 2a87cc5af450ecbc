/**
 * `links …` and `mail …` by a broker elsewhere: its answers in the form that the commands know from the
 * store.
 */

import type { OutputOf } from "../../admin/definitions/definition.ts";
import { operations } from "../../admin/definitions/operations.ts";
import type { LinkAdmin } from "../../admin/links.ts";
import type { LISTED_STATES } from "../../admin/mail.ts";
import type { Instant } from "../../clock.ts";
import { asAccountId, asInquiryId, asLinkRequestId, asUpstreamId, idOrNull } from "../../domain/ids.ts";
import type { Delivery, Inquiry, OutboxState, Requester } from "../../domain/records.ts";
import { usageError } from "../command.ts";
import type { Face } from "./faces.ts";

/** What both places tell of an inquiry. */
export interface ShownInquiry
  extends Pick<Inquiry, "id" | "createdAt" | "settledAt" | "heldUntil" | "matched"> {
  code: string;
  requester: Omit<Requester, "issuer">;
}

export interface ShownTimeline {
  inquiry: Omit<ShownInquiry, "code">;
  code: string;
  entries: {
    at: Instant;
    what: string;
    requestId: string | null;
    profileId: string | null;
    detail: string | null;
  }[];
}

export interface LinkDesk {
  list(filter: Parameters<LinkAdmin["list"]>[0]): Promise<ShownInquiry[]>;
  show(id: string): Promise<ShownTimeline>;
}

/** What both places tell of a mail. */
export type ShownMail = Omit<Delivery, "messageId" | "serverReply" | "kind"> & { kind: string | null };

export interface MailDesk {
  list(states: readonly (typeof LISTED_STATES)[number][], limit: number): Promise<ShownMail[]>;
  release(id: string): Promise<Pick<ShownMail, "id" | "to">>;
  resend(id: string): Promise<Pick<ShownMail, "id" | "to">>;
}

const { inquiries, mail } = operations;
type WrittenInquiry = OutputOf<typeof inquiries.list>["items"][number];
type WrittenMail = OutputOf<typeof mail.release>;

/** The most that a broker lists at once. */
const largestPage = 200;

const time = (text: string): Instant => Date.parse(text);
const timeOrNull = (text: string | null) => (text === null ? null : time(text));

export function remoteLinks(face: Face): LinkDesk {
  return {
    async list({ email, profileId, accountId, limit }) {
      if (limit > largestPage) throw usageError(`--limit takes at most ${largestPage} with --url.`);
      const input = { email, profile_id: profileId, account_id: accountId, limit };
      return (await face.call(inquiries.list, input)).output.items.map(readInquiry);
    },
    async show(id) {
      const { entries, ...inquiry } = (await face.call(inquiries.get, { id })).output;
      const { code, ...rest } = readInquiry(inquiry);
      const read = entries.map(({ at, what, request_id, profile_id, detail }) => ({
        at: time(at),
        what,
        requestId: request_id,
        profileId: profile_id,
        detail,
      }));
      return { inquiry: rest, code, entries: read };
    },
  };
}

function readInquiry({
  id,
  code,
  requester,
  matched,
  asked_at,
  settled_at,
  held_until,
}: WrittenInquiry): ShownInquiry {
  const { account_id, upstream_id, subject, email, name } = requester;
  return {
    id: asInquiryId(id),
    code,
    matched,
    createdAt: time(asked_at),
    settledAt: timeOrNull(settled_at),
    heldUntil: timeOrNull(held_until),
    requester: {
      accountId: asAccountId(account_id),
      upstreamId: asUpstreamId(upstream_id),
      subject,
      email,
      displayName: name,
    },
  };
}

export function remoteMail(face: Face): MailDesk {
  const page = async (state: OutboxState, limit: number, cursor: string | null) => {
    const input = {
      state,
      put_off: state === "queued" ? true : undefined,
      limit: Math.min(limit, largestPage),
    };
    return (await face.call(mail.list, cursor === null ? input : { ...input, cursor })).output;
  };

  async function ofState(state: OutboxState, limit: number): Promise<ShownMail[]> {
    const found: ShownMail[] = [];
    let cursor: string | null = null;
    do {
      const { items, next_cursor } = await page(state, limit, cursor);
      found.push(...items.map(readMail));
      cursor = next_cursor;
    } while (cursor !== null && found.length < limit);
    return found;
  }

  return {
    async list(states, limit) {
      const found: ShownMail[] = [];
      for (const state of states) found.push(...(await ofState(state, limit)));
      return found.toSorted((one, other) => other.createdAt - one.createdAt).slice(0, limit);
    },
    release: async (id) => readMail((await face.call(mail.release, { id })).output),
    resend: async (id) => readMail((await face.call(mail.resend, { id })).output),
  };
}

function readMail({ id, to, kind, state, attempts, reason, ...written }: WrittenMail): ShownMail {
  return {
    id,
    to,
    kind,
    state,
    attempts,
    inquiryId: idOrNull(asInquiryId, written.inquiry_id),
    requestId: idOrNull(asLinkRequestId, written.request_id),
    carriedBy: written.carried_by,
    createdAt: time(written.created_at),
    nextAttemptAt: time(written.next_attempt_at),
    sentAt: timeOrNull(written.sent_at),
    bouncedAt: timeOrNull(written.bounced_at),
    // A broker names one reason: what came back, or why it wasn't taken.
    ...(state === "bounced" ? { bounce: reason, lastError: null } : { bounce: null, lastError: reason }),
  };
}
