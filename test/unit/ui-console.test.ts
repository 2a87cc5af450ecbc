/**
 * That every page is among those that are looked at, and what the administration's pages write out in words.
 */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { CONSOLE_CLIENT_ID } from "../../src/domain/records.ts";
import { clientName } from "../../src/ui/console/names.ts";
import { consolePages } from "../../src/ui/console.ts";
import { pages } from "../../src/ui/pages.ts";
import { consoleFrame, mailsOf, timelineOf } from "../support/console-records.ts";
import { consoleSamples } from "../support/console-samples.ts";
import { flavours } from "../support/page-flavours.ts";

const { site } = flavours.ordinary;
const frame = consoleFrame(flavours.ordinary);
const samples = consoleSamples();

/** Every function of a folder of `src/ui` that makes a whole document, with the name it is exported by. */
async function makersOf(folder: string): Promise<{ name: string; make: unknown }[]> {
  const directory = new URL(`../../src/ui/${folder}/`, import.meta.url);
  const modules = await Promise.all(
    (await readdir(directory)).map(
      (file) => import(new URL(file, directory).href) as Promise<Record<string, unknown>>,
    ),
  );
  return modules
    .flatMap((exported) => Object.entries(exported).map(([name, make]) => ({ name, make })))
    .filter(
      ({ make }) =>
        typeof make === "function" && /return render(?:Page|Console|Document)\(/.test(String(make)),
    )
    .filter(({ name }) => !name.startsWith("render"));
}

describe("every page that there is", () => {
  for (const [folder, registry] of [
    ["pages", pages],
    ["console", consolePages],
  ] as const) {
    test(`in ${folder} is one of those that are looked at`, async () => {
      const listed = new Set<unknown>(Object.values(registry));
      const makers = await makersOf(folder);
      const missing = makers.filter(({ make }) => !listed.has(make));
      assert.deepEqual(
        missing.map(({ name }) => name),
        [],
      );
      assert.equal(new Set(makers.map(({ make }) => make)).size, listed.size);
    });
  }

  test("of the administration has samples, with ordinary names and with long ones", () => {
    const seen = samples.map(({ page, flavour }) => `${page} ${flavour}`);
    for (const page of Object.keys(consolePages)) {
      for (const flavour of ["ordinary", "long"])
        assert.ok(seen.includes(`${page} ${flavour}`), `${page} ${flavour}`);
    }
  });
});

describe("the administration's pages", () => {
  test("write times as people read them, and name their zone once", () => {
    for (const { page, variant, html } of samples) {
      const text = html.replace(/<pre.*?<\/pre>/gs, "").replace(/<[^>]*>/g, " ");
      assert.doesNotMatch(text, /\d{4}-\d\d-\d\dT/, `${page} ${variant}`);
      const times = Number(html.includes("<time "));
      assert.equal(text.split("Times are those of").length - 1, times, `${page} ${variant}`);
    }
  });

  test("show what only looks like a time as it came", () => {
    const [entry] = timelineOf(flavours.ordinary).entries;
    assert.ok(entry);
    const detail = "450 try 2026-99-99T99:99:99Z";
    const entries = [{ ...entry, what: "mail_deferred" as const, detail }];
    const html = consolePages.linkPage(site, frame, {
      ...timelineOf(flavours.ordinary),
      entries,
      names: new Map(),
    });
    assert.equal(html.replace(/<[^>]*>/g, "").includes(detail), true);
  });

  test("say in words why a link was refused, and give the code of a reason that they don't know", () => {
    const line = timelineOf(flavours.ordinary);
    const [entry] = line.entries;
    assert.ok(entry);
    const shown = (detail: string) =>
      consolePages.linkPage(site, frame, {
        ...line,
        entries: [{ ...entry, what: "refused", detail }],
        names: new Map(),
      });
    assert.match(shown("wrong_account"), /signed in with another account than the one that asked/);
    assert.match(shown("some_later_reason"), /some_later_reason/);
  });

  test("call the administration's own client by its name wherever a session or a sign-in of it is", () => {
    const shown = samples.filter(({ page }) => page === "accountPage" || page === "personPage");
    for (const { html } of shown) assert.ok(!html.replace(/<[^>]*>/g, "").includes(CONSOLE_CLIENT_ID));
    assert.ok(shown.some(({ html }) => html.includes("<bdi>Administration</bdi>")));
    assert.equal(clientName(site, CONSOLE_CLIENT_ID), "Administration");
    assert.equal(clientName(site, "portal-1"), "CustomerSource");
    assert.equal(clientName(site, "gone"), "gone");
  });

  test("say when a mail that was put off is tried again, and of no other", () => {
    const act = () => ({ action: "/", csrfToken: "" });
    const view = { nextUrl: null, search: "", state: null, mayAct: false, act };
    for (const mail of mailsOf(flavours.ordinary)) {
      const html = consolePages.mailList(site, frame, { ...view, items: [mail] });
      assert.equal(/Next attempt: <time/.test(html), mail.state === "queued", mail.state);
    }
  });
});
