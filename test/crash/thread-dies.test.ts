/** The background's thread dying under load, a few times: thread-dies.full.ts has the whole series. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { runThreadDeaths } from "./thread-dies.ts";

const deaths = 3;

it(`the background thread dies ${deaths} times under load: nothing lost, readiness tells`, async (test) => {
  const { diedAfter, duplicates } = await runThreadDeaths({ deaths, people: 20 });
  assert.ok(diedAfter.length >= deaths);
  test.diagnostic(
    `${diedAfter.length} deaths, after ${[...new Set(diedAfter)].join(", ")}; ${duplicates} mails twice`,
  );
});
