/**
 * Documents looked at in a real browser: by axe-core, no rule off, light and dark; and whether they fit a
 * narrow window.
 */

import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Everything; and what colours alone decide, for the scheme that changes nothing else. */
const looks = {
  light: { type: "tag", values: tags },
  dark: { type: "rule", values: ["color-contrast", "link-in-text-block"] },
} as const;

/** A mail is shown within another page, whose landmarks it must not add to. */
const ofPagesAlone = { "landmark-one-main": { enabled: false }, region: { enabled: false } };

/** Fails if axe finds anything on the page as it is, or in the dark. */
export async function assertAccessible(
  page: Page,
  name = page.url(),
  kind: "page" | "mail" = "page",
): Promise<void> {
  // The pages' policy lets no script of a test in; what the browser evaluates for it is another matter.
  await page.evaluate(axe.source);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    assert.deepEqual(await violations(page, colorScheme, kind), [], `${name} ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

async function violations(
  page: Page,
  colorScheme: keyof typeof looks,
  kind: "page" | "mail",
): Promise<string[]> {
  const rules = kind === "mail" && colorScheme === "light" ? ofPagesAlone : {};
  const options = { runOnly: looks[colorScheme], rules, resultTypes: ["violations"], preload: false };
  return page.evaluate(`axe.run(${JSON.stringify(options)}).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => id + ": " + html + " " + failureSummary)))`);
}

/** Fails if the page is wider than a phone's window. */
export async function assertFitsPhones(page: Page, name = page.url()): Promise<void> {
  for (const width of [320, 360]) {
    await page.setViewportSize({ width, height: 740 });
    const over = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    assert.equal(over, 0, `${name} scrolls sideways at ${width} px`);
  }
}
