/** Targets of the administration's commands: the store of a configuration, or a broker elsewhere. */

import { type AdminCaller, brokerUrl, createRemoteCaller } from "../../admin/command-remote.ts";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/schema.ts";
import { readToken } from "../../config/token.ts";
import { type Call, type Flag, usageError } from "../command.ts";
import { configFlag, type Store, withStore } from "../with-store.ts";

export interface Target extends AdminCaller {
  /** Of the broker that is administered. */
  issuer: string;
  /** In which instants are written: the deployment's, or UTC where that isn't known. */
  timeZone: string;
}

/** The flags that say where. */
export const targetFlags: Readonly<Record<string, Flag>> = {
  config: configFlag,
  url: {
    takes: "URL",
    summary: "Ask the broker with this issuer instead of opening the store. Instants are in UTC.",
  },
  "token-file": {
    takes: "FILE",
    summary: "Holds the token for --url, an API key. Default: LIAISON_TOKEN of the environment",
  },
};

/** @throws LiaisonError `usage` for flags that contradict each other */
export function isRemote({ flags }: Pick<Call, "flags">): boolean {
  if (flags.has("url") && flags.has("config"))
    throw usageError("Name a configuration or a broker: --config or --url.");
  if (flags.has("token-file") && !flags.has("url"))
    throw usageError("--token-file goes with --url: it names its token.");
  return flags.has("url");
}

/**
 * Runs work where the flags say. A broker may be running on the store.
 * @param options.creates whether a missing database is made; without one there is nothing to read or to edit
 */
export async function withTarget<T>(
  call: Pick<Call, "flags" | "signal">,
  { clock, word, creates }: { clock: Clock; word: string; creates: boolean },
  work: (target: Target) => Promise<T>,
): Promise<T> {
  if (isRemote(call)) return await work(await remoteTarget(call));
  const onStore = async (store: Store, config: Config) => {
    // What it rests on takes a while to load; no other command needs it.
    const { createOfflineAdministration } = await import("../../admin/offline-administration.ts");
    const { service, principal } = await createOfflineAdministration({ config, store, clock }, word);
    return await work({
      issuer: config.issuer,
      timeZone: config.deployment.time_zone,
      call: (definition, input, options) => service.call(definition, principal, input, options),
    });
  };
  return await withStore(call, clock, onStore, { create: creates });
}

/** Only where --url is given. */
export async function remoteTarget({ flags, signal }: Pick<Call, "flags" | "signal">): Promise<Target> {
  const url = brokerUrl(flags.get("url") ?? "");
  const { token, source: tokenSource } = await readToken({ file: flags.get("token-file") });
  return { issuer: url, timeZone: "UTC", ...createRemoteCaller({ url, token, tokenSource, signal }) };
}
