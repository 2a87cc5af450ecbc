/**
 * The pages as strings: escaping, no inline code, the error summary, what forms send, what other parts rely
 * on.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "node-html-parser";
import { scriptPath, stylesheetPath } from "../../src/ui/assets.ts";
import { automaticSignOut, signOutPurposes } from "../support/bare-pages.ts";
import { flavours } from "../support/page-flavours.ts";
import { type PageSample, pageNames, pageSamples } from "../support/page-samples.ts";

const samples = pageSamples();
const label = ({ page, flavour, variant }: PageSample): string => `${page} ${flavour} ${variant}`;

/** Every start tag. Exact, because `<` and `>` never stand unescaped in text or in an attribute. */
function startTags(document: string): string[] {
  return document.match(/<[a-z][^>]*>/gi) ?? [];
}

/** The tag without the values of its attributes. */
function bare(tag: string): string {
  return tag.replace(/"[^"]*"/g, '""');
}

function sample(page: string, variant: string, flavour = "ordinary"): string {
  const found = samples.find(
    (candidate) => candidate.page === page && candidate.variant === variant && candidate.flavour === flavour,
  );
  assert.ok(found, `${page} ${flavour} ${variant}`);
  return found.html;
}

describe("every page", () => {
  test("has samples in every flavour", () => {
    for (const page of pageNames) {
      const seen = new Set(
        samples.filter((candidate) => candidate.page === page).map(({ flavour }) => flavour),
      );
      assert.deepEqual([...seen].sort(), Object.keys(flavours).sort(), page);
    }
  });

  test("escapes hostile data: no tag and no attribute that the page didn't write itself", () => {
    for (const entry of samples.filter(({ flavour }) => flavour === "hostile")) {
      assert.doesNotMatch(entry.html, /<script>|<img|<b>|<\/bdi><\/title>/i, label(entry));
      assert.equal(entry.html.match(/<\/title>/g)?.length, 1, label(entry));
    }
  });

  test("has the tags of the ordinary page, whatever the data", () => {
    const shape = (document: string): string[] => startTags(document).map((tag) => bare(tag));
    for (const entry of samples.filter(({ flavour }) => flavour === "hostile")) {
      assert.deepEqual(shape(entry.html), shape(sample(entry.page, entry.variant)), label(entry));
    }
  });

  test("has no inline style, script or event handler, and nothing from elsewhere", () => {
    for (const entry of [
      ...samples,
      ...signOutPurposes.map((variant) => ({
        page: "signOut",
        flavour: "ordinary",
        variant,
        html: automaticSignOut(variant),
      })),
    ]) {
      for (const tag of startTags(entry.html)) {
        const attributes = bare(tag);
        assert.doesNotMatch(attributes, /\s(on[a-z]+|style)=/i, `${label(entry as PageSample)}: ${tag}`);
        assert.doesNotMatch(attributes, /^<(style|img|iframe|object|embed|base)\b/i, tag);
        assert.doesNotMatch(tag, /http-equiv/i);
        if (/^<(script|link)\b/.test(tag)) assert.match(tag, /(src|href)="(\/auth)?\/assets\//, tag);
        if (/\shref=/.test(tag)) assert.match(tag, /href="(https?:\/\/|mailto:|tel:|\/|#)/, tag);
      }
    }
  });

  test("has one h1, one main, a skip link, a language, a title that starts with the heading", () => {
    for (const entry of samples) {
      assert.equal(entry.html.match(/<h1[ >]/g)?.length, 1, label(entry));
      assert.equal(entry.html.match(/<main /g)?.length, 1, label(entry));
      assert.match(entry.html, /<html lang="en">/);
      assert.match(entry.html, /<a class="skip" href="#main">/);
      assert.match(entry.html, /<main id="main" tabindex="-1">/);
      const heading = /<h1>(.*?)<\/h1>/s.exec(entry.html)?.[1]?.replace(/<[^>]*>/g, "");
      const title = /<title>(.*?)<\/title>/s.exec(entry.html)?.[1];
      assert.ok(title?.replace("Error: ", "").startsWith(`${heading}`), `${label(entry)}: ${title}`);
    }
  });

  test("names the deployment and leads to help and support, below the deployment's own path", () => {
    for (const entry of samples) {
      const { site } = flavours[entry.flavour];
      assert.ok(entry.html.includes(`href="${site.basePath}/help"`), label(entry));
      assert.ok(entry.html.includes(`href="${site.basePath}${stylesheetPath}"`), label(entry));
      assert.ok(entry.html.includes(`src="${site.basePath}${scriptPath}"`), label(entry));
      assert.ok(entry.html.includes("mailto:support@contoso.example"), label(entry));
    }
  });

  test("every form posts, and carries its token", () => {
    for (const entry of samples) {
      for (const form of entry.html.match(/<form.*?<\/form>/gs) ?? []) {
        assert.match(form, /<form[^>]* method="post"/, label(entry));
        assert.match(form, /<input type="hidden" name="(csrf|xsrf)" value="[^"]+">/, label(entry));
      }
    }
  });
});

describe("what other parts rely on", () => {
  test("an error: title, summary first, link to the field, the field describes itself by it", () => {
    const html = sample("linkStep", "wrong");
    assert.match(html, /<title>Error: Enter the email address/);
    assert.ok(html.indexOf('role="alert"') < html.indexOf("<h1>"));
    assert.match(html, /<a href="#email">Enter an email address in the correct format/);
    assert.match(
      html,
      /<input [^>]*id="email"[^>]*aria-describedby="email-hint email-error" aria-invalid="true"/,
    );
    assert.match(html, /id="email-error"/);
    const plain = sample("linkStep", "plain");
    assert.doesNotMatch(plain, /role="alert"|Error:|aria-invalid/);
    assert.match(sample("chooseProfile", "missing"), /<a href="#profile_id">Choose a profile<\/a>/);
    assert.match(sample("chooseProfile", "missing"), /<input id="profile_id" type="radio"/);
  });

  test("the link step has one input besides its tokens", () => {
    const inputs = startTags(sample("linkStep", "plain")).filter((tag) =>
      /^<(input|textarea|select)\b/.test(tag),
    );
    assert.equal(inputs.filter((tag) => !tag.includes('type="hidden"')).length, 1);
  });

  test("sign-in has one button for each upstream", () => {
    const html = sample("signIn", "plain");
    assert.deepEqual(html.match(/name="upstream" value="[^"]+"/g), [
      'name="upstream" value="upstream-1"',
      'name="upstream" value="upstream-2"',
    ]);
    assert.match(html, /Continue with <bdi>Northwind ID<\/bdi>/);
  });

  test("who didn't sign in, or wasn't let in, is offered the way back to the portal, and nobody else", () => {
    const ways = (page: string, variant: string) =>
      parse(sample(page, variant)).querySelectorAll('form[action$="/interaction/abc/cancel"] button');
    for (const [page, variant] of [
      ["signIn", "cancelled"],
      ["signIn", "failed"],
      ["notAdmitted", "plain"],
      ["linkLanding", "cancelled"],
    ] as const) {
      assert.deepEqual(
        ways(page, variant).map(({ text }) => text),
        ["Go back to CustomerSource"],
        `${page} ${variant}`,
      );
    }
    for (const [page, variant] of [
      ["signIn", "plain"],
      ["signIn", "signedOut"],
      ["linkLanding", "plain"],
      ["linkLanding", "cancelledElsewhere"],
    ] as const) {
      assert.equal(ways(page, variant).length, 0, `${page} ${variant}`);
    }
  });

  test("check your email: constant heading, seconds as text and for the script", () => {
    const html = sample("checkEmail", "plain");
    assert.match(html, /<h1>Check your email<\/h1>/);
    assert.match(html, /You can ask again in <span data-countdown="45">45 seconds<\/span>\./);
    assert.match(html, /data-poll="\/interaction\/abc\/status"/);
    assert.match(html, /role="status"/);
  });

  test("a selected profile is checked, and no other", () => {
    const checked = startTags(sample("chooseProfile", "plain")).filter((tag) => tag.includes(" checked"));
    assert.equal(checked.length, 1);
    assert.match(checked[0] ?? "", /value="profile-2"/);
  });

  test("the profile in use and the one that is asked for are marked, and why one is asked is said", () => {
    const hinted = sample("chooseProfile", "hinted");
    const marks = parse(hinted)
      .querySelectorAll("label")
      .map((label) => [
        label.querySelector("input")?.getAttribute("value"),
        label.querySelector(".mark")?.text,
      ]);
    assert.deepEqual(marks, [
      ["profile-1", undefined],
      ["profile-2", "In use now"],
      ["profile-3", "Asked for"],
    ]);
    assert.match(hinted, /id="profile_id-why">You were sent here for another profile/);
    assert.match(hinted, /aria-describedby="profile_id-why profile_id-hint"/);
    const lost = sample("chooseProfile", "lost");
    assert.match(lost, /profile that you used doesn&#39;t open <bdi>CustomerSource<\/bdi> any more/);
    assert.doesNotMatch(lost, /In use now| checked/);
    assert.doesNotMatch(sample("chooseProfile", "plain"), /class="mark"|profile_id-why/);
  });

  test("sign-out sends logout=yes with the provider's own token, and by itself only when told to", () => {
    const manual = ["plain", "nothingLeft", "switchAccount"].map((variant) => sample("signOut", variant));
    for (const html of manual) assert.doesNotMatch(html, /data-auto-submit|role="status"/);
    for (const html of signOutPurposes.map(automaticSignOut))
      assert.match(html, /<form[^>]* data-auto-submit>/);
    for (const html of [...manual, ...signOutPurposes.map(automaticSignOut)]) {
      assert.match(html, /<input type="hidden" name="xsrf" value="Zm9yZ2Vk-token">/);
      assert.deepEqual(
        startTags(html).filter((tag) => tag.startsWith("<button")),
        ['<button class="button button-primary" type="submit" name="logout" value="yes">'],
      );
    }
  });

  test("sign-out says what ends: the session, nothing, or the sign-in of the account used before", () => {
    const button = (variant: string) => /<button[^>]*>([^<]*)</.exec(sample("signOut", variant))?.[1];
    assert.equal(button("plain"), "Sign out");
    assert.match(sample("signOut", "plain"), /Stay signed in and go back to <bdi>CustomerSource/);
    assert.equal(button("nothingLeft"), "Continue");
    assert.match(
      sample("signOut", "nothingLeft"),
      /already signed out.*Continue to go back to <bdi>CustomerSource/s,
    );
    assert.equal(button("switchAccount"), "Continue");
    assert.match(sample("signOut", "switchAccount"), /<h1>Switching accounts<\/h1>/);
    assert.match(
      sample("signOut", "switchAccount"),
      new RegExp(
        "The account used before is signed out of <bdi>Contoso sign-in</bdi>, " +
          String.raw`and of the portals it was used for\.`,
      ),
    );
    for (const variant of ["nothingLeft", "switchAccount"]) {
      assert.doesNotMatch(sample("signOut", variant), /Stay signed in|Do you want/);
    }
  });

  test("check your email shows what was typed, while that is kept; and always what to do in trouble", () => {
    for (const variant of ["plain", "held", "declined"]) {
      const html = sample("checkEmail", variant);
      assert.match(html, /<dt>You entered<\/dt><dd><bdi>ana@fabrikam\.example<\/bdi><\/dd>/, variant);
      assert.match(html, /<button [^>]*id="resend"/);
    }
    assert.doesNotMatch(sample("checkEmail", "longAgo"), /You entered/);
    for (const { page, variant, html } of samples) {
      if (page !== "checkEmail") continue;
      assert.match(html, /<h2 id="trouble">Declined, changed your mind, no mail\?<\/h2>/, variant);
      assert.equal(html.includes("The link was declined"), variant === "declined", variant);
      assert.equal(/ data-declined[ >]/.test(html), variant === "declined", variant);
    }
  });

  test("the way to another account comes behind everything else that can be pressed or filled in", () => {
    for (const page of ["linkStep", "checkEmail", "chooseProfile", "notAdmitted", "support"]) {
      const stops = parse(sample(page, "plain")).querySelectorAll(
        "main a, main input:not([type=hidden]), main button, main textarea",
      );
      assert.equal(stops.at(-1)?.text, "Use another account", page);
    }
  });

  test("a link that is dead or was cancelled leads where its profile can be used, and nowhere else", () => {
    const portals = (page: string, variant: string) =>
      parse(sample(page, variant))
        .querySelectorAll("main a[href^='https://portal']")
        .map((link) => link.getAttribute("href"));
    assert.deepEqual(portals("linkDead", "used"), ["https://portal2.example/"]);
    assert.deepEqual(portals("linkCancelled", "plain"), ["https://portal2.example/"]);
    assert.deepEqual(portals("linkCancelled", "nothing"), []);
    assert.deepEqual(portals("linkDead", "unknown"), [
      "https://portal1.example/",
      "https://portal2.example/",
    ]);
    assert.deepEqual(portals("linkDead", "cookie_missing"), []);
  });

  test(
    "sign-out says who may still know the person: the account's provider, and the portals that aren't " +
      "told",
    () => {
      const places = (page: string, variant: string) =>
        parse(sample(page, variant))
          .querySelectorAll('[aria-labelledby="stays-known"] li')
          .map(({ text }) => text);
      const somePortals = "At other portals that you opened in this browser, until you sign out there";
      assert.deepEqual(places("signOut", "plain"), [
        "At Northwind ID, where your account is",
        "At CustomerSource, until you sign out there",
      ]);
      assert.deepEqual(places("signOut", "everyPortalIsTold"), ["At Northwind ID, where your account is"]);
      assert.deepEqual(places("signedOut", "plain"), ["At Northwind ID, where your account is", somePortals]);
      assert.deepEqual(places("signOut", "nobodyKnowsWhere"), [
        "At Northwind ID or Fourth Coffee ID, where your account is",
        somePortals,
      ]);
      assert.deepEqual(
        places("signOut", "switchAccount"),
        [],
        "who goes on with another account doesn't leave",
      );
    },
  );

  test("check your email leads to why what was linked doesn't open the portal", () => {
    const link = (text: string) => `<a href="/interaction/abc?why">${text}</a>`;
    const portal = "<bdi>CustomerSource</bdi>";
    assert.ok(sample("checkEmail", "busy").includes(link(`Why don&#39;t they open ${portal}?`)));
    assert.ok(sample("checkEmail", "oneLinked").includes(link(`Why doesn&#39;t it open ${portal}?`)));
    for (const variant of ["plain", "now"])
      assert.doesNotMatch(sample("checkEmail", variant), /\?why|Why do/);
  });

  test("an upstream's problem offers to try again, or else the portals, and never both", () => {
    for (const variant of ["unavailable", "refusedRetry", "rejected", "stale"]) {
      const html = sample("upstreamProblem", variant);
      assert.match(html, /<a class="button button-primary" href="\/interaction\/abc"[^>]*>Try again<\/a>/);
      assert.doesNotMatch(html, /start again at|reload/i, variant);
    }
    for (const variant of ["unavailableNoRetry", "refused", "rejectedNoRetry", "staleNoRetry"]) {
      const html = sample("upstreamProblem", variant);
      assert.match(html, /start again at the portal/i, variant);
      assert.match(
        html,
        /<a href="https:\/\/portal1\.example\/"[^>]*>Start again at <bdi>CustomerSource/,
        variant,
      );
      assert.match(
        html,
        /<a href="https:\/\/portal2\.example\/"[^>]*>Start again at <bdi>PartnerSource/,
        variant,
      );
      assert.doesNotMatch(html, /try again|reload/i, variant);
    }
  });

  test("a portal's mistake names the portal and leads back to it", () => {
    const html = sample("error", "portalMistake");
    assert.match(html, /<h1>The link from <bdi>CustomerSource<\/bdi> is wrong<\/h1>/);
    assert.match(
      html,
      /<a class="button button-primary" href="https:\/\/portal1\.example\/"[^>]*>Start again at <bdi>Cus/,
    );
    assert.doesNotMatch(html, /PartnerSource/);
  });

  test("a sign-in that is over leads to the portal and doesn't guess what is known there", () => {
    const html = sample("signInLost", "finished");
    assert.match(html, /href="https:\/\/portal1\.example\/"[^>]*>Go to <bdi>CustomerSource/);
    assert.doesNotMatch(html, /probably|Start again/);
    assert.match(
      sample("signInLost", "finishedNoPortal"),
      /Go to <bdi>CustomerSource.*Go to <bdi>PartnerSource/s,
    );
  });

  test("times name their zone", () => {
    assert.match(sample("linkLanding", "plain"), /until 16:30 \(Central European Time\)\./);
    assert.match(sample("checkEmail", "longAgo"), /until 23 Nov 2026, 16:30 \(Central European Time\)\./);
    assert.match(
      sample("notAdmitted", "plain"),
      /ended on <bdi>23 November 2026<\/bdi>\./,
      "a plan ends with a day",
    );
  });

  test("times are short, and no page names the zone twice", () => {
    for (const entry of samples) {
      const zones = entry.html.match(/Central European Time/g) ?? [];
      assert.ok(zones.length <= 1, label(entry));
      assert.doesNotMatch(entry.html, /\d{4} at \d\d:\d\d/, label(entry));
    }
  });
});
