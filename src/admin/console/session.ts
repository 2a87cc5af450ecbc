/**
 * Who is signed in to the administration's pages. The browser keeps, encrypted, the grant that the sign-in
 * came to, and since when; whom the grant speaks for, and whether that is an administrator, is read from the
 * store with each request.
 */

import type { Context } from "koa";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/schema.ts";
import { asGrantId } from "../../domain/ids.ts";
import type { AdminRole, GrantId, Membership } from "../../domain/records.ts";
import { equalSecrets } from "../../domain/secrets.ts";
import { LiaisonError } from "../../errors.ts";
import type { HttpDependencies } from "../../http/dependencies.ts";
import { queryValue } from "../../http/requests.ts";
import { seeOther } from "../../http/responses.ts";
import type { ConsoleSignIns } from "../../oidc/console.ts";
import type { ArtifactStore, StandingStore } from "../../storage/contract.ts";
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

export interface SessionParts {
  kit: HttpDependencies;
  signIns: ConsoleSignIns;
  standings: StandingStore;
  artifacts: Pick<ArtifactStore, "revokeGrant">;
  config: Pick<Config, "issuer" | "sessions">;
  clock: Clock;
}

interface Kept {
  grantId: GrantId;
  since: number;
  seen: number;
}

/** Seconds within which a sign-in must come back: a first one waits for a mail meanwhile. */
const beginSeconds = 2 * 3600;
/** How often it is written down that a session goes on, in milliseconds. */
const noteEveryMs = 60_000;

export function createConsoleSessions(parts: SessionParts): ConsoleSessions {
  const { kit, signIns, standings, artifacts, config, clock } = parts;
  const { encryptedCookies, cookies } = kit;
  const path = new URL(`${config.issuer}/admin`).pathname;
  const sessionAt = cookies.ofService("liaison.console", path);
  const beginAt = cookies.ofService("liaison.console.begin", path);
  const { idle_seconds: idle, absolute_seconds: absolute } = config.sessions;

  async function keep(ctx: Context, kept: Kept): Promise<void> {
    encryptedCookies.set(ctx, sessionAt, kept, absolute);
  }

  async function kept(ctx: Context): Promise<Kept | undefined> {
    const { grantId, since, seen } = encryptedCookies.get(ctx, sessionAt) ?? {};
    if (typeof grantId !== "string" || typeof since !== "number" || typeof seen !== "number")
      return undefined;
    const now = clock.now();
    return now < since + absolute * 1000 && now < seen + idle * 1000
      ? { grantId: asGrantId(grantId), since, seen }
      : undefined;
  }

  return {
    visitor: async (ctx) => {
      const session = await kept(ctx);
      if (session === undefined) return { kind: "nobody" };
      const now = clock.now();
      const standing = await standings.forGrant(session.grantId, now);
      if (standing === undefined) return { kind: "nobody" };
      if (now - session.seen >= noteEveryMs) await keep(ctx, { ...session, seen: now });
      const { membership } = standing;
      const { profile, organization } = membership;
      const isActive = profile.enabled && organization.enabled && organization.kind === "operator";
      if (profile.adminRole === null || !isActive) return { kind: "somebody", membership };
      const scopes = new Set(ROLES[profile.adminRole].scopes);
      const principal = { actor: `admin:${profile.id}`, scopes };
      return { kind: "administrator", principal, role: profile.adminRole, membership };
    },

    begin: async (ctx, returnTo, options) => {
      const { url, state, verifier } = signIns.begin(options);
      encryptedCookies.set(ctx, beginAt, { state, verifier, returnTo }, beginSeconds);
      seeOther(ctx, url);
    },

    complete: async (ctx) => {
      const { state, verifier, returnTo } = encryptedCookies.get(ctx, beginAt) ?? {};
      const [returned, code] = [queryValue(ctx, "state"), queryValue(ctx, "code")];
      if (typeof state !== "string" || typeof verifier !== "string" || returned === undefined) {
        throw LiaisonError.signInExpired("No sign-in to the administration was begun here.");
      }
      if (!equalSecrets(state, returned)) throw LiaisonError.signInMismatch("This answers another sign-in.");
      // Who cancelled or isn't let in went back from the sign-in; /admin would begin it again.
      if (queryValue(ctx, "error") === "access_denied") {
        encryptedCookies.clear(ctx, beginAt);
        return seeOther(ctx, `${config.issuer}/`);
      }
      const grantId = code !== undefined ? await signIns.redeem(ctx, code, verifier) : undefined;
      encryptedCookies.clear(ctx, beginAt);
      if (grantId === undefined)
        throw LiaisonError.signInExpired("This sign-in was used, or came to nothing.");
      const now = clock.now();
      await keep(ctx, { grantId, since: now, seen: now });
      const isOurs = typeof returnTo === "string" && /^\/admin(?:[/?]|$)/.test(returnTo);
      seeOther(ctx, `${config.issuer}${isOurs ? returnTo : "/admin"}`);
    },

    end: async (ctx) => {
      const session = await kept(ctx);
      encryptedCookies.clear(ctx, sessionAt);
      // Before what may fail: whoever comes next at this browser is asked in any case.
      kit.signedOut.note(ctx);
      if (session !== undefined) await artifacts.revokeGrant(session.grantId);
      await signIns.endSession(ctx);
    },
  };
}
