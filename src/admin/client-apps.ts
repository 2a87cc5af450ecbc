/** Client apps as their settings to copy and their recipes read them. */

import { settingsOf } from "../domain/client-metadata.ts";
import type { Preset } from "../domain/client-settings.ts";
import type { Client } from "../storage/records.ts";

export interface ClientApp {
  preset: Preset;
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  initiateLoginUri: string | null;
  backchannelLogoutUri: string | null;
  refreshTokens: boolean;
  /** Scopes of the administration's API, of a machine. */
  scopes: string[];
}

export function toApp(client: Client): ClientApp {
  const settings = settingsOf(client);
  return {
    preset: settings.preset,
    redirectUris: settings.redirect_uris,
    postLogoutRedirectUris: settings.post_logout_redirect_uris,
    initiateLoginUri: settings.initiate_login_uri,
    backchannelLogoutUri: settings.backchannel_logout_uri,
    refreshTokens: settings.refresh_tokens,
    scopes: settings.scopes,
  };
}
