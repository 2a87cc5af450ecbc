/** What an import changes, in the words of its columns: each value as it would have to stand in the file. */

import type { Calendar } from "../../domain/calendar.ts";
import { ORGANIZATION_FIELDS, PROFILE_FIELDS } from "../../domain/record-fields.ts";
import type { FieldChange, ImportedRecord } from "../../domain/records.ts";
import type { Column } from "./columns.ts";

export interface RecordChange {
  record: "organization" | "profile";
  id: string;
  result: "added" | "changed";
  /** `before` is null where there was no record. */
  fields: { column: Column; before: string | null; after: string }[];
}

/** The columns by the names of the fields in code. */
const COLUMN_OF: Record<RecordChange["record"], ReadonlyMap<string, Column>> = {
  organization: columnsOf(ORGANIZATION_FIELDS),
  profile: columnsOf(PROFILE_FIELDS),
};

function columnsOf(table: Record<string, { column: Column }>): ReadonlyMap<string, Column> {
  return new Map(Object.entries(table).map(([name, { column }]) => [name, column]));
}

/** The one change that a record's outcome comes to, or none. */
export function changesOf(
  record: RecordChange["record"],
  id: string,
  { result, changes }: ImportedRecord,
  calendar: Calendar,
): RecordChange[] {
  if (result === "unchanged") return [];
  const fields = changes.flatMap(({ field, before, after }) => {
    const column = COLUMN_OF[record].get(field);
    if (column === undefined) return [];
    const write = (value: FieldChange["after"]) => written(value, calendar);
    return [{ column, before: result === "added" ? null : write(before), after: write(after) }];
  });
  return [{ record, id, result, fields }];
}

function written(value: FieldChange["after"], calendar: Calendar): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "enabled" : "disabled";
  if (typeof value === "object") return value.join("|");
  if (typeof value === "string") return value;
  const day = calendar.lastDay(value);
  // A plan that ends within a day was not imported, or in another time zone.
  return calendar.endOfDay(day) === value ? day : new Date(value).toISOString();
}
