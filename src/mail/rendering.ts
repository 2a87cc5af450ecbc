/**
 * The mails: their subject, text and HTML, in the deployment's words. Pure functions of stored content;
 * sending is the outbox's. A mail names the *stored* profile and the account that asked, never an address
 * that someone typed.
 */

import { matchingCode } from "../domain/matching-code.ts";
import type {
  AdministrationContent,
  AdministratorLinkedContent,
  CollectedContent,
  InquiryId,
  MailContent,
  SupportRequestContent,
} from "../domain/records.ts";
import { formatInstant, formatMinutes } from "../ui/format.ts";
import { messages } from "../ui/messages.ts";
import type { Site } from "../ui/views.ts";
import { renderCollected } from "./collected.ts";
import { mailAddress, mailName } from "./names.ts";
import { type Block, renderHtml, renderText } from "./template.ts";
import { describeAccount, linkLife, type MailFacts, type RenderedMail, toProfile } from "./wording.ts";

interface Words {
  profile: string;
  organization: string;
  account: string;
  contact: string;
}

/** Renders one mail. Links of requests are the first URLs of its text, each alone on its line. */
export function renderMail(site: Site, content: MailContent, facts: MailFacts): RenderedMail {
  if (content.kind === "support_request") return renderSupportRequest(site, content);
  if (content.kind === "collected") return renderCollected(site, content, facts);
  if (isAdministration(content)) return renderAdministration(site, content, facts);
  const t = messages(site.locale);
  const words: Words = {
    profile: mailName(content.profileName),
    organization: mailName(content.organizationName),
    account: describeAccount(site, content.requester),
    contact: site.support.email,
  };
  const { subject, blocks } = compose(site, content, facts, words);
  return toProfile(site, t.text("mail.hello", words), { subject, blocks });
}

function isAdministration(content: MailContent): content is AdministrationContent {
  return ["admin_invitation", "address_added", "address_removed", "administrator_linked"].includes(
    content.kind,
  );
}

/** What an administrator's doing causes. None of these mails holds a secret. */
function renderAdministration(site: Site, content: AdministrationContent, facts: MailFacts): RenderedMail {
  const { profileName, organizationName } = content;
  const t = messages(site.locale);
  const words = {
    profile: mailName(profileName),
    organization: mailName(organizationName),
    contact: site.support.email,
    site: mailName(site.name),
  };
  const say = (text: string): Block => ({ kind: "paragraph", text });
  const hello = t.text("mail.hello", words);
  switch (content.kind) {
    case "administrator_linked":
      return renderAdministratorLinked(site, content, facts);
    case "admin_invitation":
      return toProfile(site, hello, {
        subject: t.text("mail.invitation.subject", words),
        blocks: [
          say(t.text("mail.invitation.what", words)),
          {
            kind: "link",
            url: `${facts.issuer}/admin`,
            button: t.text("mail.invitation.button"),
            copy: t.text("mail.link.copy"),
          },
          say(t.text("mail.invitation.first")),
          ...(typeof content.lapsesAt === "number"
            ? [say(t.text("mail.invitation.until", { date: formatInstant(site, content.lapsesAt) }))]
            : []),
          say(t.text("mail.invitation.notYou", words)),
        ],
      });
    case "address_added":
      return toProfile(site, hello, {
        subject: t.text("mail.addressAdded.subject", words),
        blocks: [
          say(t.text("mail.addressAdded.what", words)),
          say(t.text("mail.addressAdded.notYou", words)),
        ],
      });
    case "address_removed":
      return toProfile(site, hello, {
        subject: t.text("mail.addressRemoved.subject", words),
        blocks: [
          say(t.text("mail.addressRemoved.what", words)),
          say(t.text("mail.addressRemoved.notYou", words)),
        ],
      });
  }
}

/** An owner is told that somebody administrates from now on, and where that is undone. */
function renderAdministratorLinked(
  site: Site,
  content: AdministratorLinkedContent,
  { issuer }: MailFacts,
): RenderedMail {
  const t = messages(site.locale);
  const words = {
    profile: mailName(content.profileName),
    organization: mailName(content.organizationName),
    account: describeAccount(site, content.requester),
    role: t.text(`admin.role.${content.role}`),
    date: formatInstant(site, content.linkedAt),
    contact: site.support.email,
    site: mailName(site.name),
  };
  const say = (text: string): Block => ({ kind: "paragraph", text });
  return toProfile(site, t.text("mail.hello", { profile: mailName(content.ownerName) }), {
    subject: t.text("mail.administratorLinked.subject", words),
    blocks: [
      say(t.text("mail.administratorLinked.what", words)),
      say(t.text("mail.administratorLinked.means", words)),
      say(t.text("mail.administratorLinked.not")),
      {
        kind: "link",
        url: `${issuer}/admin/administrators`,
        button: t.text("mail.administratorLinked.button"),
        copy: t.text("mail.link.copy"),
      },
      say(t.text("mail.administratorLinked.contact", words)),
    ],
  });
}

/** What somebody typed on the form for people who don't know their registered address. */
function renderSupportRequest(site: Site, content: SupportRequestContent): RenderedMail {
  const t = messages(site.locale);
  const { reference, requester } = content;
  const words = {
    reference,
    account: describeAccount(site, requester),
    portal: mailName(content.portalName),
  };
  const subject = t.text("mail.support.subject", words);
  const typed = (text: string) => text.replace(/[\p{Cf}\p{Co}]/gu, "").trim() || t.text("mail.support.none");
  const mail = {
    locale: site.locale,
    subject,
    sender: mailName(site.name),
    greeting: t.text("mail.support.hello"),
    blocks: [
      { kind: "paragraph", text: t.text("mail.support.asked", words) },
      {
        kind: "facts",
        facts: [
          { label: t.text("mail.support.name"), text: typed(content.name) },
          { label: t.text("mail.support.organization"), text: typed(content.organization) },
          { label: t.text("mail.support.accountNumber"), text: typed(content.accountNumber) },
          { label: t.text("mail.support.message"), text: typed(content.message) },
        ],
      },
      { kind: "paragraph", text: t.text("mail.support.do") },
    ] satisfies Block[],
    footer: [t.text("mail.support.footer", { site: mailName(site.name), reference })],
  };
  const replyTo = mailAddress(requester.email);
  const rendered = { subject, text: renderText(mail), html: renderHtml(mail) };
  return replyTo === null ? rendered : { ...rendered, replyTo };
}

function compose(
  site: Site,
  content: Exclude<MailContent, SupportRequestContent | AdministrationContent | CollectedContent>,
  facts: MailFacts,
  words: Words,
): { subject: string; blocks: Block[] } {
  const t = messages(site.locale);
  const say = (text: string): Block => ({ kind: "paragraph", text });
  switch (content.kind) {
    case "link":
      return composeLink(site, content, facts, words);
    case "already_linked":
      return {
        subject: t.text("mail.already.subject", words),
        blocks: [
          say(t.text("mail.already.asked", words)),
          ...code(site, content),
          say(t.text("mail.already.why")),
          say(t.text("mail.already.notYou", words)),
        ],
      };
    case "linked_elsewhere":
      return {
        subject: t.text("mail.elsewhere.subject", words),
        blocks: [
          say(t.text("mail.elsewhere.asked", words)),
          ...code(site, content),
          say(t.text("mail.elsewhere.why")),
          say(t.text("mail.elsewhere.you", words)),
          say(t.text("mail.elsewhere.notYou", words)),
        ],
      };
    case "not_active":
      return {
        subject: t.text("mail.inactive.subject", words),
        blocks: [
          say(t.text("mail.inactive.asked", words)),
          ...code(site, content),
          say(t.text("mail.inactive.why")),
          say(t.text("mail.inactive.do", words)),
        ],
      };
    case "linked_notice":
      return {
        subject: t.text("mail.notice.subject", words),
        blocks: [
          say(t.text("mail.notice.what", { ...words, date: formatInstant(site, content.linkedAt) })),
          say(t.text("mail.notice.means")),
          say(t.text("mail.notice.notYou", words)),
        ],
      };
  }
}

function composeLink(
  site: Site,
  content: Extract<MailContent, { kind: "link" }>,
  facts: MailFacts,
  words: Words,
): { subject: string; blocks: Block[] } {
  const t = messages(site.locale);
  const say = (text: string): Block => ({ kind: "paragraph", text });
  return {
    subject: t.text("mail.link.subject", words),
    blocks: [
      say(t.text("mail.link.asked", words)),
      ...code(site, content),
      say(t.text("mail.link.if")),
      {
        kind: "link",
        url: `${facts.issuer}/link/${content.requestId}/${content.secret}`,
        button: t.text("mail.link.button"),
        copy: t.text("mail.link.copy"),
      },
      say(lifetime(site, facts)),
      say(t.text("mail.link.each")),
      say(t.text("mail.link.notYou", words)),
    ],
  };
}

/** How the person tells their own request from somebody else's. */
function code(site: Site, { inquiryId }: { inquiryId?: InquiryId }): Block[] {
  if (inquiryId === undefined) return [];
  const t = messages(site.locale);
  return [
    {
      kind: "code",
      label: t.text("mail.code"),
      code: matchingCode(inquiryId),
      text: t.text("mail.codeText"),
    },
  ];
}

function lifetime(site: Site, facts: MailFacts): string {
  const t = messages(site.locale);
  const life = linkLife(facts);
  if (life === null) return t.text("mail.link.short");
  const date = formatInstant(site, life.until);
  if (life.minutes === null) return t.text("mail.link.until", { date });
  return t.text("mail.link.untilFor", { date, lifetime: formatMinutes(site.locale, life.minutes) });
}
