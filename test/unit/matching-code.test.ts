import assert from "node:assert/strict";
import { test } from "node:test";
import { asInquiryId } from "../../src/domain/ids.ts";
import { matchingCode } from "../../src/domain/matching-code.ts";
import { randomId } from "../../src/domain/secrets.ts";

test("a matching code is four letters, the same for one inquiry, spread over all that there are", () => {
  const ids = Array.from({ length: 4000 }, randomId);
  const codes = ids.map((id) => matchingCode(asInquiryId(id)));
  for (const code of codes) assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  assert.deepEqual(
    ids.map((id) => matchingCode(asInquiryId(id))),
    codes,
  );
  // Of 4,000 among 160,000 some 50 meet by chance.
  assert.ok(new Set(codes).size > 3800);
  for (let place = 0; place < 4; place += 1) assert.equal(new Set(codes.map((code) => code[place])).size, 20);
});
