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
import type { ArtifactStore, StandingStore } from "../../storage/contract.ts";
import { consolePages } from "../../ui/console.ts";
import { definitions } from "../definitions/operations.ts";
import { API_PATH } from "../rest/api-path.ts";
import { describeApi } from "../rest/describe.ts";
import type { AdminService } from "../service.ts";
import { accessRoutes } from "./access-routes.ts";
import { clientRoutes } from "./client-routes.ts";
import { directoryRoutes } from "./directory-routes.ts";
import { lookingRoutes } from "./looking-routes.ts";
import { createConsoleSessions } from "./session.ts";
import { createShell } from "./shell.ts";

export interface ConsoleParts {
  kit: HttpDependencies;
  service: AdminService;
  standings: StandingStore;
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
export function consoleRoutes(router: Router, parts: ConsoleParts): () => void {
  const { kit, service, standings, artifacts, clients, signIns, config, clock, version, onChange } = parts;
  const { issuer } = config;
  const { time_zone: timeZone } = config.deployment;
  const sessions = createConsoleSessions({ kit, signIns, standings, artifacts, config, clock });
  const shell = createShell(router, { kit, sessions, service, issuer });

  router.get("/admin/callback", noHead, (ctx) => sessions.complete(ctx));
  router.get("/admin/another", (ctx) => sessions.begin(ctx, "/admin", { anotherAccount: true }));
  router.post("/admin/sign-out", form, async (ctx: Context) => {
    kit.csrf.verify(ctx, formFields(ctx)["csrf"]);
    await sessions.end(ctx);
    onChange();
    const site = await kit.site();
    const upstreamId = kit.cookies.get(ctx, kit.cookies.ofService(upstreamCookie));
    sendPage(
      ctx,
      consolePages.consoleSignedOut(site, { staysKnown: staysKnownView(site, upstreamId, null) }),
    );
  });
  router.get(API_PATH, async (ctx) => {
    const operations = describeApi(definitions);
    sendPage(
      ctx,
      consolePages.apiPage(await kit.site(), { base: `${issuer}${API_PATH}`, version, operations }),
    );
  });

  lookingRoutes(shell, { onChange });
  clientRoutes(shell, { findClient: (id) => clients.find(asClientId(id)), issuer, onChange });
  directoryRoutes(shell, { now: () => clock.now(), onChange });
  accessRoutes(shell, { timeZone, onChange });
  return () => shell.missing("/{*rest}");
}
