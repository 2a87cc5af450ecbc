/**
 * The relying parties: those of the store with those of the configuration laid over them, read-only. Turns a client into
 * the metadata that oidc-provider reads.
 */

import { type ClientMetadata, errors, type Provider } from "oidc-provider";
import type { Clock } from "../clock.ts";
import type { PortalConfig } from "../config/schema.ts";
import { ConfigError, type ConfigFault } from "../errors.ts";
import type { ClientStore } from "../storage/contract.ts";
import type { Client, ClientId } from "../storage/records.ts";
import { type PortalSettings, portalMetadataKey } from "./internals.ts";

export interface ClientDirectory {
  find(id: ClientId): Promise<Client | undefined>;
  /** All clients, configured ones first. At most `listLifetimeMs` old, so that pages naming portals cost no read. */
  list(): Promise<readonly Client[]>;
}

const listLifetimeMs = 30_000;

/**
 * Lays the configuration's portals over the store's clients.
 * @throws ConfigError when an id is in both.
 */
export async function createClientDirectory(
  store: ClientStore,
  portals: readonly PortalConfig[],
  clock: Clock,
): Promise<ClientDirectory> {
  const configured = new Map(portals.map((portal) => [portal.id, clientFromConfig(portal)]));
  const stored = new Set((await store.list()).map((client) => client.id));
  const both = portals.filter(({ id }) => stored.has(id));
  if (both.length > 0) {
    throw new ConfigError(
      both.map(({ id }) => ({
        key: `portals.${id}`,
        source: "configuration and store",
        problem: "a client with this id is already registered in the store; remove one of the two",
      })),
    );
  }
  let known: readonly Client[] = [...configured.values()];
  let cached: { clients: Promise<readonly Client[]>; until: number } | undefined;
  return {
    find: async (id) => configured.get(id) ?? (await store.find(id)),
    list: () => {
      if (cached === undefined || clock.now() >= cached.until) {
        // Pages are shown while the store is down, too: then with the portals known last.
        const clients = store.list().then(
          (others) => {
            known = [...configured.values(), ...others];
            return known;
          },
          () => known,
        );
        cached = { clients, until: clock.now() + listLifetimeMs };
      }
      return cached.clients;
    },
  };
}

function clientFromConfig(portal: PortalConfig): Client {
  return {
    id: portal.id,
    name: portal.name,
    homeUrl: portal.home_url,
    aboutUrl: portal.about_url,
    secret: portal.client_secret,
    policy: {
      kinds: portal.access_policy.kinds,
      planRequired: portal.access_policy.plan_required,
      roles: portal.access_policy.roles,
    },
    claimsInIdToken: portal.claims_in_id_token,
    metadata: {
      redirect_uris: portal.redirect_uris,
      post_logout_redirect_uris: portal.post_logout_redirect_uris,
      grant_types: portal.grant_types,
      token_endpoint_auth_method: portal.token_endpoint_auth_method,
      id_token_signed_response_alg: portal.id_token_signed_response_alg,
      ...(portal.initiate_login_uri === null ? {} : { initiate_login_uri: portal.initiate_login_uri }),
      ...(portal.backchannel_logout_uri === null
        ? {}
        : { backchannel_logout_uri: portal.backchannel_logout_uri, backchannel_logout_session_required: true }),
      ...(portal.pkce_required ? {} : { pkce_required: false }),
    },
    managedBy: "config",
  };
}

/** OIDC client metadata of a client, with our settings of it under `portalMetadataKey`. */
export function clientMetadata(client: Client): ClientMetadata {
  // oidc-provider takes an `initiate_login_uri` over https only, and does nothing with it; only our pages lead there.
  const { pkce_required: pkceRequired, initiate_login_uri: _startedByUs, ...metadata } = client.metadata;
  const settings: PortalSettings = {
    id: client.id,
    name: client.name,
    homeUrl: client.homeUrl,
    aboutUrl: client.aboutUrl,
    policy: client.policy,
    claimsInIdToken: client.claimsInIdToken,
    pkceRequired: pkceRequired !== false,
  };
  return {
    response_types: ["code"],
    ...metadata,
    client_id: client.id,
    client_name: client.name,
    ...(client.secret === null ? {} : { client_secret: client.secret }),
    [portalMetadataKey]: settings,
  };
}

/**
 * Has oidc-provider look at the configured portals, which it would otherwise do at each one's first request.
 * @throws ConfigError naming every portal whose metadata it refuses
 */
export async function validatePortals(provider: Provider, portals: readonly PortalConfig[]): Promise<void> {
  const faults: ConfigFault[] = [];
  for (const portal of portals) {
    await provider.Client.validate(clientMetadata(clientFromConfig(portal))).catch((error: unknown) => {
      if (!(error instanceof errors.OIDCProviderError)) throw error;
      const problem = error.error_description ?? error.message;
      faults.push({ key: `portals.${portal.id}`, source: "configuration", problem });
    });
  }
  if (faults.length > 0) throw new ConfigError(faults);
}

/** Where signing in at a portal starts: its `initiate_login_uri` (OpenID Connect Core 4) with our issuer, or its home page. */
export function startUrl(client: Client, issuer: string): string {
  const initiate = client.metadata["initiate_login_uri"];
  if (typeof initiate !== "string") return client.homeUrl;
  const url = new URL(initiate);
  url.searchParams.set("iss", issuer);
  return url.href;
}
