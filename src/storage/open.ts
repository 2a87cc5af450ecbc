/** Owns the choice of a back end. What a store promises is contract.ts's; how it is kept is the back end's. */

import { type Clock, systemClock } from "../clock.ts";
import type { Store } from "./contract.ts";
import { createSeal } from "./seal.ts";
import { openSqliteStore } from "./sqlite/store.ts";

export interface StoreOptions {
  /** The file of the embedded back end; it and its folder are created when missing. */
  sqlite: { file: string };
  /** 32 bytes in base64. The same one for the whole life of the data. */
  encryptionKey: string;
  clock?: Clock | undefined;
}

/**
 * Opens the store, creating it when it isn't there yet, and bringing an older schema up to date.
 * Throws `store_refused`, with a text that names the fix, when it must not be used as it is: sealed under another key,
 * written by a newer version, or without an index that single use depends on.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const clock = options.clock ?? systemClock;
  return openSqliteStore(options.sqlite.file, createSeal(options.encryptionKey), clock.now());
}
