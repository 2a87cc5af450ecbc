/** docs/address-policy.md says what the code does: every row of its table is tried. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseAddress } from "../../src/domain/address.ts";

const text = readFileSync(new URL("../../docs/address-policy.md", import.meta.url), "utf8");

/** The value of a cell: code, with characters that don't show written as {U+…}. */
function writtenIn(cell: string): string {
  const code = /^`(.+)`$/u.exec(cell.trim())?.[1];
  assert.ok(code !== undefined, `${cell} isn't written as code`);
  return code.replace(/\{U\+([0-9A-F]{4,6})\}/g, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}

const table = text.slice(text.indexOf("| written")).split("\n").slice(2);
const rows = table.filter((line) => line.startsWith("|")).map((line) => line.split("|").slice(1, 4));

describe("L13, L14 docs/address-policy.md", () => {
  it("has its examples", () => assert.ok(rows.length >= 30, `${rows.length} rows`));

  for (const [written = "", key = "", why = ""] of rows) {
    it(`${written.trim()} (${why.trim()})`, () => {
      const expected = key.trim() === "refused" ? undefined : writtenIn(key);
      assert.equal(parseAddress(writtenIn(written))?.key, expected);
    });
  }
});
