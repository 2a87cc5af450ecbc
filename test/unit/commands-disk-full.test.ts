/** Commands whose disk fills in the middle: what they say, and what they leave behind. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { noFullDisks, withRoomFor } from "../support/full-disk.ts";
import { aDeployment, bin, csvOf, type Deployment, rowOf } from "../support/import-fixture.ts";

describe("a command whose disk is full", { skip: noFullDisks }, () => {
  /** Runs a command that may write so many kilobytes to a file. */
  function run({ folder, config }: Deployment, kilobytes: number, words: string[]) {
    const command = withRoomFor(kilobytes, [process.execPath, bin, ...words, "--config", config]);
    return spawnSync(...command, { cwd: folder, encoding: "utf8", env: { PATH: process.env["PATH"] } });
  }

  function isSound(database: string): void {
    const opened = new DatabaseSync(database);
    const [found] = opened.prepare("PRAGMA integrity_check").all();
    opened.close();
    assert.equal(found?.["integrity_check"], "ok");
  }

  it("import stops, says how far it came and what to do, and does the rest the next time", async () => {
    const deployment = await aDeployment();
    try {
      const rows = Array.from({ length: 600 }, (_, index) => rowOf(index, 600));
      await writeFile(join(deployment.folder, "rows.csv"), csvOf(rows));
      assert.equal((await deployment.import(["-"], { input: csvOf(rows.slice(0, 1)) })).code, 0);
      const { status, signal, stderr } = run(deployment, 1000, ["import", "rows.csv"]);
      assert.deepEqual([status, signal], [1, null], stderr);
      const [, line = ""] =
        /stopped after line (\d+): .*see whether it is full.* Run it again/.exec(stderr) ?? [];
      const { profiles } = deployment.contents();
      assert.ok(Number(line) > 1, stderr);
      assert.ok(profiles.length > 1 && profiles.length < rows.length, `${profiles.length} of ${rows.length}`);
      assert.ok(profiles.length < Number(line), "no more than it says");
      isSound(deployment.database);
      assert.equal((await deployment.import(["rows.csv"])).code, 0);
      assert.equal(deployment.contents().profiles.length, rows.length);
    } finally {
      await deployment.remove();
    }
  });

  it("migrate says that the disk is to blame, not the rights on the folder, and is run again", async () => {
    const deployment = await aDeployment();
    try {
      for (const kilobytes of [0, 100]) {
        const { status, stderr } = run(deployment, kilobytes, ["migrate"]);
        assert.equal(status, 1, stderr);
        assert.match(stderr, /liaison\.db can't be used .*(?:make room there|see whether it is full)/);
        assert.doesNotMatch(stderr, /storage\.sqlite\.file|\n {4}at /);
        if (existsSync(deployment.database)) isSound(deployment.database);
      }
      assert.equal(run(deployment, 100_000, ["migrate"]).status, 0);
      const { status, stderr } = run(deployment, 0, ["mail", "list"]);
      assert.equal(status, 1);
      assert.match(stderr, /make room there|see whether it is full/);
      isSound(deployment.database);
    } finally {
      await deployment.remove();
    }
  });
});
