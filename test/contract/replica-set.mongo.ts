/** The replica set of the tests itself: what the other suites believe of it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startReplicaSet } from "../support/replica-set.ts";
import { withClient } from "../support/test-database.ts";

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("a set survives its primary's death and its freezing, and leaves no process behind", async () => {
  const set = await startReplicaSet();
  try {
    await withClient(set.url, async (client) => {
      const notes = client
        .db("notes")
        .collection<{ _id: number }>("notes", { writeConcern: { w: "majority" } });
      await notes.insertOne({ _id: 1 });

      const first = await set.primary();
      const deadPid = first.pid;
      await first.kill();
      assert.equal(isRunning(deadPid), false);
      const second = await set.primary();
      assert.notEqual(second.port, first.port);
      assert.deepEqual(await notes.findOne({ _id: 1 }), { _id: 1 });
      await first.restart();
      await set.healthy();

      second.freeze();
      const third = await set.primary();
      assert.notEqual(third.port, second.port);
      second.thaw();
      await set.healthy();
      await notes.insertOne({ _id: 2 });
      await assert.rejects(notes.findOne({ unindexed: 1 } as never), /table scan|notablescan/i);
    });
  } finally {
    await set.close();
  }
  for (const { pid } of set.members) assert.equal(isRunning(pid), false, `mongod ${pid} is still there`);
});
