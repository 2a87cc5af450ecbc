/**
 * What ending many costs the loop that serves requests, on the back end that runs on it: no turn of it grows
 * with the rows.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { createEndedGrantsWorker } from "../../src/oidc/ended-grants.ts";
import type { Store } from "../../src/storage/contract.ts";
import { runAlone } from "../../src/worker-loop.ts";
import { manyRowsInFile } from "../crash/many-rows.ts";
import { aClient, anId, aProfile } from "../support/records.ts";
import { apply, DONE } from "./administrator-fixture.ts";
import { bound, present, type Registered, type SignedIn } from "./back-end.ts";
import { temporaryFile } from "./sqlite-support.ts";

const grants = 50_000;
const mostMs = 50;

describe(`ending ${grants} grants`, () => {
  const file = temporaryFile();
  const client = aClient({ managedBy: "admin" });
  let store: Store;
  let person: Registered & SignedIn;
  before(async () => {
    store = await file.open();
    person = await bound(store);
    await apply(store, { kind: "register_client", client });
    const filling = manyRowsInFile(file.file);
    const { profile, organization, account } = person;
    const of = {
      profileId: profile.id,
      organizationId: organization.id,
      accountId: account.id,
      clientId: client.id,
    };
    await filling.insert(grants, { ...of, expiresAt: Date.now() + 3_600_000 });
    await filling.close();
    insertProfiles(file.file, organization.id);
  });
  after(() => file.destroy());

  /** As many profiles of the organization, each with a pending request in another. */
  function insertProfiles(path: string, organizationId: string): void {
    const database = new DatabaseSync(path);
    const { email, emailKey } = aProfile();
    database.exec("BEGIN");
    const insert = database.prepare(`
      INSERT INTO profiles (id, organization_id, email, email_key, email_version, name, roles, enabled)
      VALUES (?, ?, ?, ?, 1, 'Filler', '[]', 1)`);
    for (let index = 0; index < grants; index += 1)
      insert.run(anId("filler"), organizationId, email, emailKey);
    database.exec("COMMIT");
    database.close();
  }

  /** The CPU that this thread used for it, in milliseconds. */
  async function used<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
    const start = process.threadCpuUsage();
    const result = await work();
    const { user, system } = process.threadCpuUsage(start);
    return { result, ms: (user + system) / 1000 };
  }

  const ways: [string, () => Promise<unknown>][] = [
    ["the profile is unlinked", () => store.links.unbind(person.profile.id, "admin:7", Date.now())],
    [
      "the organization is disabled",
      () =>
        store.directory.putOrganization({ ...person.organization, enabled: false }, "admin:7", Date.now()),
    ],
    [
      "the client is removed",
      async () => assert.deepEqual(await apply(store, { kind: "remove_client", clientId: client.id }), DONE),
    ],
  ];

  for (const [way, end] of ways) {
    it(`takes one short turn: ${way}`, async (test) => {
      const { ms } = await used(end);
      test.diagnostic(`${ms} ms`);
      assert.ok(ms < mostMs, `${ms} ms`);
    });
  }

  it("removes the rows in short turns", async (test) => {
    const turns: number[] = [];
    const { administration } = store;
    const timed: typeof administration = {
      ...administration,
      removeEnded: async (...call) => {
        const { result, ms } = await used(() => administration.removeEnded(...call));
        turns.push(ms);
        return result;
      },
    };
    const worker = createEndedGrantsWorker({
      administration: timed,
      clock: systemClock,
      turnMs: store.turnMs,
      grantsATurn: store.grantsATurn,
    });
    assert.equal(await worker.runOnce(runAlone), grants);
    const longest = present(turns.toSorted((one, other) => other - one)[0]);
    test.diagnostic(`${turns.length} turns, the longest ${longest} ms`);
    assert.ok(longest < mostMs, `${longest} ms`);
  });
});
