import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";
import { EncryptJWT } from "jose";
import { createSealedReturns } from "../../src/http/sealed-return.ts";

it("what an upstream posted opens for a minute, for that upstream, by our key, and nothing else does", async () => {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const key = randomBytes(32).toString("base64url");
  const returns = createSealedReturns({ key, clock });
  const parameters = { code: "a-code", state: "a-state" };
  const sealed = await returns.seal("one", parameters);
  assert.ok(!Buffer.from(sealed, "base64url").includes("a-code"));
  assert.deepEqual(await returns.open("one", sealed), parameters);
  assert.equal(await returns.open("two", sealed), undefined, "another upstream's");
  const others = createSealedReturns({ key: randomBytes(32).toString("base64url"), clock });
  assert.equal(await others.open("one", sealed), undefined, "another key's");
  const somethingElse = await new EncryptJWT({ parameters, upstreamId: "one" })
    .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
    .setExpirationTime(clock.time / 1000 + 60)
    .encrypt(Buffer.from(key, "base64url"));
  assert.equal(await returns.open("one", somethingElse), undefined, "what we sealed for another purpose");
  const changed = `${sealed.slice(0, -4)}${sealed.at(-4) === "x" ? "y" : "x"}${sealed.slice(-3)}`;
  for (const nonsense of ["", "x", changed]) assert.equal(await returns.open("one", nonsense), undefined);
  clock.time += 61_000;
  assert.equal(await returns.open("one", sealed), undefined, "too old");
});
