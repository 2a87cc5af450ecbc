/** `liaison mail …` by a broker elsewhere: its answers in the form that the commands know from the store. */

import type { OutputOf } from "../../admin/definitions/definition.ts";
import { operations } from "../../admin/definitions/operations.ts";
import type { LISTED_STATES } from "../../admin/mail.ts";
import { asInquiryId, asLinkRequestId, idOrNull } from "../../domain/ids.ts";
import type { Delivery, OutboxState } from "../../domain/records.ts";
import { time, timeOrNull } from "./remote-times.ts";
import type { Target } from "./targets.ts";

/** What both places tell of a mail. */
export type ShownMail = Omit<Delivery, "messageId" | "serverReply" | "kind"> & { kind: string | null };

export interface MailTarget {
  list(states: readonly (typeof LISTED_STATES)[number][], limit: number): Promise<ShownMail[]>;
  release(id: string): Promise<Pick<ShownMail, "id" | "to">>;
  resend(id: string): Promise<Pick<ShownMail, "id" | "to">>;
}

const { mail } = operations;
type WrittenMail = OutputOf<typeof mail.release>;

/** The most that a broker lists at once. */
const largestPage = 200;

export function remoteMail(target: Target): MailTarget {
  const page = async (state: OutboxState, limit: number, cursor: string | null) => {
    const input = {
      state,
      put_off: state === "queued" ? true : undefined,
      limit: Math.min(limit, largestPage),
    };
    return (await target.call(mail.list, cursor === null ? input : { ...input, cursor })).output;
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
    release: async (id) => readMail((await target.call(mail.release, { id })).output),
    resend: async (id) => readMail((await target.call(mail.resend, { id })).output),
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
