/** Accounts; what people asked for on the link step and what became of it; mails. */

import { asAccountId, asProfileId, idOrNone } from "../../domain/ids.ts";
import type { Delivery } from "../../domain/records.ts";
import { LiaisonError } from "../../errors.ts";
import type { AccountView } from "../../storage/contract.ts";
import type { accounts } from "../definitions/accounts.ts";
import type { inquiries } from "../definitions/inquiries.ts";
import type { mail } from "../definitions/mail.ts";
import type { OperationDependencies } from "../dependencies.ts";
import {
  listed,
  pageOf,
  time,
  timeOrNull,
  writeIdentity,
  writeMembership,
  writeRequester,
} from "../fields.ts";
import { createLinkAdmin, type ListedInquiry } from "../links.ts";
import { createMailAdmin } from "../mail.ts";
import type { Handler, HandlersOf } from "../operation.ts";

const writeAccount = ({ account: { id, createdAt }, identities }: AccountView) => ({
  id,
  created_at: time(createdAt),
  identities: identities.map(writeIdentity),
});

const writeInquiry = ({
  id,
  code,
  requester: who,
  createdAt,
  settledAt,
  heldUntil,
  matched,
}: Omit<ListedInquiry, "interactionCid">) => ({
  id,
  code,
  requester: writeRequester(who),
  asked_at: time(createdAt),
  settled_at: timeOrNull(settledAt),
  held_until: timeOrNull(heldUntil),
  matched,
});

const writeMail = (one: Delivery) => ({
  id: one.id,
  to: one.to,
  kind: one.kind,
  state: one.state,
  attempts: one.attempts,
  created_at: time(one.createdAt),
  next_attempt_at: time(one.nextAttemptAt),
  sent_at: timeOrNull(one.sentAt),
  bounced_at: timeOrNull(one.bouncedAt),
  inquiry_id: one.inquiryId,
  request_id: one.requestId,
  carried_by: one.carriedBy,
  reason: one.bounce ?? one.lastError ?? one.serverReply,
});

export function accountHandlers({
  store: { administration },
  calendar,
}: OperationDependencies): HandlersOf<typeof accounts> {
  return {
    list: async ({ q, ...page }) => {
      const filter = q === undefined ? {} : { search: q };
      return { output: listed(await administration.accounts(filter, pageOf(page)), writeAccount) };
    },
    get: async ({ id }) => {
      const found = await administration.account(asAccountId(id));
      if (found === undefined) throw new LiaisonError("not_found", "There is no such account.");
      const { items } = await administration.memberships(
        { accountId: asAccountId(id) },
        { after: null, limit: 200 },
      );
      const profiles = items.map((one) => writeMembership(one, calendar));
      return { output: { ...writeAccount(found), profiles } };
    },
  };
}

export function inquiryHandlers({ store }: OperationDependencies): HandlersOf<typeof inquiries> {
  return {
    list: async ({ email: address, profile_id, account_id, before, limit }, { now }) => {
      const links = createLinkAdmin({ ...store, clock: { now: () => now } });
      const items = await links.list({
        email: address,
        profileId: idOrNone(asProfileId, profile_id),
        accountId: idOrNone(asAccountId, account_id),
        limit,
        before: before === undefined ? undefined : Date.parse(before),
      });
      return { output: listed({ items, next: null }, writeInquiry) };
    },
    get: async ({ id }, { now }) => {
      const line = await createLinkAdmin({ ...store, clock: { now: () => now } }).show(id);
      const entries = line.entries.map(({ at, what, requestId, profileId, detail }) => ({
        at: time(at),
        what,
        request_id: requestId,
        profile_id: profileId,
        detail,
      }));
      return { output: { ...writeInquiry({ ...line.inquiry, code: line.code }), entries } };
    },
  };
}

export function mailHandlers({ store }: OperationDependencies): HandlersOf<typeof mail> {
  const { administration, outbox } = store;
  const requeue =
    (word: "release" | "resend"): Handler<typeof mail.release> =>
    async ({ id }, { principal, now }) => {
      const mails = createMailAdmin({ outbox, clock: { now: () => now }, actor: principal.actor });
      return { output: writeMail(await mails[word](id).catch(asConflict)) };
    };
  return {
    list: async ({ state, put_off, ...page }) => {
      const filter = {
        ...(state === undefined ? {} : { state }),
        ...(put_off ? { isPutOff: true as const } : {}),
      };
      return { output: listed(await administration.deliveries(filter, pageOf(page)), writeMail) };
    },
    release: requeue("release"),
    resend: requeue("resend"),
  };
}

/** A mail in another state than it must be in is nothing wrong with the request. */
function asConflict(error: unknown): never {
  if (error instanceof LiaisonError && error.code === "bad_request") {
    throw new LiaisonError("conflict", error.message, { cause: error });
  }
  throw error;
}
