/** From bytes to rows, without a store: the CSV, the header, the values. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { COLUMNS, printable, readHeader } from "../../src/admin/import/columns.ts";
import { type CsvRecord, readCsv } from "../../src/admin/import/csv.ts";
import { createLedger } from "../../src/admin/import/ledger.ts";
import { parseRow } from "../../src/admin/import/row.ts";
import { createCalendar } from "../../src/domain/calendar.ts";
import { LiaisonError } from "../../src/errors.ts";
import { aRow, csvOf, type Values } from "../support/import-fixture.ts";

async function read(bytes: string | Buffer, pieceSize = 1_000_000): Promise<CsvRecord[]> {
  const all = Buffer.from(bytes);
  async function* pieces() {
    for (let at = 0; at < all.length; at += pieceSize) yield all.subarray(at, at + pieceSize);
  }
  const records: CsvRecord[] = [];
  for await (const some of readCsv(pieces())) records.push(...some);
  return records;
}

/** Lines, and what stands on them. */
async function rowsOf(bytes: string | Buffer, pieceSize?: number) {
  return (await read(bytes, pieceSize)).map((record) => {
    return [record.line, record.kind === "values" ? record.values : record.kind];
  });
}

describe("reading CSV", () => {
  const cases: [why: string, text: string | Buffer, rows: unknown[]][] = [
    [
      "commas",
      "a,b\n1,2\n",
      [
        [1, ["a", "b"]],
        [2, ["1", "2"]],
      ],
    ],
    [
      "semicolons",
      "a;b\n1,5;2\n",
      [
        [1, ["a", "b"]],
        [2, ["1,5", "2"]],
      ],
    ],
    [
      "a mark",
      "\ufeffa,b\n1,2",
      [
        [1, ["a", "b"]],
        [2, ["1", "2"]],
      ],
    ],
    [
      "CR LF, line ends and quotation marks in values",
      'a;b\r\n"x\r\ny";"q""q"\r\n3;4\r\n',
      [
        [1, ["a", "b"]],
        [2, ["x\r\ny", 'q"q']],
        [4, ["3", "4"]],
      ],
    ],
    [
      "CR alone",
      "a,b\r1,2\r3,4",
      [
        [1, ["a", "b"]],
        [2, ["1", "2"]],
        [3, ["3", "4"]],
      ],
    ],
    [
      "mixed line ends",
      "a,b\r\n1,2\n3,4\r5,6",
      [
        [1, ["a", "b"]],
        [2, ["1", "2"]],
        [3, ["3", "4"]],
        [4, ["5", "6"]],
      ],
    ],
    [
      "empty lines",
      'a,b\n\n\r\n"\n",2\n\n5,6\n',
      [
        [1, ["a", "b"]],
        [4, ["\n", "2"]],
        [7, ["5", "6"]],
      ],
    ],
    [
      "empty values",
      'a,b\n,\n"",\n',
      [
        [1, ["a", "b"]],
        [2, ["", ""]],
        [3, ["", ""]],
      ],
    ],
    [
      "a stray mark costs its line",
      'a,b\n1,x"y\n"3"4,\n5,6\n',
      [
        [1, ["a", "b"]],
        [2, "malformed"],
        [3, "malformed"],
        [4, ["5", "6"]],
      ],
    ],
    [
      "an open mark costs its line",
      'a,b\n1,"2\n3,4\n5,6',
      [
        [1, ["a", "b"]],
        [2, "malformed"],
        [3, ["3", "4"]],
        [4, ["5", "6"]],
      ],
    ],
    [
      "not UTF-8",
      Buffer.from("a,b\n1,\xe5\n5,6\n", "latin1"),
      [
        [1, ["a", "b"]],
        [2, "not_utf8"],
        [3, ["5", "6"]],
      ],
    ],
    ["nothing", "", []],
  ];
  for (const [why, text, rows] of cases) {
    it(why, async () => {
      for (const size of [1, 3, 1_000_000])
        assert.deepEqual(await rowsOf(text, size), rows, `in pieces of ${size}`);
    });
  }

  it("an open mark in a long file costs its line, however long", async () => {
    const rows = await rowsOf(`a,b\n1,"2\n${"3,4\n".repeat(100_000)}`, 1000);
    assert.equal(rows.length, 100_002);
    assert.deepEqual(rows.slice(1, 3), [
      [2, "malformed"],
      [3, ["3", "4"]],
    ]);
    assert.deepEqual(rows.at(-1), [100_002, ["3", "4"]]);
  });

  it("keeps count where blocks meet, within a line end or a quotation mark too", async () => {
    for (let shift = 0; shift < 12; shift += 1) {
      const rows = Array.from({ length: 4000 }, () => '"";"a""b"\r\n').join("");
      const read = await rowsOf(`${"x".repeat(shift)};b\r\n${rows}`, 1000);
      assert.equal(read.length, 4001);
      for (const [index, [line, values]] of read.entries()) {
        assert.equal(line, index + 1);
        if (index > 0) assert.deepEqual(values, ["", 'a"b']);
      }
    }
  });

  it("names the values that aren't UTF-8", async () => {
    const [, record] = await read(Buffer.from('a;b;c\n\xe5;"x;\n\xff";ok\n', "latin1"));
    assert.ok(record?.kind === "not_utf8");
    assert.deepEqual(
      [record.places, record.found],
      [
        [0, 1],
        ["å", "x;\nÿ"],
      ],
    );
  });

  it("says where a broken record breaks, and with what", async () => {
    const [, one, two, three] = await read('a,b,c\n1,"2",x"y\n=1,="2"\n"1,\n');
    assert.ok(one?.kind === "malformed" && two?.kind === "malformed" && three?.kind === "malformed");
    assert.deepEqual([one.place, two.place, three.place], [2, 1, 0]);
    assert.match(one.problem, /a quotation mark stands inside a value; write .*; it begins with "x"y"$/);
    assert.match(two.problem, /isn't text but a formula; .*; it begins with "="2""$/);
    assert.match(three.problem, /is opened and never closed; .*; it begins with ""1,"$/);
  });

  it("refuses UTF-16", async () => {
    await assert.rejects(
      read(Buffer.from("\ufeffa,b\n1,2", "utf16le")),
      /line 1: the file is in UTF-16; save it as UTF-8/,
    );
  });

  it("gives back any values, on their lines, in any style and pieces", async () => {
    const value = fc.string({ unit: fc.constantFrom(...'aå,;"\r\n 🧮'), maxLength: 6 });
    const styles = fc.record({
      delimiter: fc.constantFrom("," as const, ";" as const),
      lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
      mark: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, value)),
        styles,
        fc.nat({ max: 40 }),
        async (pairs, style, size) => {
          const rows = pairs.map(([kind, name]) => ({ kind, name }));
          const text = csvOf(rows, { ...style, columns: ["kind", "name"] });
          let line = 1;
          const expected = [[1, ["kind", "name"]]];
          for (const { kind, name } of rows) {
            expected.push([line + 1, [kind, name]]);
            line += 1 + (`${kind},${name}`.match(/\r\n|\r|\n/g)?.length ?? 0);
          }
          assert.deepEqual(await rowsOf(text, size + 1), expected);
        },
      ),
    );
  });
});

describe("the header", () => {
  it("in any order", () => assert.deepEqual(readHeader(COLUMNS.toReversed()), COLUMNS.toReversed()));

  const wrong: [why: string, names: string[], message: RegExp][] = [
    [
      "missing",
      COLUMNS.slice(2),
      /^line 1: the header lacks organization_id, organization_name\. It must be/,
    ],
    ["unknown", [...COLUMNS, "phone", "Email"], /has the unknown "phone", "Email"\./],
    ["twice", [...COLUMNS, "email"], /has twice email\./],
    [
      "all of it",
      [...COLUMNS.slice(1), "x", "email"],
      /lacks organization_id; it has the unknown "x"; it has twice email\./,
    ],
    [
      "A8 admin_role",
      [...COLUMNS, "admin_role"],
      /no column admin_role: administrators are never made by an import/,
    ],
    ["A8 in other letters", [...COLUMNS, " Admin_Role "], /administrators are never made/],
    ["a polluter", [...COLUMNS, "__proto__"], /unknown "__proto__"/],
  ];
  for (const [why, names, message] of wrong) {
    it(why, () => {
      assert.throws(
        () => readHeader(names),
        (error) => error instanceof LiaisonError && error.code === "usage" && message.test(error.message),
      );
    });
  }
});

describe("the values of a row", () => {
  const calendar = createCalendar("Europe/Copenhagen");
  const parse = (overrides: Partial<Values>) => parseRow(aRow(overrides), calendar);

  it("a good one", () => {
    assert.deepEqual(parse({ name: " Anna\r\n  Berg ", roles: " billing | Søg & ret||billing" }), {
      kind: "good",
      row: {
        organization: {
          id: "org-1",
          name: 'Contoso "Nordic", A/S',
          accountNumber: "C-0047",
          kind: "partner",
          enabled: true,
          plan: { status: "suspended", expiresAt: Date.UTC(2027, 2, 28, 22) },
        },
        profile: {
          id: "profile-1",
          organizationId: "org-1",
          name: "Anna Berg",
          roles: ["billing", "Søg & ret"],
          email: "Anna.Berg@Contoso.example",
          emailKey: "anna.berg@contoso.example",
          enabled: true,
        },
      },
    });
  });

  it("letter case of the choices doesn't matter; no end and no roles are nothing", () => {
    const parsed = parse({ kind: "CUSTOMER", organization_status: "Disabled", plan_expires: "", roles: "" });
    assert.ok(parsed.kind === "good");
    const { kind, enabled, plan } = parsed.row.organization;
    assert.deepEqual(
      [kind, enabled, plan.expiresAt, parsed.row.profile.roles],
      ["customer", false, null, []],
    );
  });

  const wrong: [values: Partial<Values>, column: string, problem: RegExp][] = [
    [{ organization_id: " " }, "organization_id", /is empty/],
    [{ organization_id: "x".repeat(129) }, "organization_id", /longer than 128/],
    [{ profile_id: "a\u202eb" }, "profile_id", /"a\\u\{202e\}b" holds a control character/],
    [{ organization_name: "" }, "organization_name", /is empty/],
    [{ name: "K\ufffdbenhavn" }, "name", /lost a character; export it as UTF-8/],
    [{ name: "Anna\u0007" }, "name", /"Anna\\u\{7\}" holds a control character/],
    [{ name: "x".repeat(201) }, "name", /longer than 200/],
    [{ account_number: "" }, "account_number", /is empty/],
    [{ kind: "reseller" }, "kind", /"reseller" is unknown; write customer or partner/],
    [{ kind: "Operator" }, "kind", /operator's own organization isn't imported/],
    [{ organization_status: "inactive" }, "organization_status", /write enabled or disabled/],
    [{ plan_status: "" }, "plan_status", /"" is unknown; write active or suspended or none/],
    [{ plan_expires: "31/12/2026" }, "plan_expires", /"31\/12\/2026" is no date; write YYYY-MM-DD/],
    [{ plan_expires: "2026-02-29" }, "plan_expires", /is no date/],
    [{ email: "anna@contoso" }, "email", /"anna@contoso" is no address that mail can go to/],
    [{ email: "anna@x.example, bo@x.example" }, "email", /no address/],
    [{ email: "anna@x.example\r\nBcc: eve@x.example" }, "email", /"anna@x\.example\\u\{d\}\\u\{a\}Bcc/],
    [{ roles: "a|b\u0000" }, "roles", /is no role/],
    [{ roles: Array.from({ length: 51 }, (_, index) => `r${index}`).join("|") }, "roles", /more than 50/],
    [{ profile_status: "on" }, "profile_status", /write enabled or disabled/],
  ];
  for (const [values, column, problem] of wrong) {
    it(`${column}: ${printable(Object.values(values).join())}`, () => {
      const parsed = parse(values);
      assert.ok(parsed.kind === "bad");
      assert.deepEqual(
        parsed.faults.map((fault) => fault.column),
        [column],
      );
      assert.match(parsed.faults[0]?.problem ?? "", problem);
    });
  }

  it("all faults of a row at once, whatever stands in it", () => {
    const parsed = parse({ kind: "x", email: "x", plan_expires: "x", name: "" });
    assert.ok(parsed.kind === "bad");
    assert.deepEqual(
      parsed.faults.map(({ column }) => column),
      ["kind", "plan_expires", "email", "name"],
    );
    const values = fc.record(
      Object.fromEntries(COLUMNS.map((column) => [column, fc.string({ unit: "binary" })])),
    );
    fc.assert(fc.property(values, (row) => void parseRow(row as Values, calendar)));
  });
});

describe("rows held against each other", () => {
  const calendar = createCalendar("UTC");
  const row = (overrides: Partial<Values>) => {
    const parsed = parseRow(aRow(overrides), calendar);
    assert.ok(parsed.kind === "good");
    return parsed.row;
  };

  it("an organization must be the same on all its rows, a profile stand once; bad rows enter nothing", () => {
    const ledger = createLedger();
    const enter = (line: number, overrides: Partial<Values>) =>
      ledger
        .enter(row(overrides), line)
        .map(({ column, problem }) => `${column}: ${problem.split(/[;]/)[0]}`);
    assert.deepEqual(enter(2, {}), []);
    assert.deepEqual(enter(3, { profile_id: "profile-2" }), []);
    assert.deepEqual(enter(4, { profile_id: "profile-3", organization_name: "Other", plan_expires: "" }), [
      "organization_name: line 2 says something else of this organization",
      "plan_expires: line 2 says something else of this organization",
    ]);
    assert.deepEqual(enter(5, { profile_id: "profile-3" }), []);
    assert.deepEqual(enter(6, { organization_id: "org-2" }), ["profile_id: stands on line 2 already"]);
    assert.deepEqual(enter(7, { organization_id: "org-2", profile_id: "profile-4", kind: "customer" }), []);
    assert.deepEqual(enter(8, { organization_id: "00123", profile_id: "0" }), []);
    assert.deepEqual(enter(9, { organization_id: "123", profile_id: "5" }), [
      'organization_id: "123" is the id on line 8 but for zeros before it, which a spreadsheet takes away',
    ]);
    assert.deepEqual(enter(10, { organization_id: "00123", profile_id: "00" }), [
      'profile_id: "00" is the id on line 8 but for zeros before it, which a spreadsheet takes away',
    ]);
    assert.deepEqual(enter(11, { organization_id: "00123", profile_id: "123" }), []);
    ledger.fail("org-1");
    ledger.fail("org-3");
    assert.deepEqual(
      [ledger.settle("org-1"), ledger.settle("org-1"), ledger.settle("org-2")],
      [true, false, true],
    );
    assert.equal(ledger.failedOrganizations(), 1);
    ledger.close();
  });
});
