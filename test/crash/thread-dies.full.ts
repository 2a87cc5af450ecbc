/** The background's thread dying under load, ten times. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { runThreadDeaths } from "./thread-dies.ts";

const deaths = 10;

it(`the background thread dies ${deaths} times under load: nothing lost, readiness tells`, async (test) => {
  const { diedAfter, duplicates } = await runThreadDeaths({ deaths, people: 60 });
  assert.ok(diedAfter.length >= deaths);
  test.diagnostic(
    `${diedAfter.length} deaths, after ${[...new Set(diedAfter)].join(", ")}; ${duplicates} mails twice`,
  );
});
