/**
 * What an operator meets: an upstream that is down, a key that is wrong, a portal that can't work, a port
 * that is taken.
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { createApp } from "../../src/app.ts";
import { startDemoUpstream } from "../../src/demo/upstream.ts";
import { ConfigError, LiaisonError } from "../../src/errors.ts";
import { openStore } from "../../src/storage/open.ts";
import { freePort } from "../support/free-port.ts";
import { type Liaison, people, startLiaison } from "../support/liaison.ts";

describe("an upstream that is down", () => {
  let liaison: Liaison;
  before(async () => {
    liaison = await startLiaison({ upstream: false });
  });
  after(() => liaison.close());

  it("stops no service, gets a page that helps, and works once it is up, with no restart", async () => {
    const browser = liaison.browser();
    const started = await liaison.customerSource.start();
    const choose = await browser.visit(started.url);
    const down = await browser.press(choose, /Fabrikam ID/);
    assert.equal(down.status, 503);
    assert.match(down.text, /Fabrikam ID/);
    assert.match(down.text, /help@contoso\.example/);
    assert.match(down.text, /[0-9a-f]{8}-[0-9a-f]{4}/, "a reference to quote");

    const upstream = await startDemoUpstream({
      port: Number(new URL(liaison.upstreamIssuer).port),
      accounts: Object.values(people),
      clock: liaison.clock,
      clients: [
        {
          id: "liaison",
          secret: "an-upstream-secret-of-32-characters",
          name: "Contoso sign-in",
          redirectUris: [`${liaison.issuer}/upstream/fabrikam/callback`],
        },
      ],
    });
    try {
      liaison.clock.advance(5);
      const back = await browser.follow(down, /try again/i);
      const up = await browser.press(back, /Fabrikam ID/);
      assert.equal(up.url.origin, liaison.upstreamIssuer);
      assert.match(up.heading, /Sign in/);
    } finally {
      await upstream.close();
    }
  });
});

describe("starting", () => {
  it("refuses another encryption key and leaves the data as it is", async () => {
    const liaison = await startLiaison({ upstream: false });
    try {
      const other = { ...liaison.storeOptions, encryptionKey: randomBytes(32).toString("base64") };
      await assert.rejects(openStore(other), (error: unknown) => {
        assert.ok(error instanceof LiaisonError && error.code === "store_refused");
        assert.match(error.message, /encryption_key/);
        return true;
      });
      await (await openStore(liaison.storeOptions)).close();
    } finally {
      await liaison.close();
    }
  });

  it("names every portal that can't work, before any request", async () => {
    const liaison = await startLiaison({ upstream: false });
    try {
      // What the schema lets through and oidc-provider wouldn't: here, what no schema has seen.
      const portals = liaison.config.portals.map((portal) => ({
        ...portal,
        redirect_uris: ["https://portal.example/callback#fragment"],
      }));
      const config = { ...liaison.config, portals };
      const app = createApp({
        config,
        store: liaison.store,
        clock: liaison.clock,
        logger: pino({ level: "silent" }),
      });
      await assert.rejects(app, (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(
          error.faults.map(({ key }) => key),
          ["portals.customersource", "portals.partnersource"],
        );
        return true;
      });
    } finally {
      await liaison.close();
    }
  });

  it("says which port is taken", async () => {
    const occupant = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => occupant.listen(port, "127.0.0.1", resolve));
    const taken = startLiaison({
      upstream: false,
      config: (base) => ({ ...base, listen: { host: "127.0.0.1", port } }),
    });
    try {
      await assert.rejects(taken, new RegExp(`Port ${port}`));
    } finally {
      await new Promise((resolve) => occupant.close(resolve));
    }
  });
});
