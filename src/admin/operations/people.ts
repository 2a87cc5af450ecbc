/** Accounts; what people asked for on the link step and what became of it; mails. */

import { z } from "zod";
import { asAccountId, asProfileId, idOrNone } from "../../domain/ids.ts";
import type { Delivery } from "../../domain/records.ts";
import { LiaisonError } from "../../errors.ts";
import type { AccountView } from "../../storage/contract.ts";
import {
  anyId,
  email,
  identity,
  instant,
  listed,
  listOf,
  membership,
  pageOf,
  paging,
  requester,
  search,
  time,
  timeOrNull,
  writeIdentity,
  writeMembership,
  writeRequester,
} from "../fields.ts";
import { createLinkAdmin, type ListedInquiry } from "../links.ts";
import { createMailAdmin } from "../mail.ts";
import { type AnyOperation, operation } from "../operation.ts";
import type { OperationParts } from "../parts.ts";

const account = z.strictObject({ id: anyId, created_at: instant, identities: z.array(identity) });
const writeAccount = ({ account: { id, createdAt }, identities }: AccountView) => ({
  ...{ id, created_at: time(createdAt), identities: identities.map(writeIdentity) },
});

const inquiry = z.strictObject({
  id: anyId,
  code: z.string().meta({ description: "The code that the person sees." }),
  requester,
  asked_at: instant,
  settled_at: instant.nullable(),
  held_until: instant.nullable(),
  matched: z.int().nullable().meta({ description: "How many profiles the address matched." }),
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
  ...{ id, code, requester: writeRequester(who), asked_at: time(createdAt), settled_at: timeOrNull(settledAt) },
  ...{ held_until: timeOrNull(heldUntil), matched },
});

const states = ["held", "carried", "queued", "sent", "bounced", "failed", "dropped"] as const;
const mail = z.strictObject({
  id: anyId,
  to: z.string(),
  kind: z.string().nullable(),
  state: z.enum(states),
  attempts: z.int(),
  created_at: instant,
  next_attempt_at: instant,
  sent_at: instant.nullable(),
  bounced_at: instant.nullable(),
  inquiry_id: anyId.nullable(),
  request_id: anyId.nullable(),
  carried_by: anyId.nullable().meta({ description: "The mail that says what this one was to say." }),
  reason: z.string().nullable().meta({ description: "What a server said last, or why it failed." }),
});

const writeMail = (one: Delivery) => ({
  ...{ id: one.id, to: one.to, kind: one.kind, state: one.state, attempts: one.attempts },
  ...{ created_at: time(one.createdAt), next_attempt_at: time(one.nextAttemptAt), sent_at: timeOrNull(one.sentAt) },
  ...{ bounced_at: timeOrNull(one.bouncedAt), inquiry_id: one.inquiryId, request_id: one.requestId },
  carried_by: one.carriedBy,
  reason: one.bounce ?? one.lastError ?? one.serverReply,
});

export function peopleOperations(parts: OperationParts): AnyOperation[] {
  return [...accountOperations(parts), ...linkOperations(parts), ...mailOperations(parts)];
}

function accountOperations({ store: { administration }, calendar }: OperationParts): AnyOperation[] {
  return [
    operation(
      {
        name: "listAccounts",
        summary:
          "List accounts, newest first, or find them by the beginning of a subject, address or word of a name at the upstream.",
        ...{ scope: "admin:read", method: "GET", path: "/accounts" },
        input: z.strictObject({ q: search.optional(), ...paging }),
        output: listOf(account),
        command: {
          name: "accounts list",
          operand: "q",
          examples: ["liaison accounts list", "liaison accounts list ann@consumer.example --json"],
        },
      },
      async ({ q, ...page }) => {
        const filter = q === undefined ? {} : { search: q };
        return { output: listed(await administration.accounts(filter, pageOf(page)), writeAccount) };
      },
    ),
    operation(
      {
        name: "getAccount",
        summary: "Show an account with its identities and the profiles it is linked to.",
        ...{ scope: "admin:read", method: "GET", path: "/accounts/{id}" },
        input: z.strictObject({ id: anyId }),
        output: account.extend({ profiles: z.array(membership) }),
        command: { name: "accounts show", operand: "id", examples: ["liaison accounts show 1c9e…"] },
      },
      async ({ id }) => {
        const found = await administration.account(asAccountId(id));
        if (found === undefined) throw new LiaisonError("not_found", "There is no such account.");
        const { items } = await administration.memberships({ accountId: asAccountId(id) }, { after: null, limit: 200 });
        const profiles = items.map((one) => writeMembership(one, calendar));
        return { output: { ...writeAccount(found), profiles } };
      },
    ),
  ];
}

function linkOperations({ store }: OperationParts): AnyOperation[] {
  return [
    operation(
      {
        name: "listInquiries",
        summary: "List what people asked for on the link step, newest first.",
        ...{ scope: "admin:read", method: "GET", path: "/inquiries" },
        input: z.strictObject({
          email: email.optional().meta({ description: "A registered address: those that matched its profiles." }),
          profile_id: anyId.optional(),
          account_id: anyId.optional(),
          before: instant.optional().meta({ description: "Those asked before it." }),
          limit: paging.limit,
        }),
        output: listOf(inquiry),
      },
      async ({ email: address, profile_id, account_id, before, limit }, { now }) => {
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
    ),
    operation(
      {
        name: "getInquiry",
        summary: "Tell what became of an inquiry and its requests, by the id of either.",
        ...{ scope: "admin:read", method: "GET", path: "/inquiries/{id}" },
        input: z.strictObject({ id: anyId }),
        output: inquiry.extend({
          entries: z.array(
            z.strictObject({
              at: instant,
              what: z.string(),
              request_id: anyId.nullable(),
              profile_id: anyId.nullable(),
              detail: z.string().nullable(),
            }),
          ),
        }),
      },
      async ({ id }, { now }) => {
        const line = await createLinkAdmin({ ...store, clock: { now: () => now } }).show(id);
        const entries = line.entries.map(({ at, what, requestId, profileId, detail }) => ({
          ...{ at: time(at), what, request_id: requestId, profile_id: profileId, detail },
        }));
        return { output: { ...writeInquiry({ ...line.inquiry, code: line.code }), entries } };
      },
    ),
  ];
}

function mailOperations({ store }: OperationParts): AnyOperation[] {
  const { administration, outbox } = store;
  const requeue = (word: "release" | "resend", summary: string): AnyOperation =>
    operation(
      {
        name: `${word}Mail`,
        summary,
        ...{ scope: "links:write", method: "POST", path: `/mail/{id}/${word}` },
        input: z.strictObject({ id: anyId }),
        output: mail,
      },
      async ({ id }, { principal, now }) => {
        const mails = createMailAdmin({ outbox, clock: { now: () => now }, actor: principal.actor });
        return { output: writeMail(await mails[word](id).catch(asConflict)) };
      },
    );
  return [
    operation(
      {
        name: "listMail",
        summary: "List mails, newest first, without what they say.",
        ...{ scope: "admin:read", method: "GET", path: "/mail" },
        input: z.strictObject({
          state: z.enum(states).optional(),
          put_off: z
            .boolean()
            .default(false)
            .meta({ description: "Of those that are queued, the ones alone that a server didn't take at once." }),
          ...paging,
        }),
        output: listOf(mail),
      },
      async ({ state, put_off, ...page }) => {
        const filter = {
          ...(state === undefined ? {} : { state }),
          ...(put_off ? { isPutOff: true as const } : {}),
        };
        return { output: listed(await administration.deliveries(filter, pageOf(page)), writeMail) };
      },
    ),
    requeue("release", "Send a held mail next, past its limits."),
    requeue("resend", "Send a mail once more that was given up."),
  ];
}

/** A mail in another state than it must be in is nothing wrong with the request. */
function asConflict(error: unknown): never {
  if (error instanceof LiaisonError && error.code === "bad_request") {
    throw new LiaisonError("conflict", error.message, { cause: error });
  }
  throw error;
}
