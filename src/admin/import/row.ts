/**
 * From the values of a row to an organization and a profile, or to everything that is wrong with it. Pure. Whether a row
 * agrees with the others of its file is ledger.ts's, and with what is stored, the store's.
 */

import { parseAddress } from "../../domain/address.ts";
import type { Calendar } from "../../domain/calendar.ts";
import { isReservedId, RESERVED_ID_PROBLEM } from "../../domain/ids.ts";
import type { ImportRow, Organization } from "../../storage/records.ts";
import { type Column, printable } from "./columns.ts";

/** What is wrong with one value, and what to write instead. */
export interface RowFault {
  /** Null for a row that can't be told apart into columns. */
  column: Column | null;
  problem: string;
  /** The row would have given administrator rights, or touched those who hold some (case A8). */
  isAdministration?: true;
}

export type ParsedRow = { kind: "good"; row: ImportRow } | { kind: "bad"; faults: RowFault[] };

const MAX_ID = 128;
const MAX_NAME = 200;
const MAX_ROLES = 50;

/** What no id, name or role holds: control characters, and those that turn the reading direction of what follows. */
const UNWANTED = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/** Reads a row. White space around a value is cut; inside a name, any run of it (a line end too) becomes one space. */
export function parseRow(values: Readonly<Record<Column, string>>, calendar: Calendar): ParsedRow {
  const faults: RowFault[] = [];
  const fault = (column: Column, problem: string, extra: Pick<RowFault, "isAdministration"> = {}) => {
    faults.push({ column, problem, ...extra });
  };
  const read = (column: Column) => values[column].trim();

  const text = (column: Column, maximum: number) => {
    const value = maximum === MAX_ID ? read(column) : read(column).replace(/\s+/gu, " ");
    if (value === "") fault(column, "is empty; every row needs one");
    else if (value.length > maximum) fault(column, `is longer than ${maximum} characters; shorten it`);
    else if (UNWANTED.test(value)) fault(column, `${printable(value)} holds a control character; remove it`);
    else if (value.includes("\ufffd")) fault(column, `${printable(value)} has lost a character; export it as UTF-8`);
    return value;
  };

  const id = (column: Column) => {
    const value = text(column, MAX_ID);
    if (isReservedId(value)) fault(column, `${printable(value)}: ${RESERVED_ID_PROBLEM}`);
    return value;
  };

  const choice = <Choice extends string>(column: Column, choices: readonly [Choice, ...Choice[]]): Choice => {
    const written = read(column).toLowerCase();
    const found = choices.find((candidate) => candidate === written);
    if (column === "kind" && written === "operator") {
      const problem = `the operator's own organization isn't imported; write ${choices.join(" or ")}`;
      fault(column, problem, { isAdministration: true });
    } else if (found === undefined)
      fault(column, `${printable(read(column))} is unknown; write ${choices.join(" or ")}`);
    return found ?? choices[0];
  };

  const expiry = (): Organization["plan"]["expiresAt"] => {
    const written = read("plan_expires");
    if (written === "") return null;
    const end = calendar.endOfDay(written);
    if (end !== undefined) return end;
    fault("plan_expires", `${printable(written)} is no date; write YYYY-MM-DD, or nothing for a plan without an end`);
    return null;
  };

  const mailbox = () => {
    const address = parseAddress(values.email);
    if (address !== undefined) return { email: address.address, emailKey: address.key };
    fault("email", `${printable(read("email"))} is no address that mail can go to; write one as anna@contoso.example`);
    return { email: "", emailKey: "" };
  };

  const roles = () => {
    const names = read("roles")
      .split("|")
      .map((role) => role.trim())
      .filter((role) => role !== "");
    const odd = names.find((role) => role.length > MAX_ID || UNWANTED.test(role) || role.includes("\ufffd"));
    if (odd !== undefined) fault("roles", `${printable(odd)} is no role; write names of up to ${MAX_ID} characters`);
    if (names.length > MAX_ROLES) fault("roles", `there are more than ${MAX_ROLES}; write fewer`);
    return [...new Set(names)];
  };

  const organization: Organization = {
    id: id("organization_id"),
    name: text("organization_name", MAX_NAME),
    accountNumber: text("account_number", MAX_ID),
    kind: choice("kind", ["customer", "partner"]),
    enabled: choice("organization_status", ["enabled", "disabled"]) === "enabled",
    plan: { status: choice("plan_status", ["active", "suspended", "none"]), expiresAt: expiry() },
  };
  const profile = {
    id: id("profile_id"),
    organizationId: organization.id,
    ...mailbox(),
    name: text("name", MAX_NAME),
    roles: roles(),
    enabled: choice("profile_status", ["active", "disabled"]) === "active",
  };
  return faults.length === 0 ? { kind: "good", row: { organization, profile } } : { kind: "bad", faults };
}
