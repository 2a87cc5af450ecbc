/** What spreadsheets and the exports of CRMs put around a table. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { COLUMNS } from "../../src/admin/import/columns.ts";
import { LiaisonError } from "../../src/errors.ts";
import { aPerson, type DryRuns, startDryRuns } from "../support/import-dry-run.ts";
import { csvOf } from "../support/import-fixture.ts";

let runs: DryRuns;
before(async () => {
  runs = await startDryRuns();
});
after(() => runs?.close());
const imported: DryRuns["imported"] = (...call) => runs.imported(...call);

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

const table = csvOf([aPerson(1), aPerson(2)]);
const [header = "", first = "", second = ""] = table.split("\n");

describe("around a table, what can't be meant otherwise is passed over", () => {
  const rows = [aPerson(1), aPerson(2)];
  const semicolons = csvOf(rows, { delimiter: ";", lineEnd: "\r\n", mark: true });
  const wider = (text: string, end: string) =>
    text.replaceAll(/\n(?=.)/g, `${end}\n`).replace(/\n$/, `${end}\n`);
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
      "rows that end before what Dynamics hides",
      [`${header},(Do Not Modify) Row Checksum`, first, `${second},c0ffee`, ""].join("\n"),
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
      [
        header.replace("kind", ",kind"),
        first.replace("partner", ",partner"),
        second.replace("partner", "x,partner"),
      ],
      [
        new RegExp(
          String.raw`^line 3, null: column 4 \(D\) holds "x" and has no name in the header; ` +
            "name the column there, or empty it$",
        ),
      ],
    ],
    [
      "columns left out at the end",
      [header, first, second.split(",").slice(0, -1).join(",")],
      [
        new RegExp(
          "^line 3, null: the row has 11 values, the header names 12; .* " +
            String.raw`nothing stands for profile_status \(Excel`,
        ),
      ],
    ],
    [
      "sums and remarks below the table",
      [
        header,
        first,
        second,
        "",
        "Grand Totals (2 records),,,,,,,,,,,",
        '"Copyright (c) salesforce.com, inc."',
      ],
      [
        new RegExp(
          String.raw`^line 5, null: holds "Grand Totals \(2 records\)" alone: ` +
            "a remark or a sum, and no row; delete the line",
        ),
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
    const { faults } = await imported(
      `${header}\n${first.replace('"Anna Berg, økonomi"', 'Anna "B" Berg')}\n`,
    );
    assert.match(
      faults[0] ?? "",
      new RegExp(
        String.raw`^line 2, null: column 10 \(J, name\): a quotation mark stands inside a value; .*; ` +
          'it begins with "Anna "B" Berg,',
      ),
    );
  });
});

describe("what is no table of values in UTF-8 is refused as a whole, with what to do", () => {
  const tabs = table.replaceAll(",", "\t");
  const cases: [what: string, file: string | Buffer, message: RegExp][] = [
    [
      "tabs",
      tabs,
      /^line 1: the header is separated by tabs; save it with commas or semicolons \(in Excel: Save As/,
    ],
    [
      "tabs below a hint",
      `sep=\t\r\n${tabs}`,
      /^line 2: the header is separated by tabs; save it with commas or semicolons/,
    ],
    ["tabs below a title", `Customers\n${tabs}`, /^line 2: the header is separated by tabs/],
    [
      "upright strokes",
      table.replaceAll(",", "|"),
      /^line 1: the header is separated by \|; save it with commas/,
    ],
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
    [
      "a workbook of old",
      Buffer.from("d0cf11e0a1b11ae1", "hex"),
      /^line 1: the file is a workbook of an older Excel/,
    ],
    ["a page that is called .xls", "\ufeff<html><table><tr><td>1", /^line 1: the file is a page or XML/],
    ["JSON", '[\n  { "organization_id": "1" }]', /^line 1: the file is JSON/],
    [
      "names otherwise written",
      table.replace("email", "E-Mail").replace("organization_id", "Organization ID"),
      new RegExp(
        [
          "^line 1: the header lacks organization_id, email; ",
          String.raw`it has the unknown "Organization ID", "E-Mail"\. .*\n`,
          String.raw`line 1, column 1 \(A\): "Organization ID" is no column; `,
          String.raw`write it organization_id, and save the file again\n`,
          String.raw`line 1, column 9 \(I\): "E-Mail" is no column; `,
          "give it one of these names, or delete the column",
        ].join(""),
      ),
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
    assert.match(
      await refusal(`Customers\n${header},Admin_Role\n`),
      /^line 2: there is no column admin_role/,
    );
  });
});
