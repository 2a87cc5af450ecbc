/**
 * What waits for the write lock that somebody else holds: without stopping the event loop, in order, for so
 * long, and once.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate, setTimeout } from "node:timers/promises";
import { withDeadline } from "../../src/deadline.ts";
import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";
import { aClient, anAuditEvent, anId, hashOf, MINUTE, NOW } from "../support/records.ts";
import { registerClient } from "../support/stored-clients.ts";
import { aNotice, profileOf, redemption, register, request, signIn, stateOf } from "./back-end.ts";
import { type TemporaryFile, temporaryFile } from "./sqlite-support.ts";

const isUnavailable = (error: unknown) => error instanceof LiaisonError && error.code === "store_unavailable";

interface Fixture {
  file: TemporaryFile;
  store: Store;
  /** Takes the write lock as another process would; the function gives it back. */
  lock(): () => void;
}

function withLock(name: string, body: (fixture: Fixture) => Promise<void>): void {
  test(`sqlite waiting: ${name}`, async () => {
    const file = temporaryFile();
    const store = await file.open();
    const intruder = new DatabaseSync(file.file, { timeout: 5000 });
    const lock = () => {
      intruder.exec("BEGIN IMMEDIATE");
      return () => intruder.exec("ROLLBACK");
    };
    try {
      await body({ file, store, lock });
    } finally {
      intruder.close();
      await file.destroy();
    }
  });
}

/** Lets the event loop turn so often, and a timer fire. */
async function turn(times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) await setImmediate();
  await setTimeout(1);
}

const tokens = (store: Store, id: string) =>
  store.artifacts.upsert("AccessToken", hashOf(id), { id }, {}, NOW + MINUTE);

withLock(
  "the loop turns and reads are served meanwhile; then every kind of write is carried out, once",
  async (fixture) => {
    const { store, lock } = fixture;
    const { profile } = await register(store);
    const person = await signIn(store);
    const link = await request(store, person, profile.id);
    const client = aClient();
    const event = anAuditEvent();
    const release = lock();
    const settled: string[] = [];
    const note = async (name: string, call: Promise<unknown>) => {
      await call;
      settled.push(name);
    };
    const writes = Promise.all([
      note("transaction", store.links.redeem(redemption(person, link), aNotice(), NOW)),
      note("statement", store.audit.append(event)),
      note("statement of the fast connection", tokens(store, "token")),
      note("transaction of the fast connection", store.throttles.takeSlot("key", 5, 60, NOW)),
      note("statement that returns", store.administration.takeLease("lease", "worker", NOW, MINUTE)),
      note("change", registerClient(store, client)),
    ]);
    await turn(200);
    assert.deepEqual(settled, []);
    assert.equal((await profileOf(store, profile.id)).accountId, null);
    assert.equal(await store.clients.find(client.id), undefined);
    release();
    await writes;
    assert.equal(settled.length, 6);
    assert.equal(await stateOf(store, link), "bound");
    assert.deepEqual(await store.clients.find(client.id), client);
    assert.notEqual(await store.artifacts.find("AccessToken", hashOf("token"), NOW), undefined);
    const events = await store.audit.list({ limit: 99 });
    assert.equal(events.filter(({ action }) => action === "profile.bound").length, 1);
    assert.equal(events.filter(({ id }) => id === event.id).length, 1);
    // Four of five slots are left.
    const slots = [];
    for (let count = 0; count < 5; count += 1) slots.push(await store.throttles.takeSlot("key", 5, 60, NOW));
    assert.deepEqual(
      slots.map(({ taken }) => taken),
      [true, true, true, true, false],
    );
  },
);

withLock(
  "whichever of them comes first doesn't stop the loop, where SQLite would sleep for seconds",
  async (fixture) => {
    const { store, lock } = fixture;
    const writes: [string, () => Promise<unknown>][] = [
      ["transaction", () => register(store)],
      ["statement", () => store.audit.append(anAuditEvent())],
      ["statement of the fast connection", () => tokens(store, anId("token"))],
      ["transaction of the fast connection", () => store.throttles.takeSlot("key", 9, 60, NOW)],
    ];
    for (const [name, write] of writes) {
      const release = lock();
      const begun = performance.now();
      const written = write();
      await turn(1);
      assert.ok(performance.now() - begun < 2500, `a ${name} stopped the loop`);
      release();
      await written;
    }
  },
);

withLock(
  "what isn't carried out within its caller's deadline is unavailable, and never is",
  async (fixture) => {
    const { store, lock } = fixture;
    const release = lock();
    const [hasty, none] = [anAuditEvent(), anAuditEvent()];
    const patient = anAuditEvent();
    const waits = withDeadline(30_000, () => store.audit.append(patient));
    const begun = performance.now();
    await Promise.all([
      assert.rejects(
        withDeadline(100, () => store.audit.append(hasty)),
        isUnavailable,
      ),
      assert.rejects(
        withDeadline(0, () => store.audit.append(none)),
        isUnavailable,
      ),
    ]);
    assert.ok(performance.now() - begun >= 99, "it gave up before its time");
    release();
    await waits;
    await turn(50);
    assert.deepEqual(
      (await store.audit.list({ limit: 9 })).map(({ id }) => id),
      [patient.id],
    );
  },
);

withLock(
  "who comes first is served first, on both connections, and the loop turns between two",
  async ({ store, lock }) => {
    const events = Array.from({ length: 40 }, () => anAuditEvent());
    const served: number[] = [];
    const release = lock();
    const calls = events.map(async (event, index) => {
      if (index % 2 === 0) await store.audit.append(event);
      else await tokens(store, anId("token"));
      served.push(index);
    });
    await turn(20);
    release();
    // The lock is free, but others wait.
    const late = store.audit.append(anAuditEvent()).then(() => served.push(events.length));
    const begun = await turnsUntil(Promise.all([...calls, late]));
    assert.deepEqual(
      served,
      Array.from({ length: events.length + 1 }, (_, index) => index),
    );
    assert.ok(begun >= events.length, `${begun} turns of the loop in ${events.length} turns of the queue`);
  },
);

withLock("a store that is closed while it is waited for is unavailable", async ({ store, lock }) => {
  const release = lock();
  const waits = assert.rejects(store.audit.append(anAuditEvent()), isUnavailable);
  await turn(5);
  await store.close();
  await waits;
  release();
});

/** How often the event loop turns until then. */
async function turnsUntil(end: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const over = end.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await setImmediate();
    turns += 1;
  }
  await over;
  return turns;
}
