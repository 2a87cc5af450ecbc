/** Which unregistered addresses are kept of a client: a handful, and few are written whatever is sent. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RefusedAddress } from "../../src/domain/records.ts";
import { withRefused } from "../../src/domain/refused-addresses.ts";

const NOW = 1_800_000_000_000;
const second = 1000;
const minute = 60 * second;

const signIn = (address: string) => ({ parameter: "redirect_uri", address }) as const;
const kept = (...entries: [address: string, ageMs: number][]): RefusedAddress[] =>
  entries.map(([address, ageMs]) => ({ ...signIn(address), at: NOW - ageMs }));
const addresses = (list: readonly RefusedAddress[] | undefined) => list?.map(({ address }) => address);

describe("an unregistered address", () => {
  it("comes first, and is cut", () => {
    const found = withRefused(kept(["https://a", minute]), signIn("x".repeat(2000)), NOW);
    assert.deepEqual(addresses(found), ["x".repeat(500), "https://a"]);
    assert.equal(found?.[0]?.at, NOW);
  });

  it("that comes again is written again after five minutes, and stands once", () => {
    const before = kept(["https://a", minute], ["https://b", 5 * minute - 1], ["https://c", 5 * minute]);
    assert.equal(withRefused(before, signIn("https://a"), NOW), undefined);
    assert.equal(withRefused(before, signIn("https://b"), NOW), undefined);
    assert.deepEqual(addresses(withRefused(before, signIn("https://c"), NOW)), [
      "https://c",
      "https://a",
      "https://b",
    ]);
    assert.deepEqual(
      addresses(withRefused(before, { parameter: "post_logout_redirect_uri", address: "https://a" }, NOW)),
      ["https://a", "https://a", "https://b", "https://c"],
    );
    const long = kept(["y".repeat(500), minute]);
    assert.equal(
      withRefused(long, signIn("y".repeat(501)), NOW),
      undefined,
      "known again by what is kept of it",
    );
  });

  it("has its place for a minute: the sixth waits for that", () => {
    const full = (oldestMs: number) =>
      kept(["https://1", 1], ["https://2", 2], ["https://3", 3], ["https://4", 4], ["https://5", oldestMs]);
    assert.equal(withRefused(full(minute - 1), signIn("https://6"), NOW), undefined);
    assert.deepEqual(addresses(withRefused(full(minute), signIn("https://6"), NOW)), [
      "https://6",
      "https://1",
      "https://2",
      "https://3",
      "https://4",
    ]);
  });

  it("of a flood of others few are written in an hour", () => {
    let list: RefusedAddress[] = [];
    let writes = 0;
    for (let ms = 0; ms < 60 * minute; ms += 100) {
      const next = withRefused(list, signIn(`https://${ms}`), NOW + ms);
      if (next === undefined) continue;
      list = next;
      writes += 1;
    }
    assert.ok(writes <= 5 * 60, `${writes} writes`);
    assert.equal(list.length, 5);
  });

  it("isn't held up by those that a clock which was set back left in the future", () => {
    const future = kept(...[1, 2, 3, 4, 5].map((n): [string, number] => [`https://${n}`, -n * minute]));
    assert.deepEqual(addresses(withRefused(future, signIn("https://6"), NOW))?.[0], "https://6");
    assert.deepEqual(addresses(withRefused(future, signIn("https://3"), NOW))?.[0], "https://3");
  });
});
