/** The audit as CSV: what a spreadsheet would take for a formula is text. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AUDIT_CSV_HEADER, auditCsvLine, csvLine } from "../../src/admin/csv-out.ts";

describe("CSV of the audit", () => {
  const cells: [string, string][] = [
    ["plain", "plain"],
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\tx", "'\tx"],
    ["\rx", `"'\rx"`],
    ['say "hi", all', '"say ""hi"", all"'],
    ['=HYPERLINK("x","y")', `"'=HYPERLINK(""x"",""y"")"`],
    ["two\nlines", '"two\nlines"'],
    ["", ""],
  ];
  for (const [value, written] of cells) {
    it(`${JSON.stringify(value)} → ${JSON.stringify(written)}`, () =>
      assert.equal(csvLine([value]), `${written}\r\n`));
  }

  it("an event", () => {
    assert.equal(
      AUDIT_CSV_HEADER.trim(),
      "id,at,action,actor,profile_id,organization_id,account_id,request_id,detail",
    );
    const event = {
      id: "1",
      at: "2027-01-01T00:00:00.000Z",
      action: "x",
      actor: "=cmd",
      profile_id: "-p",
      organization_id: null,
      account_id: null,
      request_id: null,
      detail: { name: "a,b", count: 2 },
    };
    const written = `1,2027-01-01T00:00:00.000Z,x,'=cmd,'-p,,,,"{""name"":""a,b"",""count"":2}"\r\n`;
    assert.equal(auditCsvLine(event), written);
  });
});
