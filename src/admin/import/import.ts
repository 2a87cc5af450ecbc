/**
 * Imports organizations and their profiles from CSV into the directory, batch by batch, each batch one
 * transaction of the store. What was written stays written: an import that was cut short is run again, and
 * finds that part unchanged. How its findings are shown is the caller's.
 */

import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { type Calendar, createCalendar } from "../../domain/calendar.ts";
import type { ImportOutcome, ImportRow } from "../../domain/records.ts";
import { LiaisonError } from "../../errors.ts";
import { Pace } from "../../pace.ts";
import type { AuditStore, DirectoryStore } from "../../storage/contract.ts";
import { changesOf, type RecordChange } from "./changes.ts";
import { AdminColumnError, type Header, isNamed, layOut, placeName, printable } from "./columns.ts";
import { type CsvRecord, readCsv } from "./csv.ts";
import { createHeaderSearch } from "./header-search.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { createRoundingWatch } from "./rounding.ts";
import { parseRow, type RowFault } from "./row.ts";
import { SAVE_AS_CSV } from "./spreadsheets.ts";

/**
 * How many rows one transaction takes: some share one flush to disk, and nobody waits long for the write
 * lock.
 */
const BATCH_ROWS = { least: 25, most: 100 };

export interface ImportParts {
  store: { directory: Pick<DirectoryStore, "importBatch">; audit: Pick<AuditStore, "append"> };
  clock: Clock;
  /** In which days end: an IANA name. */
  timeZone: string;
  /** Who imports, as audit events name it. */
  actor: string;
  /** The domain of our Message-IDs: both addresses of a changed email are told. Without it nobody is. */
  mailDomain: string;
}

export interface ImportCall {
  source: AsyncIterable<Uint8Array>;
  /** Compare alone: nothing is written. */
  dryRun: boolean;
  /** Aborted when the import is to stop after the batch under way. */
  signal: AbortSignal;
  /**
   * Told of every bad row, and in a dry run of every row that would change something, in the file's order.
   */
  onRow(row: RowReport): Promise<void>;
  /** Told after each batch how far it came. */
  onProgress(progress: { rows: number; bytes: number }): void;
}

/** What a row came to. `line` is the line of the file that it begins on. */
export type RowReport = { line: number } & ({ faults: RowFault[] } | { changes: RecordChange[] });

interface Counts {
  added: number;
  changed: number;
  unchanged: number;
  failed: number;
}

export interface ImportSummary {
  rows: number;
  badRows: number;
  /** An organization counts once, however many rows it has; as failed if all of them are bad. */
  organizations: Counts;
  profiles: Counts;
  /** Sign-ins at portals that ended because a profile or organization was disabled. */
  revokedGrants: number;
  /** Others were ended, too, which nobody counted: their rows go in the background. */
  endsMore: boolean;
  /** Why it ended before the end of the file, or null. What was counted is done. */
  stopped: string | null;
}

/**
 * Runs an import. Throws `usage`, with nothing written, when the file's header is wrong. Where the store
 * fails or `signal` asks for it, it stops and says how far it came.
 */
export async function importDirectory(parts: ImportParts, call: ImportCall): Promise<ImportSummary> {
  const ledger = createLedger();
  try {
    const run = new Run(parts, call, ledger);
    try {
      await takeAll(run, call);
    } catch (error) {
      // Whoever asks it to stop may do so by ending what it reads from.
      if (call.signal.aborted) return run.summary();
      if (!(error instanceof LiaisonError) || error.code === "usage") throw error;
      return run.summary(error.message);
    }
    return run.summary();
  } finally {
    ledger.close();
  }
}

async function takeAll(run: Run, { source, signal }: ImportCall): Promise<void> {
  for await (const records of readCsv(source)) {
    for (const record of records) {
      await run.take(record);
      if (signal.aborted) return;
    }
  }
  await run.end();
}

/**
 * How many rows wait behind one in doubt for what the file says further on: it bounds what an import keeps in
 * memory.
 */
const MOST_HELD_ROWS = 1000;

/** `doubts`: numbers that may have been rounded, which more of the file decides. */
type Entry = { line: number } & (
  | { kind: "bad"; faults: RowFault[] }
  | { kind: "good"; row: ImportRow; doubts: readonly RowFault[] }
);

/** One import under way. */
class Run {
  readonly #parts: ImportParts;
  readonly #call: ImportCall;
  readonly #ledger: Ledger;
  readonly #calendar: Calendar;
  readonly #pace = new Pace(BATCH_ROWS);
  readonly #search = createHeaderSearch();
  readonly #rounding = createRoundingWatch();
  #header: Header | undefined;
  /** Rows that aren't in a batch yet, in the file's order: the first of them is in doubt. */
  readonly #held: Entry[] = [];
  #batch: Entry[] = [];
  #line = 0;
  #rows = 0;
  #bytes = 0;
  #revokedGrants = 0;
  #endsMore = false;
  readonly #organizations = { added: 0, changed: 0, unchanged: 0 };
  readonly #profiles: Counts = { added: 0, changed: 0, unchanged: 0, failed: 0 };
  readonly #administration = { rows: 0, firstLine: 0 };

  constructor(parts: ImportParts, call: ImportCall, ledger: Ledger) {
    this.#parts = parts;
    this.#call = call;
    this.#ledger = ledger;
    this.#calendar = createCalendar(parts.timeZone);
  }

  /** Takes the next record of the file: its header, what stands above that, or a row. */
  async take(record: CsvRecord): Promise<void> {
    if (this.#header === undefined) {
      this.#header = await this.#seekHeader(record);
      return;
    }
    if (record.kind === "values" && record.values.every((value) => value.trim() === "")) return;
    this.#bytes = record.end;
    this.#held.push(this.#enter(record, this.#header));
    await this.#release(MOST_HELD_ROWS);
  }

  /** Writes what is left, and notes if somebody tried for administrator rights. */
  async end(): Promise<void> {
    if (this.#header === undefined) this.#search.refuseWithout();
    await this.#release(0);
    if (this.#call.signal.aborted) return;
    await this.#flush();
    const { rows, firstLine } = this.#administration;
    if (rows > 0) await this.#noteAdministration({ rows, firstLine });
  }

  /** What was done so far. `problem`: why it can't go on. */
  summary(problem?: string): ImportSummary {
    const reason = problem ?? (this.#call.signal.aborted ? "it was asked to stop." : null);
    return {
      rows: this.#rows,
      badRows: this.#profiles.failed,
      organizations: { ...this.#organizations, failed: this.#ledger.failedOrganizations() },
      profiles: { ...this.#profiles },
      revokedGrants: this.#revokedGrants,
      endsMore: this.#endsMore,
      stopped: reason && `stopped after line ${this.#line}: ${reason} Run it again to do the rest.`,
    };
  }

  async #seekHeader(record: CsvRecord): Promise<Header | undefined> {
    try {
      return this.#search.take(record);
    } catch (error) {
      if (error instanceof AdminColumnError) await this.#noteAdministration({ column: "admin_role" });
      throw error;
    }
  }

  #enter(record: CsvRecord, header: Header): Entry {
    const { line } = record;
    const bad = (faults: RowFault[]): Entry => ({ kind: "bad", line, faults });
    if (record.kind === "malformed") {
      return bad([{ column: null, problem: `${placeName(record.place, header)}: ${record.problem}` }]);
    }
    if (record.kind === "not_utf8")
      return bad(record.places.map((place, index) => notUtf8(header, place, record.found[index])));
    const laid = layOut(record.values, header);
    if ("problem" in laid) return bad([{ column: null, problem: laid.problem }]);
    const { values } = laid;
    const doubts = this.#rounding.note(values);
    const parsed = parseRow(values, this.#calendar);
    const faults = parsed.kind === "bad" ? parsed.faults : this.#ledger.enter(parsed.row, line);
    if (faults.length === 0 && parsed.kind === "good") return { kind: "good", line, row: parsed.row, doubts };
    const id = values.organization_id.trim();
    if (id) this.#ledger.fail(id);
    return bad(faults);
  }

  /**
   * Moves rows into the batch, and writes that when it is full, up to the first one that is still in doubt
   * with no more than `most` held. When a row is decided so depends on the file alone, and not on how many
   * rows a batch takes.
   */
  async #release(most: number): Promise<void> {
    for (
      let first = this.#held[0];
      first !== undefined && !this.#call.signal.aborted;
      first = this.#held[0]
    ) {
      const isOpen = first.kind === "good" && this.#rounding.isOpen(first.doubts);
      if (isOpen && this.#held.length <= most) return;
      this.#held.shift();
      this.#batch.push(this.#settled(first));
      const isFull = this.#batch.length >= (this.#call.dryRun ? BATCH_ROWS.most : this.#pace.size);
      if (isFull) await this.#flush();
    }
  }

  /** A row as it is to be written, by all that is known of the file by now. */
  #settled(entry: Entry): Entry {
    if (entry.kind === "bad" || entry.doubts.length === 0) return entry;
    const faults = this.#rounding.accountAtClient(entry.doubts);
    if (faults.length === 0) return entry;
    this.#ledger.fail(entry.row.organization.id);
    return { kind: "bad", line: entry.line, faults };
  }

  /** Writes the batch and tells what came of each of its rows. */
  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    const rows = batch.flatMap((entry) => (entry.kind === "good" ? [entry.row] : []));
    const { store, actor, clock, mailDomain } = this.#parts;
    const { dryRun } = this.#call;
    const put = () => store.directory.importBatch(rows, actor, clock.now(), { dryRun, mailDomain });
    const { outcomes, revokedGrants, goesOn = false } = dryRun ? await put() : await this.#pace.turn(put);
    this.#revokedGrants += revokedGrants.length;
    this.#endsMore ||= goesOn;
    let good = 0;
    for (const entry of batch) {
      this.#line = entry.line;
      this.#rows += 1;
      if (entry.kind === "bad") await this.#tellBad(entry.line, entry.faults);
      else await this.#settle(entry.line, entry.row, outcomes[good++]);
    }
    this.#call.onProgress({ rows: this.#rows, bytes: this.#bytes });
  }

  async #settle(line: number, row: ImportRow, outcome: ImportOutcome | undefined): Promise<void> {
    if (outcome === undefined) throw new TypeError("the store gave no outcome for a row");
    if (outcome.result === "refused") {
      this.#ledger.fail(row.organization.id);
      await this.#tellBad(line, [refusal(outcome.reason)]);
      return;
    }
    // A dry run finds an organization that isn't stored yet as new on each of its rows.
    const isFirst = this.#ledger.settle(row.organization.id);
    if (isFirst) this.#organizations[outcome.organization.result] += 1;
    this.#profiles[outcome.profile.result] += 1;
    if (!this.#call.dryRun) return;
    const changes = [
      ...(isFirst
        ? changesOf("organization", row.organization.id, outcome.organization, this.#calendar)
        : []),
      ...changesOf("profile", row.profile.id, outcome.profile, this.#calendar),
    ];
    if (changes.length > 0) await this.#call.onRow({ line, changes });
  }

  async #tellBad(line: number, faults: RowFault[]): Promise<void> {
    this.#profiles.failed += 1;
    if (faults.some(({ isAdministration }) => isAdministration)) {
      this.#administration.rows += 1;
      this.#administration.firstLine ||= line;
    }
    await this.#call.onRow({ line, faults });
  }

  async #noteAdministration(detail: Record<string, string | number>): Promise<void> {
    if (this.#call.dryRun) return;
    const { store, actor, clock } = this.#parts;
    await store.audit.append({
      id: randomUUID(),
      at: clock.now(),
      actor,
      action: "import.refused",
      profileId: null,
      organizationId: null,
      accountId: null,
      requestId: null,
      detail: { reason: "administration", ...detail },
    });
  }
}

function notUtf8(header: Header, place: number, found = ""): RowFault {
  const column = header[place] ?? null;
  const problem = `${printable(found)} isn't in UTF-8; save the file as UTF-8 (${SAVE_AS_CSV})`;
  return isNamed(column) ? { column, problem } : { column: null, problem: `${placeName(place)}: ${problem}` };
}

function refusal(reason: Extract<ImportOutcome, { result: "refused" }>["reason"]): RowFault {
  switch (reason) {
    case "profile_elsewhere":
      return {
        column: "organization_id",
        problem:
          "the profile belongs to another organization and can't move; give the person a new profile_id here",
      };
    case "operator_organization":
      return {
        column: "organization_id",
        problem: "is the operator's own organization, which isn't imported; remove the row",
        isAdministration: true,
      };
    case "administrator":
      return {
        column: "profile_id",
        problem: "is an administrator's profile, which no import changes; remove the row",
        isAdministration: true,
      };
  }
}
