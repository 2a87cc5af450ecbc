/**
 * oidc-provider's storage adapter over the store contract. Rows are keyed by the SHA-256 of their id and hold
 * no id that could be used; `consume` is conditional, and its loser revokes the whole family (RFC 6749
 * section 4.1.2, RFC 9700 4.14.2).
 */

import { isDeepStrictEqual } from "node:util";
import { type Adapter, type AdapterPayload, errors, type KoaContextWithOIDC } from "oidc-provider";
import type { Clock, Instant } from "../clock.ts";
import { browserName } from "../domain/browser-name.ts";
import { asAccountId, asClientId, asGrantId, idOrNone } from "../domain/ids.ts";
import { clientNetwork } from "../domain/networks.ts";
import type { GrantId, SecretHash, SignIn } from "../domain/records.ts";
import { hashSecret } from "../domain/secrets.ts";
import { readSeen, SEEN_FIELD, type SeenSession, seenNow } from "../domain/seen-session.ts";
import type { AccountOfGrant, ArtifactStore, SessionAuthorization } from "../storage/contract.ts";
import { type ClientDirectory, clientMetadata } from "./clients.ts";
import { ForeignBrowser, neededBy } from "./foreign-browser.ts";
import { interactionExpiresAt } from "./interaction-lifetime.ts";
import {
  abandonSession,
  clientsToTell,
  currentContext,
  currentRoute,
  isReplacedSessionId,
  withdrawCookie,
} from "./internals.ts";
import { withStoreErrors } from "./store-errors.ts";
import { createSwitchedGrants, type SwitchedGrants } from "./switched-grants.ts";

export interface AdapterDeps {
  artifacts: ArtifactStore;
  clients: ClientDirectory;
  clock: Clock;
  /** Name of the cookie that holds the session's id. */
  sessionCookie: string;
  /** Whether the browser of a request holds the proof of a sign-in. */
  holdsProof(ctx: KoaContextWithOIDC, proofHash: SecretHash): boolean;
  /**
   * What a grant speaks for, once a request: read when a code or refresh token was found, before it is
   * consumed.
   */
  ofGrant(grantId: GrantId): Promise<AccountOfGrant | undefined>;
}

/**
 * What a session holds for each client. Without prototype: a client's id is outside text, and may name what
 * objects inherit.
 */
type Authorizations = Record<string, SessionAuthorization>;

/** A session as it was found. */
interface FoundSession {
  authorizations: ReadonlyMap<string, SessionAuthorization>;
  seen: SeenSession | undefined;
}

const uidPlaceholder = "{uid}";

/** Makes the adapter for each of oidc-provider's models. */
export function createAdapterFactory(deps: AdapterDeps): (model: string) => Adapter {
  const switched = createSwitchedGrants((grantId) => withStoreErrors(deps.ofGrant(grantId)));
  return (model) => {
    if (model === "Client") return clientAdapter(deps);
    if (model === "Session") return sessionAdapter(deps, switched);
    return artifactAdapter(deps, switched, model);
  };
}

function clientAdapter({ clients }: AdapterDeps): Adapter {
  return {
    ...unsupported("Client"),
    find: async (id) => {
      const client = await withStoreErrors(clients.find(asClientId(id)));
      return client === undefined ? undefined : (clientMetadata(client) as AdapterPayload);
    },
  };
}

function artifactAdapter(deps: AdapterDeps, switched: SwitchedGrants, model: string): Adapter {
  const { artifacts, clock, holdsProof } = deps;
  /** Whoever signs out leaves nothing behind that was being switched from. */
  const revoke = (grantId: GrantId) => {
    const signIn = signInBeingEnded(grantId);
    return withStoreErrors(artifacts.revokeGrant(grantId, signIn === undefined ? {} : { signIn }));
  };
  return {
    ...unsupported(model),
    upsert: async (id, payload, expiresIn) => await upsertArtifact(deps, model, { id, payload, expiresIn }),
    find: async (id) => {
      const payload = await withStoreErrors(artifacts.find(model, hashSecret(id), clock.now()));
      if (payload === undefined) return undefined;
      const found = withIds(model, id, payload);
      if (model === "Interaction") assertItsBrowser(found, holdsProof);
      await switched.found(model, id, found);
      return found;
    },
    consume: async (id) => {
      const isCode = model === "AuthorizationCode";
      const ends = isCode ? (switched.endedBy(id) ?? (await grantsReplacedBy(deps, id))) : [];
      if (await withStoreErrors(artifacts.consume(model, hashSecret(id), clock.now(), { ends }))) return;
      await refuseConsumed(deps, model, id);
    },
    destroy: (id) =>
      model === "Grant" ? revoke(asGrantId(id)) : withStoreErrors(artifacts.destroy(model, hashSecret(id))),
    // The library asks this of every model of a family; the family goes as one.
    revokeByGrantId: revoke,
  };
}

async function upsertArtifact(
  { artifacts, clock }: AdapterDeps,
  model: string,
  { id, payload, expiresIn }: { id: string; payload: AdapterPayload; expiresIn: number | undefined },
): Promise<void> {
  const expiresAt =
    model === "Interaction"
      ? interactionExpiry(payload, expiresIn, clock)
      : expiry(payload, expiresIn, clock);
  if (model === "ReplayDetection") {
    const isNew = await withStoreErrors(artifacts.insertOnce(model, hashSecret(id), expiresAt, clock.now()));
    if (!isNew) throw new errors.InvalidClientAuth();
    return;
  }
  const keys = {
    grantId: idOrNone(asGrantId, model === "Grant" ? id : payload.grantId),
    accountId: idOrNone(asAccountId, payload.accountId),
    // A machine's token is under no grant: it is its client's own.
    clientId: idOrNone(asClientId, model === "ClientCredentials" ? payload.clientId : undefined),
  };
  await withStoreErrors(
    artifacts.upsert(model, hashSecret(id), withoutIds(model, id, payload), keys, expiresAt),
  );
}

/** The library itself knows when an interaction ends: until when its row is kept is another matter. */
function interactionExpiry(payload: AdapterPayload, expiresIn: number | undefined, clock: Clock): Instant {
  const now = clock.now();
  const endsAt = expiresIn === undefined ? expiry(payload, expiresIn, clock) : now + expiresIn * 1000;
  // Every other step is taken by a browser that is there.
  const isOpened = currentRoute(currentContext() ?? {}) !== "authorization";
  return interactionExpiresAt(endsAt, { isOpened, now });
}

/**
 * What a code's grant replaces, where no request of oidc-provider's found the code, as when the
 * administration redeems its own.
 */
async function grantsReplacedBy(
  { artifacts, clock, ofGrant }: AdapterDeps,
  code: string,
): Promise<readonly GrantId[]> {
  const payload = await withStoreErrors(artifacts.find("AuthorizationCode", hashSecret(code), clock.now()));
  const grantId = payload?.["grantId"];
  return typeof grantId === "string"
    ? ((await withStoreErrors(ofGrant(asGrantId(grantId))))?.replaces ?? [])
    : [];
}

/** Revokes the whole family of what was consumed before, and throws what its loser is told. */
async function refuseConsumed({ artifacts, clock }: AdapterDeps, model: string, id: string): Promise<never> {
  const payload = await withStoreErrors(
    artifacts.find(model, hashSecret(id), clock.now(), { includeExpired: true }),
  );
  const grantId = payload?.["grantId"];
  if (typeof grantId === "string") await withStoreErrors(artifacts.revokeGrant(asGrantId(grantId)));
  if (model === "PushedAuthorizationRequest")
    throw new errors.InvalidRequestUri("request_uri was already used");
  throw new errors.InvalidGrant({ detail: `${model} lost the race to be consumed` });
}

/**
 * What the request's session is signing out of, by the grant that it names: that may have been ended, and
 * what it replaced not.
 */
function signInBeingEnded(grantId: GrantId): SignIn | undefined {
  const context = currentContext();
  if (context === undefined || currentRoute(context) !== "end_session_confirm") return undefined;
  const { uid: sessionUid, authorizations = {} } = context.oidc.session ?? {};
  const [clientId] =
    Object.entries(authorizations).find(([, authorization]) => authorization.grantId === grantId) ?? [];
  return sessionUid === undefined || clientId === undefined
    ? undefined
    : { sessionUid, clientId: asClientId(clientId) };
}

/**
 * Nothing is made of a finished sign-in (no session, no code) but in the browser that brought its callback:
 * the library's resume asks for its own cookie alone, which whoever began has. The dispatcher asks by itself.
 */
function assertItsBrowser(interaction: AdapterPayload, holdsProof: AdapterDeps["holdsProof"]): void {
  const context = currentContext();
  if (context === undefined || !isResume()) return;
  const needed = neededBy(interaction);
  // Sessions the library compares by itself.
  if (needed?.kind !== "proof") return;
  if (needed.proofHash === undefined || !holdsProof(context, needed.proofHash)) throw new ForeignBrowser();
}

function isResume(): boolean {
  const context = currentContext();
  return context !== undefined && currentRoute(context) === "resume";
}

function sessionAdapter(deps: AdapterDeps, switched: SwitchedGrants): Adapter {
  const { artifacts, clock } = deps;
  const memory: SessionMemory = { found: new WeakMap(), replaced: new WeakMap() };
  return {
    ...unsupported("Session"),
    upsert: async (id, payload, expiresIn) =>
      await upsertSession(deps, memory, { id, payload, expiresAt: expiry(payload, expiresIn, clock) }),
    find: async (id) => {
      const payload = await withStoreErrors(artifacts.find("Session", hashSecret(id), clock.now()));
      // Nobody's: whoever signs in begins a session of their own, with a uid that nobody has had before.
      if (payload !== undefined && payload["accountId"] === undefined && isResume()) return undefined;
      return payload && remember(memory, { ...withoutPrototype(payload), jti: id });
    },
    findByUid: async (uid) => {
      const payload = await withStoreErrors(artifacts.findSessionByUid(uid, clock.now()));
      if (payload === undefined) return undefined;
      return withoutPrototype(await switched.asComparedWith(uid, payload as AdapterPayload));
    },
    destroy: async (id) => await destroySession(deps, memory, id),
  };
}

/** What is remembered of sessions between the calls of one request. */
interface SessionMemory {
  /**
   * What sessions held when they were found, by request and uid: of what they hold for clients only changes
   * are written back.
   */
  readonly found: WeakMap<object, Map<string, FoundSession>>;
  /** The row that a session's new id replaces, by the request in which it got it. */
  readonly replaced: WeakMap<object, SecretHash>;
}

function remember({ found }: SessionMemory, payload: AdapterPayload): AdapterPayload {
  const context = currentContext();
  if (context === undefined || payload.uid === undefined) return payload;
  // The library writes on an entry as it is: what was found is a copy.
  const stored = Object.entries((payload.authorizations ?? {}) as Authorizations).map(
    ([clientId, entry]): [string, SessionAuthorization] => [clientId, { ...entry }],
  );
  const ofRequest = found.get(context) ?? new Map<string, FoundSession>();
  const session = { authorizations: new Map(stored), seen: readSeen(payload) };
  found.set(context, ofRequest.set(payload.uid, session));
  return payload;
}

async function upsertSession(
  { artifacts, clock, sessionCookie }: AdapterDeps,
  memory: SessionMemory,
  { id, payload, expiresAt }: { id: string; payload: AdapterPayload; expiresAt: Instant },
): Promise<void> {
  const { uid } = payload;
  if (uid === undefined) throw new TypeError("a session without uid");
  const context = currentContext();
  const before = context && memory.found.get(context)?.get(uid);
  const written = withSeen(payload, before, clock);
  const { jti: _id, authorizations = {}, ...rest } = written;
  const now = authorizations as Authorizations;
  const outcome = await withStoreErrors(
    artifacts.upsertSession(
      hashSecret(id),
      // That there are authorizations is the payload's to say; which ones, the clients' own entries.
      payload.authorizations === undefined ? rest : { ...rest, authorizations: {} },
      {
        uid,
        accountId: idOrNone(asAccountId, payload.accountId),
        authorizations: changed(before?.authorizations ?? new Map(), now),
        removed: [...(before?.authorizations.keys() ?? [])]
          .map(asClientId)
          .filter((clientId) => !Object.hasOwn(now, clientId)),
        replaces: context && memory.replaced.get(context),
        found: before !== undefined,
      },
      expiresAt,
    ),
  );
  if (outcome === "saved") {
    remember(memory, written);
    return;
  }
  // The cookie that this response was about to set names a session that is gone.
  if (context !== undefined) withdrawCookie(context, sessionCookie);
  if (outcome === "rotated") return;
  if (context !== undefined) abandonSession(context);
  throw new errors.LoginRequired("the session was ended meanwhile");
}

/** The payload with where its person uses it, as the request tells. */
function withSeen(payload: AdapterPayload, before: FoundSession | undefined, clock: Clock): AdapterPayload {
  const context = currentContext();
  if (context === undefined || payload.accountId === undefined) return payload;
  const browser = browserName(context.get("user-agent"));
  const network = clientNetwork(String(context.state["clientAddress"]));
  return { ...payload, [SEEN_FIELD]: seenNow(before?.seen, { browser, network }, clock.now()) };
}

async function destroySession(
  { artifacts, clock }: AdapterDeps,
  { replaced }: SessionMemory,
  id: string,
): Promise<void> {
  const context = currentContext();
  if (context !== undefined && isReplacedSessionId(id)) {
    replaced.set(context, hashSecret(id));
    return;
  }
  const clientIds = context === undefined ? [] : clientsToTell(context).map(asClientId);
  const accountId = idOrNone(asAccountId, context?.oidc.session?.accountId);
  const tells =
    accountId === undefined || clientIds.length === 0
      ? undefined
      : { accountId, clientIds, now: clock.now() };
  await withStoreErrors(artifacts.destroySession(hashSecret(id), tells));
}

/** The entries that differ from what was found. */
function changed(before: ReadonlyMap<string, SessionAuthorization>, now: Authorizations): Authorizations {
  return recordOf(
    Object.entries(now).filter(([clientId, entry]) => !isDeepStrictEqual(entry, before.get(clientId))),
  );
}

/** A session whose authorizations oidc-provider may index by any client's id. */
function withoutPrototype(payload: AdapterPayload): AdapterPayload {
  const { authorizations } = payload;
  return authorizations === undefined
    ? payload
    : { ...payload, authorizations: recordOf(Object.entries(authorizations as Authorizations)) };
}

function recordOf(entries: [string, SessionAuthorization][]): Authorizations {
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Authorizations;
}

function expiry(payload: AdapterPayload, expiresIn: number | undefined, clock: Clock): number {
  if (payload.exp !== undefined) return payload.exp * 1000;
  return clock.now() + (expiresIn ?? 0) * 1000;
}

/**
 * The payload without the ids that a request could be made with: its own, and the session cookie of an
 * interaction.
 */
function withoutIds(model: string, id: string, payload: AdapterPayload): Record<string, unknown> {
  const { jti: _id, ...rest } = payload;
  if (model !== "Interaction") return rest;
  const session = rest.session;
  if (session !== undefined) {
    const { cookie: _cookie, ...shown } = session;
    rest.session = shown;
  }
  return { ...rest, returnTo: rest.returnTo?.replace(id, uidPlaceholder) };
}

function withIds(model: string, id: string, payload: Record<string, unknown>): AdapterPayload {
  const found: AdapterPayload = { ...payload, jti: id };
  return model === "Interaction"
    ? { ...found, returnTo: found.returnTo?.replace(uidPlaceholder, id) }
    : found;
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
