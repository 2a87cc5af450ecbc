/** The administration's pages, and the REST API as one to read. Each area has a file of its own. */

import type Router from "@koa/router";
import type { Context } from "koa";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/schema.ts";
import { asClientId } from "../../domain/ids.ts";
import { form, noHead } from "../../http/declarations.ts";
import type { HttpDependencies } from "../../http/dependencies.ts";
import { formFields } from "../../http/requests.ts";
import { sendPage } from "../../http/responses.ts";
import { staysKnownView } from "../../http/site.ts";
import { upstreamCookie } from "../../http/upstream-cookie.ts";
import type { ClientDirectory } from "../../oidc/clients.ts";
import type { ConsoleSignIns } from "../../oidc/console.ts";
import type { AccountAtClientStore, ArtifactStore } from "../../storage/contract.ts";
import { consolePages } from "../../ui/console.ts";
import { definitions } from "../definitions/operations.ts";
import { API_PATH } from "../rest/api-path.ts";
import { describeApi } from "../rest/describe.ts";
import type { AdminService } from "../service.ts";
import { accountRoutes } from "./account-routes.ts";
import { administratorRoutes } from "./administrator-routes.ts";
import { type ConsoleSessions, createConsoleSessions } from "./administrator-session.ts";
import { auditRoutes } from "./audit-routes.ts";
import { clientRoutes } from "./client-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { linkRoutes } from "./link-routes.ts";
import { mailRoutes } from "./mail-routes.ts";
import { organizationRoutes } from "./organization-routes.ts";
import { overviewRoutes } from "./overview-routes.ts";
import { peopleRoutes } from "./people-routes.ts";
import { createConsoleRouter } from "./router.ts";
import { sessionRoutes } from "./session-routes.ts";
import { verificationRoutes } from "./verification-routes.ts";
import { simulationRoutes } from "./why-routes.ts";

export interface ConsoleDependencies {
  http: HttpDependencies;
  service: AdminService;
  accountsAtClients: AccountAtClientStore;
  artifacts: Pick<ArtifactStore, "revokeGrant">;
  clients: ClientDirectory;
  signIns: ConsoleSignIns;
  config: Pick<Config, "issuer" | "sessions" | "deployment">;
  clock: Clock;
  version: string;
  /** Something was done that mails or portals are to be told of. */
  onChange(): void;
}

/**
 * Installs the pages. @returns what installs, behind all other routes, the answer to addresses that have no
 * page
 */
export function consoleRoutes(router: Router, dependencies: ConsoleDependencies): () => void {
  const { http, service, accountsAtClients, artifacts, clients, signIns, config, clock, version, onChange } =
    dependencies;
  const { issuer } = config;
  const { time_zone: timeZone } = config.deployment;
  const sessions = createConsoleSessions({ http, signIns, accountsAtClients, artifacts, config, clock });
  const consoleRouter = createConsoleRouter(router, { http, sessions, service, issuer, onChange });

  router.get("/admin/callback", noHead, (ctx) => sessions.complete(ctx));
  router.get("/admin/another", (ctx) => sessions.begin(ctx, "/admin", { anotherAccount: true }));
  router.post("/admin/sign-out", form, (ctx: Context) => signOut(ctx, { http, sessions, onChange }));
  router.get(API_PATH, (ctx) => describeRestApi(ctx, { http, issuer, version }));

  overviewRoutes(consoleRouter);
  clientRoutes(consoleRouter, { findClient: (id) => clients.find(asClientId(id)), issuer });
  organizationRoutes(consoleRouter, { now: () => clock.now() });
  peopleRoutes(consoleRouter);
  accountRoutes(consoleRouter);
  sessionRoutes(consoleRouter);
  linkRoutes(consoleRouter);
  mailRoutes(consoleRouter);
  simulationRoutes(consoleRouter);
  administratorRoutes(consoleRouter);
  keyRoutes(consoleRouter, { timeZone });
  auditRoutes(consoleRouter, { timeZone });
  verificationRoutes(consoleRouter);
  return () => consoleRouter.missing("/{*rest}");
}

async function signOut(
  ctx: Context,
  {
    http,
    sessions,
    onChange,
  }: Pick<ConsoleDependencies, "http" | "onChange"> & { sessions: ConsoleSessions },
): Promise<void> {
  http.csrf.verify(ctx, formFields(ctx)["csrf"]);
  await sessions.end(ctx);
  onChange();
  const site = await http.site();
  const upstreamId = http.cookies.get(ctx, http.cookies.ofService(upstreamCookie));
  const view = { staysKnown: staysKnownView(site, upstreamId, null) };
  sendPage(ctx, consolePages.consoleSignedOut(site, view));
}

async function describeRestApi(
  ctx: Context,
  { http, issuer, version }: Pick<ConsoleDependencies, "http" | "version"> & { issuer: string },
): Promise<void> {
  const view = { base: `${issuer}${API_PATH}`, version, operations: describeApi(definitions) };
  sendPage(ctx, consolePages.apiPage(await http.site(), view));
}
