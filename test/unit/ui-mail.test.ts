/**
 * The mails: the link's place, one-line subjects, names that can't become links, nothing said that mustn't
 * be.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asInquiryId, asLinkRequestId, asUpstreamId } from "../../src/domain/ids.ts";
import { matchingCode } from "../../src/domain/matching-code.ts";
import type { MailContent } from "../../src/domain/records.ts";
import { renderMail } from "../../src/mail/rendering.ts";

import {
  mailContents as contents,
  mailFacts as facts,
  mailRequester as requester,
  MAIL_SECRET as secret,
  mailSite as site,
} from "../support/mail-samples.ts";

const {
  collected,
  support_request: supportRequest,
  admin_invitation: invited,
  administrator_linked: administratorLinked,
  address_added: _added,
  address_removed: _removed,
  ...aboutProfiles
} = contents;
const all: MailContent[] = Object.values(aboutProfiles);

const url = `https://signin.contoso.example/auth/link/req-1/${secret}`;
const hostileName =
  `<script>alert(1)</script>"'\r\nBcc: victim@example.org\u202e ` + "http://evil.example/x www.evil.example";

describe("the link mail", () => {
  test("has the link as the first URL of its text, alone on its line, even with addresses in names", () => {
    for (const content of [
      contents.link,
      { ...contents.link, profileName: hostileName, organizationName: `https://evil.example/${hostileName}` },
      { ...contents.link, requester: { ...requester, displayName: "see https://evil.example now" } },
    ]) {
      const { text } = renderMail(site, content, facts);
      assert.equal(text.match(/https?:\/\/\S+/)?.[0], url);
      assert.ok(text.split("\n").includes(url));
    }
  });

  test("carries the code of its request, before the link", () => {
    const code = matchingCode(asInquiryId("inquiry-1"));
    const { text, html } = renderMail(site, contents.link, facts);
    assert.ok(text.indexOf(`Code of the request: ${code}\n`) < text.indexOf(url) && text.includes(code));
    assert.ok(html.includes(`>${code}</strong>`));
    for (const content of [contents.already_linked, contents.linked_elsewhere, contents.not_active])
      assert.ok(renderMail(site, content, facts).text.includes(code), content.kind);
    const { inquiryId: _none, ...queuedBefore } = contents.link;
    assert.doesNotMatch(renderMail(site, queuedBefore, facts).text, /Code of the request/);
  });

  test("shows the link as text in its HTML, not only behind a button", () => {
    const { html } = renderMail(site, contents.link, facts);
    assert.equal(html.match(/href="([^"]+)"/)?.[1], url);
    assert.match(html, new RegExp(`>${url}</a>`));
  });

  test("names organization, profile, account, upstream and expiry with its zone", () => {
    const { subject, text } = renderMail(site, contents.link, facts);
    assert.equal(subject, "Link your account to Fabrikam A/S");
    for (const part of [
      "Ana López (ana.lopez@northwind.example) at Northwind ID",
      "your profile Ana López at Fabrikam A/S",
      "for 30 minutes: until 23 Nov 2026, 16:30 (Central European Time)",
      "You didn't ask for this?",
      "support@contoso.example",
    ]) {
      assert.ok(text.includes(part), part);
    }
  });

  test("says what it knows about the expiry, and no more", () => {
    const { text } = renderMail(site, contents.link, { ...facts, linkExpiresAt: null });
    assert.match(text, /for a short time only/);
    const late = renderMail(site, contents.link, { ...facts, now: facts.linkExpiresAt }).text;
    assert.match(late, /The link works once, until 23 Nov 2026, 16:30/);
  });
});

describe("the mail that carries several requests", () => {
  const codes = [1, 2, 3, 4, 5].map((number) => matchingCode(asInquiryId(`inquiry-${number}`)));

  test("has each with its code, who asked, its profile and its own link, in text and in HTML", () => {
    const { subject, text, html } = renderMail(site, collected, facts);
    assert.equal(subject, "5 requests to link an account to your profile");
    assert.ok(text.startsWith("Hello Ana López,\n\n5 requests wait to link"));
    assert.ok(text.includes("for 30 minutes: until 23 Nov 2026, 16:30 (Central European Time)"));
    const items = [
      ...text.matchAll(/^\d\. {2}Code: (\w{4})\n {4}Asked by: (.*)\n {4}Profile: (.*)\n {4}(.*)$/gm),
    ];
    assert.deepEqual(
      items.map(([, code]) => code),
      codes,
    );
    const [, , who, profile] = items[0] ?? [];
    assert.equal(who, "Ana López (ana.lopez@northwind.example) at Northwind ID");
    assert.equal(profile, "Ana López at Fabrikam A/S");
    const ends = items.map(([, , , , end]) => end);
    const base = "https://signin.contoso.example/auth/link";
    assert.deepEqual(ends.slice(0, 2), [`${base}/req-1/${secret}`, `${base}/req-2/another`]);
    assert.match(ends.slice(2).join("\n"), /just sign in\.\n.*another account.*\n.*not active/);
    assert.deepEqual(
      [...html.matchAll(/href="([^"]+)"/g)].map(([, href]) => href),
      ends.slice(0, 2),
    );
    for (const code of codes) assert.ok(html.includes(`>${code}</strong>`));
  });

  test("speaks of one where it is one, of nobody by name where profiles have several names", () => {
    const [first] = collected.answers;
    const one = renderMail(site, { kind: "collected", answers: [first] }, facts);
    assert.equal(one.subject, "1 request to link an account to your profile");
    const other = { ...first, profileName: "Ana at work" };
    assert.match(renderMail(site, { kind: "collected", answers: [first, other] }, facts).text, /^Hello,\n/);
    const late = renderMail(site, collected, { ...facts, linkExpiresAt: null }).text;
    assert.match(late, /Each link works once, and for a short time only/);
    const notes = renderMail(site, { kind: "collected", answers: collected.answers.slice(2) }, facts).text;
    assert.doesNotMatch(notes, /Each link works/);
  });

  test("M2 M4: names of strangers and organizations are neither in the subject nor links nor markup", () => {
    const evil = {
      upstreamId: asUpstreamId("upstream-1"),
      email: "www.evil.example@x.example",
      displayName: hostileName,
    };
    const answers = collected.answers.map((answer) => ({
      ...answer,
      requester: evil,
      profileName: hostileName,
      organizationName: `https://evil.example/ ${hostileName}`,
    }));
    const { subject, text, html } = renderMail(site, { kind: "collected", answers }, facts);
    assert.equal(subject, "5 requests to link an account to your profile");
    assert.doesNotMatch(text + html, /evil\.example|\u202e/);
    assert.doesNotMatch(html, /<script>/);
    const urls = [...text.matchAll(/\S+:\/\/\S+/g)].map(([address]) => address);
    const links = urls.filter((address) => address.startsWith("https://signin.contoso.example/auth/link/"));
    assert.equal(links.length, 2);
    assert.deepEqual(urls.slice(links.length), [site.support.url]);
  });

  test("stays below what mail programs show, with fifty of the longest names there can be", (context) => {
    const longest = { profileName: '"'.repeat(200), organizationName: "&".repeat(200) };
    const who = {
      upstreamId: asUpstreamId("upstream-1"),
      email: `${"\u{20000}".repeat(24)}@x.example`,
      displayName: "\u{20000}".repeat(99),
    };
    const answers = Array.from({ length: 50 }, (_, index) => ({
      kind: "link" as const,
      requestId: asLinkRequestId("r".repeat(22)),
      secret: "s".repeat(43),
      ...longest,
      requester: who,
      inquiryId: asInquiryId(`inquiry-${index}`),
    }));
    const { text, html } = renderMail(site, { kind: "collected", answers }, facts);
    for (const part of [text, html]) {
      const size = Buffer.byteLength(part);
      context.diagnostic(`${size} bytes`);
      assert.ok(size < 100_000, String(size));
    }
    assert.equal(html.match(/href=/g)?.length, 50);
  });
});

describe("every mail", () => {
  test("without a link holds no link of ours, and says whom to write to", () => {
    for (const content of all.filter(({ kind }) => kind !== "link")) {
      const { text, html } = renderMail(site, content, facts);
      assert.doesNotMatch(text + html, /\/link\//);
      assert.match(text, /write to support@contoso\.example/i);
    }
  });

  test("has a one-line subject and a language", () => {
    for (const content of all) {
      const hostile = { ...content, profileName: hostileName, organizationName: hostileName };
      const { subject, html } = renderMail(site, hostile, facts);
      assert.doesNotMatch(subject, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      assert.match(html, /<html lang="en">/);
    }
  });

  test("escapes names in HTML and leaves them plain in text", () => {
    for (const content of all) {
      const hostile = {
        ...content,
        profileName: "<b>Ana & Co</b>",
        organizationName: 'A <i>"quoted"</i> Ltd',
      };
      const { text, html } = renderMail(site, hostile, facts);
      assert.ok(text.includes("<b>Ana & Co</b>"));
      assert.ok(html.includes("&lt;b&gt;Ana &amp; Co&lt;/b&gt;"));
      assert.doesNotMatch(html, /<b>|<i>|<img|<script|<link|src=/);
    }
  });

  test("never says to whom a profile is bound, and when it was linked only in the notice", () => {
    const { text } = renderMail(site, contents.linked_elsewhere, facts);
    assert.match(text, /already linked to another account/);
    const notice = renderMail(site, contents.linked_notice, facts).text;
    assert.match(notice, /was linked to Ana López .* on 23 Nov 2026, 16:00 \(Central European Time\)/);
  });

  test("does without names and with an upstream that is gone", () => {
    const nameless = {
      ...contents.not_active,
      requester: { upstreamId: asUpstreamId("gone"), email: null, displayName: null },
    };
    assert.match(renderMail(site, nameless, facts).text, /signed in as an account at a sign-in provider/);
  });
});

describe("the mail to support", () => {
  test("says what was typed, that nobody checked it, and whom to answer", () => {
    const { subject, text, html, replyTo } = renderMail(site, supportRequest, facts);
    assert.equal(subject, "KRTW-LMNP: someone doesn't know their registered address");
    assert.equal(replyTo, "ana.lopez@northwind.example");
    for (const part of [
      "Ana López (ana.lopez@northwind.example) at Northwind ID",
      "writes from CustomerSource. None of this has been checked",
      "Name: Ana López\nOrganization: Fabrikam\nAccount number: none given\nMessage:\n> I moved.\n> " +
        "Please help.\n",
      "Reference KRTW-LMNP",
    ])
      assert.ok(text.includes(part), `${part} in ${text}`);
    assert.match(html, /white-space:pre-wrap">I moved.\nPlease help.<\/dd>/);
  });

  test("keeps what was typed out of headers and markup", () => {
    const hostile = {
      ...supportRequest,
      name: hostileName,
      organization: hostileName,
      message: `a\n-- \n${hostileName}`,
    };
    const { subject, text, html } = renderMail(site, hostile, facts);
    assert.doesNotMatch(subject, /victim|script/);
    assert.doesNotMatch(html, /<script>/);
    assert.doesNotMatch(text, /^-- \n(?!Contoso)/m);
    assert.doesNotMatch(text, /\u202e/);
    const nameless = { ...supportRequest, requester: { ...requester, email: "a@b, victim@example.org" } };
    assert.equal(renderMail(site, nameless, facts).replyTo, undefined);
  });
});

describe("mails about administrators", () => {
  test("an invitation says until when, where that is known, and leads to the pages", () => {
    const { subject, text, html } = renderMail(site, invited, facts);
    assert.equal(subject, "You are an administrator of Contoso sign-in");
    assert.equal(text.match(/https?:\/\/\S+/)?.[0], "https://signin.contoso.example/auth/admin");
    assert.match(
      text,
      /before 30 Nov 2026, 16:00 \(Central European Time\)\. After that the invitation lapses/,
    );
    assert.match(html, /before 30 Nov 2026, 16:00/);
    for (const lapsesAt of [null, undefined]) {
      const { lapsesAt: _known, ...content } = invited;
      const lasting = renderMail(site, lapsesAt === undefined ? content : { ...content, lapsesAt }, facts);
      assert.doesNotMatch(lasting.text + lasting.html, /lapses/);
    }
  });

  test("an owner is told who linked which account when, and where the role is taken away", () => {
    const { subject, text, html } = renderMail(site, administratorLinked, facts);
    assert.equal(subject, "The administrator Ana López of Contoso sign-in has linked an account");
    assert.match(text, /^Hello Olga Owner,\n/);
    for (const part of [
      "Ana López at Fabrikam A/S was linked to Ana López (ana.lopez@northwind.example) at Northwind ID",
      "on 23 Nov 2026, 16:00 (Central European Time). Its administrator role is: Directory manager.",
      "https://signin.contoso.example/auth/admin/administrators\n",
    ])
      assert.ok(text.includes(part), `${part} in ${text}`);
    assert.match(html, /href="https:\/\/signin\.contoso\.example\/auth\/admin\/administrators"/);
  });

  test("names and accounts of strangers stay text there, too", () => {
    const hostile = {
      ...administratorLinked,
      profileName: hostileName,
      organizationName: hostileName,
      ownerName: "<b>Olga & Co</b>",
      requester: {
        ...requester,
        displayName: "pay https://evil.example now",
        email: "a@b, victim@example.org",
      },
    };
    const { subject, text, html } = renderMail(site, hostile, facts);
    assert.doesNotMatch(subject, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.ok(html.includes("&lt;b&gt;Olga &amp; Co&lt;/b&gt;"));
    assert.doesNotMatch(html, /<b>|<script|<img/);
    assert.doesNotMatch(text, /https:\/\/evil|www\.evil|victim@example\.org, |a@b/);
  });
});

describe("names in mails", () => {
  test("where nothing is left of a name its address stands for it, in every mail that says who asked", () => {
    const evil = {
      ...requester,
      email: "www.evil.example@northwind.example",
      displayName: "evil.com 555-1234",
    };
    for (const content of [...Object.values(aboutProfiles), supportRequest]) {
      const { text, html, replyTo } = renderMail(site, { ...content, requester: evil }, facts);
      for (const part of [text, html]) {
        assert.match(part, /w\*\*\*@northwind\.example at Northwind ID/, content.kind);
        assert.doesNotMatch(part, /evil|555/, content.kind);
      }
      // Who answers support's mail answers the account, whatever its address reads as.
      assert.equal(replyTo, content.kind === "support_request" ? evil.email : undefined);
    }
    const nobody = {
      ...contents.link,
      requester: { ...requester, email: "evil.com/@x", displayName: "evil.com" },
    };
    assert.match(renderMail(site, nobody, facts).text, /signed in as an account at Northwind ID/);
  });
});
