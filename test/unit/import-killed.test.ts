/** An import dies in the middle, at any statement, and is run again. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { seededRandom } from "../crash/random.ts";
import { aDeployment, csvOf, rowOf } from "../support/import-fixture.ts";

it("an import killed again and again, then run to the end: as if it never was", async () => {
  const deployment = await aDeployment();
  try {
    const total = 500;
    const rows = Array.from({ length: total }, (_, index) => rowOf(index, total));
    const file = "rows.csv";
    await writeFile(join(deployment.folder, file), csvOf(rows));
    const random = seededRandom(20_261_123);
    let written = 0;
    for (let round = 1; round <= 8; round += 1) {
      // What is written takes fewer statements the next time, so that every round reaches further on the
      // whole.
      const { signal } = await deployment.import([file], {
        killAtStatement: 60 + random.below(200 * (round + 2)),
      });
      assert.equal(signal, "SIGKILL");
      const { profiles, events } = deployment.contents();
      assert.ok(
        profiles.length >= written && profiles.length < total,
        `${profiles.length} of ${total} in round ${round}`,
      );
      const rowsWritten = rows.slice(0, profiles.length).map((row) => row.profile_id);
      assert.deepEqual(idsIn(profiles, "id"), rowsWritten.sort(), "not the first rows of the file");
      assert.deepEqual(idsIn(events, "profile_id"), rowsWritten, "part of a row was written");
      written = profiles.length;
    }
    assert.ok(written > 0);
    assert.equal((await deployment.import([file])).code, 0);
    const unkilled = await aDeployment();
    try {
      await unkilled.import(["-"], { input: csvOf(rows) });
      assert.deepEqual(deployment.contents(), unkilled.contents());
    } finally {
      await unkilled.remove();
    }
  } finally {
    await deployment.remove();
  }
});

/** The ids in rows of the database, but for those that lack one. */
function idsIn(found: readonly unknown[], column: string): string[] {
  const ids = found.map((one) => (one as Record<string, unknown>)[column]);
  return ids.filter((id) => typeof id === "string").sort();
}
