/**
 * One of two broker processes is killed before each step of the journey, by turns: the person's next click
 * works.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import { openStore } from "../../src/storage/open.ts";
import { startAlternatingProxy } from "../support/alternating-proxy.ts";
import { type Closer, closeAll } from "../support/closing.ts";
import { freePort } from "../support/free-port.ts";
import { people, portalSecret, register, startTestUpstream, testConfig } from "../support/liaison.ts";
import { startMailbox } from "../support/mailbox.ts";
import { TestPortal } from "../support/portal.ts";
import { journeySteps } from "../support/stepwise-journey.ts";
import { testDatabase } from "../support/test-database.ts";
import { UserAgent } from "../support/user-agent.ts";
import { BrokerProcess } from "./broker-process.ts";

const registered = "ann@northwind.example";

for (const first of [0, 1] as const) {
  test(`a broker dies before each step, beginning by the ${["first", "second"][first]}`, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "liaison-brokers-"));
    const closers: Closer[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      const mailbox = await startMailbox();
      closers.push(() => mailbox.close());
      const ports = { broker: await freePort(), upstream: await freePort(), smtp: mailbox.port };
      const base = testConfig(ports, "");
      const encryptionKey = String(base["encryption_key"]);
      const { drop, ...mongodb } = await testDatabase({ encryptionKey });
      closers.push(drop);
      const store = await openStore({ mongodb, encryptionKey });
      closers.push(() => store.close());
      await register({ store, clock: systemClock }, { id: asOrganizationId("northwind") }, [
        { id: "p-ann", email: registered },
      ]);
      const issuer = String(base["issuer"]);
      const upstream = await startTestUpstream(ports.upstream, issuer);
      closers.push(() => upstream.close());

      const config = { ...base, storage: { mongodb }, listen: { host: "127.0.0.1", port: 0 } };
      const startBroker = async () => {
        const broker = new BrokerProcess();
        closers.push(() => broker.kill());
        await broker.start({ config });
        return broker;
      };
      const brokers = [await startBroker(), await startBroker()];
      const backends = brokers.map(({ port }) => port);
      const proxy = await startAlternatingProxy(ports.broker, backends);
      closers.push(() => proxy.close());
      const portals = base["portals"] as { id: string; redirect_uris: string[] }[];
      const portal = await TestPortal.connect({
        issuer,
        clientId: portals[0]?.id ?? "",
        clientSecret: portalSecret,
        redirectUri: portals[0]?.redirect_uris[0] ?? "",
        scope: "openid profile organization offline_access",
      });
      const browser = new UserAgent({ stopAt: (url) => url.port === "9" });
      const steps = await journeySteps({ portal, mailbox, browser, person: people.ann, registered });
      for (const [index, { name, act }] of steps.entries()) {
        const dying = (first + index) % 2;
        await brokers[dying]?.kill();
        const { status } = await act();
        assert.ok(status === 0 || status === 200, `${name}: ${status}`);
        const successor = await startBroker();
        brokers[dying] = successor;
        backends[dying] = successor.port;
      }
      context.diagnostic(`${steps.length} steps, ${steps.length} brokers killed`);
      const events = await store.audit.list({ profileId: asProfileId("p-ann"), limit: 100 });
      assert.equal(events.filter(({ action }) => action === "profile.bound").length, 1);
    } finally {
      await closeAll(closers);
    }
  });
}
