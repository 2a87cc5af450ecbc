/**
 * How an import's findings are written: as text for people, or as one JSON object, row by row so that no file
 * is too long.
 */

import type { Writable } from "node:stream";
import { printable } from "../admin/import/columns.ts";
import type { ImportSummary, RowReport } from "../admin/import/import.ts";
import { put } from "./output.ts";

export interface ReportWriter {
  row(report: RowReport): Promise<void>;
  /** Everything was said. */
  end(summary: ImportSummary): Promise<void>;
}

/** Findings about bad rows go to `stderr`, what would change and the summary to `stdout`. */
export function textReport(stdout: Writable, stderr: Writable, dryRun: boolean): ReportWriter {
  return {
    async row(report) {
      if ("faults" in report) {
        for (const { column, problem } of report.faults) {
          await put(stderr, `line ${report.line}${column === null ? "" : `, ${column}`}: ${problem}\n`);
        }
        return;
      }
      for (const { record, id, result, fields } of report.changes) {
        const lines = fields.map(({ column, before, after }) => {
          return `    ${column}: ${before === null ? "" : `${printable(before)} → `}${printable(after)}\n`;
        });
        const sign = result === "added" ? "+" : "~";
        await put(stdout, `line ${report.line}: ${sign} ${record} ${printable(id)}\n${lines.join("")}`);
      }
    },
    async end(summary) {
      await put(stdout, describe(summary, dryRun));
      if (summary.stopped !== null) await put(stderr, `liaison: ${summary.stopped}\n`);
    },
  };
}

function describe(summary: ImportSummary, dryRun: boolean): string {
  const { rows, badRows, organizations, profiles, revokedGrants, endsMore } = summary;
  const counts = (of: ImportSummary["profiles"]) =>
    [of.added, of.changed, of.unchanged, of.failed].map((count) => String(count).padStart(11)).join("");
  const lines = [
    `                     added    changed  unchanged     failed`,
    `organizations  ${counts(organizations)}`,
    `profiles       ${counts(profiles)}`,
    `${rows} ${rows === 1 ? "row" : "rows"}, ${badRows} of them ` +
      `bad${dryRun ? "; dry run: nothing was written" : ""}`,
  ];
  if (revokedGrants > 0) lines.push(`${revokedGrants} sign-ins at portals ended, of what was disabled`);
  if (endsMore) lines.push("so did all of what had very many, which weren't counted");
  return `${lines.join("\n")}\n`;
}

/**
 * `{ file, dry_run, rows: [{ line, errors | changes }], organizations, profiles, … }`, as docs/import.md has
 * it.
 */
export function jsonReport(stdout: Writable, file: string, dryRun: boolean): ReportWriter {
  let written = 0;
  const open = () => `{"file":${JSON.stringify(file)},"dry_run":${dryRun},"rows":[`;
  return {
    async row(report) {
      const value =
        "faults" in report
          ? { line: report.line, errors: report.faults.map(({ column, problem }) => ({ column, problem })) }
          : { line: report.line, changes: report.changes };
      await put(stdout, `${written === 0 ? open() : ","}${JSON.stringify(value)}`);
      written += 1;
    },
    async end({ rows, badRows, organizations, profiles, revokedGrants, stopped }) {
      const rest = JSON.stringify({
        row_count: rows,
        bad_rows: badRows,
        organizations,
        profiles,
        revoked_grants: revokedGrants,
        stopped,
      });
      await put(stdout, `${written === 0 ? open() : ""}],${rest.slice(1)}\n`);
    },
  };
}
