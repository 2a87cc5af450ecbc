/**
 * Who is signed in to the administration's pages. The browser keeps, encrypted, the grant that the sign-in
 * came to, and since when; whom the grant speaks for, and whether that is an administrator, is read from the
 * store with each request.
 */

import type { Context } from "koa";
import type { Clock, Instant, Milliseconds, Seconds } from "../../clock.ts";
import type { Config } from "../../config/schema.ts";
import { asGrantId } from "../../domain/ids.ts";
import type { AdminRole, GrantId, Membership } from "../../domain/records.ts";
import { equalSecrets } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import type { HttpDependencies } from "../../http/dependencies.ts";
import { queryValue } from "../../http/requests.ts";
import { seeOther } from "../../http/responses.ts";
import type { ConsoleSignIns } from "../../oidc/console.ts";
import type { AccountAtClientStore, ArtifactStore } from "../../storage/contract.ts";
import { type Principal, ROLES } from "../scopes.ts";

export interface Administrator {
  principal: Principal;
  role: AdminRole;
  membership: Membership;
}

export type Visitor =
  | { kind: "nobody" }
  | { kind: "somebody"; membership: Membership }
  | ({ kind: "administrator" } & Administrator);

export interface ConsoleSessions {
  /** Who this browser's person is. Keeps the session going. */
  visitor(ctx: Context): Promise<Visitor>;
  /** Sends the browser off to sign in, and back to `returnTo` afterwards. */
  begin(ctx: Context, returnTo: string, options?: { anotherAccount?: boolean }): Promise<void>;
  /** Takes the answer of a sign-in. @throws LiaisonError `sign_in_expired`, `sign_in_mismatch` */
  complete(ctx: Context): Promise<void>;
  /**
   * Signs out of the administration and of the service: a session that went on would open it again by one
   * click.
   */
  end(ctx: Context): Promise<void>;
}

export interface SessionDependencies {
  http: HttpDependencies;
  signIns: ConsoleSignIns;
  accountsAtClients: AccountAtClientStore;
  artifacts: Pick<ArtifactStore, "revokeGrant">;
  config: Pick<Config, "issuer" | "sessions">;
  clock: Clock;
}

/** What the browser keeps of a session. */
interface StoredSession {
  grantId: GrantId;
  since: Instant;
  seen: number;
}

/** Seconds within which a sign-in must come back: a first one waits for a mail meanwhile. */
const beginSeconds: Seconds = 2 * 3600;
/** How often it is written down that a session goes on, in milliseconds. */
const noteEveryMs: Milliseconds = 60_000;

/** The two cookies of the pages: of a session, and of a sign-in under way. */
function createSessionCookies({
  http,
  config,
  clock,
}: Pick<SessionDependencies, "http" | "config" | "clock">) {
  const { encryptedCookies, cookies } = http;
  const path = new URL(`${config.issuer}/admin`).pathname;
  const sessionAt = cookies.ofService("liaison.console", path);
  const beginAt = cookies.ofService("liaison.console.begin", path);
  const { idle_seconds: idle, absolute_seconds: absolute } = config.sessions;

  return {
    setSession(ctx: Context, session: StoredSession): void {
      encryptedCookies.set(ctx, sessionAt, session, absolute);
    },

    session(ctx: Context): StoredSession | undefined {
      const { grantId, since, seen } = encryptedCookies.get(ctx, sessionAt) ?? {};
      if (typeof grantId !== "string" || typeof since !== "number" || typeof seen !== "number")
        return undefined;
      const now = clock.now();
      return now < since + absolute * 1000 && now < seen + idle * 1000
        ? { grantId: asGrantId(grantId), since, seen }
        : undefined;
    },

    clearSession(ctx: Context): void {
      encryptedCookies.clear(ctx, sessionAt);
    },

    setSignIn(ctx: Context, begun: { state: string; verifier: string; returnTo: string }): void {
      encryptedCookies.set(ctx, beginAt, begun, beginSeconds);
    },

    /** The sign-in under way that a request answers. */
    signIn(ctx: Context): { verifier: string; returnTo: unknown } {
      const { state, verifier, returnTo } = encryptedCookies.get(ctx, beginAt) ?? {};
      const returned = queryValue(ctx, "state");
      if (typeof state !== "string" || typeof verifier !== "string" || returned === undefined) {
        throw LiaisonError.signInExpired("No sign-in to the administration was begun here.");
      }
      if (!equalSecrets(state, returned)) throw LiaisonError.signInMismatch("This answers another sign-in.");
      return { verifier, returnTo };
    },

    clearSignIn(ctx: Context): void {
      encryptedCookies.clear(ctx, beginAt);
    },
  };
}

export function createConsoleSessions(dependencies: SessionDependencies): ConsoleSessions {
  const { http, signIns, accountsAtClients, artifacts, config, clock } = dependencies;
  const cookies = createSessionCookies(dependencies);

  return {
    visitor: async (ctx) => {
      const session = cookies.session(ctx);
      if (session === undefined) return { kind: "nobody" };
      const now = clock.now();
      const accountAtClient = await accountsAtClients.forGrant(session.grantId, now);
      if (accountAtClient === undefined) return { kind: "nobody" };
      if (now - session.seen >= noteEveryMs) cookies.setSession(ctx, { ...session, seen: now });
      return visitorOf(accountAtClient.membership);
    },

    begin: async (ctx, returnTo, options) => {
      const { url, state, verifier } = signIns.begin(options);
      cookies.setSignIn(ctx, { state, verifier, returnTo });
      seeOther(ctx, url);
    },

    complete: async (ctx) => {
      const { verifier, returnTo } = cookies.signIn(ctx);
      // Who cancelled or isn't let in went back from the sign-in; /admin would begin it again.
      if (queryValue(ctx, "error") === "access_denied") {
        cookies.clearSignIn(ctx);
        return seeOther(ctx, `${config.issuer}/`);
      }
      const code = queryValue(ctx, "code");
      const grantId = code !== undefined ? await signIns.redeem(ctx, code, verifier) : undefined;
      cookies.clearSignIn(ctx);
      if (grantId === undefined)
        throw LiaisonError.signInExpired("This sign-in was used, or came to nothing.");
      const now = clock.now();
      cookies.setSession(ctx, { grantId, since: now, seen: now });
      const isOurs = typeof returnTo === "string" && /^\/admin(?:[/?]|$)/.test(returnTo);
      seeOther(ctx, `${config.issuer}${isOurs ? returnTo : "/admin"}`);
    },

    end: async (ctx) => {
      const session = cookies.session(ctx);
      cookies.clearSession(ctx);
      // Before what may fail: whoever comes next at this browser is asked in any case.
      http.signedOut.note(ctx);
      if (session !== undefined) await artifacts.revokeGrant(session.grantId);
      await signIns.endSession(ctx);
    },
  };
}

/** Whether a person is an administrator, as things are now. */
function visitorOf(membership: Membership): Visitor {
  const { profile, organization } = membership;
  const isActive = profile.enabled && organization.enabled && organization.kind === "operator";
  if (profile.adminRole === null || !isActive) return { kind: "somebody", membership };
  const scopes = new Set(ROLES[profile.adminRole].scopes);
  const principal = { actor: `admin:${profile.id}`, scopes };
  return { kind: "administrator", principal, role: profile.adminRole, membership };
}
