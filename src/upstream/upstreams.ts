/**
 * Relying party of the upstreams: sends a browser off to sign in and turns its return into a proven identity
 * and its account. Each sign-in is a transaction of its own, bound to the browser that began it; the cookies
 * that tell browsers apart are http's, and which step comes before or after is http's and oidc's. This folder
 * knows nothing of our own provider.
 */

import * as client from "openid-client";
import type { Milliseconds } from "../clock.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { asUpstreamId } from "../domain/ids.ts";
import type {
  AccountId,
  SecretHash,
  SignInPurpose,
  UpstreamId,
  UpstreamTransaction,
} from "../domain/records.ts";
import { hashSecret, randomSecret } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import type { Check } from "../readiness.ts";
import type { AccountStore, ArtifactExtension, SignInStore } from "../storage/contract.ts";
import { authorizationParameters } from "./authorization-request.ts";
import type { ClientKeys } from "./client-keys.ts";
import { metadataOf, type UpstreamLogger } from "./discovered.ts";
import { exchange, type ProvenSignIn } from "./exchange.ts";
import {
  askedFreshBy,
  describeError,
  expired,
  mismatch,
  refusesFreshness,
  stale,
  toLiaisonError,
  withPurpose,
} from "./failures.ts";
import { type FreshnessWish, planFreshness } from "./freshness.ts";
import {
  callbackUrl,
  checkOf,
  inTurn,
  type KnownUpstream,
  type KnownUpstreamDependencies,
  knownUpstream,
} from "./known-upstream.ts";
import { dialectOf } from "./quirks.ts";
import { newState, stateOf } from "./state.ts";

export interface UpstreamsDependencies extends KnownUpstreamDependencies {
  upstreams: UpstreamConfig[];
  signIns: SignInStore;
  accounts: AccountStore;
}

/** Who sends a person to an upstream, or back from there. */
export interface Sent {
  /** Whoever has the same has its slots in common: a client network, or a known browser. */
  sender: string;
}

/** A sign-in to begin. */
export interface SignInRequest extends FreshnessWish, Sent {
  upstreamId: UpstreamId;
  purpose: SignInPurpose;
  /** SHA-256 of the secret by which its browser will be known again. */
  browserHash: SecretHash;
  loginHint?: string;
  /** What is kept longer because of it. */
  keeps?: ArtifactExtension | undefined;
  /** One of which its ID token shall have as `acr` (OpenID Connect Core 1.0, section 3.1.2.1). */
  acrValues?: readonly string[];
}

/** What the upstream has proven of a sign-in that is spent by now. */
export interface ProvenCallback extends ProvenSignIn {
  transaction: UpstreamTransaction;
}

/** How far a callback has come: enough for the same one, in the same browser, to go on from there. */
export interface CallbackProgress {
  attempt: string;
  proven?: ProvenCallback;
}

/** A browser that comes back from an upstream. */
export interface ReturnedSignIn extends Sent {
  upstreamId: UpstreamId;
  /** Of the callback. */
  url: URL;
  /** The SHA-256 of each secret that the browser has begun sign-ins with. */
  browsers: readonly SecretHash[];
  /** Is told how far it has come before each write that may be carried out although its answer is lost. */
  onProgress?: (progress: CallbackProgress) => void;
  /** What `onProgress` was told of the same callback in the same browser: it goes on from there. */
  resumed?: CallbackProgress | undefined;
}

/** What a callback says of itself. */
type Callback = Pick<UpstreamTransaction, "stateHash" | "upstreamId">;

export interface CompletedSignIn extends ProvenCallback {
  accountId: AccountId;
}

export interface Upstreams {
  list(): UpstreamConfig[];
  /** What was amiss with each when it was asked last: degraded, by its id. */
  checks(): Check[];
  /** Our public keys, for upstreams that we authenticate at by `private_key_jwt`. */
  jwks(): ClientKeys["jwks"];
  /** The origins that browsers are sent to, for `form-action` of a content security policy. */
  origins(): string[];
  /**
   * Begins a sign-in. Throws `not_found` for an unknown upstream, `upstream_unavailable` for one that is
   * down, and `upstream_rejected` where a request is pushed ahead and not taken, `upstream_stale` if a fresh
   * sign-in isn't.
   */
  begin(request: SignInRequest): Promise<{ url: URL }>;
  /**
   * Completes a sign-in from its callback. Throws `sign_in_mismatch` (another browser's, another upstream's
   * or nobody's) and `sign_in_expired` (too late; or for a second time, then with the purpose that it had),
   * both before anything is sent to the upstream. What fails after that has spent the sign-in and carries its
   * purpose: `upstream_refused`, `upstream_rejected`, `upstream_stale`, `upstream_unavailable` and
   * `store_unavailable`.
   */
  complete(callback: ReturnedSignIn): Promise<CompletedSignIn>;
}

/** Making an account at the upstream, with its own confirmation mail, happens within one sign-in. */
const TRANSACTION_MS: Milliseconds = 60 * 60 * 1000;

/** Makes the relying party. Nothing is fetched until the first sign-in. */
export function createUpstreams(dependencies: UpstreamsDependencies): Upstreams {
  const { upstreams } = dependencies;
  const known = new Map(upstreams.map((config) => [config.id, knownUpstream(config, dependencies)]));

  function find(upstreamId: UpstreamId): KnownUpstream {
    const upstream = known.get(upstreamId);
    if (upstream === undefined) throw LiaisonError.notFound("There is no such sign-in service.");
    return upstream;
  }

  return {
    list: () => [...upstreams],
    checks: () => [...known.values()].map(checkOf),
    jwks: () => dependencies.clientKeys.jwks,
    origins: () => [...new Set([...known.values()].map(({ discovered }) => discovered.origin()))],
    begin: async (request) => await begin(dependencies, find(request.upstreamId), request),
    complete: async (callback) => await complete(dependencies, find(callback.upstreamId), callback),
  };
}

async function begin(
  { issuer, signIns, clock }: UpstreamsDependencies,
  upstream: KnownUpstream,
  { upstreamId, purpose, browserHash, keeps, loginHint, acrValues = [], sender, ...wish }: SignInRequest,
): Promise<{ url: URL }> {
  const { config } = upstream.discovered;
  const configuration = await upstream.discovered.configuration();
  const plan = planFreshness(dialectOf(config), wish);
  const state = newState(browserHash);
  const now = clock.now();
  const transaction: UpstreamTransaction = {
    stateHash: hashSecret(state),
    browserHash,
    upstreamId,
    nonce: randomSecret(),
    codeVerifier: client.randomPKCECodeVerifier(),
    maxAgeSeconds: plan.maxAgeSeconds,
    purpose,
    createdAt: now,
    expiresAt: now + TRANSACTION_MS,
  };
  const parameters = await authorizationParameters(config, {
    redirectUri: callbackUrl(issuer, upstreamId).href,
    state,
    transaction,
    plan,
    loginHint,
    acrValues,
  });
  const url = isPushed(configuration)
    ? await inTurn(upstream, { sender, success: "neither" }, () =>
        pushedUrl(configuration, upstreamId, parameters),
      )
    : client.buildAuthorizationUrl(configuration, parameters);
  await signIns.begin(transaction, keeps);
  return { url };
}

async function complete(
  dependencies: UpstreamsDependencies,
  upstream: KnownUpstream,
  { upstreamId, url, browsers, onProgress, resumed, sender }: ReturnedSignIn,
): Promise<CompletedSignIn> {
  const { accounts, clock, logger } = dependencies;
  const state = stateOf(url);
  if (state === undefined || browsers.length === 0) throw mismatch(upstreamId);

  // Before discovery, although one that fails then spends the sign-in: only the transaction knows its
  // purpose, and with that the person can begin anew, which always works. Kept unspent, its callback
  // could only be loaded again, which helps as long as the upstream's code lives (a minute, often) and
  // leads nowhere after. Nor does a callback that nobody here began have us ask the upstream anything.
  const callback: Callback = { stateHash: hashSecret(state), upstreamId };
  const known = isOf(resumed?.proven?.transaction, callback, browsers) ? resumed?.proven : undefined;
  const attempt = resumed?.attempt ?? randomSecret();
  onProgress?.({ attempt });
  const transaction = known?.transaction ?? (await take(dependencies, callback, browsers, attempt));
  if (transaction === undefined) throw expired(upstreamId, await purposeOf(dependencies, callback, browsers));
  try {
    const proven =
      known ?? (await prove(dependencies, upstream, { callback: url, state, transaction, sender }));
    const { identity, authTime, authentication } = proven;
    onProgress?.({ attempt, proven: { transaction, identity, authTime, authentication } });
    const account = await accounts.signIn(identity, clock.now());
    return { transaction, identity, accountId: account.id, authTime, authentication };
  } catch (error) {
    noteRefusal(logger, error, upstreamId);
    throw withPurpose(error, transaction);
  }
}

async function prove(
  { issuer, logger }: Pick<UpstreamsDependencies, "issuer" | "logger">,
  upstream: KnownUpstream,
  {
    callback,
    state,
    transaction,
    sender,
  }: Sent & { callback: URL; state: string; transaction: UpstreamTransaction },
): Promise<ProvenSignIn> {
  const { config } = upstream.discovered;
  const currentUrl = callbackUrl(issuer, asUpstreamId(config.id));
  currentUrl.search = callback.search;
  const ask = async () => {
    try {
      const configuration = await upstream.discovered.configuration();
      return await exchange(configuration, {
        currentUrl,
        state,
        transaction,
        upstream: upstream.discovered,
        logger,
      });
    } catch (error) {
      throw toLiaisonError(error, config.id, askedFreshBy(transaction));
    }
  };
  // Of an error the upstream isn't asked anything: whoever cancelled there waits for nobody.
  const isError = Boolean(callback.searchParams.get("error"));
  return isError ? await ask() : await inTurn(upstream, { sender, success: "proven" }, ask);
}

type TransactionDependencies = Pick<UpstreamsDependencies, "signIns" | "clock">;

/** Takes the transaction for the one of the browser's secrets that it was begun with. */
async function take(
  { signIns, clock }: TransactionDependencies,
  callback: Callback,
  browsers: readonly SecretHash[],
  attempt: string,
): Promise<UpstreamTransaction | undefined> {
  const attemptHash = hashSecret(attempt);
  for (const browserHash of browsers) {
    const taken = await signIns.take({ ...callback, browserHash, attemptHash }, clock.now());
    if (taken !== undefined) return taken;
  }
  return undefined;
}

/**
 * What a sign-in of this browser was begun for that is taken already, by the same callback sent twice, say.
 */
async function purposeOf(
  { signIns, clock }: TransactionDependencies,
  callback: Callback,
  browsers: readonly SecretHash[],
): Promise<SignInPurpose | undefined> {
  for (const browserHash of browsers) {
    const purpose = await signIns.purposeOfTaken({ ...callback, browserHash }, clock.now());
    if (purpose !== undefined) return purpose;
  }
  return undefined;
}

/**
 * Ends on a page that offers another try, not as a fault; the upstream's own word for it tells whether
 * nobody can sign in.
 */
function noteRefusal(logger: UpstreamLogger, error: unknown, upstreamId: string): void {
  if (!(error instanceof LiaisonError) || error.code !== "upstream_refused") return;
  logger.info(
    { upstreamId, reason: describeError(error.cause) },
    "a sign-in was cancelled or refused at the upstream",
  );
}

function isPushed(configuration: client.Configuration): boolean {
  return metadataOf(configuration).require_pushed_authorization_requests === true;
}

/** Where the browser goes with a request that went ahead of it (RFC 9126). */
async function pushedUrl(
  configuration: client.Configuration,
  upstreamId: UpstreamId,
  parameters: Record<string, string>,
): Promise<URL> {
  try {
    return await client.buildAuthorizationUrlWithPAR(configuration, parameters);
  } catch (error) {
    const asksFresh = parameters["max_age"] !== undefined || parameters["prompt"] === "login";
    if (refusesFreshness(error, asksFresh ? "portal" : null)) throw stale(upstreamId, describeError(error));
    throw toLiaisonError(error, upstreamId);
  }
}

function isOf(
  transaction: UpstreamTransaction | undefined,
  { stateHash, upstreamId }: Callback,
  browsers: readonly SecretHash[],
): boolean {
  return (
    transaction?.stateHash === stateHash &&
    transaction.upstreamId === upstreamId &&
    browsers.includes(transaction.browserHash)
  );
}
