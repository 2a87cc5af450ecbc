/**
 * The only module that relies on what oidc-provider doesn't document, or reaches into its objects. Each piece
 * names the version it was read in and is covered by test/e2e/provider-internals.test.ts, which fails when
 * the library moves.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdapterPayload, KoaContextWithOIDC, Provider, Client as ProviderClient } from "oidc-provider";
import { type errors, Provider as ProviderClass } from "oidc-provider";
import type { Client } from "../domain/records.ts";
import { readAuthorizationRequest } from "./request-parameters.ts";
import { withStoreErrors } from "./store-errors.ts";

/**
 * The context of the request being served, or undefined outside of one (`Provider.ctx`, an AsyncLocalStorage;
 * 9.13).
 */
export function currentContext(): KoaContextWithOIDC | undefined {
  return (ProviderClass as unknown as { ctx: KoaContextWithOIDC | undefined }).ctx;
}

/**
 * Whether a session row is being destroyed only because its session got a new id in this request:
 * `Session.save()` destroys `oldId` before it writes the new row (lib/models/session.js, 9.13).
 */
export function isReplacedSessionId(sessionId: string): boolean {
  const session = currentContext()?.oidc.session as { oldId?: string } | undefined;
  return session?.oldId === sessionId;
}

/**
 * Has sessions keep what they hold for clients in a record that inherits nothing: `authorizationFor` indexes
 * it by the client's id, and would take the function `Object` for the entry of a client called `constructor`,
 * to write on it what is one person's (lib/models/session.js, 9.13). Sessions that were stored come so from
 * the adapter.
 */
export function keepAuthorizationsApart(provider: Provider): void {
  type Authorizing = { authorizations?: unknown };
  const prototype = provider.Session.prototype as unknown as {
    authorizationFor(this: Authorizing, clientId: string, value?: string): unknown;
  };
  const authorizationFor = prototype.authorizationFor;
  prototype.authorizationFor = function (this: Authorizing, clientId: string, value?: string) {
    if (value !== undefined) this.authorizations ??= Object.create(null);
    return authorizationFor.call(this, clientId, value);
  };
}

/** The session, and the grant there, that a token is good with. */
export interface SessionBinding {
  uid: string;
  clientId: string;
  grantId: string;
}

/**
 * What the library holds a token against that ends with its session: right after finding the token it looks
 * the session up by uid, and takes the token only if that names the very grant for the client
 * (`checkSessionBinding`, lib/models/token_helpers.js, 9.13). Undefined for what isn't bound to a session.
 */
export function sessionBinding(payload: AdapterPayload): SessionBinding | undefined {
  const { expiresWithSession, sessionUid: uid, clientId, grantId } = payload;
  if (expiresWithSession !== true || uid === undefined || clientId === undefined || grantId === undefined)
    return undefined;
  return { uid, clientId, grantId };
}

/**
 * Has oidc-provider not save the request's session a second time on its way out (lib/shared/session.js,
 * 9.13).
 */
export function abandonSession(context: KoaContextWithOIDC): void {
  ((context.oidc.session as { destroyed?: boolean } | undefined) ?? {}).destroyed = true;
}

/**
 * Takes a cookie back that oidc-provider has already put on the response, signature included
 * (lib/shared/session.js, 9.13).
 */
export function withdrawCookie(context: KoaContextWithOIDC, name: string): void {
  const set = context.response.get("set-cookie") as unknown as string | string[];
  const remaining = [set]
    .flat()
    .filter((line) => !line.startsWith(`${name}=`) && !line.startsWith(`${name}.sig=`));
  context.set("set-cookie", remaining);
}

/** A request of ours and its response: all that the library needs to read its cookies. */
export interface Browser {
  req: IncomingMessage;
  res: ServerResponse;
}

/** What a browser's session is: its id is what its cookie holds. */
export interface OpenSession {
  id: string;
  uid: string;
  accountId: string;
  /** What it holds for each client. */
  authorizations: Readonly<
    Record<string, { grantId?: string | undefined; persistsLogout?: boolean | undefined }>
  >;
}

/**
 * The session that this browser has, on a route of ours; undefined where nobody is signed in. `Session.get`
 * makes the context of the cookies itself, and a new session where there is none (lib/models/session.js,
 * 9.13).
 */
export async function sessionOf(provider: Provider, { req, res }: Browser): Promise<OpenSession | undefined> {
  type Context = Parameters<Provider["Session"]["get"]>[0];
  const session = await withStoreErrors(provider.Session.get({ req, res } as unknown as Context));
  const { jti: id, uid, accountId, authorizations = {} } = session;
  return accountId === undefined ? undefined : { id, uid, accountId, authorizations };
}

/** The uid of the session that this browser has. */
export async function sessionUidOf(provider: Provider, browser: Browser): Promise<string | undefined> {
  return (await sessionOf(provider, browser))?.uid;
}

/** Client metadata under which our own settings of a client travel through oidc-provider. */
export const portalMetadataKey = "liaison_portal";

/** Our settings of a client, as given to oidc-provider in `extraClientMetadata`. */
export type PortalSettings = Pick<
  Client,
  "id" | "name" | "homeUrl" | "aboutUrl" | "policy" | "claimsInIdToken"
> & {
  pkceRequired: boolean;
  /** A secret that is still taken beside the client's own. */
  previousSecret: Client["previousSecret"];
};

/**
 * The settings that `clientMetadata()` put into the client. Instances keep custom metadata under its own name
 * (9.13).
 */
export function portalSettings(client: ProviderClient): PortalSettings {
  const settings = (client as unknown as { [portalMetadataKey]?: PortalSettings })[portalMetadataKey];
  if (settings === undefined) throw new TypeError("a client without portal settings reached oidc-provider");
  return settings;
}

/**
 * A new Grant under an id of our choosing (the typings leave `jti` out; the constructor takes any payload;
 * 9.13).
 */
export function newGrant(provider: Provider, grant: { jti: string; accountId: string; clientId: string }) {
  return new provider.Grant(grant as { accountId: string; clientId: string });
}

/**
 * oidc-provider takes Host, scheme and mount path from the request for discovery and redirects. This makes
 * the request say what the configured issuer says, and nothing else, before anything reads it.
 * `Provider.proxy` must be true; the path is read from `req.baseUrl` (lib/helpers/oidc_context.js, 9.13).
 */
export function pinOrigin(request: IncomingMessage, issuer: URL): void {
  for (const name of Object.keys(request.headers)) {
    if (name === "forwarded" || name.startsWith("x-forwarded-")) delete request.headers[name];
  }
  // In absolute form (RFC 9112, 3.2.2) the target itself names a host, and Koa's `ctx.href` would believe it.
  const target = request.url ?? "/";
  if (!target.startsWith("/") && URL.canParse(target)) {
    const { pathname, search } = new URL(target);
    request.url = pathname + search;
  }
  request.headers.host = issuer.host;
  request.headers["x-forwarded-proto"] = issuer.protocol.slice(0, -1);
  Object.assign(request, { baseUrl: issuer.pathname === "/" ? "" : issuer.pathname });
}

/**
 * The library's own self-submitting form to the end of a session, which it sends without asking for a page:
 * when somebody signed in with another account than the session's (lib/actions/authorization/resume.js), and
 * when there is no session left to sign out of (lib/actions/end_session.js; 9.13). Undefined for every other
 * response.
 */
export function selfSubmittingSignOut(
  ctx: object,
  body: unknown,
): { xsrf: string; because: "switch_account" | "nothing_left"; leadsTo: string | undefined } | undefined {
  const { oidc } = ctx as { oidc?: KoaContextWithOIDC["oidc"] };
  if (typeof body !== "string" || !body.includes("<title>Submitting Callback</title>")) return undefined;
  const state = oidc?.session?.state;
  if (oidc === undefined || typeof state?.["secret"] !== "string") return undefined;
  if (oidc.route !== "resume" && oidc.route !== "end_session") return undefined;
  const because = oidc.route === "resume" ? "switch_account" : "nothing_left";
  const leadsTo = because === "switch_account" ? redirectUriOf(ctx) : state["postLogoutRedirectUri"];
  return { xsrf: state["secret"], because, leadsTo: typeof leadsTo === "string" ? leadsTo : undefined };
}

/**
 * Whether the end of a session makes room for another account: the library then leads back to the
 * authorization that waits for it, as to any address after a sign-out (lib/actions/authorization/resume.js,
 * 9.13).
 */
export function isAccountSwitch({ oidc }: KoaContextWithOIDC): boolean {
  const leadsTo: unknown = oidc.session?.state?.["postLogoutRedirectUri"];
  return typeof leadsTo === "string" && leadsTo.startsWith(`${oidc.urlFor("authorization")}/`);
}

/**
 * Where a response of the authorization endpoint leads on to, by a form of the library's or by our own page:
 * an address that the client registered. On an error page the parameter may be anything that somebody sent.
 */
export function redirectUriOf(ctx: object): string | undefined {
  const { oidc } = ctx as { oidc?: KoaContextWithOIDC["oidc"] };
  // Was checked before its interaction was stored; when that resumes, no client is loaded yet.
  const asked = readAuthorizationRequest(oidc?.entities.Interaction?.params ?? {}).redirectUri;
  if (asked !== undefined) return asked;
  const named = readAuthorizationRequest(oidc?.params ?? {}).redirectUri;
  return named !== undefined && oidc?.client?.redirectUriAllowed(named) === true ? named : undefined;
}

/** Whether a resume found nothing of its sign-in any more (lib/actions/authorization/resume.js, 9.13). */
export function isGone(error: errors.SessionNotFound): boolean {
  return error.error_description === "interaction session not found";
}

/**
 * What `fetch` of an outbound call must look like to reach an address that an operator allowed by name:
 * oidc-provider's dispatcher refuses loopback and private addresses at connect (lib/helpers/fetch_request.js,
 * 9.13).
 */
export function withoutAddressGuard(options: RequestInit): RequestInit {
  const rest = { ...options } as RequestInit & { dispatcher?: unknown };
  delete rest.dispatcher;
  return rest;
}

/** oidc-provider's name of the route that served a request, for the log; undefined on routes of ours. */
export function currentRoute(ctx: object): string | undefined {
  return (ctx as { oidc?: { route?: string } }).oidc?.route;
}

/**
 * Whether a request to an endpoint of the library's came of a client that has no secret to prove itself with.
 */
export function isPublicClient(ctx: object): boolean {
  const { oidc } = ctx as { oidc?: { client?: { clientAuthMethod?: string } } };
  return oidc?.client?.clientAuthMethod === "none";
}

/**
 * Hands the library a form that was read already, by the very things that it reads one by: `readable` and
 * `iterator` of the request (`selectiveBody`, lib/shared/selective_body.js, 9.13). A body on the request
 * would do too, with a warning.
 */
export function giveForm(request: IncomingMessage, form: Buffer): void {
  // It holds the body against the length that was announced.
  if (request.headers["content-length"] !== undefined)
    request.headers["content-length"] = String(form.length);
  Object.defineProperties(request, {
    readable: { value: true },
    iterator: { value: () => once(form) },
  });
}

async function* once(form: Buffer): AsyncGenerator<Buffer> {
  yield form;
}

/**
 * Takes the secret before the last rotation, too, while it holds; tells which one was used.
 * `compareClientSecret` reads nothing of the client but `clientSecret` (lib/models/client.js, 9.13).
 */
export function acceptPreviousSecrets(
  provider: Provider,
  { now, onUse }: { now: () => number; onUse(clientId: string, secret: "current" | "previous"): void },
): void {
  type Comparing = { clientSecret?: string | undefined };
  const prototype = provider.Client.prototype as unknown as {
    compareClientSecret(this: Comparing, actual: string): boolean | Promise<boolean>;
  };
  const compare = prototype.compareClientSecret;
  prototype.compareClientSecret = async function compareClientSecret(this: Comparing, actual: string) {
    const client = this as unknown as ProviderClient;
    if (await compare.call(this, actual)) {
      onUse(client.clientId, "current");
      return true;
    }
    const previous = portalSettings(client).previousSecret;
    if (previous === null || previous.until <= now()) return false;
    if (!(await compare.call({ clientSecret: previous.secret }, actual))) return false;
    onUse(client.clientId, "previous");
    return true;
  };
}

/** A client's logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4). */
export interface LogoutToken {
  accountId: string;
  sid: string | null;
  /** The same for each attempt, so that a client that was told already knows it again. */
  jti: string;
}

/** What of a client instance is reached into (lib/models/client.js, 9.13). */
interface NotifiedClient {
  clientId: string;
  backchannelLogoutUri?: string;
  backchannelLogoutSessionRequired?: boolean;
  backchannelLogout(sub: string, sid: string | undefined): Promise<void>;
}

/** Signs a logout token as the end of a session does (`backchannelLogout`, lib/models/client.js, 9.13). */
export async function signLogoutToken(
  provider: Provider,
  client: ProviderClient,
  { accountId, sid, jti }: LogoutToken,
): Promise<string> {
  type Issuing = {
    mask: object;
    set(name: string, value: unknown): void;
    issue(of: { use: "logout" }): Promise<string>;
  };
  const IdToken = provider.IdToken as unknown as new (claims: object, of: object) => Issuing;
  const token = new IdToken({ sub: accountId }, { client, ctx: undefined });
  token.mask = { sub: null };
  token.set("events", { "http://schemas.openid.net/event/backchannel-logout": {} });
  token.set("jti", jti);
  const { backchannelLogoutSessionRequired: needsSid = false } = client as unknown as NotifiedClient;
  if (needsSid && sid !== null) token.set("sid", sid);
  return await token.issue({ use: "logout" });
}

const signedOutOf = new WeakMap<object, string[]>();

/**
 * Has the end of a session note whom it would tell, instead of telling them while the person waits: they are
 * queued with the end of the session's row (`clientsToTell`). `confirm` asks each client before it destroys
 * the session (lib/actions/end_session.js, 9.13).
 */
export function noteSignedOutClients(provider: Provider): void {
  const prototype = provider.Client.prototype as unknown as NotifiedClient;
  prototype.backchannelLogout = async function backchannelLogout(this: NotifiedClient) {
    const context = currentContext();
    if (context === undefined) throw new TypeError("a client is told of a sign-out by the queue alone");
    signedOutOf.set(context, [...(signedOutOf.get(context) ?? []), this.clientId]);
  };
}

/** The clients that are to be told that the session of this request has ended. */
export function clientsToTell(context: KoaContextWithOIDC): readonly string[] {
  return signedOutOf.get(context) ?? [];
}
