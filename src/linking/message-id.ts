/**
 * Message-IDs of the mails that linking causes. They are made with their cause, so that every attempt to send
 * has the same.
 */

import { randomId } from "../domain/secrets.ts";

/** A new RFC 5322 Message-ID, without angle brackets. `mailDomain` is the domain of the sender's address. */
export function newMessageId(mailDomain: string): string {
  return `${randomId()}@${mailDomain}`;
}
