/**
 * Signs administrators in to the administration's pages: at our own provider, by the code flow with PKCE,
 * like everybody. The code is redeemed here, in this process, and what remains is the grant that it was
 * issued under: who it speaks for is read anew with each request, so that whatever ends the grant ends the
 * pages, too.
 */

import { createHash } from "node:crypto";
import { errors, type Provider } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { opensAdministration, type SignInDemand } from "../domain/administration.ts";
import { asAccountId, asClientId, asGrantId, type ClientId } from "../domain/ids.ts";
import { CONSOLE_CLIENT_ID, type GrantId } from "../domain/records.ts";
import { hashSecret, randomSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { ArtifactStore } from "../storage/contract.ts";
import { methodOf } from "./authentication.ts";
import type { ClientDirectory } from "./clients.ts";
import { type Browser, sessionOf, sessionUidOf } from "./internals.ts";
import { withStoreErrors } from "./store-errors.ts";

export interface ConsoleSignIn {
  url: string;
  state: string;
  verifier: string;
}

export interface ConsoleSignIns {
  /** Where the browser is sent, with what its answer must fit; in an encrypted cookie. */
  begin(options?: { anotherAccount?: boolean }): ConsoleSignIn;
  /**
   * The grant of a code that was issued to us in the session of this browser, once. Undefined for any other
   * code.
   * @throws LiaisonError `forbidden` if the code's sign-in isn't such a one as opens the administration
   */
  redeem(browser: Browser, code: string, verifier: string): Promise<GrantId | undefined>;
  /**
   * Ends the session of this browser as a sign-out at a portal does: its portals are told, offline tokens go
   * on.
   */
  endSession(browser: Browser): Promise<void>;
}

export interface ConsoleSignInsDeps {
  provider: Provider;
  artifacts: Pick<ArtifactStore, "revokeGrant" | "destroySession">;
  clients: Pick<ClientDirectory, "find">;
  clock: Clock;
  config: { issuer: string; administration: SignInDemand };
}

const challengeOf = (verifier: string) => createHash("sha256").update(verifier).digest("base64url");

/** Makes the sign-ins. What the browser keeps of one in the meantime is its caller's. */
export function createConsoleSignIns(deps: ConsoleSignInsDeps): ConsoleSignIns {
  const { issuer } = deps.config;
  return {
    begin: ({ anotherAccount = false } = {}) => {
      const [state, verifier] = [randomSecret(), randomSecret()];
      const url = new URL(`${issuer}/authorize`);
      url.search = new URLSearchParams({
        client_id: CONSOLE_CLIENT_ID,
        redirect_uri: redirectUriOf(issuer),
        response_type: "code",
        scope: "openid",
        state,
        code_challenge: challengeOf(verifier),
        code_challenge_method: "S256",
        ...(anotherAccount ? { prompt: "login" } : {}),
      }).toString();
      return { url: url.href, state, verifier };
    },
    redeem: async (browser, code, verifier) => await redeem(deps, browser, { code, verifier }),
    endSession: async (browser) => await endSession(deps, browser),
  };
}

function redirectUriOf(issuer: string): string {
  return `${issuer}/admin/callback`;
}

async function redeem(
  { provider, config: { issuer, administration } }: ConsoleSignInsDeps,
  browser: Browser,
  { code, verifier }: { code: string; verifier: string },
): Promise<GrantId | undefined> {
  const found = await withStoreErrors(provider.AuthorizationCode.find(code));
  if (found === undefined || found.isExpired || found.clientId !== CONSOLE_CLIENT_ID) return undefined;
  const { redirectUri, codeChallenge, codeChallengeMethod } = found;
  const grantId = found.grantId === undefined ? undefined : asGrantId(found.grantId);
  if (
    redirectUri !== redirectUriOf(issuer) ||
    codeChallengeMethod !== "S256" ||
    codeChallenge !== challengeOf(verifier)
  ) {
    return undefined;
  }
  // What the code answers could have been planted here, with a code of the planter's own.
  if (found.sessionUid === undefined || found.sessionUid !== (await sessionUidOf(provider, browser)))
    return undefined;
  try {
    await found.consume();
  } catch (error) {
    if (error instanceof errors.InvalidGrant) return undefined;
    throw error;
  }
  // The interaction policy issues no such code; a broker of another configuration may have.
  if (!opensAdministration(administration, methodOf(found))) {
    throw LiaisonError.forbidden("The administration asks for another sign-in than this one.");
  }
  return grantId;
}

async function endSession(
  { provider, artifacts, clients, clock }: ConsoleSignInsDeps,
  browser: Browser,
): Promise<void> {
  const session = await sessionOf(provider, browser);
  if (session === undefined) return;
  const { uid: sessionUid, accountId } = session;
  const told: ClientId[] = [];
  for (const [id, { grantId, persistsLogout = false }] of Object.entries(session.authorizations)) {
    const clientId = asClientId(id);
    const client = await clients.find(clientId);
    if (client?.metadata["backchannel_logout_uri"] !== undefined) told.push(clientId);
    if (grantId !== undefined && !persistsLogout) {
      await artifacts.revokeGrant(asGrantId(grantId), { signIn: { sessionUid, clientId } });
    }
  }
  await artifacts.destroySession(hashSecret(session.id), {
    accountId: asAccountId(accountId),
    clientIds: told,
    now: clock.now(),
  });
}
