/** Whom a forwarded request comes from, and what a configuration may call a trusted proxy. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configSchema } from "../../src/config/schema.ts";
import { clientAddress, clientNetwork, createNetworkTest, isNetwork } from "../../src/domain/networks.ts";
import { testConfig } from "../support/liaison.ts";

const trusted = createNetworkTest(["127.0.0.1", "10.20.0.0/16", "fd00:1::/32", "::1"]);

describe("the client's address", () => {
  for (const [what, peer, forwardedFor, expected] of [
    ["nobody forwards", "203.0.113.9", undefined, "203.0.113.9"],
    ["a stranger claims to be another", "203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["a stranger claims to be a proxy", "203.0.113.9", "198.51.100.1, 10.20.0.1", "203.0.113.9"],
    ["beside the network", "10.21.0.1", "198.51.100.1", "10.21.0.1"],
    ["a proxy forwards", "10.20.3.4", "198.51.100.1", "198.51.100.1"],
    ["a proxy says nothing", "10.20.3.4", undefined, "10.20.3.4"],
    ["a proxy forwards a lie of its client's", "127.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"],
    ["the lie names a proxy", "127.0.0.1", "10.20.0.9, 198.51.100.1", "198.51.100.1"],
    ["two proxies", "127.0.0.1", "192.0.2.66,198.51.100.1 , 10.20.255.255", "198.51.100.1"],
    ["all are proxies", "127.0.0.1", "10.20.0.2, 10.20.0.1", "10.20.0.2"],
    ["a hop that is no address", "127.0.0.1", "198.51.100.1, unknown, 10.20.0.1", "10.20.0.1"],
    ["an empty header", "127.0.0.1", " , ", "127.0.0.1"],
    ["an IPv4 peer on an IPv6 socket", "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["a mapped stranger", "::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["a mapped hop, spelled in hexadecimal", "::1", "198.51.100.1, ::ffff:a14:1", "198.51.100.1"],
    ["IPv6", "fd00:1::5", "2001:DB8:0:0::7", "2001:db8::7"],
    ["IPv6 beside the network", "fd00:2::5", "2001:db8::7", "fd00:2::5"],
    ["IPv6 with a zone", "fe80::1%eth0", undefined, "fe80::1"],
    ["an IPv4 hop with its port", "::1", "198.51.100.1:4711", "198.51.100.1"],
    ["an IPv6 hop with its port", "::1", "[2001:db8::7]:4711", "2001:db8::7"],
    ["a connection that is gone", undefined, "198.51.100.1", "unknown"],
  ] as const) {
    it(what, () => assert.equal(clientAddress(peer, forwardedFor, trusted), expected));
  }

  it("is the peer's own while no proxy is trusted", () => {
    assert.equal(clientAddress("127.0.0.1", "198.51.100.1", createNetworkTest([])), "127.0.0.1");
  });
});

describe("trusted_proxies", () => {
  it("are addresses and networks", () => {
    for (const good of ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "::1", "fd00::/8", "2001:db8::/128"]) {
      assert.ok(isNetwork(good), good);
    }
    for (const bad of [
      "",
      "localhost",
      "10.0.0",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/08",
      "10.0.0.0/8/8",
      "10.0.0.0/-1",
      "fd00::/129",
      "fe80::1%eth0",
      "*",
      "10.*",
      " 10.0.0.1",
    ]) {
      assert.ok(!isNetwork(bad), bad);
    }
  });

  it("are none unless configured, and a fault names what was written wrongly", () => {
    const base = testConfig({ broker: 1, upstream: 1, smtp: 1 }, "liaison.db");
    assert.deepEqual(configSchema.parse(base).trusted_proxies, []);
    const { error } = configSchema.safeParse({ ...base, trusted_proxies: ["10.0.0.0/8", "proxy.example"] });
    assert.deepEqual(error?.issues[0]?.path, ["trusted_proxies", 1]);
  });
});

describe("what counts as one client", () => {
  for (const [address, expected] of [
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["1::2:3:4:5:6", "1:0:0:2::/64"],
    ["unknown", "unknown"],
  ] as const) {
    it(`${address} is ${expected}`, () => assert.equal(clientNetwork(address), expected));
  }
});
