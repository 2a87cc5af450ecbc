/** A sample of the calls of admin-api.full.ts. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { runAdminCalls } from "./admin-series.ts";

const seed = 20_260_402;
const each = 20;

it(
  `answers ${each} calls that its document allows, and ${each} that it doesn't, of every operation as it ` +
    "says",
  async (test) => {
    test.diagnostic(`seed ${seed}`);
    const { operations, calls, statuses, broken, unreached } = await runAdminCalls({
      seed,
      valid: each,
      invalid: each,
    });
    test.diagnostic(
      `${operations} operations, ${calls} calls; ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`,
    );
    test.diagnostic(JSON.stringify(Object.fromEntries(broken)));
    assert.deepEqual(unreached, [], "never carried out");
    // Requests that get nowhere prove nothing.
    for (const status of ["200", "201", "400", "401", "404", "409", "412", "413", "415", "428"]) {
      assert.ok((statuses.get(status) ?? 0) > 0, status);
    }
  },
);
