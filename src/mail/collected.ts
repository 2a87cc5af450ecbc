/**
 * The mail that carries what waited for a mailbox, each request with its code, who asked, its profile and a
 * link of its own. It names nobody in its subject, and stays below what mail programs show of one mail.
 */

import { matchingCode } from "../domain/matching-code.ts";
import type { CollectedContent, InquiryAnswer } from "../domain/records.ts";
import { formatInstant, formatMinutes } from "../ui/format.ts";
import { messages } from "../ui/messages.ts";
import type { Site } from "../ui/views.ts";
import { mailName } from "./names.ts";
import type { Block, ListItem } from "./template.ts";
import { describeAccount, linkLife, type MailFacts, type RenderedMail, toProfile } from "./wording.ts";

/**
 * Longest name in the list, in code points: of fifty requests nothing may be cut off (Gmail clips at 102 kB).
 */
const longestName = 50;

/** Renders it. Links are in the order of the requests, each alone on its line. */
export function renderCollected(site: Site, { answers }: CollectedContent, facts: MailFacts): RenderedMail {
  const t = messages(site.locale);
  const count = answers.length;
  const say = (text: string): Block => ({ kind: "paragraph", text });
  const hasLinks = answers.some(({ kind }) => kind === "link");
  return toProfile(site, greeting(site, answers), {
    subject: t.text("mail.collected.subject", { count }),
    blocks: [
      say(t.text("mail.collected.asked", { count })),
      say(t.text("mail.collected.find")),
      ...(hasLinks ? [say(lifetime(site, facts))] : []),
      { kind: "list", items: answers.map((answer) => item(site, answer, facts)) },
      say(t.text("mail.collected.none")),
      say(t.text("mail.collected.notYou", { contact: site.support.email })),
    ],
  });
}

/** By name where all profiles have one name. */
function greeting(site: Site, answers: readonly InquiryAnswer[]): string {
  const t = messages(site.locale);
  const names = new Set(answers.map(({ profileName }) => mailName(profileName)));
  const [profile] = names;
  return profile === undefined || names.size > 1
    ? t.text("mail.collected.hello")
    : t.text("mail.hello", { profile });
}

function item(site: Site, answer: InquiryAnswer, facts: MailFacts): ListItem {
  const t = messages(site.locale);
  const { inquiryId, requester, profileName, organizationName } = answer;
  const names = { profile: listedName(profileName), organization: listedName(organizationName) };
  const code = inquiryId === undefined ? null : matchingCode(inquiryId);
  return {
    code: code === null ? null : { label: t.text("mail.collected.code"), code },
    facts: [
      { label: t.text("mail.collected.account"), text: describeAccount(site, requester, listedName) },
      { label: t.text("mail.collected.profile"), text: t.text("mail.collected.profileAt", names) },
    ],
    end: endOf(site, answer, code, facts),
  };
}

function endOf(
  site: Site,
  answer: InquiryAnswer,
  code: string | null,
  { issuer }: MailFacts,
): ListItem["end"] {
  const t = messages(site.locale);
  const words = { contact: site.support.email };
  switch (answer.kind) {
    case "link":
      return {
        url: `${issuer}/link/${answer.requestId}/${answer.secret}`,
        text: code === null ? t.text("mail.link.button") : t.text("mail.collected.open", { code }),
      };
    case "already_linked":
      return t.text("mail.collected.already");
    case "linked_elsewhere":
      return t.text("mail.collected.elsewhere", words);
    case "not_active":
      return t.text("mail.collected.inactive", words);
  }
}

function listedName(name: string): string {
  return mailName(name, longestName);
}

function lifetime(site: Site, facts: MailFacts): string {
  const t = messages(site.locale);
  const life = linkLife(facts);
  if (life === null) return t.text("mail.collected.short");
  const date = formatInstant(site, life.until);
  if (life.minutes === null) return t.text("mail.collected.until", { date });
  return t.text("mail.collected.untilFor", { date, lifetime: formatMinutes(site.locale, life.minutes) });
}
