/**
 * Names of roles: what the API, the pages and the command line take is what an import can write, and reads as
 * it was.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { roles } from "../../src/admin/definitions/fields.ts";
import { type Column, readHeader } from "../../src/admin/import/columns.ts";
import { readCsv } from "../../src/admin/import/csv.ts";
import { parseRow } from "../../src/admin/import/row.ts";
import { createCalendar } from "../../src/domain/calendar.ts";
import { aRow, csvOf } from "../support/import-fixture.ts";

const calendar = createCalendar("Europe/Copenhagen");

/** What an import makes of a file that was written of these roles. */
async function imported(names: readonly string[]): Promise<readonly string[] | undefined> {
  async function* file() {
    yield Buffer.from(csvOf([aRow({ roles: names.join("|") })]));
  }
  const records = [];
  for await (const some of readCsv(file())) records.push(...some);
  const [header, row] = records.map((record) => (record.kind === "values" ? record.values : []));
  const columns = readHeader(header ?? []);
  const values = Object.fromEntries(columns.map((column, place) => [column, row?.[place] ?? ""]));
  const parsed = parseRow(values as Record<Column, string>, calendar);
  return parsed.kind === "good" ? parsed.row.profile.roles : undefined;
}

describe("roles", () => {
  const lists = ["billing/orders", "billing, orders", "a;b", "a|b", "a • b", "[a]", "a\nb", '"a"'];
  const others = [
    "none",
    "TRUE",
    "=1+1",
    "01/03/2026",
    "1E+5",
    "a\u00a0b",
    "'a",
    "a\u200bb",
    "#N/A",
    "a\u2028b",
  ];
  for (const name of [...lists, ...others]) {
    it(`${JSON.stringify(name)} is taken by none, and what to write instead is said`, async () => {
      const { error } = z.safeParse(roles, ["billing", name]);
      assert.deepEqual(error?.issues[0]?.path, [1]);
      assert.notDeepEqual(await imported(["billing", name]), ["billing", name]);
    });
  }

  it("a list in one name is said to be one", () => {
    const { error } = z.safeParse(roles, ["billing/orders"]);
    assert.match(error?.issues[0]?.message ?? "", /^write each role by itself: its name holds no \| ; , \//);
  });

  it("with blanks, letters of any script and dashes are taken by all", async () => {
    const names = ["Søg & ret", "Support – level 2", "請求", "v2.1", "billing_admin", "read+write", "C#"];
    assert.deepEqual(z.parse(roles, names), names);
    assert.deepEqual(await imported(names), names);
  });

  it("that are taken come back from a file as they were, whatever they are", async () => {
    const letters = fc.constantFrom(...`aB9 -.'"|/\\;,=+#?_–\u00a0\u200b\t\n&ø雨\u2028\ud83d\ude00`);
    const name = fc.oneof(
      fc.string({ unit: letters, maxLength: 6 }),
      fc.string({ unit: "grapheme", maxLength: 12 }),
    );
    const some = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
    const check = fc.asyncProperty(some, async (names) => {
      if (z.safeParse(roles, names).success) assert.deepEqual(await imported(names), names);
    });
    await fc.assert(check, { numRuns: 2000 });
  });
});
