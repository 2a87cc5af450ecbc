/** A portal for tests: openid-client against our provider, as a vendor's developer would use it. */

import * as client from "openid-client";

export interface PortalOptions {
  issuer: string;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  scope?: string;
}

export interface StartedSignIn {
  url: URL;
  codeVerifier: string;
  state: string;
  nonce: string;
}

export type PortalTokens = Awaited<ReturnType<TestPortal["exchange"]>>;

export class TestPortal {
  readonly options: PortalOptions;
  readonly configuration: client.Configuration;

  private constructor(options: PortalOptions, configuration: client.Configuration) {
    this.options = options;
    this.configuration = configuration;
  }

  static async connect(options: PortalOptions): Promise<TestPortal> {
    const configuration = await client.discovery(
      new URL(options.issuer),
      options.clientId,
      options.clientSecret,
      undefined,
      { execute: [client.allowInsecureRequests] },
    );
    return new TestPortal(options, configuration);
  }

  /** The address a person is sent to, with what the answer must match. */
  async start(parameters: Record<string, string> = {}): Promise<StartedSignIn> {
    const codeVerifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(this.configuration, {
      redirect_uri: this.options.redirectUri,
      scope: this.options.scope ?? "openid profile email organization",
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: "S256",
      state,
      nonce,
      ...parameters,
    });
    return { url, codeVerifier, state, nonce };
  }

  /** Exchanges the code of a callback. Rejects with what the provider answered. */
  async exchange(callback: URL, started: StartedSignIn) {
    return await client.authorizationCodeGrant(this.configuration, callback, {
      pkceCodeVerifier: started.codeVerifier,
      expectedState: started.state,
      expectedNonce: started.nonce,
      idTokenExpected: true,
    });
  }

  async userinfo(accessToken: string, subject: string): Promise<Record<string, unknown>> {
    return await client.fetchUserInfo(this.configuration, accessToken, subject);
  }

  async refresh(refreshToken: string) {
    return await client.refreshTokenGrant(this.configuration, refreshToken);
  }

  async introspect(token: string): Promise<{ active: boolean }> {
    return await client.tokenIntrospection(this.configuration, token);
  }
}
