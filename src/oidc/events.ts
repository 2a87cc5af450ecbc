/**
 * What oidc-provider tells by events alone: errors that it answers itself, codes it issued, clients that
 * authenticated.
 */

import type { KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Instant } from "../clock.ts";
import type { RefusedAddress } from "../domain/records.ts";
import { loginOf } from "./foreign-browser.ts";
import { acceptPreviousSecrets, isAccountSwitch } from "./internals.ts";

/** The part of pino's logger that is used here. */
interface EventLogger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

interface ReportedContext {
  state?: { requestId?: string };
  oidc?: KoaContextWithOIDC["oidc"];
}

/** Characters of an address that anybody may have sent. */
const longestLogged = 500;

/** An address that isn't registered: what a portal's developer is told on a page is no more than that. */
interface Unregistered {
  clientId: string;
  parameter: RefusedAddress["parameter"];
  came: string;
  registered: readonly string[];
}

function unregisteredAddress({ oidc }: ReportedContext, { message }: Error): Unregistered | undefined {
  const { client, params = {} } = oidc ?? {};
  // The errors of an unregistered address, by where it came: pushed, it is an invalid request.
  if (client === undefined || !["invalid_redirect_uri", "invalid_request"].includes(message))
    return undefined;
  const { clientId, redirectUris = [], postLogoutRedirectUris = [] } = client;
  const { redirect_uri: callback, post_logout_redirect_uri: afterwards } = params;
  if (typeof callback === "string" && !client.redirectUriAllowed(callback)) {
    return {
      clientId,
      parameter: "redirect_uri",
      came: callback.slice(0, longestLogged),
      registered: redirectUris,
    };
  }
  if (typeof afterwards === "string" && !client.postLogoutRedirectUriAllowed(afterwards)) {
    const came = afterwards.slice(0, longestLogged);
    return { clientId, parameter: "post_logout_redirect_uri", came, registered: postLogoutRedirectUris };
  }
  return undefined;
}

const logged = ({ clientId, came, registered }: Unregistered) => ({ client_id: clientId, came, registered });

/**
 * Logs the errors of oidc-provider's own endpoints. What it refuses on purpose is no news.
 * @param onUnregistered is told of each address that came with a client's id and isn't registered
 */
export function reportProviderErrors(
  provider: Provider,
  logger: EventLogger,
  onUnregistered: (clientId: string, refused: Pick<RefusedAddress, "parameter" | "address">) => void,
): void {
  const look = (ctx: ReportedContext, err: Error) => {
    const found = unregisteredAddress(ctx, err);
    if (found !== undefined)
      onUnregistered(found.clientId, { parameter: found.parameter, address: found.came });
    return found && logged(found);
  };
  const report = (ctx: ReportedContext, err: Error & { statusCode?: number }) => {
    const fields = { err, request_id: ctx.state?.requestId, ...look(ctx, err) };
    if ((err.statusCode ?? 500) >= 500) logger.error(fields, "provider error");
    else logger.info(fields, "provider refused a request");
  };
  const events = [
    "server_error",
    "authorization.error",
    "pushed_authorization_request.error",
    "grant.error",
    "userinfo.error",
    "introspection.error",
  ] as const;
  const emitter: NodeJS.EventEmitter = provider;
  for (const event of events) emitter.on(event, report);
  emitter.on("end_session.error", (ctx: ReportedContext, err: Error) => {
    const found = look(ctx, err);
    // Of the others nothing is said: what is wrong with a hint quotes it.
    if (found !== undefined)
      logger.info({ request_id: ctx.state?.requestId, ...found }, "provider refused a request");
  });
  emitter.on("error", (err: NodeJS.ErrnoException) => {
    // A request that is no HTTP, or a browser that left. Node's error carries the raw bytes, cookies and all:
    // never log it whole.
    const fields = { code: err.code, reason: err.message };
    if (/^(HPE_|ECONN|EPIPE|ERR_STREAM)/.test(err.code ?? "")) logger.debug(fields, "a connection failed");
    else logger.error({ ...fields, stack: err.stack }, "a response failed");
  });
}

/**
 * Calls back for each code issued, with the hash of the proof that its browser brought along, if it was asked
 * for one.
 */
export function onCodeIssued(
  provider: Provider,
  callback: (ctx: KoaContextWithOIDC, proofHash: string | undefined) => void,
): void {
  (provider as NodeJS.EventEmitter).on(
    "authorization.success",
    (ctx: KoaContextWithOIDC, out: { code?: unknown }) => {
      if (out.code === undefined) return;
      callback(ctx, loginOf(ctx.oidc.entities.Interaction ?? {})?.proofHash);
    },
  );
}

/**
 * Calls back when a session has ended in its browser: what tells the portals is queued. `by` says whether the
 * person signed out, or signed in with another account than the session's.
 */
export function onSessionEnded(
  provider: Provider,
  callback: (ctx: KoaContextWithOIDC, by: "sign_out" | "switch_account") => void,
): void {
  (provider as NodeJS.EventEmitter).on("end_session.success", (ctx: KoaContextWithOIDC) => {
    callback(ctx, isAccountSwitch(ctx) ? "switch_account" : "sign_out");
  });
}

export interface ClientUses {
  now(): Instant;
  /** A client has authenticated. */
  onUse(clientId: string, secret: "current" | "previous"): void;
}

/**
 * Takes the secret before a client's last rotation too, while it holds, and tells which one each client uses.
 */
export function watchClientUses(provider: Provider, { now, onUse }: ClientUses): void {
  acceptPreviousSecrets(provider, { now, onUse });
  (provider as NodeJS.EventEmitter).on(
    "grant.success",
    (ctx: { oidc?: { client?: { clientId: string } } }) => {
      // A client without a secret authenticates by nothing: that it got tokens is how its use shows.
      const clientId = ctx.oidc?.client?.clientId;
      if (clientId !== undefined) onUse(clientId, "current");
    },
  );
}
