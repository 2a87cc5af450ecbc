/**
 * CSV that is written for people's spreadsheets (RFC 4180): values come from elsewhere, and none of them may
 * become a formula there (OWASP, "CSV Injection").
 */

import type { z } from "zod";
import type { auditEvent } from "./definitions/audit.ts";

type AuditRecord = z.output<typeof auditEvent>;

const auditColumns = [
  "id",
  "at",
  "action",
  "actor",
  "profile_id",
  "organization_id",
  "account_id",
  "request_id",
  "detail",
] as const as readonly (keyof AuditRecord)[];

/** The first line of a file of audit events. */
export const AUDIT_CSV_HEADER = csvLine(auditColumns);

/** An audit event as a line; its detail is JSON text in one cell. */
export function auditCsvLine(event: AuditRecord): string {
  return csvLine(
    auditColumns.map((column) => {
      const value = event[column] ?? "";
      return typeof value === "string" ? value : JSON.stringify(value);
    }),
  );
}

/** One line, its end included. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(value: string): string {
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
