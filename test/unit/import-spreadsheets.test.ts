/** What spreadsheets and the exports of CRMs put around a table, and what they do to values on their way. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { COLUMNS, type Column } from "../../src/admin/import/columns.ts";
import { type ImportSummary, importDirectory, type RowReport } from "../../src/admin/import/import.ts";
import { systemClock } from "../../src/clock.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { aRow, csvOf, type Values } from "../support/import-kit.ts";

let folder: string;
let store: Store;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "liaison-spreadsheets-"));
  store = await openStore({
    sqlite: { file: join(folder, "liaison.db") },
    encryptionKey: Buffer.alloc(32, 7).toString("base64"),
  });
});
after(async () => {
  await store?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Imported {
  summary: ImportSummary;
  rows: RowReport[];
  /** `line N, column: what is wrong`, as the command writes it. */
  faults: string[];
}

/** What a dry run into an empty directory says. */
async function imported(file: string | Buffer, timeZone = "Europe/Copenhagen"): Promise<Imported> {
  const rows: RowReport[] = [];
  async function* source() {
    yield Buffer.from(file);
  }
  const summary = await importDirectory(
    { store, clock: systemClock, timeZone, actor: "test", mailDomain: "example.com" },
    {
      source: source(),
      dryRun: true,
      signal: new AbortController().signal,
      onRow: async (row) => void rows.push(row),
      onProgress: () => undefined,
    },
  );
  const faults = rows.flatMap((row) =>
    "faults" in row ? row.faults.map(({ column, problem }) => `line ${row.line}, ${column}: ${problem}`) : [],
  );
  return { summary, rows, faults };
}

/** What a file is refused with as a whole. */
async function refusal(file: string | Buffer): Promise<string> {
  try {
    await imported(file);
  } catch (error) {
    assert.ok(error instanceof LiaisonError && error.code === "usage", String(error));
    return error.message;
  }
  return assert.fail("it was read");
}

const person = (index: number, overrides: Partial<Values> = {}) =>
  aRow({ profile_id: `p-${index}`, email: `p${index}@contoso.example`, ...overrides });
const table = csvOf([person(1), person(2)]);
const [header = "", first = "", second = ""] = table.split("\n");

/** What the file says of a column, as a dry run shows it. */
function valuesOf({ rows }: Imported, column: Column): string[] {
  return rows.flatMap((row) =>
    "changes" in row
      ? row.changes.flatMap(({ fields }) => fields.filter((field) => field.column === column).map(({ after }) => after))
      : [],
  );
}

describe("around a table, what can't be meant otherwise is passed over", () => {
  const rows = [person(1), person(2)];
  const semicolons = csvOf(rows, { delimiter: ";", lineEnd: "\r\n", mark: true });
  const wider = (text: string, end: string) => text.replaceAll(/\n(?=.)/g, `${end}\n`).replace(/\n$/, `${end}\n`);
  const dynamics = ["(Do Not Modify) Contact", "(Do Not Modify) Row Checksum", ...COLUMNS];
  const cases: [what: string, file: string | Buffer][] = [
    ["a mark, semicolons, CR LF", semicolons],
    ["two marks", `\ufeff${semicolons}`],
    ["empty columns at the end of the header and of the rows", wider(table, ",,,")],
    ["empty columns at the end of rows alone", [header, `${first},,`, `${second}, ,\u00a0`, ""].join("\n")],
    ["empty columns at the end of the header alone", [`${header},,`, first, second, ""].join("\n")],
    [
      "empty columns between and before",
      csvOf(rows, { columns: ["", ...COLUMNS.slice(0, 4), "", ...COLUMNS.slice(4)] }),
    ],
    [
      "empty rows, of separators, of blanks and of nothing",
      [header, ",,,,,,,,,,,", first, "", " , ", second, ",,,", ""].join("\n"),
    ],
    ["the hint by which Excel knows the separator", `sep=;\r\n${csvOf(rows, { delimiter: ";" })}`],
    ["the hint behind a mark, filled up by a program that doesn't know it", `\ufeff"sep=;",,,,\n${table}`],
    ["empty lines above the header", `\r\n\r\n${csvOf(rows, { delimiter: ";" })}`],
    [
      "a title above the header, in as many columns",
      `Customers; all,;;;;;;;;;;\n;;;;;;;;;;;\n${csvOf(rows, { delimiter: ";" })}`,
    ],
    ["the name of a table above the header", `Table 1\n\n${table}`],
    [
      "what Dynamics hides",
      csvOf(
        rows.map((row) => ({ ...row, "(Do Not Modify) Contact": "c0ffee" })),
        { columns: dynamics },
      ),
    ],
    [
      "every value in quotation marks",
      [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]
        .map((values) => values.map((value) => `"${value.replaceAll('"', '""')}"`).join(";"))
        .join("\r"),
    ],
  ];
  for (const [what, file] of cases) {
    it(what, async () => {
      const { summary, faults } = await imported(file);
      assert.deepEqual(faults, []);
      assert.deepEqual([summary.rows, summary.profiles.added, summary.organizations.added], [2, 2, 1]);
    });
  }
});

describe("around a table, what may be meant otherwise is told of, and the rest is read", () => {
  const cases: [what: string, lines: string[], faults: RegExp[]][] = [
    [
      "a value in a column without a name",
      [`${header},,`, first, `${second},,x`],
      [/^line 3, null: the row has 14 values, the header names 12; .* column 14 \(N\) holds "x"$/],
    ],
    [
      "a value in such a column between",
      [header.replace("kind", ",kind"), first.replace("partner", ",partner"), second.replace("partner", "x,partner")],
      [/^line 3, null: column 4 \(D\) holds "x" and has no name in the header; name the column there, or empty it$/],
    ],
    [
      "columns left out at the end",
      [header, first, second.split(",").slice(0, -1).join(",")],
      [/^line 3, null: the row has 11 values, the header names 12; .* nothing stands for profile_status \(Excel/],
    ],
    [
      "sums and remarks below the table",
      [header, first, second, "", "Grand Totals (2 records),,,,,,,,,,,", '"Copyright (c) salesforce.com, inc."'],
      [
        /^line 5, null: holds "Grand Totals \(2 records\)" alone: a remark or a sum, and no row; delete the line/,
        /^line 6, null: holds "Copyright \(c\) salesforce\.com, inc\." alone/,
      ],
    ],
    [
      "the header of a second file behind the first",
      [header, first, `\ufeff${header}`, second],
      [/^line 3, null: is the header once more; delete the line$/],
    ],
    [
      "a row whose quotation marks a program took away",
      [header, first, second.replaceAll('"', "")],
      [/^line 3, null: the row has 14 values, the header names 12;/],
    ],
  ];
  for (const [what, lines, expected] of cases) {
    it(what, async () => {
      const { summary, faults } = await imported(`${lines.join("\n")}\n`);
      assert.equal(faults.length, expected.length, faults.join("\n"));
      for (const [index, fault] of expected.entries()) assert.match(faults[index] ?? "", fault);
      assert.equal(summary.profiles.added, summary.rows - expected.length);
    });
  }

  it("bytes of another encoding are shown with their column, and where to choose UTF-8", async () => {
    const row = second.replace("økonomi", "ökonomi");
    const { faults } = await imported(
      Buffer.concat([Buffer.from(`${header}\n${first}\n`), Buffer.from(row, "latin1")]),
    );
    assert.match(
      faults[0] ?? "",
      /^line 3, name: "Anna Berg, ökonomi" isn't in UTF-8; save the file as UTF-8 \(in Excel: Save As/,
    );
  });

  it("quotation marks that don't match are shown with their column", async () => {
    const { faults } = await imported(`${header}\n${first.replace('"Anna Berg, økonomi"', 'Anna "B" Berg')}\n`);
    assert.match(
      faults[0] ?? "",
      /^line 2, null: column 10 \(J, name\): a quotation mark stands inside a value; .*; it begins with "Anna "B" Berg,/,
    );
  });
});

describe("what is no table of values in UTF-8 is refused as a whole, with what to do", () => {
  const tabs = table.replaceAll(",", "\t");
  const cases: [what: string, file: string | Buffer, message: RegExp][] = [
    ["tabs", tabs, /^line 1: the header is separated by tabs; save it with commas or semicolons \(in Excel: Save As/],
    [
      "tabs below a hint",
      `sep=\t\r\n${tabs}`,
      /^line 2: the header is separated by tabs; save it with commas or semicolons/,
    ],
    ["tabs below a title", `Customers\n${tabs}`, /^line 2: the header is separated by tabs/],
    ["upright strokes", table.replaceAll(",", "|"), /^line 1: the header is separated by \|; save it with commas/],
    [
      "all of a row in one cell",
      `${table
        .split("\n")
        .map((line) => `"${line.replaceAll('"', '""')}"`)
        .join("\n")}\n`,
      /^line 1: the header stands in one cell, with commas in it; divide the column/,
    ],
    [
      "UTF-16 with a mark",
      Buffer.from(`\ufeff${tabs}`, "utf16le"),
      /^line 1: the file is in UTF-16; save it as UTF-8 \(in Excel/,
    ],
    ["UTF-16 without one", Buffer.from(tabs, "utf16le"), /^line 1: the file is in UTF-16; save it as UTF-8/],
    ["UTF-16, the other way round", Buffer.from(table, "utf16le").swap16(), /^line 1: the file is in UTF-16/],
    [
      "a workbook",
      Buffer.from("PK\u0003\u0004xl/workbook.xml", "latin1"),
      /^line 1: the file is a workbook, or another zip file; save it as CSV/,
    ],
    ["a workbook of old", Buffer.from("d0cf11e0a1b11ae1", "hex"), /^line 1: the file is a workbook of an older Excel/],
    ["a page that is called .xls", "\ufeff<html><table><tr><td>1", /^line 1: the file is a page or XML/],
    ["JSON", '[\n  { "organization_id": "1" }]', /^line 1: the file is JSON/],
    [
      "names otherwise written",
      table.replace("email", "E-Mail").replace("organization_id", "Organization ID"),
      /^line 1: the header lacks organization_id, email; it has the unknown "Organization ID", "E-Mail"\. .*\nline 1, column 1 \(A\): "Organization ID" is no column; write it organization_id, and save the file again\nline 1, column 9 \(I\): "E-Mail" is no column; give it one of these names, or delete the column/,
    ],
    [
      "a header that was sorted with the rows",
      `${first}\n${header}\n${second}\n`,
      /^line 1: the header lacks organization_id, /,
    ],
    [
      "a header after rows of few values",
      `${"a,b\n".repeat(11)}${table}`,
      /^line 1: the header lacks organization_id, /,
    ],
    [
      "a header of another encoding",
      Buffer.from("størrelse;b;c\n1;2;3\n", "latin1"),
      /^line 1: the header isn't UTF-8; save the file as UTF-8 \(in Excel/,
    ],
    [
      "marks that don't match in the header",
      `${header.replace("kind", 'ki"nd')}\n${first}\n`,
      /^line 1: column 4 \(D\): a quotation mark stands inside a value/,
    ],
    [
      "a hint above a wrong header",
      "sep=;\r\na;b\r\n1;2\r\n",
      /^line 2: the header lacks organization_id, .* has the unknown "a", "b"\./,
    ],
    ["nothing", "\ufeff\r\n\r\n", /^line 1: the file is empty; it needs a header/],
  ];
  for (const [what, file, message] of cases) {
    it(what, async () => assert.match(await refusal(file), message));
  }

  it("an administrator's column below a title is still found out", async () => {
    assert.match(await refusal(`Customers\n${header},Admin_Role\n`), /^line 2: there is no column admin_role/);
  });
});

/** What comes of one value in an otherwise good row: its faults, or nothing. */
async function faultsWith(overrides: Partial<Values>): Promise<string[]> {
  return (await imported(csvOf([person(1, overrides)]))).faults;
}

describe("values that a program made of others are told of, never stored", () => {
  const ids: Column[] = ["organization_id", "account_number", "profile_id"];
  const idCases: [value: string, problem: RegExp][] = [
    ["1.23E+15", /is a number that a spreadsheet cut short; give the cells the format Text/],
    ["1,23457E+11", /cut short/],
    ["1.2e+21", /cut short/],
    ["4711.0", /is written as an amount/],
    ["1,234", /is written as an amount/],
    ["02-Jan", /is a day or a time that a spreadsheet made of something else/],
    ["Mrz 26", /is a day or a time/],
    ["01/03/2026", /is a day or a time/],
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
    ["kind", "#N/A", /"#N\/A" is unknown; write customer or partner \(it is an error that a spreadsheet shows/],
    [
      "profile_status",
      "FALSE",
      /"FALSE" is unknown; write enabled or disabled \(it is how a spreadsheet writes yes or no/,
    ],
    ["plan_status", "1", /"1" is unknown; write active or suspended or none$/],
    [
      "plan_expires",
      "45291",
      /"45291" is no date, but the number that a spreadsheet keeps for one \(2023-12-31, if it counts from 1900\); write YYYY-MM-DD/,
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
      person(index, { profile_id: `12345678901234${String(index).padStart(4, "0")}` }),
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
});

describe("values that are as they were written", () => {
  const cases: [column: Column, value: string, read?: string][] = [
    ["organization_id", "00123"],
    ["organization_id", '="00123"', "00123"],
    ["organization_id", "\u00a0crm-1\u00a0", "crm-1"],
    ["organization_id", "\t00123", "00123"],
    ["organization_id", "12E5"],
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
      const found = await imported(csvOf([person(1, { [column]: value })]));
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
      const found = await imported(csvOf([person(1, { plan_expires })]), timeZone);
      return found.faults[0] ?? valuesOf(found, "plan_expires")[0];
    };
    const midnightInCopenhagen = "2027-12-30T23:00:00Z";
    assert.match(
      (await at(midnightInCopenhagen, "Europe/Copenhagen")) ?? "",
      /^line 2, plan_expires: "2027-12-30T23:00:00Z" is 2027-12-31 in the time zone of this deployment, and another day/,
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
        const found = await imported(csvOf([person(1, { plan_expires: written })]), zone);
        assert.deepEqual([found.faults, valuesOf(found, "plan_expires")], [[], [written.slice(0, 10)]], zone);
      }
    }
  });
});
