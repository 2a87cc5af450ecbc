/**
 * Where the data of brokers that die is kept, and how it is read past them: in files of SQLite, or in
 * databases of MongoDB.
 */

import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { MongoClient } from "mongodb";
import type { StoreOptions } from "../../src/storage/open.ts";
import { testDatabase } from "../support/test-database.ts";
import { readDatabase, readState, type State } from "./kill-state.ts";

/** A place is a folder, or the name of a database. */
export interface KillData {
  /** The place that is prepared once. */
  readonly prepared: string;
  storage(place: string): Pick<StoreOptions, "sqlite" | "mongodb">;
  /** A new place with all that is prepared. */
  copy(): Promise<string>;
  read(place: string): Promise<State>;
  /**
   * What stands there when a process has just been killed, and read so that it is its successor who finds it
   * that way.
   */
  readLeft(place: string): Promise<State>;
  remove(place: string): Promise<void>;
  close(): Promise<void>;
}

export function sqliteData(root: string): KillData {
  const prepared = join(root, "prepared");
  const fileIn = (place: string) => join(place, "liaison.db");
  const remove = (place: string) => rm(place, { recursive: true, force: true });
  let copies = 0;
  return {
    prepared,
    storage: (place) => ({ sqlite: { file: fileIn(place) } }),
    copy: async () => {
      copies += 1;
      const place = join(root, `data-${copies}`);
      await cp(prepared, place, { recursive: true });
      return place;
    },
    read: async (place) => readState(fileIn(place)),
    readLeft: async (place) => {
      const copy = `${place}-left`;
      await cp(place, copy, { recursive: true, filter: (source) => !source.endsWith("-shm") });
      const state = readState(fileIn(copy));
      await remove(copy);
      return state;
    },
    remove,
    close: async () => {},
  };
}

/** How long the servers may go on with what they had been told by a process that is dead, in milliseconds. */
const afterDeathMs = 100;

export async function mongoData(url: string, encryptionKey: string): Promise<KillData> {
  const client = new MongoClient(url);
  const make = async () => (await testDatabase({ url, encryptionKey })).database;
  const prepared = await make();
  const read = (place: string) => readDatabase(client.db(place));
  // Databases with their indexes and rules, whose data nobody needs any more.
  const free: string[] = [];
  return {
    prepared,
    storage: (place) => ({ mongodb: { url, database: place } }),
    copy: async () => {
      const place = free.pop() ?? (await make());
      const everything = { _id: { $exists: true } };
      for (const { name } of await client.db(prepared).listCollections().toArray()) {
        const documents = await client
          .db(prepared)
          .collection(name)
          .find(everything, { hint: { _id: 1 } })
          .toArray();
        await client
          .db(place)
          .collection(name)
          .deleteMany(everything, { hint: { _id: 1 } });
        if (documents.length > 0) await client.db(place).collection(name).insertMany(documents);
      }
      return place;
    },
    read,
    readLeft: async (place) => {
      await pause(afterDeathMs);
      return await read(place);
    },
    remove: async (place) => void free.push(place),
    close: () => client.close(),
  };
}
