/** An engine on a database file by itself, without the store around it. */

import { Database } from "../../src/storage/sqlite/database.ts";
import { SqliteEngine } from "../../src/storage/sqlite/engine.ts";
import { LockQueue } from "../../src/storage/sqlite/lock-queue.ts";
import { createNativeSteps } from "../../src/storage/sqlite/native-steps.ts";

export interface FileEngine {
  engine: SqliteEngine;
  close(): void;
}

/** Opens it on a file that a store has made, on a connection of its own as another process would. */
export function openEngine(file: string): FileEngine {
  const database = new Database(file, "full", new LockQueue());
  const engine = new SqliteEngine(database, createNativeSteps(database));
  return { engine, close: () => database.close() };
}
