/** Opens the store of a configuration for one command. */

import type { Clock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { type Call, type Flag, usageError } from "./command.ts";

export type Store = Awaited<ReturnType<typeof import("../storage/open.ts").openStore>>;

/** The flag that such commands share. */
export const configFlag: Flag = {
  takes: "FILE",
  summary: "A YAML file, or a folder of them. Default: config",
};

/**
 * Runs work on the store, and closes it. Brokers may be running.
 * @param options.create whether a missing SQLite file is made. Default: true
 */
export async function withStore<T>(
  call: Pick<Call, "flags">,
  clock: Clock,
  work: (store: Store, config: Config) => Promise<T>,
  options: { create?: boolean } = {},
): Promise<T> {
  const config = await configOf(call);
  return await withStoreOf(config, clock, (store) => work(store, config), options);
}

/** The configuration that a call names. @throws ConfigError */
export async function configOf({ flags }: Pick<Call, "flags">): Promise<Config> {
  const { loadConfig } = await import("../config/load.ts");
  return (await loadConfig({ file: flags.get("config") ?? "config" })).config;
}

/** Runs work on the store of a configuration, as `withStore` does. */
export async function withStoreOf<T>(
  config: Config,
  clock: Clock,
  work: (store: Store) => Promise<T>,
  { create = true }: { create?: boolean } = {},
): Promise<T> {
  // Loaded here: no help needs a back end.
  const { openStore } = await import("../storage/open.ts");
  const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key, clock, create });
  try {
    return await work(store);
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
