/**
 * What the tests of src/upstream share: a store in memory, a lying upstream made anew for each test, a clock,
 * and one browser's sign-in.
 */

import assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { type Config, configSchema, type UpstreamConfig } from "../../src/config/schema.ts";
import { asLinkRequestId, asUpstreamId } from "../../src/domain/ids.ts";
import type { SecretHash } from "../../src/domain/records.ts";
import { hashSecret, randomSecret } from "../../src/domain/secrets.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { type ClientKeys, loadClientKeys } from "../../src/upstream/client-keys.ts";
import {
  createUpstreams,
  type SignInRequest,
  type Upstreams,
  type UpstreamsDependencies,
} from "../../src/upstream/upstreams.ts";
import { openMemoryStore } from "./memory-store/store.ts";
import { type LyingUpstream, PEER_CLIENT, startLyingUpstream } from "./upstream-peer.ts";

export const ISSUER = "http://localhost:4400/broker";
/** Who sends all sign-ins unless a test says otherwise. */
export const sender = "192.0.2.1";
export const SIGN_IN = { purpose: { kind: "sign_in" as const, interactionUid: "uid-1" }, forced: false };
export const REDEEM = {
  purpose: {
    kind: "redeem" as const,
    requestId: asLinkRequestId("request-1"),
    secretHash: hashSecret("secret"),
  },
  forced: true,
};

export interface UpstreamFixture {
  store: Store;
  /** Known to `theLiar()` as the upstream `liar`. */
  liar: LyingUpstream;
  now: number;
  /** What the liar's clock is ahead of `now` by. */
  aheadSeconds: number;
  /** For both algorithms of private_key_jwt. */
  clientKeys: ClientKeys;
  log: { fields: object; message: string }[];
  relyingParty(upstreams: UpstreamConfig[], change?: Partial<UpstreamsDependencies>): Upstreams;
  theLiar(change?: Partial<UpstreamConfig>): Upstreams;
  /** One browser's sign-in: begun, and ready to come back with whatever callback. */
  begin(parties: Upstreams, request?: Partial<SignInRequest>): Promise<BegunInBrowser>;
  /** A whole sign-in at the lying upstream, with the callback's parameters bent as given. */
  signIn(
    parties: Upstreams,
    request?: Partial<SignInRequest>,
    parameters?: Record<string, string | null>,
  ): ReturnType<Upstreams["complete"]>;
}

type BegunInBrowser = Awaited<ReturnType<Upstreams["begin"]>> & { browsers: SecretHash[] };

/** An upstream's configuration, its defaults filled in. */
export function upstream(id: string, issuer: string, change: Partial<UpstreamConfig> = {}): UpstreamConfig {
  const [config]: Config["upstreams"] = configSchema.shape.upstreams.parse([
    { id, name: id.toUpperCase(), issuer, ...PEER_CLIENT },
  ]);
  return { ...(config ?? assert.fail()), ...change };
}

/** Checks that an error is the expected one; shows its private cause when not. */
export function refusal(code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof LiaisonError, String(error));
    assert.equal(error.code, code, String(error.cause));
    return true;
  };
}

/** Registers the hooks of a test file and returns what they fill in. */
export function useUpstreams(): UpstreamFixture {
  const note = (fields: object, message: string) => void fixture.log.push({ fields, message });
  const fixture = { log: [], now: 0, aheadSeconds: 0 } as unknown as UpstreamFixture;

  Object.assign(fixture, {
    relyingParty: (upstreams: UpstreamConfig[], change: Partial<UpstreamsDependencies> = {}) =>
      createUpstreams({
        upstreams,
        issuer: ISSUER,
        signIns: fixture.store.signIns,
        accounts: fixture.store.accounts,
        clock: { now: () => fixture.now },
        logger: { info: note, warn: note },
        clientKeys: fixture.clientKeys,
        limits: {
          timeoutMs: 300,
          maxBytes: 100_000,
          maxInFlight: 8,
          waitMs: 1_000,
          silences: 3,
          pauseMs: 3_000,
        },
        ...change,
      }),
    theLiar: (change: Partial<UpstreamConfig> = {}) =>
      fixture.relyingParty([upstream("liar", fixture.liar.issuer, change)]),
    async begin(parties: Upstreams, request: Partial<SignInRequest> = {}) {
      const browserHash = hashSecret(randomSecret());
      const begun = await parties.begin({
        sender,
        upstreamId: asUpstreamId("liar"),
        browserHash,
        ...SIGN_IN,
        ...request,
      });
      return { ...begun, browsers: [browserHash] };
    },
    async signIn(parties: Upstreams, request = {}, parameters = {}) {
      const { url, browsers } = await fixture.begin(parties, request);
      return parties.complete({
        sender,
        upstreamId: asUpstreamId("liar"),
        url: fixture.liar.callback(url, parameters),
        browsers,
      });
    },
  } satisfies Partial<UpstreamFixture>);

  before(async () => {
    fixture.store = openMemoryStore();
    const signing = (["RS256", "ES256"] as const).map((token_endpoint_auth_signing_alg) =>
      upstream("any", "https://any.example", {
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg,
      }),
    );
    fixture.clientKeys = await loadClientKeys(fixture.store.keys, signing);
  });
  beforeEach(async () => {
    fixture.now = Date.now();
    fixture.aheadSeconds = 0;
    fixture.log.length = 0;
    await fixture.liar?.close();
    fixture.liar = await startLyingUpstream({ now: () => fixture.now + fixture.aheadSeconds * 1000 });
  });
  after(async () => {
    await fixture.liar.close();
    await fixture.store.close();
  });
  return fixture;
}
