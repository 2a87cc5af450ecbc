/** Form-encoded parameters by their names. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { valuesByName } from "../../src/http/parameters.ts";

it("has the values of each name in their order, inherited names among them", () => {
  const values = valuesByName(new URLSearchParams("b=2&a=1&b=&__proto__=x&b=3&a=1&c"));
  assert.deepEqual(
    [...values],
    [
      ["b", ["2", "", "3"]],
      ["a", ["1", "1"]],
      ["__proto__", ["x"]],
      ["c", [""]],
    ],
  );
});

it("looks for no name in all that came, however many there are", () => {
  class Counted extends URLSearchParams {
    override getAll(): never {
      throw new Error("looks for one name in all of them");
    }
    override has(): never {
      throw new Error("looks for one name in all of them");
    }
  }
  const given = new Counted(Array.from({ length: 5000 }, (_, index): [string, string] => [`n${index}`, ""]));
  assert.equal(valuesByName(given).size, 5000);
});
