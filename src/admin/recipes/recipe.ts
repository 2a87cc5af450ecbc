/**
 * What a recipe is: how one library or product is set up as a portal, as files with a client's own values
 * in them.
 */

import type { Preset } from "../../domain/client-settings.ts";
import type { Endpoints } from "../../oidc/endpoints.ts";

/** What recipes are filled with. */
export interface RecipeValues {
  issuer: string;
  discovery: string;
  endpoints: Endpoints;
  clientId: string;
  /** The secret, or words that stand for it; null for a client that has none. */
  secret: string | null;
  /** Both take the secret that way, whichever the client is registered with (RFC 6749, section 2.3.1). */
  authMethod: "client_secret_basic" | "client_secret_post";
  idTokenAlg: string;
  scope: string;
  redirectUri: string;
  /** Null where none is registered. */
  postLogoutRedirectUri: string | null;
  /** Scopes of the administration's API, of a machine. */
  apiScopes: readonly string[];
}

/** How a client is registered, of what recipes ask for. */
export interface Registered {
  redirectUris: readonly string[];
  postLogoutRedirectUris: readonly string[];
  pkceRequired: boolean;
  claimsInIdToken: boolean;
  idTokenAlg: string;
}

/** What a client has to be registered with for a recipe to work. */
export interface Need {
  setting: string;
  value: string;
  /** What of the library asks for it, in a few words. */
  why: string;
}

/** A registered address that a library can't do without: any with such a path. */
export interface NeededAddress {
  path: RegExp;
  /** What is to be registered where there is none, and what of the library asks for it. */
  value: string;
  why: string;
}

export interface RecipeFile {
  file: string;
  text: string;
}

export interface Recipe {
  /** As `--for` takes it. */
  name: string;
  title: string;
  presets: readonly Preset[];
  /** Paths of the portal that the library has by default. */
  paths: { redirect: string; postLogout?: string; backchannel?: string };
  /** The redirect address that its files are filled with is the first of these; any one if left out. */
  redirect?: NeededAddress;
  /** What the library sends at a sign-out, whatever is registered. */
  postLogout?: NeededAddress;
  /** What else isn't registered yet as it has to be; nothing if left out. */
  needs?(registered: Registered): Need[];
  files(values: RecipeValues): RecipeFile[];
}

/** A text as a string of JavaScript, JSON, Python or C#. */
export const quoted = (text: string): string => JSON.stringify(text);

/** The lines that there are: false stands for one that isn't. */
export function lines(...all: readonly (string | false)[]): string {
  return `${all.filter((line) => line !== false).join("\n")}\n`;
}

/**
 * The variables that a portal of ours reads from its environment, as a file for `node --env-file` and its
 * like.
 * @param own the name of a secret of the portal's own, which is left empty: what starts without it would be
 *   nobody's secret
 */
export function environment(variables: Readonly<Record<string, string>>, own?: string): string {
  const filled = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return lines(
    ...filled,
    ...(own === undefined ? [] : ["# A secret of the portal's own: openssl rand -hex 32", `${own}=`]),
  );
}

/** The address of a portal that stands in front of the path of one of its addresses. */
export const originOf = (address: string): string => URL.parse(address)?.origin ?? "";
export const pathOf = (address: string): string => URL.parse(address)?.pathname ?? "";

/** The first registered address that a recipe can be filled with. */
export function fittingRedirect(
  { redirect }: Pick<Recipe, "redirect">,
  addresses: readonly string[],
): string | undefined {
  return addresses.find((address) => redirect === undefined || redirect.path.test(pathOf(address)));
}

/** What a client isn't registered with yet as a recipe needs it. */
export function needsOf(recipe: Recipe, registered: Registered): Need[] {
  const lacking = (
    setting: string,
    needed: NeededAddress | undefined,
    addresses: readonly string[],
  ): Need[] =>
    needed === undefined || addresses.some((address) => needed.path.test(pathOf(address)))
      ? []
      : [{ setting, value: needed.value, why: needed.why }];
  return [
    ...lacking("redirect_uris", recipe.redirect, registered.redirectUris),
    ...lacking("post_logout_redirect_uris", recipe.postLogout, registered.postLogoutRedirectUris),
    ...(recipe.needs?.(registered) ?? []),
  ];
}

/** A need for claims in the ID token. */
export function needsClaims({ claimsInIdToken }: Pick<Registered, "claimsInIdToken">, why: string): Need[] {
  return claimsInIdToken ? [] : [{ setting: "claims_in_id_token", value: "true", why }];
}
