/**
 * That steps name fields that there are, with values that they may have: each statement that is marked here
 * is an error of tsc, and `npm run check` fails where one of them is none any more. What types don't see is
 * refused when it is carried out.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccountId } from "../../src/domain/records.ts";
import {
  add,
  call,
  get,
  insert,
  list,
  remove,
  type Steps,
  take,
  update,
  updated,
} from "../../src/storage/steps.ts";
import { type LinkRequestRow, linkRequests, type ProfileRow, profiles } from "../../src/storage/tables.ts";
import { openEngine } from "../contract/sqlite-engine.ts";
import { temporaryFile } from "../contract/sqlite-support.ts";

/** Never run: steps of intentions as they must not be written. */
export const steps = (accountId: AccountId, profile: ProfileRow, request: LinkRequestRow): unknown[] => [
  // @ts-expect-error a field misspelt in a condition
  list(profiles, { acountId: null }),
  // @ts-expect-error one of another type
  list(profiles, { boundAt: "today" }),
  // @ts-expect-error null where nothing is null
  list(profiles, { emailKey: null }),
  // @ts-expect-error the id of another record
  list(profiles, { id: accountId }),
  // @ts-expect-error in a list of them
  list(profiles, { id: { in: [accountId] } }),
  // @ts-expect-error a state that there is none of
  list(linkRequests, { state: "open" }),
  // @ts-expect-error an operator misspelt
  list(profiles, { invitedAt: { less: 7 } }),
  // @ts-expect-error what one isn't, where it may be null
  list(profiles, { accountId: { not: accountId } }),
  // @ts-expect-error a field misspelt in an order
  list(profiles, {}, { order: ["nam"] }),
  // @ts-expect-error in a change
  update(profiles, { id: profile.id }, { adminrole: null }),
  // @ts-expect-error the id of another record in a change
  update(profiles, { id: profile.id }, { accountId: profile.organizationId }),
  // @ts-expect-error null where nothing is null
  update(profiles, { id: profile.id }, { emailKey: null }),
  // @ts-expect-error something added to a text
  update(profiles, { id: profile.id }, { name: add(1) }),
  // @ts-expect-error in what is taken
  take(linkRequests, { state: "pending" }, { settleAt: 7 }, { order: ["createdAt", "seq"] }),
  // @ts-expect-error in its order
  take(linkRequests, { state: "pending" }, { settledAt: 7 }, { order: ["createAt", "seq"] }),
  // @ts-expect-error in what is removed
  remove(linkRequests, { profile: profile.id }),
  // @ts-expect-error a row without all of its fields
  insert(profiles, { id: profile.id }),
  // @ts-expect-error the row of another table
  insert(profiles, request),
  // @ts-expect-error in one of many writes
  updated(profiles, { id: profile.id }, { nam: "Ada" }),
  // @ts-expect-error a native step that there is none of
  call("takeSlots", "key", { limit: 1, windowSeconds: 60 }, 0),
  // @ts-expect-error one without all of what it is given
  call("takeSlot", "key", { limit: 1, windowSeconds: 60 }),
];

/** Never run: rows as they must not be read. */
export function* rows(profile: ProfileRow): Steps<unknown> {
  const found = yield* get(profiles, profile.id);
  // @ts-expect-error it may not be there
  found.name;
  // @ts-expect-error a field misspelt
  found?.acountId;
  // @ts-expect-error the id of another record
  return found?.accountId === profile.id;
}

test("a field that there is none of is refused, wherever a step names it", async () => {
  const file = temporaryFile();
  await (await file.open()).close();
  const { engine, close } = openEngine(file.file);
  try {
    const misspelt = { nam: "Ada" } as object;
    const attempts: (() => Steps<unknown>)[] = [
      () => list(profiles, misspelt),
      () => list(profiles, {}, { order: ["nam" as "name"] }),
      () => update(profiles, {}, misspelt),
      () => remove(profiles, misspelt),
      () => insert(profiles, misspelt as ProfileRow),
    ];
    for (const attempt of attempts)
      await assert.rejects(
        engine.run(attempt),
        (error) => error instanceof TypeError && /profiles has no field nam/.test(error.message),
      );
  } finally {
    close();
    await file.destroy();
  }
});
