/**
 * What several mails have in common: who asked, how long a link works, whom to write to, and the frame around
 * it.
 */

import type { Instant } from "../clock.ts";
import type { MailedRequester } from "../domain/records.ts";
import { messages } from "../ui/messages.ts";
import type { Site } from "../ui/views.ts";
import { mailDisplayName, mailName, shownAddress } from "./names.ts";
import { type Block, renderHtml, renderText } from "./template.ts";

export interface MailFacts {
  /** The configured issuer: links are built from nothing else. */
  issuer: string;
  /** When the link of a `link` mail stops working; null where it isn't known. */
  linkExpiresAt: Instant | null;
  /** When the mail is sent: it says for how long the link works from then on. */
  now: Instant;
}

/** A mail's words. */
export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
  /** Whom a reply goes to, if not the sender. */
  replyTo?: string;
}

/** A mail to the address that an organization registered. */
export function toProfile(
  site: Site,
  greeting: string,
  { subject, blocks }: { subject: string; blocks: Block[] },
): RenderedMail {
  const t = messages(site.locale);
  const sender = mailName(site.name);
  const footer = [...contactLines(site), t.text("mail.footer", { site: sender })];
  const mail = { locale: site.locale, subject, sender, greeting, blocks, footer };
  return { subject, text: renderText(mail), html: renderHtml(mail) };
}

/**
 * "Ana (ana@id.example) at Northwind ID", with as much of it as can be shown. @param nameUpstream shortens
 * the upstream's name
 */
export function describeAccount(
  site: Site,
  requester: MailedRequester,
  nameUpstream: (name: string) => string = (name) => mailName(name),
): string {
  const t = messages(site.locale);
  const known = site.upstreams.find(({ id }) => id === requester.upstreamId);
  const upstream = known === undefined ? t.text("mail.unknownUpstream") : nameUpstream(known.name);
  const name = mailDisplayName(requester.displayName);
  const email = shownAddress(requester.email);
  if (name !== null && email !== null) return t.text("mail.accountNamed", { name, email, upstream });
  const who = name ?? email;
  return who === null
    ? t.text("mail.accountNameless", { upstream })
    : t.text("mail.account", { who, upstream });
}

/**
 * Until when links of a mail that is sent now work, and for how many minutes; null where it isn't known or
 * over.
 */
export function linkLife({
  linkExpiresAt,
  now,
}: MailFacts): { until: Instant; minutes: number | null } | null {
  if (linkExpiresAt === null) return null;
  const minutes = now >= linkExpiresAt ? null : Math.max(1, Math.round((linkExpiresAt - now) / 60_000));
  return { until: linkExpiresAt, minutes };
}

function contactLines(site: Site): string[] {
  const t = messages(site.locale);
  const { email, url, phone } = site.support;
  return [
    t.text("mail.contact", { contact: email }),
    ...(url === null ? [] : [t.text("mail.contactPage", { url })]),
    ...(phone === null ? [] : [t.text("mail.contactPhone", { number: phone })]),
  ];
}
