import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isEncryptedOrLocal, isLoopback } from "../../src/domain/loopback.ts";

describe("loopback", () => {
  it("is this machine, as configured or as URL spells it", () => {
    for (const host of [
      "localhost",
      "LocalHost",
      "portal.localhost",
      "127.0.0.1",
      "127.255.0.9",
      "::1",
      "[::1]",
    ]) {
      assert.equal(isLoopback(host), true, host);
    }
  });

  it("is no other, whatever it is called", () => {
    const others = [
      "",
      "localhost.example",
      "notlocalhost",
      "127.0.0.1.example",
      "1127.0.0.1",
      "127.0.0",
      "0.0.0.0",
    ];
    for (const host of [...others, "::", "[::]", "::2", "10.0.0.1", "::1.example"]) {
      assert.equal(isLoopback(host), false, host);
    }
  });

  it("may be spoken to over http, others over https alone", () => {
    const cases: [address: string, isFine: boolean][] = [
      ["https://idp.example", true],
      ["http://localhost:4400", true],
      ["http://127.1", true],
      ["http://[0:0::1]:9", true],
      ["http://idp.example", false],
      ["ws://localhost", false],
      ["file:///localhost", false],
    ];
    for (const [address, isFine] of cases)
      assert.equal(isEncryptedOrLocal(new URL(address)), isFine, address);
  });
});
