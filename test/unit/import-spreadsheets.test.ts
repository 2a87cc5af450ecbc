/**
 * What spreadsheets and the exports of CRMs do to values on their way. What they put around a table is
 * import-tables.test.ts's.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Column } from "../../src/admin/import/columns.ts";
import { aPerson, type DryRuns, startDryRuns, valuesOf } from "../support/import-dry-run.ts";
import { aDeployment, csvOf, type Values } from "../support/import-fixture.ts";

let runs: DryRuns;
before(async () => {
  runs = await startDryRuns();
});
after(() => runs?.close());
const imported: DryRuns["imported"] = (...call) => runs.imported(...call);

/** What comes of one value in an otherwise good row: its faults, or nothing. */
async function faultsWith(overrides: Partial<Values>): Promise<string[]> {
  return (await imported(csvOf([aPerson(1, overrides)]))).faults;
}

describe("values that a program made of others are told of, never stored", () => {
  const ids: Column[] = ["organization_id", "account_number", "profile_id"];
  const idCases: [value: string, problem: RegExp][] = [
    ["1.23E+15", /is a number that a spreadsheet cut short; give the cells the format Text/],
    ["1,23457E+11", /cut short/],
    ["1.2e+21", /cut short/],
    ["12.345678E+11", /cut short/],
    ["1.0E12", /cut short/],
    ["4711.0", /is written as an amount/],
    ["1,234", /is written as an amount/],
    ["$1,234.00", /is written as an amount/],
    ["1.234,00 €", /is written as an amount/],
    ["12,34,567", /is written as an amount/],
    ["02-Jan", /is a day or a time that a spreadsheet made of something else/],
    ["Mrz 26", /is a day or a time/],
    ["01/03/2026", /is a day or a time/],
    ["01/02/26", /is a day or a time/],
    ["1/2/26", /is a day or a time/],
    ["1/2/26 12:30 PM", /is a day or a time/],
    ["12:30:00", /is a day or a time/],
    ["12:30:00 PM", /is a day or a time/],
    ["12:30 PM", /is a day or a time/],
    ["2026-03-01T00:00:00", /is a day or a time/],
    ["TRUE", /is how a spreadsheet writes yes or no/],
    ["WAHR", /yes or no/],
    ["NULL", /is how a program writes that there is nothing/],
    ["#N/A", /is an error that a spreadsheet shows; mend the formula/],
    ["#BEZUG!", /is an error/],
    ["########", /is an error/],
    ["Err:502", /is an error/],
    ["=A2&B2", /is a formula; replace it by its value/],
    ["'00123", /begins with the mark by which a spreadsheet knows text/],
    ["crm\u00a01", /"crm\\u\{a0\}1" holds another blank than the keyboard's/],
    ["crm\u200b1", /"crm\\u\{200b\}1" holds a character that can't be seen/],
    ['"00123"', /stands in the quotation marks of a file/],
    ["C–1", /has a dash, a quotation mark or dots that a program put in/],
    ["K?benhavn-1", /has a question mark for a character that was lost/],
    ["1234567890123450000", /ends in zeros behind its fifteenth digit/],
  ];
  for (const [value, problem] of idCases) {
    it(`an id ${JSON.stringify(value)}`, async () => {
      for (const column of ids) {
        const faults = await faultsWith({ [column]: value });
        assert.equal(faults.length, 1, faults.join("\n"));
        assert.match(faults[0] ?? "", new RegExp(`^line 2, ${column}: "`));
        assert.match(faults[0] ?? "", problem);
      }
    });
  }

  const others: [column: Column, value: string, problem: RegExp][] = [
    ["roles", "billing; orders", /"billing; orders" looks like a list; separate roles by \|/],
    ["roles", "billing / orders", /separate roles by \|/],
    ["roles", "billing/orders", /separate roles by \|/],
    ["roles", "reseller|billing, orders", /"billing, orders" looks like a list/],
    ["roles", "billing\norders", /"billing\\u\{a\}orders" looks like a list/],
    ["roles", '["billing"]', /looks like a list/],
    ["roles", "none", /leave the cell empty/],
    ["roles", "TRUE", /yes or no/],
    ["name", "FernÃ¡ndez", /was read in another encoding than it was written in; open the original as UTF-8/],
    ["name", "CÅ“ur", /another encoding/],
    ["name", "√∏stergaard", /another encoding/],
    ["organization_name", "Ð”Ð¾Ð¼", /another encoding/],
    ["organization_name", "FernÃ¡ndez â€“ Ruiz", /another encoding/],
    ["name", "Bj?rn Lund", /has a question mark for a character that was lost/],
    ["name", "????", /question mark/],
    ["name", "#NAME?", /is an error that a spreadsheet shows/],
    ["name", "Anna_x000D_", /holds what an export wrote instead of a character/],
    ["organization_name", "Ruiz &amp; Co", /instead of a character/],
    ["organization_name", "'=1+1", /begins with the mark/],
    ["email", "'anna@contoso.example", /begins with the mark/],
    ["email", "bj?rn@contoso.example", /question mark/],
    ["email", "#REF!", /is an error/],
    [
      "kind",
      "#N/A",
      /"#N\/A" is unknown; write customer or partner \(it is an error that a spreadsheet shows/,
    ],
    [
      "profile_status",
      "FALSE",
      /"FALSE" is unknown; write enabled or disabled \(it is how a spreadsheet writes yes or no/,
    ],
    ["plan_status", "1", /"1" is unknown; write active or suspended or none$/],
    [
      "plan_expires",
      "45291",
      new RegExp(
        `"45291" is no date, but the number that a spreadsheet keeps for one ` +
          String.raw`\(2023-12-31, if it counts from 1900\); write YYYY-MM-DD`,
      ),
    ],
    ["plan_expires", "45291.5", /the number that a spreadsheet keeps/],
    ["plan_expires", "31.12.2027", /is no date; write YYYY-MM-DD, .*give the cells the format yyyy-mm-dd/],
    ["plan_expires", "12/31/2027", /is no date/],
    ["plan_expires", "1900-01-00", /is no date/],
    ["plan_expires", "2027-02-30T00:00:00", /is no date/],
    ["plan_expires", "#####", /is an error that a spreadsheet shows; .* widen the column/],
  ];
  for (const [column, value, problem] of others) {
    it(`${column} ${JSON.stringify(value)}`, async () => {
      const faults = await faultsWith({ [column]: value });
      assert.equal(faults.length, 1, faults.join("\n"));
      assert.ok(faults[0]?.startsWith(`line 2, ${column}: `), faults[0]);
      assert.match(faults[0] ?? "", problem);
    });
  }

  it("long numbers that end in zeros are good in a column in which another one doesn't", async () => {
    const rows = Array.from({ length: 300 }, (_, index) =>
      aPerson(index, { profile_id: `12345678901234${String(index).padStart(4, "0")}` }),
    );
    const { summary, faults } = await imported(csvOf(rows));
    assert.deepEqual(faults, []);
    assert.equal(summary.profiles.added, 300);
    const rounded = rows.map((row, index) => ({
      ...row,
      profile_id: `12345678901${String(index).padStart(4, "0")}0000`,
    }));
    const told = await imported(csvOf(rounded));
    assert.equal(told.summary.badRows, 300);
    assert.match(told.faults[299] ?? "", /^line 301, profile_id: "1234567890102990000" ends in zeros/);
    assert.equal(told.summary.organizations.failed, 1);
  });

  /** Rows of organizations with these ids, so many of each. */
  const rowsOf = (...ids: [id: string, rows: number][]) =>
    ids
      .flatMap(([organization_id, rows]) => Array.from({ length: rows }, () => organization_id))
      .map((organization_id, index) => aPerson(index, { organization_id }));

  it("a few zeros in a column are no reason to doubt, however often they stand there; more are", async () => {
    const badRows = async (...ids: string[]) =>
      (await imported(csvOf(rowsOf(...ids.map((id): [string, number] => [id, 5]))))).summary.badRows;
    assert.equal(await badRows("1234567890123450"), 0);
    assert.equal(await badRows("1234567890123450", "1234567890123460"), 0);
    assert.equal(await badRows("1234567890123450", "1234567890123460", "1234567890123470"), 15);
    assert.equal(await badRows("1234567890123450000"), 5);
    assert.equal(await badRows("1234567890123450000", "1234567890123457"), 0);
    assert.equal(await badRows('="1234567890123450000"'), 0);
  });

  it("what a dry run says of long numbers the import says, wherever the one stands that tells", async () => {
    const doubted = "1234567890123450000";
    const exact = "1234567890123457";
    const files: [badRows: number, rows: Values[]][] = [
      [0, rowsOf([doubted, 60], [exact, 1])],
      [0, rowsOf(["org-1", 30], [doubted, 1], ["org-2", 999], [exact, 1])],
      [1, rowsOf(["org-1", 30], [doubted, 1], ["org-2", 1000], [exact, 1], [doubted, 1])],
      [60, rowsOf([doubted, 60], ["org-1", 1])],
    ];
    for (const [badRows, rows] of files) {
      const deployment = await aDeployment();
      try {
        const run = async (...words: string[]) => {
          const { stdout } = await deployment.import(["-", "--json", ...words], { input: csvOf(rows) });
          const said = JSON.parse(stdout) as {
            bad_rows: number;
            row_count: number;
            rows: { errors?: unknown }[];
          };
          return [said.bad_rows, said.row_count, said.rows.filter(({ errors }) => errors !== undefined)];
        };
        const dry = await run("--dry-run");
        assert.deepEqual(dry.slice(0, 2), [badRows, rows.length]);
        assert.deepEqual(await run(), dry);
      } finally {
        await deployment.remove();
      }
    }
  });
});

describe("values that are as they were written", () => {
  const cases: [column: Column, value: string, read?: string][] = [
    ["organization_id", "00123"],
    ["organization_id", '="00123"', "00123"],
    ["organization_id", "\u00a0crm-1\u00a0", "crm-1"],
    ["organization_id", "\t00123", "00123"],
    ["organization_id", "12E5"],
    ["organization_id", "12/34/56"],
    ["organization_id", "10.11.12"],
    ["organization_id", "12,34,56"],
    ["email", '="anna@contoso.example"', "anna@contoso.example"],
    ["email", '\u00a0="anna@contoso.example" ', "anna@contoso.example"],
    ["organization_id", "123456789012345"],
    ["organization_id", "0015000000AbCdEAAV"],
    ["account_number", "C 10418/2"],
    ["organization_name", "What? Ltd"],
    ["organization_name", "Société «ÉTÉ»"],
    ["organization_name", "MALMØ–OSLO Café’s AT&T; R&D"],
    ["organization_name", "Fernández\u00a0Ruiz", "Fernández Ruiz"],
    ["name", "'t Hooft"],
    ["name", "O’Neill “Bo”"],
    ["name", "Anna\r\nBerg", "Anna Berg"],
    ["name", "Null"],
    ["roles", "Søg & ret|team\u00a0lead|Support – level 2", "Søg & ret|team lead|Support – level 2"],
    ["organization_status", "active", "enabled"],
    ["organization_status", "Enabled", "enabled"],
    ["profile_status", "enabled", "enabled"],
    ["profile_status", "ACTIVE", "enabled"],
    ["plan_status", "active"],
    ["plan_expires", "2027-12-31T00:00:00", "2027-12-31"],
    ["plan_expires", "2027-12-31 00:00:00.000", "2027-12-31"],
    ["plan_expires", "2027-12-31T23:59:59Z", "2027-12-31"],
    ["plan_expires", "2027-12-31T00:00:00.000+0000", "2027-12-31"],
    ["plan_expires", "2027-12-31T12:30+01:00", "2027-12-31"],
    ["plan_expires", "2027/12/31", "2027-12-31"],
  ];
  for (const [column, value, read = value] of cases) {
    it(`${column} ${JSON.stringify(value)}`, async () => {
      const found = await imported(csvOf([aPerson(1, { [column]: value })]));
      assert.deepEqual(found.faults, []);
      if (column === "organization_id" || column === "profile_id") {
        const [row] = found.rows;
        assert.ok(row !== undefined && "changes" in row);
        assert.equal(row.changes.find(({ record }) => `${record}_id` === column)?.id, read);
      } else assert.deepEqual(valuesOf(found, column), [read]);
    });
  }

  it("a time of day that is on another day here than there is told of, in whichever zone", async () => {
    const at = async (plan_expires: string, timeZone: string) => {
      const found = await imported(csvOf([aPerson(1, { plan_expires })]), timeZone);
      return found.faults[0] ?? valuesOf(found, "plan_expires")[0];
    };
    const midnightInCopenhagen = "2027-12-30T23:00:00Z";
    assert.match(
      (await at(midnightInCopenhagen, "Europe/Copenhagen")) ?? "",
      new RegExp(
        `^line 2, plan_expires: "${midnightInCopenhagen}" is 2027-12-31 ` +
          "in the time zone of this deployment, and another day",
      ),
    );
    assert.equal(await at(midnightInCopenhagen, "UTC"), "2027-12-30");
    for (const zone of ["America/New_York", "Asia/Tokyo", "UTC"]) {
      assert.equal(await at("2027-12-31T00:00:00Z", zone), "2027-12-31", zone);
      assert.equal(await at("2027-12-31T23:30:00", zone), "2027-12-31", zone);
    }
  });

  it("a day is the same day in every zone, also when its clocks change", async () => {
    const days = ["2027-03-28", "2027-10-31", "2027-03-14", "2027-11-07", "2027-12-31"];
    for (const zone of ["Europe/Copenhagen", "America/New_York", "Pacific/Auckland"]) {
      for (const written of [...days, ...days.map((day) => `${day}T02:30:00`)]) {
        const found = await imported(csvOf([aPerson(1, { plan_expires: written })]), zone);
        assert.deepEqual([found.faults, valuesOf(found, "plan_expires")], [[], [written.slice(0, 10)]], zone);
      }
    }
  });
});
