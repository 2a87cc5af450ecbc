/**
 * The relying parties: those of the store with those of the configuration laid over them, read-only. Turns a
 * client into the metadata that oidc-provider reads.
 */

import { type ClientMetadata, errors, type Provider } from "oidc-provider";
import type { Clock, Instant, Milliseconds } from "../clock.ts";
import type { PortalConfig } from "../config/schema.ts";
import { clientOf } from "../domain/client-metadata.ts";
import { authenticationOf } from "../domain/client-settings.ts";
import { clientUriProblem, pageUriProblem } from "../domain/client-uri.ts";
import { asClientId } from "../domain/ids.ts";
import { isPortal } from "../domain/portal.ts";
import { type Client, type ClientId, CONSOLE_CLIENT_ID } from "../domain/records.ts";
import { ConfigError, type ConfigFault } from "../errors.ts";
import type { ClientStore } from "../storage/contract.ts";
import { type PortalSettings, portalMetadataKey } from "./internals.ts";

export interface ClientDirectory {
  find(id: ClientId): Promise<Client | undefined>;
  /**
   * All portals, configured ones first. At most `listLifetimeMs` old, so that pages naming portals cost no
   * read.
   */
  list(): Promise<readonly Client[]>;
  /** Those of the configuration. */
  readonly configured: readonly Client[];
  /** Whether it is a client that Liaison itself is: the administration. */
  isOwn(client: Client): boolean;
  /** Has `list` read anew. */
  refresh(): void;
}

/**
 * The administration as a client of our own provider: public, for nobody but our pages holds its code
 * verifier.
 */
export function consoleClient(issuer: string): Client {
  return {
    id: CONSOLE_CLIENT_ID,
    name: "Administration",
    homeUrl: `${issuer}/admin`,
    aboutUrl: null,
    secret: null,
    previousSecret: null,
    claimsInIdToken: false,
    managedBy: "config",
    policy: { kinds: ["operator"], planRequired: false, roles: [] },
    metadata: {
      redirect_uris: [`${issuer}/admin/callback`],
      grant_types: ["authorization_code"],
      token_endpoint_auth_method: "none",
      application_type: "web",
    },
  };
}

const listLifetimeMs: Milliseconds = 30_000;

/**
 * Lays the configuration's portals over the store's clients.
 * @throws ConfigError when an id is in both.
 */
export async function createClientDirectory(
  store: ClientStore,
  portals: readonly PortalConfig[],
  { issuer, clock }: { issuer: string; clock: Clock },
): Promise<ClientDirectory> {
  const own = consoleClient(issuer);
  const configured = new Map(portals.map((portal) => [portal.id, clientFromConfig(portal)]));
  const stored = new Set((await store.list()).map((client) => client.id));
  const faults = portals.flatMap(({ id }): ConfigFault[] => {
    const key = `portals.${id}`;
    if (id === own.id)
      return [{ key, source: "configuration", problem: "this id is Liaison's own; choose another one" }];
    const problem = "a client with this id is already registered in the store; remove one of the two";
    return stored.has(asClientId(id)) ? [{ key, source: "configuration and store", problem }] : [];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  const all = [...configured.values()];
  let known: readonly Client[] = all.filter(isPortal);
  let cached: { clients: Promise<readonly Client[]>; at: Instant } | undefined;
  const find = async (id: ClientId) => (id === own.id ? own : (configured.get(id) ?? (await store.find(id))));
  return {
    find,
    configured: all,
    isOwn: ({ id }) => id === own.id,
    refresh: () => {
      cached = undefined;
    },
    list: () => {
      const ageMs: Milliseconds = cached === undefined ? listLifetimeMs : clock.now() - cached.at;
      // Less than none: the clock was set back.
      if (cached === undefined || ageMs < 0 || ageMs >= listLifetimeMs) {
        // Pages are shown while the store is down, too: then with the portals known last.
        const clients = store.list().then(
          (others) => {
            known = [...all, ...others].filter(isPortal);
            return known;
          },
          () => known,
        );
        cached = { clients, at: clock.now() };
      }
      return cached.clients;
    },
  };
}

function clientFromConfig(portal: PortalConfig): Client {
  const { id, client_secret: secret, grant_types, refresh_tokens } = portal;
  const settings = {
    ...portal,
    ...authenticationOf(portal),
    refresh_tokens: refresh_tokens ?? grant_types?.includes("refresh_token") ?? true,
    scopes: [],
  };
  return clientOf(settings, { id: asClientId(id), secret, previousSecret: null, managedBy: "config" });
}

const portalScopes = "openid offline_access profile email organization";

/** OIDC client metadata of a client, with our settings of it under `portalMetadataKey`. */
export function clientMetadata(client: Client): ClientMetadata {
  // oidc-provider takes an `initiate_login_uri` over https only, and does nothing with it; only our pages
  // lead there.
  const {
    pkce_required: pkceRequired,
    initiate_login_uri: _startedByUs,
    listed: _onPages,
    ...metadata
  } = client.metadata;
  const settings: PortalSettings = {
    id: client.id,
    name: client.name,
    homeUrl: client.homeUrl,
    aboutUrl: client.aboutUrl,
    policy: client.policy,
    claimsInIdToken: client.claimsInIdToken,
    pkceRequired: pkceRequired !== false,
    previousSecret: client.previousSecret,
  };
  return {
    response_types: ["code"],
    // Without it a portal could ask for the scopes of machines.
    scope: portalScopes,
    ...metadata,
    client_id: client.id,
    client_name: client.name,
    ...(client.secret === null ? {} : { client_secret: client.secret }),
    [portalMetadataKey]: settings,
  };
}

/** What is wrong with a client, or undefined: with one of its addresses, or what oidc-provider finds. */
export async function clientProblem(provider: Provider, client: Client): Promise<string | undefined> {
  const problem = addressProblem(client);
  if (problem !== undefined) return problem;
  try {
    await provider.Client.validate(clientMetadata(client));
    return undefined;
  } catch (error) {
    if (!(error instanceof errors.OIDCProviderError)) throw error;
    return error.error_description ?? error.message;
  }
}

/** What is wrong with the first address of a client that may not be registered, whichever door it came by. */
function addressProblem({ homeUrl, aboutUrl, metadata }: Client): string | undefined {
  const registered = (field: string) => [metadata[field]].flat().filter((one) => typeof one === "string");
  // A machine has no home page.
  const judged: [field: string, addresses: string[], problemOf: typeof clientUriProblem][] = [
    ["home_url", homeUrl === "" ? [] : [homeUrl], pageUriProblem],
    ["about_url", aboutUrl === null ? [] : [aboutUrl], pageUriProblem],
    ["initiate_login_uri", registered("initiate_login_uri"), pageUriProblem],
    ["redirect_uris", registered("redirect_uris"), clientUriProblem],
    ["post_logout_redirect_uris", registered("post_logout_redirect_uris"), clientUriProblem],
    ["backchannel_logout_uri", registered("backchannel_logout_uri"), clientUriProblem],
  ];
  for (const [field, addresses, problemOf] of judged) {
    const problem = addresses.map(problemOf).find((one) => one !== undefined);
    if (problem !== undefined) return `${field}: ${problem}`;
  }
  return undefined;
}

/**
 * Has oidc-provider look at the configured portals, which it would otherwise do at each one's first request.
 * @throws ConfigError naming every portal whose metadata it refuses
 */
export async function validatePortals(provider: Provider, portals: readonly PortalConfig[]): Promise<void> {
  const faults: ConfigFault[] = [];
  for (const portal of portals) {
    const problem = await clientProblem(provider, clientFromConfig(portal));
    if (problem !== undefined) faults.push({ key: `portals.${portal.id}`, source: "configuration", problem });
  }
  if (faults.length > 0) throw new ConfigError(faults);
}

/**
 * Where signing in at a portal starts: its `initiate_login_uri` (OpenID Connect Core 4) with our issuer, or
 * its home page.
 */
export function startUrl(client: Client, issuer: string): string {
  const initiate = client.metadata["initiate_login_uri"];
  if (typeof initiate !== "string") return client.homeUrl;
  const url = new URL(initiate);
  url.searchParams.set("iss", issuer);
  return url.href;
}
