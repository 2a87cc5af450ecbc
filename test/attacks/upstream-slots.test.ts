/**
 * Z8: made-up answers of an upstream cost their sender, not the others' sign-ins. Connections come from
 * addresses of their own.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { seededSubject } from "../../src/demo/upstream-accounts.ts";
import { asOrganizationId, asUpstreamId } from "../../src/domain/ids.ts";
import { bindIdentity } from "../support/attack-fixture.ts";
import { freePort } from "../support/free-port.ts";
import { type Liaison, people, register, startLiaison } from "../support/liaison.ts";
import { type SourceAddress, sourceAddress } from "../support/source-address.ts";
import { PEER_CLIENT, startUpstreamPeer, type UpstreamPeer } from "../support/upstream-peer.ts";
import { type Page, UserAgent } from "../support/user-agent.ts";

const connections = 60;
/** Sign-ins that are begun before, so that their made-up answers can come at once. */
const prepared = 240;
/** How long the upstream takes to look at a code. */
const tokenMs = 150;

/** The application with a slow upstream, for the tests of one suite. */
function useSlots(tokenMs: number) {
  let peer: UpstreamPeer;
  let liaison: Liaison;
  const addresses = new Map<string, SourceAddress>();
  before(async () => {
    const port = await freePort();
    const issuer = `http://localhost:${port}`;
    peer = await startUpstreamPeer({
      redirectUris: [`${issuer}/upstream/peer/callback`],
      people: { [seededSubject(people.ann.username)]: { email: people.ann.email, name: people.ann.name } },
      tokenMs,
    });
    liaison = await startLiaison({
      upstream: false,
      // Brokers behind the suite's own proxy would see one address, its own.
      embedded: true,
      config: (base) => ({
        ...base,
        issuer,
        listen: { host: "127.0.0.1", port },
        upstreams: [{ id: "peer", name: "Peer", issuer: peer.issuer, ...PEER_CLIENT }],
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example" },
    ]);
  });
  after(async () => {
    await liaison?.close();
    await peer?.close();
    for (const address of addresses.values()) await address.close();
  });

  /** A browser at an address of this machine. */
  async function browserAt(address: string, stopAt: (url: URL) => boolean = () => false): Promise<UserAgent> {
    const known = addresses.get(address) ?? (await sourceAddress(address, liaison.issuer));
    addresses.set(address, known);
    return new UserAgent({ proxy: known.proxy, stopAt });
  }

  /**
   * Begins a sign-in at an address, and returns what comes back to the broker with a code that nobody issued.
   */
  async function madeUp(address: string): Promise<() => Promise<Page>> {
    const browser = await browserAt(address, ({ origin }) => origin === peer.issuer);
    const { url } = await browser.visit((await liaison.customerSource.start({ upstream: "peer" })).url);
    const callback = new URL(`${liaison.issuer}/upstream/peer/callback`);
    const answer = { code: "made-up", state: url.searchParams.get("state") ?? "", iss: peer.issuer };
    callback.search = new URLSearchParams(answer).toString();
    return () => browser.visit(callback);
  }

  return { liaison: () => liaison, peer: () => peer, browserAt, madeUp };
}

describe("Z8: connections with made-up codes", () => {
  const { liaison, browserAt, madeUp } = useSlots(tokenMs);

  /** An honest sign-in from an address: what it ends at, and how long that took, in milliseconds. */
  async function signInFrom(address: string): Promise<{ status: number; heading: string; ms: number }> {
    const browser = await browserAt(address);
    const began = performance.now();
    const { url } = await liaison().customerSource.start({ upstream: "peer" });
    const { status, heading } = await browser.visit(url);
    return { status, heading, ms: performance.now() - began };
  }

  it("Z8: others' sign-ins all succeed within seconds, those of the same network within ten", async () => {
    const stock: (() => Promise<Page>)[] = [];
    while (stock.length < prepared) {
      stock.push(...(await Promise.all(Array.from({ length: 12 }, () => madeUp("127.0.0.5")))));
    }
    const statuses: number[] = [];
    const flood = Array.from({ length: connections }, async () => {
      for (let send = stock.pop(); send !== undefined; send = stock.pop())
        statuses.push((await send()).status);
    });
    await pause(50);
    const others = Array.from({ length: 8 }, async (_, index) => {
      await pause(index * 100);
      return await signInFrom(`127.0.0.${11 + index}`);
    });
    const beside = Array.from({ length: 2 }, async (_, index) => {
      await pause(500 + index * 500);
      return await signInFrom("127.0.0.5");
    });
    const ofOthers = (await Promise.all(others)).map((one) => ({ ...one, isInTime: one.ms < 8_000 }));
    const ofSameNetwork = (await Promise.all(beside)).map((one) => ({ ...one, isInTime: one.ms < 10_000 }));
    const wentOn = statuses.length < prepared;
    await Promise.all(flood);

    for (const { status, heading, ms, isInTime } of [...ofOthers, ...ofSameNetwork]) {
      assert.deepEqual(
        { status, isInTime },
        { status: 200, isInTime: true },
        `${heading} after ${Math.round(ms)} ms`,
      );
      assert.match(heading, /registered/);
    }
    assert.ok(wentOn, "the flood was over before the people were");
    assert.ok(statuses.every((status) => [502, 503].includes(status)));
    assert.ok(statuses.filter((status) => status === 502).length > connections, "most were asked about");
  });
});

describe("Z8: a network whose places at an upstream are all taken", () => {
  const { liaison, peer, browserAt, madeUp } = useSlots(2500);

  it("Z8: a browser that completed a sign-in before goes on, a new one is told to come back", async () => {
    const stopAtPortal = (url: URL) => url.port === "9";
    const identity = {
      upstreamId: asUpstreamId("peer"),
      issuer: peer().issuer,
      subject: seededSubject(people.ann.username),
    };
    await bindIdentity(
      liaison(),
      { ...identity, email: people.ann.email, displayName: people.ann.name },
      "p-ann",
    );
    const [known, unknown] = [
      await browserAt("127.0.0.5", stopAtPortal),
      await browserAt("127.0.0.5", stopAtPortal),
    ];
    const signInBy = async (browser: UserAgent) =>
      await browser.visit((await liaison().customerSource.start({ upstream: "peer", prompt: "login" })).url);
    assert.equal((await signInBy(known)).url.port, "9");
    assert.ok(known.cookiesSet.some((line) => line.startsWith("liaison.known=")));

    const stock: (() => Promise<Page>)[] = [];
    while (stock.length < 96) {
      stock.push(...(await Promise.all(Array.from({ length: 12 }, () => madeUp("127.0.0.5")))));
    }
    const flood = stock.map(async (send) => (await send()).status);
    await pause(500);
    const [ofKnown, ofUnknown] = await Promise.all([signInBy(known), signInBy(unknown)]);
    assert.equal(ofUnknown.status, 503);
    assert.equal(ofKnown.url.port, "9", ofKnown.text);
    assert.ok((await Promise.all(flood)).every((status) => [502, 503].includes(status)));
  });
});
