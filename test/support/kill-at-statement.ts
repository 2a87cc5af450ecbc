/**
 * Imported before a program (`node --import`): kills the process by SIGKILL in place of the n-th statement
 * that it runs on any SQLite database, n from the environment.
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";

const killAt = Number(process.env["KILL_AT_STATEMENT"]);
let count = 0;

const statement: StatementSync = Object.getPrototypeOf(new DatabaseSync(":memory:").prepare("SELECT 1"));
for (const method of ["run", "all", "get"] as const) {
  const original = statement[method] as (...parameters: unknown[]) => unknown;
  const counted = function (this: StatementSync, ...parameters: unknown[]) {
    count += 1;
    if (count === killAt) process.kill(process.pid, "SIGKILL");
    return original.apply(this, parameters);
  };
  Object.defineProperty(statement, method, { value: counted });
}
