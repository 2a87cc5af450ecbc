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
  const reading: Reading = {
    value: (column) => withoutFormulaQuotes(values[column].trim()),
    fault: (column, problem, extra = {}) => void faults.push({ column, problem, ...extra }),
  };
  const text = (column: Column, rule: TextRule) => readText(reading, column, rule);

  const organization: Organization = {
    id: asOrganizationId(readId(reading, "organization_id")),
    ...readTexts(ORGANIZATION_FIELDS, text),
    kind: readKind(reading),
    enabled: readStanding(reading, "organization_status"),
    plan: {
      status: readChoice(reading, "plan_status", ["active", "suspended", "none"]),
      expiresAt: readExpiry(reading, calendar),
    },
  };
  const profile = {
    id: asProfileId(readId(reading, "profile_id")),
    organizationId: organization.id,
    ...readMailbox(reading),
    ...readTexts(PROFILE_FIELDS, text),
    roles: readRoleNames(reading),
    enabled: readStanding(reading, "profile_status"),
  };
  return faults.length === 0 ? { kind: "good", row: { organization, profile } } : { kind: "bad", faults };
}

/** A row that is being read: its values, and where what is wrong with them is noted. */
interface Reading {
  value(column: Column): string;
  fault(column: Column, problem: string, extra?: Pick<RowFault, "isAdministration">): void;
}

/** Notes what a program made of a value, if it did. */
function isAltered({ fault }: Reading, column: Column, value: string, sense: Sense): boolean {
  const alteration = alterationOf(value, sense);
  if (alteration !== undefined) fault(column, `${printable(value)} ${alteration}`);
  return alteration !== undefined;
}

function readText(reading: Reading, column: Column, { maximum, sense, isOptional }: TextRule): string {
  const { fault } = reading;
  const written = reading.value(column);
  const value = sense === "name" ? written.replace(/\s+/gu, " ") : written;
  if (value === "" && isOptional) return value;
  if (value === "") fault(column, "is empty; every row needs one");
  else if (value.length > maximum) fault(column, `is longer than ${maximum} characters; shorten it`);
  else if (UNWANTED.test(value)) fault(column, `${printable(value)} holds a control character; remove it`);
  else if (value.includes("\ufffd"))
    fault(column, `${printable(value)} has lost a character; export it as UTF-8`);
  else isAltered(reading, column, written, sense);
  return value;
}

function readId(reading: Reading, column: Column): string {
  const value = readText(reading, column, ID);
  if (isReservedId(value)) reading.fault(column, `${printable(value)}: ${RESERVED_ID_PROBLEM}`);
  return value;
}

type Choices<Choice extends string> = readonly [Choice, ...Choice[]];

function readChoice<Choice extends string>(
  { value, fault }: Reading,
  column: Column,
  choices: Choices<Choice>,
  others: ReadonlyMap<string, Choice> = new Map(),
): Choice {
  const written = value(column).toLowerCase();
  const found = choices.find((candidate) => candidate === written) ?? others.get(written);
  if (found !== undefined) return found;
  const alteration = alterationOf(value(column), "address");
  const why = alteration === undefined ? "" : ` (it ${alteration})`;
  fault(column, `${printable(value(column))} is unknown; write ${choices.join(" or ")}${why}`);
  return choices[0];
}

const KINDS = ["customer", "partner"] as const;

function readKind(reading: Reading): (typeof KINDS)[number] {
  if (reading.value("kind").toLowerCase() !== "operator") return readChoice(reading, "kind", KINDS);
  const problem = `the operator's own organization isn't imported; write ${KINDS.join(" or ")}`;
  reading.fault("kind", problem, { isAdministration: true });
  return KINDS[0];
}

/** Whether a record is enabled: one word for one thing, in both columns. */
function readStanding(reading: Reading, column: "organization_status" | "profile_status"): boolean {
  return readChoice(reading, column, ["enabled", "disabled"], OTHER_STANDINGS) === "enabled";
}

function readExpiry(reading: Reading, calendar: Calendar): Organization["plan"]["expiresAt"] {
  const written = reading.value("plan_expires");
  if (written === "" || isAltered(reading, "plan_expires", written, "address")) return null;
  const day = readLastDay(written, calendar);
  if ("end" in day) return day.end;
  reading.fault("plan_expires", day.problem);
  return null;
}

function readMailbox(reading: Reading): { email: string; emailKey: string } {
  const written = reading.value("email");
  const address = parseAddress(written);
  const isSpoilt = isAltered(reading, "email", written, "address");
  if (address !== undefined && !isSpoilt) return { email: address.address, emailKey: address.key };
  if (!isSpoilt) {
    const problem = "is no address that mail can go to; write one as anna@contoso.example";
    reading.fault("email", `${printable(written)} ${problem}`);
  }
  return { email: "", emailKey: "" };
}

function readRoleNames({ value, fault }: Reading): string[] {
  const { roles: names, problem } = readRoles(value("roles"));
  if (problem !== undefined) fault("roles", problem);
  if (names.length > MAX_ROLES) fault("roles", `there are more than ${MAX_ROLES}; write fewer`);
  return names;
}
