/**
 * Who a client is, says the connection, or a proxy that is trusted; never the client. Seen in the log line of
 * each request.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger } from "../../src/logger.ts";
import { startLiaison } from "../support/liaison.ts";
import { rawRequest } from "../support/raw-request.ts";
import { sourceAddress } from "../support/source-address.ts";

describe("the client's address in the log", () => {
  for (const { proxies, expected } of [
    { proxies: [], expected: "127.0.0.1" },
    { proxies: ["192.0.2.0/24"], expected: "127.0.0.1" },
    { proxies: ["127.0.0.0/8"], expected: "198.51.100.7" },
  ]) {
    it(`is ${expected} where ${proxies.join() || "nobody"} is trusted`, async () => {
      const lines: string[] = [];
      const liaison = await startLiaison({
        upstream: false,
        config: (base) => ({ ...base, trusted_proxies: proxies }),
        logger: createLogger({ level: "debug", destination: { write: (line: string) => lines.push(line) } }),
      });
      try {
        lines.length = 0;
        const headers = {
          "x-forwarded-for": "192.0.2.66, 198.51.100.7",
          // No proxy of those that write X-Forwarded-For removes what a client wrote here.
          forwarded: "for=192.0.2.66",
          "x-real-ip": "192.0.2.66",
          "client-ip": "192.0.2.66",
        };
        const url = liaison.issuer.replace("localhost", "127.0.0.1");
        assert.equal((await rawRequest(`${url}/help`, { headers })).status, 200);
        const logged = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "request");
        assert.deepEqual(
          logged.map(({ client_address }) => client_address),
          [expected],
        );
      } finally {
        await liaison.close();
      }
    });
  }

  it("isn't what an untrusted peer forwards, of which one line warns, once, with the key", async () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: "warn",
      destination: { write: (line: string) => lines.push(line) },
    });
    const config = (base: Record<string, unknown>) => ({ ...base, trusted_proxies: ["127.0.0.2"] });
    const liaison = await startLiaison({ upstream: false, embedded: true, config, logger });
    const ways = await Promise.all(
      ["127.0.0.2", "127.0.0.3", "127.0.0.4"].map((address) => sourceAddress(address, liaison.issuer)),
    );
    const [proxy, forgotten, another] = ways.map(({ proxy: through }) =>
      through(new URL(`${liaison.issuer}/help`)),
    );
    const warned = () => lines.map((line) => JSON.parse(line)).filter(({ key }) => key === "trusted_proxies");
    try {
      const headers = { "x-forwarded-for": "198.51.100.7" };
      for (const url of [proxy, proxy])
        assert.equal((await rawRequest(String(url), { headers })).status, 200);
      assert.equal((await rawRequest(String(forgotten), {})).status, 200);
      assert.deepEqual(warned(), []);
      for (const url of [forgotten, forgotten, another]) {
        assert.equal((await rawRequest(String(url), { headers })).status, 200);
      }
      const [warning, ...more] = warned();
      assert.deepEqual([warning.level, warning.peer_address, more], ["warn", "127.0.0.3", []]);
      assert.match(warning.msg, /127\.0\.0\.3 .*trusted_proxies/);
    } finally {
      for (const way of ways) await way.close();
      await liaison.close();
    }
  });
});
