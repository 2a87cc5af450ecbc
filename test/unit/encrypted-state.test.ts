import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";
import { createEncryptedState } from "../../src/http/encrypted-state.ts";

const newKey = () => randomBytes(32).toString("base64url");

it("what a browser carries for us is good for its time, in its context, by our key, nothing else is", () => {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const state = createEncryptedState({ key: newKey(), clock });
  const parameters = { code: "a-code", state: "a-state" };
  const text = state.encrypt(parameters, "one", 60);
  assert.ok(!Buffer.from(text, "base64url").includes("a-code"));
  assert.deepEqual(state.decrypt(text, "one"), parameters);
  assert.equal(state.decrypt(text, "two"), undefined, "another context's");
  assert.equal(
    createEncryptedState({ key: newKey(), clock }).decrypt(text, "one"),
    undefined,
    "another key's",
  );
  const changed = `${text.slice(0, -4)}${text.at(-4) === "x" ? "y" : "x"}${text.slice(-3)}`;
  for (const nonsense of ["", "x", "A".repeat(37), changed, text.slice(0, 20)]) {
    assert.equal(state.decrypt(nonsense, "one"), undefined, nonsense);
  }
  clock.time += 59_999;
  assert.deepEqual(state.decrypt(text, "one"), parameters);
  clock.time += 1;
  assert.equal(state.decrypt(text, "one"), undefined, "too old");
});
