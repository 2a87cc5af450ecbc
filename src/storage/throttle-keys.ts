/** Owns what throttles are kept under: the same in every back end. */

import type { IdentityKey } from "./records.ts";

/** Of the inquiries of one identity. */
export const identityThrottle = ({ issuer, subject }: IdentityKey) => `inquiries:identity:${issuer} ${subject}`;
/** Of the inquiries from one client address. */
export const clientThrottle = (address: string) => `inquiries:client:${address}`;
/** Of the mails to one mailbox that inquiries cause. */
export const mailboxThrottle = (emailKey: string) => `mails:mailbox:${emailKey}`;
/** Of the mails about one profile that inquiries cause. */
export const profileThrottle = (profileId: string) => `mails:profile:${profileId}`;
