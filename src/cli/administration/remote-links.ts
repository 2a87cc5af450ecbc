/** `liaison links …` by a broker elsewhere: its answers in the form that the commands know from the store. */

import type { OutputOf } from "../../admin/definitions/definition.ts";
import { operations } from "../../admin/definitions/operations.ts";
import type { LinkAdmin } from "../../admin/links.ts";
import type { Instant } from "../../clock.ts";
import { asAccountId, asInquiryId, asUpstreamId } from "../../domain/ids.ts";
import type { Inquiry, Requester } from "../../domain/records.ts";
import { time, timeOrNull } from "./remote-times.ts";
import type { Target } from "./targets.ts";

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

export interface LinksTarget {
  list(filter: Parameters<LinkAdmin["list"]>[0]): Promise<ShownInquiry[]>;
  show(id: string): Promise<ShownTimeline>;
}

const { inquiries } = operations;
type WrittenInquiry = OutputOf<typeof inquiries.list>["items"][number];

export function remoteLinks(target: Target): LinksTarget {
  return {
    async list({ email, profileId, accountId, limit }) {
      const input = { email, profile_id: profileId, account_id: accountId, limit };
      return (await target.call(inquiries.list, input)).output.items.map(readInquiry);
    },
    async show(id) {
      const { entries, ...inquiry } = (await target.call(inquiries.get, { id })).output;
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
