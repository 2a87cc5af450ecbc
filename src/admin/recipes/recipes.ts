/** All recipes, and which of them are for a client. */

import type { Preset } from "../../domain/client-settings.ts";
import { oidcClientTs } from "./browser.ts";
import { authjs, expressOpenidConnect, openidClient, passportOpenidconnect } from "./node.ts";
import { aspnetCore, curl, keycloak, modAuthOpenidc, oauth2Proxy, spring } from "./products.ts";
import { authlib } from "./python.ts";
import type { Recipe } from "./recipe.ts";

export const recipes: readonly Recipe[] = [
  openidClient,
  expressOpenidConnect,
  passportOpenidconnect,
  authjs,
  authlib,
  oidcClientTs,
  spring,
  aspnetCore,
  keycloak,
  modAuthOpenidc,
  oauth2Proxy,
  curl,
];

export const RECIPE_NAMES = recipes.map(({ name }) => name);

/** The recipes for an app of a kind. */
export const recipesFor = (preset: Preset): readonly Recipe[] =>
  recipes.filter(({ presets }) => presets.includes(preset));
