/**
 * oidc-provider's storage adapter over the store contract. Rows are keyed by the SHA-256 of their id and hold no id that
 * could be used; `consume` is conditional, and its loser revokes the whole family (RFC 6749 section 4.1.2, RFC 9700 4.14.2).
 */

import { type Adapter, type AdapterPayload, errors } from "oidc-provider";
import type { Clock } from "../clock.ts";
import { hashSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { ArtifactStore, SessionAuthorization } from "../storage/contract.ts";
import { type ClientDirectory, clientMetadata } from "./clients.ts";
import { currentContext, isReplacedSessionId } from "./internals.ts";

export interface AdapterDeps {
  artifacts: ArtifactStore;
  clients: ClientDirectory;
  clock: Clock;
  /** Called when a code or refresh token was found, so that what its grant speaks for is read before it is consumed. */
  onGrantSource(grantId: string): Promise<unknown>;
}

type Authorizations = Record<string, SessionAuthorization>;

const uidPlaceholder = "{uid}";

/** Makes the adapter for each of oidc-provider's models. */
export function createAdapterFactory(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => {
    if (model === "Client") return clientAdapter(deps);
    if (model === "Session") return sessionAdapter(deps);
    return artifactAdapter(deps, model);
  };
}

function clientAdapter({ clients }: AdapterDeps): Adapter {
  return {
    ...unsupported("Client"),
    find: async (id) => {
      const client = await whileReachable(clients.find(id));
      return client === undefined ? undefined : (clientMetadata(client) as AdapterPayload);
    },
  };
}

function artifactAdapter({ artifacts, clock, onGrantSource }: AdapterDeps, model: string): Adapter {
  const isGrantSource = model === "AuthorizationCode" || model === "RefreshToken";
  return {
    ...unsupported(model),
    upsert: async (id, payload, expiresIn) => {
      const expiresAt = expiry(payload, expiresIn, clock);
      if (model === "ReplayDetection") {
        const fresh = await whileReachable(artifacts.insertOnce(model, hashSecret(id), expiresAt, clock.now()));
        if (!fresh) throw new errors.InvalidClientAuth();
        return;
      }
      const keys = { grantId: model === "Grant" ? id : payload.grantId, accountId: payload.accountId };
      await whileReachable(artifacts.upsert(model, hashSecret(id), withoutIds(model, id, payload), keys, expiresAt));
    },
    find: async (id) => {
      // An expired interaction still tells which portal the person came from.
      const includeExpired = model === "Interaction";
      const payload = await whileReachable(artifacts.find(model, hashSecret(id), clock.now(), { includeExpired }));
      if (payload === undefined) return undefined;
      const found = withIds(model, id, payload);
      if (isGrantSource && found.grantId !== undefined) await whileReachable(onGrantSource(found.grantId));
      return found;
    },
    consume: async (id) => {
      if (await whileReachable(artifacts.consume(model, hashSecret(id), clock.now()))) return;
      const payload = await whileReachable(
        artifacts.find(model, hashSecret(id), clock.now(), { includeExpired: true }),
      );
      const grantId = payload?.["grantId"];
      if (typeof grantId === "string") await whileReachable(artifacts.revokeGrant(grantId));
      if (model === "PushedAuthorizationRequest") throw new errors.InvalidRequestUri("request_uri was already used");
      throw new errors.InvalidGrant({ detail: `${model} lost the race to be consumed` });
    },
    destroy: (id) =>
      whileReachable(model === "Grant" ? artifacts.revokeGrant(id) : artifacts.destroy(model, hashSecret(id))),
    // The library asks this of every model of a family; the family goes as one.
    revokeByGrantId: (grantId) => whileReachable(artifacts.revokeGrant(grantId)),
  };
}

function sessionAdapter({ artifacts, clock }: AdapterDeps): Adapter {
  /** The clients that a session had when it was found, by the object that the library goes on to change. */
  const foundClients = new WeakMap<object, string[]>();
  /** The row that a session's new id replaces, by the request in which it got it. */
  const replaced = new WeakMap<object, string>();

  const compose = (payload: Record<string, unknown>): AdapterPayload => {
    const authorizations = payload["authorizations"];
    if (typeof authorizations === "object" && authorizations !== null) {
      foundClients.set(authorizations, Object.keys(authorizations));
    }
    return payload as AdapterPayload;
  };

  return {
    ...unsupported("Session"),
    upsert: async (id, payload, expiresIn) => {
      const { jti: _id, authorizations = {}, ...rest } = payload;
      if (payload.uid === undefined) throw new TypeError("a session without uid");
      const before = foundClients.get(authorizations) ?? [];
      const context = currentContext();
      const replaces = context === undefined ? undefined : replaced.get(context);
      await whileReachable(
        artifacts.upsertSession(
          hashSecret(id),
          rest,
          {
            uid: payload.uid,
            accountId: payload.accountId,
            authorizations: authorizations as Authorizations,
            removed: before.filter((clientId) => !(clientId in authorizations)),
            replaces,
          },
          expiry(payload, expiresIn, clock),
        ),
      );
    },
    find: async (id) => {
      const payload = await whileReachable(artifacts.find("Session", hashSecret(id), clock.now()));
      return payload === undefined ? undefined : { ...compose(payload), jti: id };
    },
    findByUid: async (uid) => {
      const payload = await whileReachable(artifacts.findSessionByUid(uid, clock.now()));
      return payload === undefined ? undefined : compose(payload);
    },
    destroy: async (id) => {
      const context = currentContext();
      if (context !== undefined && isReplacedSessionId(id)) {
        replaced.set(context, hashSecret(id));
        return;
      }
      await whileReachable(artifacts.destroySession(hashSecret(id)));
    },
  };
}

function expiry(payload: AdapterPayload, expiresIn: number | undefined, clock: Clock): number {
  if (payload.exp !== undefined) return payload.exp * 1000;
  return clock.now() + (expiresIn ?? 0) * 1000;
}

/** The payload without the ids that a request could be made with: its own, and the session cookie of an interaction. */
function withoutIds(model: string, id: string, payload: AdapterPayload): Record<string, unknown> {
  const { jti: _id, ...rest } = payload;
  if (model !== "Interaction") return rest;
  const session = rest.session;
  if (session !== undefined) {
    const { cookie: _cookie, ...kept } = session;
    rest.session = kept;
  }
  return { ...rest, returnTo: rest.returnTo?.replace(id, uidPlaceholder) };
}

function withIds(model: string, id: string, payload: Record<string, unknown>): AdapterPayload {
  const found: AdapterPayload = { ...payload, jti: id };
  return model === "Interaction" ? { ...found, returnTo: found.returnTo?.replace(uidPlaceholder, id) } : found;
}

/** A store that can't be reached is a 503 at every endpoint, and never a redirect to the portal with a half-done request. */
async function whileReachable<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (cause) {
    if (!(cause instanceof LiaisonError) || cause.code !== "store_unavailable") throw cause;
    const error = new errors.OIDCProviderError(503, "temporarily_unavailable", { cause });
    error.expose = true;
    throw Object.assign(error, { allow_redirect: false, error_description: "try again in a moment" });
  }
}

/** What oidc-provider never calls for a model with the features that are on. */
function unsupported(model: string): Adapter {
  const refuse = (method: string) => async () => {
    throw new TypeError(`${model}.${method} is not used by Liaison`);
  };
  return {
    upsert: refuse("upsert"),
    find: refuse("find"),
    findByUserCode: refuse("findByUserCode"),
    findByUid: refuse("findByUid"),
    consume: refuse("consume"),
    destroy: refuse("destroy"),
    revokeByGrantId: refuse("revokeByGrantId"),
  };
}
