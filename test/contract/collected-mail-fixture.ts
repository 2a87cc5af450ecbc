/**
 * People who wait for a mailbox that has no room, and the mail that then carries what they asked for. No case
 * lives here.
 */

import assert from "node:assert/strict";
import { asProfileId } from "../../src/domain/ids.ts";
import type {
  Asker,
  CollectedContent,
  InquiryAnswer,
  MailContent,
  NewMail,
} from "../../src/domain/records.ts";
import type { NewLink, Store } from "../../src/storage/contract.ts";
import { aMail, aNewLink, anId, anInquiry, MINUTE, NOW } from "../support/records.ts";
import { present, type SignedIn, signIn } from "./back-end.ts";

export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const LIFETIME = 1_800_000;
/** When all that waits from NOW on goes. */
export const GATHERED = NOW + MINUTE;
export const mailbox = "ada@contoso.example";
/** Nothing goes by itself. */
export const limits = {
  mailbox: { hourly: { limit: 0, windowSeconds: 3600 }, daily: { limit: 0, windowSeconds: 86_400 } },
  profile: { limit: 1000, windowSeconds: 3600 },
};

/** One identity that asks, with the link and the mail that it waits for. */
export interface Waiting {
  person: SignedIn;
  link: NewLink;
}

interface Asking {
  person?: SignedIn;
  profileId: string;
  at?: number;
  isTrusted?: boolean;
  /** What else the same inquiry is answered. */
  mails?: NewMail[];
}

const throttleOf = (profileId: string) => ({
  mailbox: { ...limits.mailbox, key: mailbox },
  profile: { ...limits.profile, key: profileId },
});

/** Lets somebody ask for a profile of the mailbox. */
export async function asks(
  store: Store,
  { person, profileId, at = NOW, isTrusted = false, mails = [] }: Asking,
): Promise<Waiting> {
  const who = person ?? (await signIn(store));
  const requester = { ...who.identity, accountId: who.account.id };
  const inquiry = anInquiry({ requester });
  const worker = anId("worker");
  await store.links.inquire(inquiry);
  assert.equal((await store.links.claimInquiry(worker, at, 1000))?.id, inquiry.id);
  const made = aNewLink({
    requester,
    inquiryId: inquiry.id,
    profileId: asProfileId(profileId),
    expiresAt: at + 7 * DAY,
  });
  const content = { ...made.mail.content, inquiryId: inquiry.id } as MailContent;
  const link = { ...made, mail: { ...made.mail, content, throttle: throttleOf(profileId) } };
  const { issuer, subject } = who.identity;
  const asker: Asker = { identity: { issuer, subject }, mailbox, isTrusted };
  assert.equal(
    await store.links.settleInquiry(inquiry.id, worker, { links: [link], mails, asker }, at),
    true,
  );
  return { person: who, link };
}

/** A mail without a link that waits. */
export const aNote = (profileId: string): NewMail => ({ ...aMail(), throttle: throttleOf(profileId) });

export const requestsOf = (content: MailContent) =>
  (content as CollectedContent).answers.flatMap((answer: InquiryAnswer) =>
    answer.kind === "link" ? [answer.requestId] : [],
  );
export const idsOf = (waiting: readonly Waiting[]) => waiting.map(({ link }) => link.request.id);

/** Claims every message that is due, and marks it sent. */
export async function sentMails(store: Store, now: number) {
  const sent = [];
  for (;;) {
    const claimed = await store.outbox.claim("sender", now, 1000, LIFETIME);
    if (claimed === undefined) return sent;
    assert.equal(await store.outbox.markSent(claimed.message.id, "sender", "250", now), true);
    sent.push(claimed);
  }
}

/** Releases what may go, and sends it: the one collected mail. */
export async function collected(store: Store, now: number) {
  assert.equal(await store.outbox.releaseDeferred(limits, now), 1);
  const [mail, ...others] = await sentMails(store, now);
  assert.deepEqual(others, []);
  assert.equal(mail?.message.content.kind, "collected");
  return present(mail);
}
