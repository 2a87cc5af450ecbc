/** Who a client is, says the connection, or a proxy that is trusted; never the client. Seen in the log line of each request. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger } from "../../src/logger.ts";
import { rawRequest } from "../support/attack-kit.ts";
import { startLiaison } from "../support/liaison.ts";

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
          ...{ forwarded: "for=192.0.2.66", "x-real-ip": "192.0.2.66", "client-ip": "192.0.2.66" },
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
});
