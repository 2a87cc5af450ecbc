/**
 * Makes each flush to disk slow, in the process that imports it first (`node --import`): a write on a
 * connection whose commits are flushed takes so many milliseconds (`SLOW_FLUSH_MS`) more, with the write lock
 * held and the thread blocked, as fsync does.
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";

const flushMs = Number(process.env["SLOW_FLUSH_MS"] ?? 5);
const never = new Int32Array(new SharedArrayBuffer(4));
const flush = () => void Atomics.wait(never, 0, 0, flushMs);
/** `PRAGMA synchronous` of FULL: each commit is flushed. */
const FULL = 2;

const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string): StatementSync {
  const statement = prepare.call(this, sql);
  const isCommit = /^\s*COMMIT/i.test(sql);
  const isWrite = /^\s*(INSERT|UPDATE|DELETE|REPLACE)/i.test(sql);
  if (!isCommit && !isWrite) return statement;
  const isFlushed = () => prepare.call(this, "PRAGMA synchronous").get()?.["synchronous"] === FULL;
  for (const method of ["run", "all"] as const) {
    const original = statement[method] as (...parameters: unknown[]) => unknown;
    const slow = (...parameters: unknown[]): unknown => {
      if (!isFlushed()) return original.apply(statement, parameters);
      if (isCommit) flush();
      if (isCommit || this.isTransaction) return original.apply(statement, parameters);
      this.exec("BEGIN IMMEDIATE");
      try {
        const result = original.apply(statement, parameters);
        flush();
        this.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.isTransaction) this.exec("ROLLBACK");
        throw error;
      }
    };
    Object.defineProperty(statement, method, { value: slow });
  }
  return statement;
};
