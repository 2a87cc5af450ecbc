/** The catalogue: every text can be formatted, is used somewhere, and keeps names apart from sentences. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { IntlMessageFormat } from "intl-messageformat";
import { formatInstant, formatMinutes, formatSeconds } from "../../src/ui/format.ts";
import { html } from "../../src/ui/html.ts";
import { catalogues, messages } from "../../src/ui/messages.ts";

const root = new URL("../../src/", import.meta.url);

function sources(folder: URL): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("messages/"))
    .map((file) => readFileSync(new URL(file, folder), "utf8"))
    .join("\n");
}

test("every text is well-formed and can be formatted, with one and with many", () => {
  for (const [locale, catalogue] of Object.entries(catalogues)) {
    for (const [key, text] of Object.entries(catalogue)) {
      const format = new IntlMessageFormat(text, locale);
      const names = [...text.matchAll(/\{(\w+)[,}]/g)].map(([, name]) => name ?? "");
      const tags = [...text.matchAll(/<(\w+)>/g)].map(([, name]) => name ?? "");
      for (const count of [1, 2]) {
        const values = {
          ...Object.fromEntries(names.map((name) => [name, `[${name}]`])),
          ...Object.fromEntries(tags.map((tag) => [tag, (chunks: string[]) => chunks.join("")])),
          ...(names.includes("count") ? { count } : {}),
        };
        const formatted = String(format.format(values));
        assert.ok(formatted.trim() !== "", key);
        assert.doesNotMatch(formatted, /[{}<>#]/, `${locale} ${key}: ${formatted}`);
      }
    }
  }
});

test("every text is used", () => {
  const literals = ["ui/", "mail/", "admin/console/"]
    .map((folder) => sources(new URL(folder, root)))
    .join("\n")
    .match(/"[\w.]+"|`\w+\.(?:[\w.]|\$\{[^}`]*\})+`/g);
  const patterns = (literals ?? []).map(
    (literal) =>
      new RegExp(
        `^${literal
          .slice(1, -1)
          .replaceAll(".", "\\.")
          .replace(/\$\{[^}]*\}/g, "[\\w:]+")}$`,
      ),
  );
  const unused = Object.keys(catalogues["en"] ?? {}).filter(
    (key) => !patterns.some((pattern) => pattern.test(key)),
  );
  assert.deepEqual(unused, []);
});

test("names are escaped and isolated, HTML stays HTML, tags are rendered", () => {
  const t = messages("en");
  assert.equal(
    t.html("signIn.continueWith", { upstream: "<b>&" }).toString(),
    "Continue with <bdi>&lt;b&gt;&amp;</bdi>",
  );
  assert.equal(
    t.html("signIn.continueWith", { upstream: html`<i>x</i>` }).toString(),
    "Continue with <i>x</i>",
  );
  assert.match(
    t.html("home.helpLead", { link: (content) => html`<a>${content}</a>` }).toString(),
    /<a>Read how signing in works<\/a>/,
  );
  assert.equal(t.text("signIn.continueWith", { upstream: "<b>" }), "Continue with <b>");
});

test("an unknown language falls back to English", () => {
  assert.equal(messages("xx"), messages("en"));
});

test("times are written in the deployment's zone, which is named", () => {
  const winter = Date.UTC(2026, 10, 23, 15, 30);
  assert.equal(
    formatInstant({ locale: "en", timeZone: "Europe/Copenhagen" }, winter),
    "23 Nov 2026, 16:30 (Central European Time)",
  );
  assert.equal(
    formatInstant({ locale: "en", timeZone: "UTC" }, winter),
    "23 Nov 2026, 15:30 (Coordinated Universal Time)",
  );
  assert.equal(
    formatInstant({ locale: "en", timeZone: "America/New_York" }, Date.UTC(2026, 0, 1, 4, 59)),
    "31 Dec 2025, 23:59 (Eastern Time)",
  );
});

test("of the day that it is, the time alone is written", () => {
  const site = { locale: "en", timeZone: "Europe/Copenhagen" };
  const evening = Date.UTC(2026, 10, 23, 22, 30);
  assert.equal(formatInstant(site, evening, Date.UTC(2026, 10, 23, 6)), "23:30 (Central European Time)");
  assert.equal(
    formatInstant(site, evening, Date.UTC(2026, 10, 22, 22)),
    "23 Nov 2026, 23:30 (Central European Time)",
  );
  assert.equal(
    formatInstant(site, evening + 3_600_000, evening),
    "24 Nov 2026, 00:30 (Central European Time)",
    "the day is the deployment's, not UTC's",
  );
});

test("lengths of time have the right number", () => {
  assert.equal(formatSeconds("en", 1), "1 second");
  assert.equal(formatSeconds("en", 45), "45 seconds");
  assert.equal(formatSeconds("en", 120), "120 seconds");
  assert.equal(formatSeconds("en", 121), "3 minutes");
  assert.equal(formatMinutes("en", 30), "30 minutes");
  assert.equal(formatMinutes("en", 120), "2 hours");
});
