/** Tables as wide as a terminal, in the columns that characters take there. */

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { widthOf } from "../../src/cli/output.ts";
import { table } from "../../src/cli/table.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const segmentsOf = (text: string) => [...segmenter.segment(text)].map(({ segment }) => segment);
const options = { timeZone: "UTC", empty: "" };

describe("characters", () => {
  const cases: [string, string, number][] = [
    ["Latin", "Ærø", 3],
    ["a letter of two characters", "e\u0301", 1],
    ["Chinese", "北風", 4],
    ["Korean", "한국", 4],
    ["fullwidth", "Ａ１", 4],
    ["halfwidth", "ｶﾅ", 2],
    ["an emoji", "🚀", 2],
    ["an emoji by a variation selector", "❤️", 2],
    ["a flag", "🇩🇰", 2],
    ["Thai with a mark above", "กี", 1],
  ];
  for (const [what, name, columns] of cases) {
    it(`${what}: ${columns}`, () => {
      const [, first = "", second = ""] = table(
        [
          { name, id: "x" },
          { name: "0123456789", id: "x" },
        ],
        options,
      ).split("\n");
      assert.equal(second, "0123456789  x");
      assert.equal(first, `${name}${" ".repeat(10 - columns)}  x`);
    });
    it(`${what}: cut whole`, () => {
      const rows = [{ id: "4QrTzk0wJm9x3vYb2nLc7A", name: name.repeat(40) }];
      const [, line = ""] = table(rows, { ...options, width: 44 }).split("\n");
      const cut = segmentsOf(line.slice("4QrTzk0wJm9x3vYb2nLc7A  ".length));
      assert.equal(cut.pop(), "…");
      assert.deepEqual(cut, segmentsOf(name.repeat(40)).slice(0, cut.length));
      // 20 columns are left, one of them is the ellipsis'.
      const each = columns / segmentsOf(name).length;
      assert.equal(cut.length, Math.floor(19 / each));
    });
  }
});

describe("how wide a stream is", () => {
  const terminal = { isTTY: true, columns: 80 };
  const before = process.env["COLUMNS"];
  const withColumns = (value: string | undefined, stream: object) => {
    if (value === undefined) delete process.env["COLUMNS"];
    else process.env["COLUMNS"] = value;
    return widthOf(stream);
  };
  after(() => withColumns(before, {}));

  it("what the terminal says", () => assert.equal(withColumns(undefined, terminal), 80));
  it("what COLUMNS says before", () => assert.equal(withColumns("40", terminal), 40));
  it("no nonsense of it", () => {
    for (const text of ["0", "-1", "wide", "", "1e3"]) assert.equal(withColumns(text, terminal), 80);
  });
  it("of no terminal nothing, whatever COLUMNS says", () => {
    assert.equal(withColumns("40", {}), undefined);
    assert.equal(withColumns(undefined, { isTTY: true, columns: 0 }), undefined);
  });
});
