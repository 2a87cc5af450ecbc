/**
 * Who calls the REST API: a machine that our provider gave a token, or whoever holds an API key. People's
 * tokens are no use.
 */

import type { Provider } from "oidc-provider";
import type { Clock, Milliseconds } from "../../clock.ts";
import { settingsOf } from "../../domain/client-metadata.ts";
import { asClientId } from "../../domain/ids.ts";
import { hashSecret } from "../../domain/secrets.ts";
import type { ClientDirectory } from "../../oidc/clients.ts";
import { findMachineToken } from "../../oidc/machines.ts";
import type { AdminStore } from "../../storage/contract.ts";
import { KEY_PREFIX } from "../operations/access.ts";
import { isScope, type Principal, type Scope } from "../scopes.ts";

export interface AuthenticateDependencies {
  administration: Pick<AdminStore, "apiKey" | "noteApiKeyUse">;
  provider: Provider;
  clients: Pick<ClientDirectory, "find">;
  clock: Clock;
}

/** How often the use of a key is written down, in milliseconds. */
const noteEveryMs: Milliseconds = 60_000;

/** Returns who an Authorization header proves, or undefined for nobody. */
export function createAuthenticate({ administration, provider, clients, clock }: AuthenticateDependencies) {
  async function byKey(token: string): Promise<Principal | undefined> {
    const now = clock.now();
    const key = await administration.apiKey(hashSecret(token), now);
    if (key === undefined) return undefined;
    if (now - (key.lastUsedAt ?? 0) >= noteEveryMs) await administration.noteApiKeyUse(key.id, now);
    return { actor: `key:${key.id}`, scopes: scopesOf(key.scopes) };
  }

  async function byToken(token: string): Promise<Principal | undefined> {
    const found = await findMachineToken(provider, token);
    if (found === undefined) return undefined;
    // What the client lost since, its tokens lost too.
    const client = await clients.find(asClientId(found.clientId));
    if (client === undefined) return undefined;
    const settings = settingsOf(client);
    if (settings.preset !== "machine") return undefined;
    return {
      actor: `client:${client.id}`,
      scopes: scopesOf(found.scopes.filter((scope) => settings.scopes.includes(scope))),
    };
  }

  return async (authorization: string): Promise<Principal | undefined> => {
    const token = /^Bearer ([\w.~+/=-]{20,512})$/i.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    return token.startsWith(KEY_PREFIX) ? await byKey(token) : await byToken(token);
  };
}

function scopesOf(texts: readonly string[]): ReadonlySet<Scope> {
  return new Set(texts.filter(isScope));
}
