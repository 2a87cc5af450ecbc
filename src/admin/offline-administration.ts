/** Offline administration: operations on the store itself, for commands that run beside the service. */

import type { Provider } from "oidc-provider";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { createClientDirectory } from "../oidc/clients.ts";
import { loadKeys } from "../oidc/keys.ts";
import { createProvider, type ProviderDeps } from "../oidc/provider.ts";
import type { Store } from "../storage/contract.ts";
import { auditKeyOf } from "./audit-key.ts";
import { operationDependencies } from "./dependencies.ts";
import { createHandlers } from "./operations.ts";
import { ALL_SCOPES, type Principal } from "./scopes.ts";
import { type AdminService, createAdminService } from "./service.ts";

export interface OfflineAdministration {
  service: AdminService;
  /** Whoever can read the configuration may do everything. */
  principal: Principal;
}

export interface OfflineDependencies {
  config: Config;
  store: Store;
  clock: Clock;
  /** Whether outputs of operations are held to their schemas, too. Default: false */
  checksOutputs?: boolean;
}

/** @param command as audit events name it */
export async function createOfflineAdministration(
  { config, store, clock, checksOutputs }: OfflineDependencies,
  command: string,
): Promise<OfflineAdministration> {
  const clients = await createClientDirectory(store.clients, config.portals, {
    issuer: config.issuer,
    clock,
  });
  const keys = once(() => loadKeys(store.keys));
  const dependencies = operationDependencies({
    config,
    store,
    clients,
    provider: once(async () => inspectingProvider({ config, store, clock, clients, keys: await keys() })),
    keys,
    auditKey: once(() => auditKeyOf(store.keys)),
  });
  return {
    service: createAdminService({
      handlers: createHandlers(dependencies),
      audit: store.audit,
      clock,
      checksOutputs,
    }),
    principal: { actor: `command:${command}`, scopes: new Set(ALL_SCOPES) },
  };
}

/** A provider that serves nothing: it only looks at clients, as the service does. */
function inspectingProvider(
  dependencies: OfflineDependencies & Pick<ProviderDeps, "clients" | "keys">,
): Provider {
  const { config, store, clock, clients, keys } = dependencies;
  const refuse = async () => {
    throw new TypeError("no page is shown by a command");
  };
  return createProvider({
    config,
    artifacts: store.artifacts,
    accountsAtClients: store.accountsAtClients,
    clients,
    keys,
    clock,
    pages: { renderError: refuse, signOut: refuse, signedOut: refuse },
    clientCredentialsScopes: ALL_SCOPES,
    holdsProof: () => false,
  });
}

/** Makes something when it is first asked for. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
