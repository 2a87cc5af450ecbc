/**
 * The rules of storage, as docs/architecture.md lists them: each is in the file that is named, by the symbol
 * that is named, and what is searched for in the back ends isn't there.
 */

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is stored and how it came to be, and how it is carried: no statement that decides. */
const SCHEMA: ReadonlySet<string> = new Set([
  "collections.ts",
  "dump.ts",
  "ensure-collections.ts",
  "filling.ts",
  "first-tables.ts",
  "load.ts",
  "migrations.ts",
  "prepare-schema.ts",
  "specifications.ts",
]);

interface Rule {
  rule: string;
  symbol: string;
  file: string;
  search: RegExp;
}

async function rulesIn(document: string): Promise<Rule[]> {
  const text = await readFile(join(root, document), "utf8");
  const [, section = ""] = /\n## Rules of storage\n([\s\S]*?)\nWhat stands in each back end/.exec(text) ?? [];
  const rows = section.split("\n").filter((line) => /^\| (?!-|rule )/.test(line));
  return rows.map((row) => {
    const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/^`|`$/g, ""));
    const [, rule = "", symbol = "", file = "", search = ""] = cells;
    return { rule, symbol, file, search: new RegExp(search.replaceAll("\\|", "|")) };
  });
}

async function linesOf(folder: string): Promise<{ place: string; line: string }[]> {
  const names = (await readdir(join(root, folder))).filter((name) => !SCHEMA.has(basename(name)));
  const files = names.map(async (name) => {
    const lines = (await readFile(join(root, folder, name), "utf8")).split("\n");
    return lines.map((line, index) => ({ place: `${folder}/${name}:${index + 1}`, line }));
  });
  return (await Promise.all(files)).flat();
}

describe("rules of storage", async () => {
  const rules = await rulesIn("docs/architecture.md");
  const backEnds = [...(await linesOf("src/storage/sqlite")), ...(await linesOf("src/storage/mongo"))];
  const intentions = (await linesOf("src/storage/intentions")).map(({ line }) => line).join("\n");

  it("stand in the file that is named, each", async () => {
    assert.ok(rules.length > 40, String(rules.length));
    for (const { rule, symbol, file } of rules) {
      const folder = file.startsWith("domain/") ? "src" : "src/storage";
      const text = await readFile(join(root, folder, file), "utf8");
      assert.match(text, new RegExp(`(?:function\\*?|const|class) ${symbol}\\b`), rule);
      if (folder === "src") assert.match(intentions, new RegExp(`\\b${symbol}\\b|${file.slice(7)}`), rule);
    }
  });

  for (const { rule, search } of rules) {
    it(`no back end has it: ${rule}`, () => {
      assert.deepEqual(
        backEnds.filter(({ line }) => search.test(line)).map(({ place }) => place),
        [],
      );
    });
  }
});
