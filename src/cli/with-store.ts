/** Opens the store of a configuration for one command. */

import type { Clock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { openStore } from "../storage/open.ts";
import { type Call, type Flag, usageError } from "./command.ts";

type Store = Awaited<ReturnType<typeof openStore>>;

/** The flag that such commands share. */
export const configFlag: Flag = { takes: "FILE", summary: "A YAML file, or a folder of them. Default: config" };

/** Runs work on the store, and closes it. Brokers may be running. */
export async function withStore<T>(
  { flags }: Pick<Call, "flags">,
  clock: Clock,
  work: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const { config } = await loadConfig({ file: flags.get("config") ?? "config" });
  const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key, clock });
  try {
    return await work(store, config);
  } finally {
    await store.close();
  }
}

/** The value of --limit. */
export function limitOf({ flags }: Pick<Call, "flags">, otherwise: number): number {
  const text = flags.get("limit");
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw usageError(`--limit takes a number from 1 to 9999, not "${text}".`);
  return Number(text);
}
