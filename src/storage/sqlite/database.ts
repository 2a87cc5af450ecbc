/**
 * Owns one connection to the SQLite file: opening it, its prepared statements, its transactions, and what its failures are
 * called. What is stored is schema.ts's; when it is stored is each sub-store's.
 */

import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { LiaisonError } from "../../errors.ts";

/** How long a connection waits for another process's transaction, in milliseconds. */
const BUSY_TIMEOUT_MS = 5000;

/** Primary result codes (https://www.sqlite.org/rescode.html) that mean *not now*, whatever the statement was. */
const UNAVAILABLE_CODES = new Set([
  5, // BUSY
  6, // LOCKED
  7, // NOMEM
  8, // READONLY
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  14, // CANTOPEN
  15, // PROTOCOL
  26, // NOTADB
]);

export type Row = Record<string, SQLOutputValue>;
export type Parameters = Record<string, SQLInputValue>;

/** A statement prepared once for the life of the connection. Parameters are named. */
export interface Statement {
  get(parameters?: Parameters): Row | undefined;
  all(parameters?: Parameters): Row[];
  /** Runs it and returns the number of rows changed. */
  run(parameters?: Parameters): number;
}

/**
 * `full`: a commit survives a power cut. `normal`: it survives a killed process, and costs no flush to the disk.
 * See https://www.sqlite.org/pragma.html#pragma_synchronous
 */
export type Durability = "full" | "normal";

export class Database {
  /** The text of every prepared statement, so that a test can ask SQLite how it would run each. */
  readonly statements: string[] = [];
  readonly #connection: DatabaseSync;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;

  constructor(file: string, durability: Durability) {
    this.#connection = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    try {
      this.#connection.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"};
        PRAGMA secure_delete = ON;
      `);
      this.#begin = this.prepare("BEGIN IMMEDIATE");
      this.#commit = this.prepare("COMMIT");
      this.#rollback = this.prepare("ROLLBACK");
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  prepare(sql: string): Statement {
    const statement = this.#connection.prepare(sql);
    this.statements.push(sql);
    return {
      // Never StatementSync.get(): it stops at the first row, so that a failing commit of a RETURNING statement goes unseen.
      get: (parameters = {}) => statement.all(parameters)[0],
      all: (parameters = {}) => statement.all(parameters),
      run: (parameters = {}) => Number(statement.run(parameters).changes),
    };
  }

  /** Lets SQL of this connection call a function. */
  define(name: string, work: (...values: (string | null)[]) => string): void {
    this.#connection.function(name, { deterministic: true, varargs: true }, (...values: SQLOutputValue[]) =>
      work(...values.map((value) => (typeof value === "string" ? value : null))),
    );
  }

  /** Runs statements that are prepared nowhere else: for opening and migrating only. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /** One row of a query that is run once: for opening and migrating only. */
  query(sql: string, parameters: Parameters = {}): Row[] {
    return this.#connection.prepare(sql).all(parameters);
  }

  /** Rows of a query that is run once, one at a time: for reading a whole table. */
  iterate(sql: string): IterableIterator<Row> {
    return this.#connection.prepare(sql).iterate() as IterableIterator<Row>;
  }

  /** Runs a piece of work that needs no transaction: one statement, or reads that needn't agree. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translate(error);
    }
  }

  /**
   * Runs work in one transaction that holds the write lock from its first statement on, so that what it read stays true
   * until it commits. The work is synchronous: nothing else of this process comes between.
   */
  async transaction<T>(work: () => T): Promise<T> {
    return this.run(() => this.transactionNow(work));
  }

  /** The same without a promise, for opening. Errors are left untranslated. */
  transactionNow<T>(work: () => T): T {
    this.#begin.run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      if (this.#connection.isTransaction) this.#rollback.run();
      throw error;
    }
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }
}

/** SQLite's primary result code of an error, or undefined if it is none of SQLite's. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

function translate(error: unknown): unknown {
  const code = resultCode(error);
  const unavailable = code !== undefined && UNAVAILABLE_CODES.has(code);
  const closed = error instanceof Error && "code" in error && error.code === "ERR_INVALID_STATE";
  if (!unavailable && !closed) return error;
  return new LiaisonError("store_unavailable", "The database can't be used right now.", { cause: error });
}
