/**
 * What drives intentions (src/storage/steps.ts) over rows in memory: each general step is a walk over a
 * table's rows, or a look by its key. A whole intention runs without a turn of the event loop.
 */

import { LiaisonError } from "../../../src/errors.ts";
import type { NativeSteps } from "../../../src/storage/native-steps.ts";
import type { Engine, Listing, Step, Steps, WriteStep } from "../../../src/storage/steps.ts";
import { Add } from "../../../src/storage/steps.ts";
import type { AnyRow, AnyTable, MemoryDatabase } from "./database.ts";

/** Native steps as they are here: intentions themselves, of general steps. */
export type InMemory<NativeSteps> = {
  [Name in keyof NativeSteps]: NativeSteps[Name] extends (...values: infer Values) => infer Result
    ? (...values: Values) => Steps<Result>
    : never;
};
export type MemorySteps = InMemory<NativeSteps>;

export class MemoryEngine implements Engine {
  readonly lastPlace = Number.MAX_SAFE_INTEGER;
  readonly #database: MemoryDatabase;
  readonly #natives: MemorySteps;
  #isClosed = false;

  constructor(database: MemoryDatabase, natives: MemorySteps) {
    this.#database = database;
    this.#natives = natives;
  }

  /** All the same: nothing comes between two steps. */
  transaction<T>(intention: () => Steps<T>): Promise<T> {
    return this.run(intention);
  }

  async run<T>(intention: () => Steps<T>): Promise<T> {
    if (this.#isClosed) throw LiaisonError.of("store_unavailable", "The store is closed.");
    return this.#database.atomically(() => this.#drive(intention()));
  }

  series<T>(intention: () => Steps<T>): Promise<T> {
    return this.run(intention);
  }

  close(): void {
    this.#isClosed = true;
  }

  #drive<T>(steps: Steps<T>): T {
    let next = steps.next();
    while (next.done !== true) next = steps.next(this.#step(next.value));
    return next.value;
  }

  #step(step: Step): unknown {
    switch (step.op) {
      case "get":
        return structuredClone(this.#ofKeys(step.table, step.keys));
      case "list":
        return structuredClone(this.#list(step.table, step.where, step.listing));
      case "take": {
        const { table, where, set, listing } = step;
        const [first] = this.#list(table, where, { ...listing, limit: 1 });
        return first && structuredClone(this.#change(table, first, set));
      }
      case "takeOut": {
        const [only] = this.#found(step.table, step.where);
        if (only !== undefined) this.#database.remove(step.table, only);
        return structuredClone(only);
      }
      case "write":
        for (const one of step.steps) this.#write(one);
        return undefined;
      case "call": {
        const native = this.#natives[step.name] as (...values: readonly unknown[]) => Steps<unknown>;
        return this.#drive(native(...step.values));
      }
      default:
        return this.#write(step);
    }
  }

  /** How many rows it has written. */
  #write(step: WriteStep): number {
    const { op, table } = step;
    if (op === "insert") this.#database.insert(table, step.row);
    else if (op === "put") this.#database.put(table, step.row);
    else {
      const rows = this.#found(table, step.where).slice(0, op === "remove" ? step.limit : undefined);
      for (const row of rows) {
        if (op === "remove") this.#database.remove(table, row);
        else this.#change(table, row, step.set);
      }
      return rows.length;
    }
    return 1;
  }

  #change(table: AnyTable, row: AnyRow, set: Readonly<AnyRow>): AnyRow {
    const changed = { ...row };
    for (const [name, value] of Object.entries(set)) {
      if (value instanceof Add) changed[name] = Number(row[name] ?? 0) + value.amount;
      else if (value !== undefined) changed[name] = value;
    }
    return this.#database.put(table, changed);
  }

  #list(table: AnyTable, where: Readonly<AnyRow>, listing: Listing<AnyRow>): AnyRow[] {
    const { order = [], behind, isDescending, skip = 0, limit = Number.POSITIVE_INFINITY } = listing;
    const direction = isDescending ? -1 : 1;
    const inOrder = (one: readonly unknown[], other: readonly unknown[]) =>
      direction * (one.map((value, index) => compare(value, other[index])).find((sign) => sign !== 0) ?? 0);
    const placed = this.#found(table, where).map((row) => ({ row, place: order.map((name) => row[name]) }));
    const left = behind === undefined ? placed : placed.filter(({ place }) => inOrder(place, behind) > 0);
    const sorted = order.length === 0 ? left : left.toSorted((one, other) => inOrder(one.place, other.place));
    return sorted.slice(skip, skip + limit).map(({ row }) => row);
  }

  #found(table: AnyTable, where: Readonly<AnyRow>): AnyRow[] {
    const conditions = Object.entries(where).filter(([, condition]) => condition !== undefined);
    return this.#among(table, where[table.key]).filter((row) =>
      conditions.every(([name, condition]) => meets(row[name], condition)),
    );
  }

  /** The rows that a condition on their key leaves. */
  #among(table: AnyTable, condition: unknown): AnyRow[] {
    if (typeof condition === "string" || typeof condition === "number")
      return this.#ofKeys(table, [condition]);
    const { in: keys } = (condition ?? {}) as { in?: readonly unknown[] };
    return keys === undefined ? this.#database.all(table) : this.#ofKeys(table, [...new Set(keys)]);
  }

  #ofKeys(table: AnyTable, keys: readonly unknown[]): AnyRow[] {
    return keys.map((key) => this.#database.get(table, key)).filter((row) => row !== undefined);
  }
}

const OPERATORS: Readonly<Record<string, (value: unknown, than: unknown) => boolean>> = {
  lt: (value, than) => compare(value, than) < 0,
  lte: (value, than) => compare(value, than) <= 0,
  gt: (value, than) => compare(value, than) > 0,
  gte: (value, than) => compare(value, than) >= 0,
  not: (value, than) => value !== than,
  in: (value, than) => (than as readonly unknown[]).includes(value),
};

function meets(value: unknown, condition: unknown): boolean {
  if (condition === null || typeof condition !== "object") return value === condition;
  return Object.entries(condition).every(
    ([operator, than]) =>
      than === undefined || ((value !== null || operator === "in") && OPERATORS[operator]?.(value, than)),
  );
}

/** Without these UTF-16's order is the order of code points. */
const SURROGATE = /[\ud800-\udfff]/;

/** Before, the same, or behind: null first, text by its code points. */
function compare(one: unknown, other: unknown): number {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? -1 : 1;
  if (typeof one === "string" && typeof other === "string" && SURROGATE.test(one + other))
    return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return (one as string) < (other as string) ? -1 : 1;
}
