/** The keys of throttles: the same in every back end. */

import type { IdentityKey, MailThrottle } from "./records.ts";

/** Of the inquiries of one identity. */
export const identityThrottle = ({ issuer, subject }: IdentityKey) =>
  `inquiries:identity:${issuer} ${subject}`;
/** Of the pause between two inquiries of one identity. */
export const pauseThrottle = ({ issuer, subject }: IdentityKey) => `inquiries:pause:${issuer} ${subject}`;
/** Of the inquiries from one client address. */
export const clientThrottle = (address: string) => `inquiries:client:${address}`;
/** Of what one identity asks for one mailbox. */
export const askedThrottle = ({ issuer, subject }: IdentityKey, emailKey: string) =>
  `mails:asked:${emailKey} ${issuer} ${subject}`;
/** Of a batch of counts: one slot, for it is added once. */
export const countsThrottle = (batchId: string) => `counts:${batchId}`;
/** For how long it is remembered that a batch was added: longer than one that is owed is given again. */
export const ONE_BATCH = { limit: 1, windowSeconds: 86_400 };
/** Of an identity, among the mails about one profile. */
export const askerKey = ({ issuer, subject }: IdentityKey) => `mails:asker:${issuer} ${subject}`;
/** Of the mails to one mailbox that inquiries cause. */
const mailboxKey = (emailKey: string) => `mails:mailbox:${emailKey}`;
/** Of the mails about one profile that inquiries cause. */
const profileThrottle = (profileId: string) => `mails:profile:${profileId}`;

/** What a mail that a stranger can cause is held back by, as fingerprints. */
export interface MailThrottleHashes {
  mailbox: string;
  profile: string;
}

/** @param hash gives a key's fingerprint */
export function mailThrottleHashes(
  hash: (key: string) => string,
  { mailbox, profile }: MailThrottle,
): MailThrottleHashes {
  return { mailbox: hash(mailboxKey(mailbox.key)), profile: hash(profileThrottle(profile.key)) };
}
