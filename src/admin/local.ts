/** The administration beside the service: operations on the store itself, for commands. */

import type { Clock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { createClientDirectory } from "../oidc/clients.ts";
import { loadKeys } from "../oidc/keys.ts";
import { createProvider } from "../oidc/provider.ts";
import type { Store } from "../storage/contract.ts";
import { auditKeyOf } from "./audit-key.ts";
import { createHandlers } from "./operations.ts";
import { operationParts } from "./parts.ts";
import { ALL_SCOPES, type Principal } from "./scopes.ts";
import { type AdminService, createAdminService } from "./service.ts";

export interface LocalAdministration {
  service: AdminService;
  /** Whoever can read the configuration may do everything. */
  principal: Principal;
}

export interface LocalParts {
  config: Config;
  store: Store;
  clock: Clock;
  /** Whether outputs of operations are held to their schemas, too. Default: false */
  checksOutputs?: boolean;
}

/** @param command as audit events name it */
export async function createLocalAdministration(
  { config, store, clock, checksOutputs }: LocalParts,
  command: string,
): Promise<LocalAdministration> {
  const clients = await createClientDirectory(store.clients, config.portals, { issuer: config.issuer, clock });
  const keys = await loadKeys(store.keys);
  // It serves nothing: it only looks at clients, as the service does.
  const holdsProof = () => false;
  const refuse = async () => {
    throw new TypeError("no page is shown by a command");
  };
  const provider = createProvider({
    ...{ config, artifacts: store.artifacts, standings: store.standings, clients, keys, clock },
    ...{ pages: { renderError: refuse, signOut: refuse, signedOut: refuse }, machineScopes: ALL_SCOPES },
    holdsProof,
  });
  const auditKey = await auditKeyOf(store.keys);
  const parts = await operationParts({ config, store, clients, provider, keys, auditKey });
  return {
    service: createAdminService({ handlers: createHandlers(parts), audit: store.audit, clock, checksOutputs }),
    principal: { actor: `command:${command}`, scopes: new Set(ALL_SCOPES) },
  };
}
