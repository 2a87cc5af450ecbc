/**
 * A connection to the SQLite file: opening it, its prepared statements, its transactions, how it waits for
 * the write lock, and whether its last writes failed. What its failures mean is failures.ts's, what is
 * stored is prepare-schema.ts's; when it is stored is each sub-store's.
 */

import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { callWithinDeadline } from "../../deadline.ts";
import { type Columns, checkColumns, type RowOf, rowReader } from "../../sql-columns.ts";
import type { WriteFault } from "../contract.ts";
import { isLocked, Queued, translate, unavailable, writeFaultOf } from "./failures.ts";
import type { LockQueue } from "./lock-queue.ts";

/**
 * How long opening waits for another process's transaction, in milliseconds: asleep, for nobody is served
 * yet.
 */
const OPENING_TIMEOUT_MS = 5000;

/** How long anything else waits for it that no caller gave a measure, in milliseconds. */
const LONGEST_WAIT_MS = 10_000;

/** What needs the write lock, of the statements that this store is made of. */
const WRITES = /^\s*(?:INSERT|UPDATE|DELETE)\b/;

/** By name; or in their order, where they have none. */
export type Parameters = Record<string, SQLInputValue> | readonly SQLInputValue[];

/** A statement prepared once for the life of the connection. */
export interface Statement {
  /** Runs it and returns the number of rows changed. */
  run(parameters?: Parameters): number;
  /** Whether there is any row. */
  isAny(parameters?: Parameters): boolean;
}

/** A statement whose rows are read. */
export interface Query<Row> {
  get(parameters?: Parameters): Row | undefined;
  all(parameters?: Parameters): Row[];
}

/**
 * `full`: a commit survives a power cut. `normal`: it survives a killed process, and costs no flush to the
 * disk. See https://www.sqlite.org/pragma.html#pragma_synchronous
 */
export type Durability = "full" | "normal";

const isInOrder = (parameters: Parameters): parameters is readonly SQLInputValue[] =>
  Array.isArray(parameters);

const run = (statement: StatementSync, parameters: Parameters) =>
  isInOrder(parameters) ? statement.run(...parameters) : statement.run(parameters);

const all = (statement: StatementSync, parameters: Parameters) =>
  isInOrder(parameters) ? statement.all(...parameters) : statement.all(parameters);

export class Database {
  /** The text of every prepared statement, so that a test can ask SQLite how it would run each. */
  readonly statements: string[] = [];
  readonly #connection: DatabaseSync;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #queue: LockQueue;
  #isInTransaction = false;
  /** How many statements that write were carried out. */
  #written = 0;
  #fault: WriteFault | undefined;

  /** @param queue shared by all connections of this process to the file */
  constructor(file: string, durability: Durability, queue: LockQueue) {
    this.#queue = queue;
    this.#connection = new DatabaseSync(file, {
      timeout: OPENING_TIMEOUT_MS,
      enableForeignKeyConstraints: true,
    });
    try {
      this.#connection.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"};
        PRAGMA secure_delete = ON;
        PRAGMA busy_timeout = 0;
      `);
      this.#begin = this.prepare("BEGIN IMMEDIATE");
      this.#commit = this.prepare("COMMIT");
      this.#rollback = this.prepare("ROLLBACK");
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /**
   * Prepares a statement whose rows nobody reads, or one whose rows have these columns and no others. Throws
   * where SQL and columns don't agree with the schema or with each other: so all that is prepared while a
   * store is opened is checked (lint/statements.ts).
   */
  prepare(sql: string): Statement;
  prepare<C extends Columns>(sql: string, columns: C): Query<RowOf<C>>;
  prepare<C extends Columns>(sql: string, columns?: C): Statement | Query<RowOf<C>> {
    const statement = this.#connection.prepare(sql);
    this.statements.push(sql);
    const writes = WRITES.test(sql);
    const guarded = <T>(work: () => T): T => (writes ? this.#write(work) : work());
    // Never StatementSync.get(): it stops at the first row, so that a failing commit of a RETURNING statement
    // goes unseen.
    if (columns === undefined) {
      return {
        run: (parameters = []) => guarded(() => Number(run(statement, parameters).changes)),
        isAny: (parameters = []) => guarded(() => all(statement, parameters).length > 0),
      };
    }
    checkColumns(statement, sql, columns);
    const read = rowReader(statement, columns);
    const rows = (parameters: Parameters = []) => guarded(() => all(statement, parameters));
    return {
      get: (parameters) => {
        const [first] = rows(parameters);
        return first && read(first);
      },
      all: (parameters) => rows(parameters).map(read),
    };
  }

  /**
   * Runs a statement that writes, unless others of this process wait for the lock already: it goes behind
   * them.
   */
  #write<T>(statement: () => T): T {
    if (!this.#isInTransaction && !this.#queue.isOpen) throw new Queued();
    const result = statement();
    this.#written += 1;
    return result;
  }

  /** Lets SQL of this connection call a function. */
  define(name: string, work: (...values: (string | null)[]) => string): void {
    this.#connection.function(name, { deterministic: true, varargs: true }, (...values: SQLOutputValue[]) =>
      work(...values.map((value) => (typeof value === "string" ? value : null))),
    );
  }

  /** Reads the rows of a query that is run once: for opening and migrating only. */
  query<C extends Columns>(sql: string, columns: C, parameters: Parameters = []): RowOf<C>[] {
    const statement = this.#connection.prepare(sql);
    checkColumns(statement, sql, columns);
    const read = rowReader(statement, columns);
    return all(statement, parameters).map(read);
  }

  /** Runs a statement that writes, once: for opening and migrating only. */
  write(sql: string, parameters: Parameters): void {
    run(this.#connection.prepare(sql), parameters);
  }

  /** Runs statements that are prepared nowhere else: for opening and migrating only. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /**
   * Runs a piece of work that needs no transaction: one statement, or reads that needn't agree. While another
   * process or thread holds the write lock it waits for its turn, the event loop going on; it is run again as
   * long as nothing of it was written. Throws `store_unavailable` when that lasts longer than its caller
   * waits (deadline.ts).
   */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const before = this.#written;
    try {
      return await work();
    } catch (error) {
      if (!this.#mustWait(error, before)) throw this.#failed(error);
    }
    return await callWithinDeadline(LONGEST_WAIT_MS, (milliseconds) => this.#runInTurn(work, milliseconds));
  }

  #runInTurn<T>(work: () => T | Promise<T>, milliseconds: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const attempt = async () => {
      const before = this.#written;
      try {
        resolve(await work());
      } catch (error) {
        if (this.#mustWait(error, before)) return false;
        reject(this.#failed(error));
      }
      return true;
    };
    const giveUp = () =>
      reject(unavailable(new Error(`the write lock was held for ${Math.round(milliseconds)} ms`)));
    this.#queue.enter({ attempt, giveUp }, milliseconds);
    return promise;
  }

  #failed(error: unknown): unknown {
    this.#fault = writeFaultOf(error) ?? this.#fault;
    return translate(error);
  }

  /**
   * What kept this connection from its work; it stays known until `recovered`, though small writes may go
   * through meanwhile: a full disk has room for some of them.
   */
  get fault(): WriteFault | undefined {
    return this.#fault;
  }

  /** Whoever looked found that there is nothing in the way any more. */
  recovered(): void {
    this.#fault = undefined;
  }

  /**
   * Whether work that failed is to be tried again: somebody else had the lock, and nothing of it was written.
   */
  #mustWait(error: unknown, writtenBefore: number): boolean {
    return isLocked(error) && this.#written === writtenBefore;
  }

  /**
   * Runs work in one transaction that holds the write lock from its first statement on, so that what it read
   * stays true until it commits. The work is synchronous: nothing else of this process comes between. Waits
   * for the lock as `run` does, before anything of the work was done.
   */
  async transaction<T>(work: () => T): Promise<T> {
    return this.run(() => this.#transact(work));
  }

  /** Runs work of several statements in the transaction that there is, or in one of its own. */
  atomic<T>(work: () => T): T {
    return this.#isInTransaction ? work() : this.#transact(work);
  }

  /**
   * The same without a promise, for opening: it sleeps until it gets the lock. Errors are left untranslated.
   */
  transactionNow<T>(work: () => T): T {
    this.#connection.exec(`PRAGMA busy_timeout = ${OPENING_TIMEOUT_MS}`);
    try {
      return this.#transact(work);
    } finally {
      this.#connection.exec("PRAGMA busy_timeout = 0");
    }
  }

  #transact<T>(work: () => T): T {
    if (!this.#queue.isOpen) throw new Queued();
    this.#begin.run();
    this.#isInTransaction = true;
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      if (this.#connection.isTransaction) this.#rollback.run();
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }
}
