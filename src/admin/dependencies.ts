/** The dependencies of operations, wherever they run: in the service, or in a command beside it. */

import { calculateJwkThumbprint } from "jose";
import type { Provider } from "oidc-provider";
import type { Milliseconds } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { domainOf } from "../domain/address.ts";
import { type Calendar, createCalendar } from "../domain/calendar.ts";
import type { Client } from "../domain/records.ts";
import { type ClientDirectory, clientProblem } from "../oidc/clients.ts";
import type { ServiceKeys } from "../oidc/keys.ts";
import type { Store } from "../storage/contract.ts";

export interface OperationDependencies {
  store: Pick<
    Store,
    | "administration"
    | "artifacts"
    | "audit"
    | "clients"
    | "directory"
    | "links"
    | "outbox"
    | "accountsAtClients"
    | "verifications"
  >;
  clients: ClientDirectory;
  config: Pick<Config, "issuer" | "upstreams" | "deployment" | "private_hosts">;
  /** Of the deployment's time zone: every day that an operation takes or gives is of it. */
  calendar: Calendar;
  /** The domain of our Message-IDs: that of the sender's address. */
  mailDomain: string;
  /** How long a rotated secret is still taken, in milliseconds. */
  secretOverlapMs: Milliseconds;
  /** What oidc-provider finds wrong with a client, or undefined. */
  clientProblem(client: Client): Promise<string | undefined>;
  /**
   * Public keys that tokens are signed with. Read when asked for, as the audit's: a store that has none yet
   * gets them then.
   */
  signingKeys(): Promise<readonly { kid: string; alg: string }[]>;
  /** Of the MACs of the audit's chain. */
  auditKey(): Promise<Buffer>;
}

/** Makes the dependencies of what the service, or a command beside it, has. */
export function operationDependencies({
  config,
  store,
  clients,
  provider,
  keys,
  auditKey,
}: Pick<OperationDependencies, "store" | "clients" | "auditKey"> & {
  config: OperationDependencies["config"] & Pick<Config, "mail" | "administration">;
  /** Which clients it would take. */
  provider(): Promise<Provider>;
  keys(): Promise<Pick<ServiceKeys, "signing">>;
}): OperationDependencies {
  return {
    store,
    clients,
    config,
    auditKey,
    calendar: createCalendar(config.deployment.time_zone),
    mailDomain: domainOf(config.mail.from_address),
    secretOverlapMs: config.administration.secret_overlap_seconds * 1000,
    clientProblem: async (client) => await clientProblem(await provider(), client),
    signingKeys: async () => await Promise.all((await keys()).signing.map(publicNames)),
  };
}

async function publicNames(key: ServiceKeys["signing"][number]): Promise<{ kid: string; alg: string }> {
  return {
    kid: await calculateJwkThumbprint(key as Parameters<typeof calculateJwkThumbprint>[0]),
    alg: String(key.alg),
  };
}
