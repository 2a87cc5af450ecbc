/**
 * What is known of one upstream: its discovery document, fetched at the first sign-in that needs it, cached
 * for a day, and longer when it can't be fetched again. An upstream that is down keeps nothing from
 * starting, and costs its visitors one time-out every few seconds.
 */

import * as client from "openid-client";
import { type Clock, type Instant, isWithin, type Milliseconds } from "../clock.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { isEncryptedOrLocal } from "../domain/loopback.ts";
import type { Circuit } from "./circuit.ts";
import { authenticationMethod, clientAuthentication } from "./client-authentication.ts";
import type { ClientKeys } from "./client-keys.ts";
import { refusalOf } from "./endpoint-refusals.ts";
import { describeError, ownError, printable, rejected, unavailable } from "./failures.ts";
import type { Fetch } from "./guarded-fetch.ts";
import { parseObject } from "./json.ts";
import { readTokenAnswer } from "./quirks.ts";
import { createSigningKeys, type SigningKeys } from "./signing-keys.ts";
import { notingTokenAnswer } from "./token-answer.ts";
import { offsetBy } from "./upstream-clock.ts";

/** The part of pino's logger that this folder uses. */
export interface UpstreamLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DiscoveredUpstream {
  readonly config: UpstreamConfig;
  /** openid-client's view of the upstream. Throws `upstream_unavailable`. */
  configuration(): Promise<client.Configuration>;
  /** Those that it signs with. */
  readonly keys: SigningKeys;
  /** The guarded fetch of this upstream. */
  readonly fetch: Fetch;
  /** What was amiss when it was asked last; it isn't asked for that. */
  trouble(): "silent" | "no usable metadata" | undefined;
  /**
   * Where browsers are sent to sign in: the authorization endpoint's origin, or the issuer's while that is
   * unknown.
   */
  origin(): string;
}

export interface DiscoveryDependencies {
  clock: Clock;
  logger: UpstreamLogger;
  /** The guarded fetch of this upstream. */
  fetch: Fetch;
  /** What that fetch knows of its silences. */
  circuit: Pick<Circuit, "isSilent">;
  clientKeys: ClientKeys;
  /** Our callback, as the upstream is told it. */
  redirectUri: string;
}

const metadataCache = new WeakMap<client.Configuration, client.ServerMetadata>();

/** A configuration's metadata, which never changes: openid-client copies all of it each time it is asked. */
export function metadataOf(configuration: client.Configuration): Readonly<client.ServerMetadata> {
  const known = metadataCache.get(configuration) ?? configuration.serverMetadata();
  metadataCache.set(configuration, known);
  return known;
}

const CACHED_MS: Milliseconds = 24 * 60 * 60 * 1000;
const FAILURE_REMEMBERED_MS: Milliseconds = 3_000;

/** What code flow with verified ID tokens can't do without. */
const NEEDED_ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const;

/** Prepares an upstream; nothing is fetched yet. */
export function discoveredUpstream(
  config: UpstreamConfig,
  { clock, logger, fetch, circuit, clientKeys, redirectUri }: DiscoveryDependencies,
): DiscoveredUpstream {
  let known: { configuration: client.Configuration; origin: string; fetchedAt: Instant } | undefined;
  let failure: { error: Error; at: Instant } | undefined;
  let underWay: Promise<client.Configuration> | undefined;

  const reading = readingOffset(notingTokenAnswer(fetch, clock), clock);

  async function refresh(): Promise<client.Configuration> {
    try {
      const theirs = () => Math.floor((clock.now() + reading.offsetMs()) / 1000);
      const configuration = await discover(config, {
        fetch: reading.fetch,
        clientKeys,
        redirectUri,
        epochSeconds: theirs,
      });
      const endpoint = metadataOf(configuration).authorization_endpoint;
      known = { configuration, origin: new URL(endpoint ?? config.issuer).origin, fetchedAt: clock.now() };
      failure = undefined;
      logger.info({ upstreamId: config.id, issuer: config.issuer }, "discovered the upstream");
      return configuration;
    } catch (cause) {
      const error = ownError(cause) ?? unavailable(config.id, describeError(cause));
      failure = { error, at: clock.now() };
      const fields = { upstreamId: config.id, issuer: config.issuer, reason: describeError(error) };
      logger.warn(fields, known ? "kept the upstream's old metadata" : "could not discover the upstream");
      if (known) return known.configuration;
      throw error;
    }
  }

  return {
    config,
    fetch,
    keys: createSigningKeys(config, { fetch, clock }),
    trouble() {
      if (circuit.isSilent()) return "silent";
      return failure === undefined ? undefined : "no usable metadata";
    },
    origin: () => known?.origin ?? new URL(config.issuer).origin,
    async configuration() {
      const now = clock.now();
      if (known && isWithin(now, known.fetchedAt, CACHED_MS)) return known.configuration;
      if (failure && isWithin(now, failure.at, FAILURE_REMEMBERED_MS)) {
        if (known) return known.configuration;
        throw failure.error;
      }
      underWay ??= refresh().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}

/** A fetch that remembers how far ahead of ours the upstream's clock is, by the answer that said so last. */
function readingOffset(fetch: Fetch, clock: Clock): { fetch: Fetch; offsetMs(): Milliseconds } {
  let offsetMs: Milliseconds = 0;
  return {
    offsetMs: () => offsetMs,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      // What comes from a cache has the date of when it was put there (RFC 9111, section 5.1).
      const date = response.headers.has("age") ? null : response.headers.get("date");
      offsetMs = offsetBy(date, clock.now()) ?? offsetMs;
      return response;
    },
  };
}

interface Discovering {
  fetch: Fetch;
  clientKeys: ClientKeys;
  redirectUri: string;
  /** The present by the upstream's clock, as far as it is known. */
  epochSeconds(): number;
}

async function discover(config: UpstreamConfig, dependencies: Discovering): Promise<client.Configuration> {
  const issuer = new URL(config.issuer);
  const execute = issuer.protocol === "http:" ? [client.allowInsecureRequests] : [];
  const documentFetch: client.CustomFetch = async (url, init) => {
    const response = await dependencies.fetch(url, withoutUndefined(init));
    if (response.status === 200) return response;
    throw unavailable(
      config.id,
      `${url} answered ${response.status}: check issuer, below which the document must be`,
    );
  };
  // By its address: openid-client compares the issuer in it otherwise, not to the letter, and names neither.
  const options = { execute, [client.customFetch]: documentFetch };
  const found = await client.discovery(documentAt(issuer), config.client_id, undefined, undefined, options);
  const metadata = checkMetadata(found.serverMetadata(), config);
  const configuration = new client.Configuration(
    { ...metadata, id_token_signing_alg_values_supported: config.id_token_signed_response_alg },
    config.client_id,
    // Its times are freshness.ts's to judge: openid-client knows this machine's clock alone.
    { [client.clockTolerance]: Number.MAX_SAFE_INTEGER },
    clientAuthentication(config, metadata, dependencies),
  );
  configuration[client.customFetch] = readingAnswers(config, metadata, dependencies);
  for (const extension of execute) extension(configuration);
  return configuration;
}

/** OpenID Connect Discovery 1.0, section 4.1. */
function documentAt(issuer: URL): URL {
  const address = new URL(issuer);
  address.pathname = `${issuer.pathname.replace(/\/$/, "")}/.well-known/openid-configuration`;
  return address;
}

/**
 * What openid-client posts, to the token and the PAR endpoint, with what is odd of the answers straightened.
 */
function readingAnswers(
  config: UpstreamConfig,
  metadata: client.ServerMetadata,
  { fetch, redirectUri }: Discovering,
): client.CustomFetch {
  const tokenEndpoint = new URL(metadata.token_endpoint ?? "").href;
  return async (endpoint, init) => {
    const response = await fetch(endpoint, withoutUndefined(init));
    const body = parseObject(await response.text());
    // Some refuse with a status of success.
    const isRefused = !response.ok || (typeof body?.["error"] === "string" && body["id_token"] === undefined);
    if (isRefused) {
      const request = { endpoint, redirectUri, method: authenticationMethod(config, metadata) };
      throw rejected(config.id, refusalOf(response, body, request));
    }
    if (body === undefined)
      throw rejected(config.id, `${endpoint} answered ${response.status} with no JSON object`);
    if (endpoint === tokenEndpoint) return Response.json(readTokenAnswer(body, config.id));
    return Response.json(body, { status: response.status });
  };
}

/**
 * The issuer must be the configured one to the letter (OpenID Connect Discovery 1.0, section 4.3): it becomes
 * part of every identity.
 */
function checkMetadata(metadata: client.ServerMetadata, config: UpstreamConfig): client.ServerMetadata {
  const { id, issuer, id_token_signed_response_alg: pinned } = config;
  if (metadata.issuer !== issuer) {
    const named = printable(metadata.issuer);
    throw unavailable(
      id,
      `the discovery document names the issuer "${named}", the configuration "${issuer}"`,
    );
  }
  for (const endpoint of NEEDED_ENDPOINTS) {
    const value = metadata[endpoint];
    if (!URL.canParse(value ?? "") || !isEncryptedOrLocal(new URL(value ?? ""))) {
      throw unavailable(
        id,
        `the discovery document's ${endpoint} is missing, or neither https nor on this machine`,
      );
    }
  }
  const offered = metadata.id_token_signing_alg_values_supported;
  if (
    offered !== undefined &&
    !(Array.isArray(offered) && pinned.some((algorithm) => offered.includes(algorithm)))
  ) {
    const choice = String(offered).slice(0, 200);
    throw unavailable(
      id,
      `it signs ID tokens by ${choice}, none of which id_token_signed_response_alg allows (${pinned})`,
    );
  }
  return metadata;
}

function withoutUndefined({ body, ...rest }: client.CustomFetchOptions): RequestInit {
  return body === undefined ? rest : { ...rest, body };
}
