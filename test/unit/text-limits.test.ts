/** The limits of source text: what is beyond them is named, wherever it is planted. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { beyondLimits } from "../../lint/text-limits.ts";

const step = fileURLToPath(new URL("../../lint/text-limits.ts", import.meta.url));
const wide = {
  code: `const planted = "${"x".repeat(95)}";`,
  comment: `// ${"planted ".repeat(14)}pla`,
  template: `  html\`<p>${"planted ".repeat(13)}</p>\`;`,
  regexp: `const planted = /${"x".repeat(102)}/;`,
};

for (const [what, line] of Object.entries(wide)) {
  test(`a line of more than 110 columns is named: ${what}`, () => {
    assert.ok(line.length > 110 && line.length <= 121, `${line.length}`);
    for (const file of ["src/main.ts", "src/domain/ids.ts", "test/e2e/health.test.ts", "bin/liaison.js"]) {
      assert.deepEqual(beyondLimits(file, `\n${line}\n`), [`${file}:2: ${line.length} columns, 110 at most`]);
    }
  });
}

test("110 columns are within it, of characters and not of what they are stored as", () => {
  assert.deepEqual(beyondLimits("src/main.ts", `// ${"é".repeat(50)}${"😀".repeat(57)}\n`), []);
});

test("a text of the catalogue of messages may be longer, and no line beside it", () => {
  assert.deepEqual(beyondLimits("src/ui/messages/en-help.ts", `${wide.code}\n`), []);
  assert.equal(beyondLimits("src/ui/messages.ts", `${wide.code}\n`).length, 1);
  assert.equal(beyondLimits("test/src/ui/messages/en.ts", `${wide.code}\n`).length, 1);
});

test("a file has 400 lines, the catalogue's as well", () => {
  assert.deepEqual(beyondLimits("src/main.ts", "//\n".repeat(400)), []);
  for (const file of ["src/main.ts", "src/ui/messages/en.ts"]) {
    assert.deepEqual(beyondLimits(file, "//\n".repeat(401)), [`${file}:401: 401 lines, 400 at most`]);
  }
});

test("the step fails for a planted line, in a file that isn't committed, too, and names it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "text-limits-"));
  t.after(() => rm(folder, { recursive: true }));
  const put = async (file: string, text: string) => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  };
  const run = () => execFileSync(process.execPath, [step], { cwd: folder, encoding: "utf8", stdio: "pipe" });
  execFileSync("git", ["init", "--quiet"], { cwd: folder });
  await put(".gitignore", "node_modules\n");
  await put("node_modules/other/index.js", wide.code);
  await put("src/main.ts", "// As it should be.\n");
  run();
  await put("src/deep/er/planted.ts", `//\n${wide.comment}\n`);
  assert.throws(run, { status: 1, stderr: "src/deep/er/planted.ts:2: 118 columns, 110 at most\n" });
});
