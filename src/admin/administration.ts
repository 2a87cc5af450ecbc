/** The administration within the service, put together: its operations, its workers, its routes. */

import { readFileSync } from "node:fs";
import type Router from "@koa/router";
import { calculateJwkThumbprint } from "jose";
import type { Provider } from "oidc-provider";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import type { HttpKit } from "../http/kit.ts";
import { type ClientDirectory, clientProblem } from "../oidc/clients.ts";
import { createConsoleSignIns } from "../oidc/console.ts";
import { acceptPreviousSecrets } from "../oidc/internals.ts";
import type { ServiceKeys } from "../oidc/keys.ts";
import { createSignOutWorker } from "../oidc/sign-outs.ts";
import type { Store } from "../storage/contract.ts";
import { createWorkerLoop, type WorkerLoop } from "../worker-loop.ts";
import { consoleRoutes } from "./console/routes.ts";
import type { Counters } from "./figures.ts";
import { createOperations } from "./operations.ts";
import type { OperationParts } from "./parts.ts";
import { apiRoutes, unknownApiRoutes } from "./rest/api.ts";
import { createAuthenticate } from "./rest/authenticate.ts";
import { createSealer } from "./sealer.ts";
import { createAdminService } from "./service.ts";
import { createUseNotes } from "./use-notes.ts";

export interface AdministrationDeps {
  config: Config;
  store: Store;
  clients: ClientDirectory;
  provider: Provider;
  keys: ServiceKeys;
  /** Under which the audit's chain is sealed. */
  auditKey: Buffer;
  counters: Counters;
  kit: HttpKit;
  clock: Clock;
  logger: Logger;
  /** There is mail to be sent. */
  onMail(): void;
}

export interface Administration {
  /** Installs the REST API and the pages. */
  routes(router: Router): void;
  workers: WorkerLoop[];
}

const dayMs = 24 * 3_600_000;

export async function createAdministration(deps: AdministrationDeps): Promise<Administration> {
  const { config, store, clients, provider, auditKey, counters, clock, logger } = deps;
  const parts = await operationParts(deps);
  const service = createAdminService({ operations: createOperations(parts), audit: store.audit, clock });

  const uses = createUseNotes({ clients: store.clients, clock, logger });
  acceptPreviousSecrets(provider, { now: () => clock.now(), onUse: uses.note });
  (provider as NodeJS.EventEmitter).on("grant.success", (ctx: { oidc?: { client?: { clientId: string } } }) => {
    // A client without a secret authenticates by nothing: that it got tokens is how its use shows.
    const clientId = ctx.oidc?.client?.clientId;
    if (clientId !== undefined) uses.note(clientId, "current");
  });

  const sealer = createSealer({
    ...{ audit: store.audit, administration: store.administration, clock, key: auditKey },
    retentionMs: retentionMs(config),
  });
  const signOuts = createSignOutWorker({ administration: store.administration, clients, provider, clock, logger });
  const loop = (name: string, pollMs: number, runOnce: (signal: AbortSignal) => Promise<unknown>) =>
    createWorkerLoop({ name, pollMs, runOnce, logger });
  const signOutLoop = loop("sign-outs", 5000, () => signOuts.runOnce());

  return {
    workers: [
      loop("audit", 2000, (signal) => sealer.runOnce(signal)),
      signOutLoop,
      loop("figures", 10_000, () => counters.flush()),
      loop("invitations", 60_000, () => store.administration.lapseInvitations(clock.now())),
    ],
    routes(router) {
      const { issuer } = config;
      const authenticate = createAuthenticate({ administration: store.administration, provider, clients, clock });
      apiRoutes(router, { service, authenticate, issuer, version: version(), logger });
      consoleRoutes(router, {
        ...{ kit: deps.kit, service, store, clients, clock, config },
        signIns: createConsoleSignIns(provider, config),
        onChange: () => {
          deps.onMail();
          signOutLoop.nudge();
        },
        version: version(),
      });
      unknownApiRoutes(router, logger);
    },
  };
}

function retentionMs({ administration: { audit_retention_days: days } }: Config): number | null {
  return days === null ? null : days * dayMs;
}

/** What operations rest on. */
export async function operationParts({
  config,
  store,
  clients,
  provider,
  keys,
  auditKey,
}: Pick<
  AdministrationDeps,
  "config" | "store" | "clients" | "provider" | "keys" | "auditKey"
>): Promise<OperationParts> {
  const from = config.mail.from_address;
  const signingKeys = keys.signing.map(async (key) => ({
    kid: await calculateJwkThumbprint(key as Parameters<typeof calculateJwkThumbprint>[0]),
    alg: String(key.alg),
  }));
  return {
    ...{ store, clients, config, auditKey },
    mailDomain: from.slice(from.lastIndexOf("@") + 1),
    secretOverlapMs: config.administration.secret_overlap_seconds * 1000,
    clientProblem: (client) => clientProblem(provider, client),
    signingKeys: await Promise.all(signingKeys),
  };
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
