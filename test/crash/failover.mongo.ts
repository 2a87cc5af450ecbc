/** The primary of the replica set dies again and again under load: nothing is lost, nothing happens twice. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../src/clock.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type { Organization } from "../../src/domain/records.ts";
import type { Store } from "../../src/storage/contract.ts";
import { openStore } from "../../src/storage/open.ts";
import { startAlternatingProxy } from "../support/alternating-proxy.ts";
import { type Closer, closeAll } from "../support/closing.ts";
import { freePort } from "../support/free-port.ts";
import { portalSecret, startTestUpstream, testConfig } from "../support/liaison.ts";
import { startMailbox } from "../support/mailbox.ts";
import { TestPortal } from "../support/portal.ts";
import { startReplicaSet } from "../support/replica-set.ts";
import { testDatabase, withClient } from "../support/test-database.ts";
import { BrokerProcess, until } from "./broker-process.ts";
import { Ledger } from "./failover-ledger.ts";
import { live } from "./failover-person.ts";

const kills = 10;
const crowd = Array.from({ length: 230 }, (_, index) => ({
  username: `load-${index}`,
  password: `load-password-${index}`,
  name: `Load Number ${index}`,
  email: `load-${index}@consumer.example`,
}));
const registeredOf = (index: number) => `load-${index}@registered.example`;
/** How many people are on their way at a time. */
const lanes = 14;

test(`the primary is killed ${kills} times under load`, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "liaison-failover-"));
  const brokers: BrokerProcess[] = [];
  const closers: Closer[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const set = await startReplicaSet();
    closers.push(() => set.close());
    const mailbox = await startMailbox();
    closers.push(() => mailbox.close());
    const ports = { broker: await freePort(), upstream: await freePort(), smtp: mailbox.port };
    const base = testConfig(ports, "");
    const encryptionKey = String(base["encryption_key"]);
    const { url, database } = await testDatabase({ url: set.url, encryptionKey });
    const mongodb = { url, database };
    const issuer = String(base["issuer"]);
    const upstream = await startTestUpstream(ports.upstream, issuer, crowd);
    closers.push(() => upstream.close());
    const store = await openStore({ mongodb, encryptionKey });
    closers.push(() => store.close());
    await fillDirectory(store);

    brokers.push(new BrokerProcess(), new BrokerProcess());
    closers.push(() => Promise.all(brokers.map((broker) => broker.kill())));
    const config = { ...base, storage: { mongodb }, listen: { host: "127.0.0.1", port: 0 } };
    for (const broker of brokers) await broker.start({ config });
    const proxy = await startAlternatingProxy(
      ports.broker,
      brokers.map(({ port }) => port),
    );
    closers.push(() => proxy.close());
    const [{ id = "", redirect_uris: [redirectUri = ""] = [] } = {}] = base["portals"] as {
      id: string;
      redirect_uris: string[];
    }[];
    const portal = await TestPortal.connect({
      issuer,
      clientId: id,
      clientSecret: portalSecret,
      redirectUri,
      scope: "openid profile organization offline_access",
    });

    const ledger = new Ledger();
    const queue = crowd.map((person, index) => ({ person, index }));
    let isKilling = true;
    const load = Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const { person, index } = next;
          // While members are still to die there is always something to refresh.
          const refreshes = isKilling ? 4 : 2;
          await live({
            index,
            person,
            registered: registeredOf(index),
            issuer,
            portal,
            mailbox,
            ledger,
            refreshes,
          });
        }
      }),
    );
    load.catch(() => {});
    for (let kill = 1; kill <= kills; kill += 1) {
      const primary = await set.primary();
      await Promise.race([
        load,
        until(() => ledger.isBusy, `something of everything is in flight (kill ${kill})`, 60_000),
      ]);
      assert.ok(ledger.isBusy, `the load ended before kill ${kill}`);
      const inFlight = { ...ledger.inFlight };
      await primary.kill();
      context.diagnostic(`kill ${kill}: primary ${primary.port}, in flight ${JSON.stringify(inFlight)}`);
      const successor = await Promise.race([load.then(() => set.primary()), set.primary()]);
      assert.notEqual(successor.port, primary.port);
      await pause(500);
      await primary.restart();
      await set.healthy();
    }
    isKilling = false;
    await load;
    context.diagnostic(JSON.stringify(ledger));

    assert.ok(ledger.done["sign-in"] >= 200 && ledger.done.redemption >= 200 && ledger.done.refresh >= 500);
    await until(
      async () => (await store.outbox.nextDueAt()) === undefined,
      "every mail owed is sent",
      90_000,
    );
    await assertKept(store, ledger, mailbox.mails);
    const everyState = [{ $match: { _id: { $gt: "" } } }, { $group: { _id: "$state", count: { $sum: 1 } } }];
    const states = await withClient(url, (client) =>
      client.db(database).collection("outbox").aggregate(everyState).toArray(),
    );
    context.diagnostic(`outbox ${JSON.stringify(states)}`);
  } catch (error) {
    const unexpected = brokers
      .flatMap(({ log }) => log.split("\n"))
      .filter((line) => /"status":500/.test(line));
    context.diagnostic(unexpected.slice(0, 3).join("\n"));
    throw error;
  } finally {
    await closeAll(closers);
  }
});

async function fillDirectory(store: Store): Promise<void> {
  const organization: Organization = {
    id: asOrganizationId("northwind"),
    name: "Northwind",
    accountNumber: "N-1",
    enabled: true,
    kind: "customer",
    plan: { status: "active", expiresAt: null },
  };
  const rows = crowd.map(({ name }, index) => {
    const email = registeredOf(index);
    const emailKey = parseAddress(email)?.key ?? "";
    const place = { id: asProfileId(`p-${index}`), organizationId: organization.id };
    return { organization, profile: { ...place, email, emailKey, name, roles: ["user"], enabled: true } };
  });
  await store.directory.importBatch(rows, "test", systemClock.now());
}

/** What the ledger knows is so in the database, once; and everybody got the notice of it. */
async function assertKept(
  store: Store,
  ledger: Ledger,
  mails: { to: string; messageId: string; text: string }[],
) {
  const accounts = new Set<string>();
  for (const index of ledger.toldLinked) {
    const membership = await store.directory.membership(asProfileId(`p-${index}`));
    const accountId = membership?.profile.accountId;
    assert.ok(accountId, `the binding of p-${index} is lost`);
    accounts.add(accountId);
    const events = await store.audit.list({ profileId: asProfileId(`p-${index}`), limit: 100 });
    assert.equal(
      events.filter(({ action }) => action === "profile.bound").length,
      1,
      `p-${index} was bound twice`,
    );
    const notices = mails.filter(({ to, text }) => to === registeredOf(index) && !/\/link\//.test(text));
    assert.equal(new Set(notices.map(({ messageId }) => messageId)).size, 1, `notices of p-${index}`);
  }
  assert.equal(accounts.size, ledger.toldLinked.size, "each person has an account of their own");
}
