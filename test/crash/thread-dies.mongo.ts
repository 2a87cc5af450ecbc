/** The background's thread dying under load, on a replica set. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { SHARED_SET } from "../support/test-database.ts";
import { runThreadDeaths } from "./thread-dies.ts";

const deaths = 10;

it(`the background's thread dies ${deaths} times under load on a set: nothing is lost`, async (test) => {
  const mongodb = process.env[SHARED_SET] ?? assert.fail("npm run test:mongo starts the replica set");
  const { diedAfter, duplicates } = await runThreadDeaths({ deaths, people: 60, mongodb });
  assert.ok(diedAfter.length >= deaths);
  test.diagnostic(
    `${diedAfter.length} deaths, after ${[...new Set(diedAfter)].join(", ")}; ${duplicates} mails twice`,
  );
});
