/**
 * From the values of a row to an organization and a profile, or to everything that is wrong with it. Pure.
 * What a program made of a value on its way is spreadsheets.ts's to tell; whether a row agrees with the
 * others of its file is ledger.ts's, and with what is stored, the store's.
 */

import { parseAddress } from "../../domain/address.ts";
import type { Calendar } from "../../domain/calendar.ts";
import { asOrganizationId, asProfileId, isReservedId, RESERVED_ID_PROBLEM } from "../../domain/ids.ts";
import { ORGANIZATION_FIELDS, PROFILE_FIELDS, readTexts, type TextRule } from "../../domain/record-fields.ts";
import type { ImportRow, Organization } from "../../domain/records.ts";
import { type Column, printable } from "./columns.ts";
import { readLastDay } from "./day.ts";
import { MAX_ROLES, readRoles } from "./role.ts";
import { alterationOf, type Sense, withoutFormulaQuotes } from "./spreadsheets.ts";

/** What is wrong with one value, and what to write instead. */
export interface RowFault {
  /** Null for a row that can't be told apart into columns. */
  column: Column | null;
  problem: string;
  /** The row would have given administrator rights, or touched those who hold some (case A8). */
  isAdministration?: true;
}

export type ParsedRow = { kind: "good"; row: ImportRow } | { kind: "bad"; faults: RowFault[] };

const ID: TextRule = { maximum: 128, sense: "id" };

/** Another word for how an organization or a profile stands: one for one thing is written, both are read. */
const OTHER_STANDINGS = new Map([["active", "enabled"]] as const);

/**
 * What no id and no name holds: control characters, and those that turn the reading direction of what
 * follows.
 */
const UNWANTED = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/**
 * Reads a row. White space around a value is cut; inside a name or a role, any run of it becomes one space,
 * in a name a line end too. Nothing is stored that a program seems to have made of another value.
 */
export function parseRow(values: Readonly<Record<Column, string>>, calendar: Calendar): ParsedRow {
  const faults: RowFault[] = [];
  const fault = (column: Column, problem: string, extra: Pick<RowFault, "isAdministration"> = {}) => {
    faults.push({ column, problem, ...extra });
  };
  const read = (column: Column) => withoutFormulaQuotes(values[column].trim());

  /** Notes what a program made of a value, if it did. */
  const isAltered = (column: Column, value: string, sense: Sense) => {
    const alteration = alterationOf(value, sense);
    if (alteration !== undefined) fault(column, `${printable(value)} ${alteration}`);
    return alteration !== undefined;
  };

  const text = (column: Column, { maximum, sense }: TextRule) => {
    const written = read(column);
    const value = sense === "name" ? written.replace(/\s+/gu, " ") : written;
    if (value === "") fault(column, "is empty; every row needs one");
    else if (value.length > maximum) fault(column, `is longer than ${maximum} characters; shorten it`);
    else if (UNWANTED.test(value)) fault(column, `${printable(value)} holds a control character; remove it`);
    else if (value.includes("\ufffd"))
      fault(column, `${printable(value)} has lost a character; export it as UTF-8`);
    else isAltered(column, written, sense);
    return value;
  };

  const id = (column: Column) => {
    const value = text(column, ID);
    if (isReservedId(value)) fault(column, `${printable(value)}: ${RESERVED_ID_PROBLEM}`);
    return value;
  };

  const choice = <Choice extends string>(
    column: Column,
    choices: readonly [Choice, ...Choice[]],
    others: ReadonlyMap<string, Choice> = new Map(),
  ): Choice => {
    const written = read(column).toLowerCase();
    const found = choices.find((candidate) => candidate === written) ?? others.get(written);
    if (column === "kind" && written === "operator") {
      const problem = `the operator's own organization isn't imported; write ${choices.join(" or ")}`;
      fault(column, problem, { isAdministration: true });
    } else if (found === undefined) {
      const alteration = alterationOf(read(column), "address");
      const why = alteration === undefined ? "" : ` (it ${alteration})`;
      fault(column, `${printable(read(column))} is unknown; write ${choices.join(" or ")}${why}`);
    }
    return found ?? choices[0];
  };

  /** One word for one thing in both columns; the other is what `profile_status` said once. */
  const isEnabled = (column: Column) =>
    choice(column, ["enabled", "disabled"], OTHER_STANDINGS) === "enabled";

  const expiry = (): Organization["plan"]["expiresAt"] => {
    const written = read("plan_expires");
    if (written === "" || isAltered("plan_expires", written, "address")) return null;
    const day = readLastDay(written, calendar);
    if ("end" in day) return day.end;
    fault("plan_expires", day.problem);
    return null;
  };

  const mailbox = () => {
    const address = parseAddress(read("email"));
    const isSpoilt = isAltered("email", read("email"), "address");
    if (address !== undefined && !isSpoilt) return { email: address.address, emailKey: address.key };
    if (isSpoilt) return { email: "", emailKey: "" };
    fault(
      "email",
      `${printable(read("email"))} is no address that mail can go to; write one as anna@contoso.example`,
    );
    return { email: "", emailKey: "" };
  };

  const roles = () => {
    const { roles: names, problem } = readRoles(read("roles"));
    if (problem !== undefined) fault("roles", problem);
    if (names.length > MAX_ROLES) fault("roles", `there are more than ${MAX_ROLES}; write fewer`);
    return names;
  };

  const organization: Organization = {
    id: asOrganizationId(id("organization_id")),
    ...readTexts(ORGANIZATION_FIELDS, text),
    kind: choice("kind", ["customer", "partner"]),
    enabled: isEnabled("organization_status"),
    plan: { status: choice("plan_status", ["active", "suspended", "none"]), expiresAt: expiry() },
  };
  const profile = {
    id: asProfileId(id("profile_id")),
    organizationId: organization.id,
    ...mailbox(),
    ...readTexts(PROFILE_FIELDS, text),
    roles: roles(),
    enabled: isEnabled("profile_status"),
  };
  return faults.length === 0 ? { kind: "good", row: { organization, profile } } : { kind: "bad", faults };
}
