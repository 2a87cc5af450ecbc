/** The administration within the service: the REST API and the pages, on one service of operations. */

import { readFileSync } from "node:fs";
import type Router from "@koa/router";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import type { HttpDependencies } from "../http/dependencies.ts";
import type { ClientDirectory } from "../oidc/clients.ts";
import type { ConsoleSignIns } from "../oidc/console.ts";
import type { AccountAtClientStore, ArtifactStore, AuditStore } from "../storage/contract.ts";
import { consoleRoutes } from "./console/routes.ts";
import type { OperationDependencies } from "./dependencies.ts";
import { createHandlers } from "./operations.ts";
import { type ApiDependencies, apiRoutes, unknownApiRoutes } from "./rest/api.ts";
import { createAdminService } from "./service.ts";

export interface AdministrationDeps {
  config: Pick<Config, "issuer" | "sessions" | "deployment">;
  operations: OperationDependencies;
  audit: AuditStore;
  accountsAtClients: AccountAtClientStore;
  artifacts: Pick<ArtifactStore, "revokeGrant">;
  clients: ClientDirectory;
  http: HttpDependencies;
  /** Who sends a request to the REST API. */
  authenticate: ApiDependencies["authenticate"];
  /** Signs administrators in to the pages. */
  signIns: ConsoleSignIns;
  clock: Clock;
  logger: Logger;
  /** Whether outputs of operations are held to their schemas, too. */
  checksOutputs?: boolean | undefined;
  /** Something was done that mails or portals are to be told of. */
  onChange(): void;
}

/** Installs the REST API and the pages, behind all other routes. */
export function administrationRoutes(router: Router, deps: AdministrationDeps): void {
  const { config, operations, audit, clock, logger, authenticate } = deps;
  const service = createAdminService({
    handlers: createHandlers(operations),
    audit,
    clock,
    checksOutputs: deps.checksOutputs,
  });
  const version = ownVersion();
  apiRoutes(router, { service, authenticate, issuer: config.issuer, version, logger });
  const installMissing = consoleRoutes(router, {
    http: deps.http,
    service,
    accountsAtClients: deps.accountsAtClients,
    artifacts: deps.artifacts,
    clients: deps.clients,
    signIns: deps.signIns,
    config,
    clock,
    version,
    onChange: deps.onChange,
  });
  unknownApiRoutes(router, logger);
  installMissing();
}

function ownVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
