/**
 * Calls of every operation of the administration, drawn from the document that it serves: those that the
 * document allows and those that it doesn't are answered as it says, and none with a 500.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { breaks } from "./admin-breaks.ts";
import { runAdminCalls } from "./admin-series.ts";
import { chosenSeed } from "./seed.ts";

const each = 200;

for (const usual of [471_100_913, 1_902_334_401]) {
  const seed = chosenSeed(usual);
  it(
    `answers ${each} valid and ${each} invalid calls of every operation as its document says, by seed ` +
      `${seed}`,
    async (test) => {
      test.diagnostic(`seed ${seed}`);
      const { operations, calls, statuses, broken, unreached } = await runAdminCalls({
        seed,
        valid: each,
        invalid: each,
      });
      test.diagnostic(
        `${operations} operations, ${calls} calls; ` +
          `${JSON.stringify(Object.fromEntries([...statuses].sort()))}`,
      );
      assert.deepEqual(unreached, [], "never carried out");
      assert.deepEqual(
        breaks.filter(({ name }) => !broken.has(name)).map(({ name }) => name),
        [],
        "never broken",
      );
    },
  );
}
