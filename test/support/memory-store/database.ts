/**
 * Rows in memory: those of each table by their keys, what no two of them may have alike, and what was
 * written since a transaction began, so that it can be undone. Nothing of it is awaited: whoever is at work
 * is alone.
 */

import type { Field, Table } from "../../../src/storage/fields.ts";
import { AlreadyThere } from "../../../src/storage/steps.ts";
import { UNIQUE } from "./tables.ts";

export type AnyRow = Record<string, unknown>;
export type AnyTable = Table<never>;

/** Rows are given as they are kept: whoever hands one on copies it. */
export class MemoryDatabase {
  readonly #tables = new Map<string, Map<unknown, AnyRow>>();
  /** All that no other row may have. */
  readonly #taken = new Set<string>();
  /** What each row was before it was written, since the transaction under way began. */
  #written: { table: AnyTable; key: unknown; before: AnyRow | undefined }[] = [];
  #places = 0;

  /** Runs work as a whole: what it wrote is undone when it throws. */
  atomically<T>(work: () => T): T {
    this.#written = [];
    try {
      return work();
    } catch (error) {
      for (const { table, key, before } of this.#written.toReversed()) this.#set(table, key, before);
      throw error;
    }
  }

  get(table: AnyTable, key: unknown): AnyRow | undefined {
    return this.#tables.get(table.name)?.get(key);
  }

  all(table: AnyTable): AnyRow[] {
    return [...(this.#tables.get(table.name)?.values() ?? [])];
  }

  /** @throws AlreadyThere where there is one of its key, or of another that no two may have */
  insert(table: AnyTable, row: AnyRow): void {
    if (this.get(table, row[table.key]) !== undefined) throw new AlreadyThere(`${table.name} has its key`);
    this.put(table, row);
  }

  /** Inserts a row, or replaces the one of its key. */
  put(table: AnyTable, row: AnyRow): AnyRow {
    const whole = this.#whole(table, row, this.get(table, row[table.key]));
    this.#write(table, whole[table.key], whole);
    return whole;
  }

  remove(table: AnyTable, row: AnyRow): void {
    this.#write(table, row[table.key], undefined);
  }

  #write(table: AnyTable, key: unknown, row: AnyRow | undefined): void {
    const before = this.get(table, key);
    this.#set(table, key, row);
    this.#written.push({ table, key, before });
  }

  #set(table: AnyTable, key: unknown, row: AnyRow | undefined): void {
    const rows = this.#tables.get(table.name) ?? new Map<unknown, AnyRow>();
    this.#tables.set(table.name, rows);
    const held = claimsOf(table, rows.get(key));
    const claims = claimsOf(table, row);
    const claimed = claims.find((claim) => this.#taken.has(claim) && !held.includes(claim));
    if (claimed !== undefined) throw new AlreadyThere(`${table.name} has one already: ${claimed}`);
    for (const claim of held) this.#taken.delete(claim);
    for (const claim of claims) this.#taken.add(claim);
    if (row === undefined) rows.delete(key);
    else rows.set(key, row);
  }

  /** A row as it is kept: every field, copied. Its place is that of the one before, or the next. */
  #whole(table: AnyTable, row: AnyRow, before: AnyRow | undefined): AnyRow {
    const whole: AnyRow = {};
    for (const [name, field] of Object.entries(table.fields as Record<string, Field<unknown>>)) {
      const { kind, path = name, isPart } = field;
      const given = row[name];
      if (kind === "place") whole[name] = before?.[name] ?? ++this.#places;
      else if (isPart) whole[name] = path.split(".").reduce<unknown>(partOf, whole);
      // As its text says it: what is undefined isn't there.
      else if (kind === "json" && given !== undefined) whole[name] = JSON.parse(JSON.stringify(given));
      else whole[name] = given;
      const isMissing = whole[name] === undefined || (whole[name] === null && !field.isNullable);
      if (isMissing) throw new TypeError(`${table.name}.${name} is missing`);
    }
    return whole;
  }
}

/** What a row has that no other of its table may have. */
function claimsOf({ name: table }: AnyTable, row: AnyRow | undefined): string[] {
  if (row === undefined) return [];
  const rules = (UNIQUE[table] ?? []).filter(([, among]) => among === undefined || among(row));
  return rules.map(([fields]) => JSON.stringify([table, ...fields.map((name) => [name, row[name]])]));
}

const partOf = (value: unknown, name: string): unknown => (value as AnyRow)[name];
