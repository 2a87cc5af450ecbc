/**
 * L20: all cookies that a planter has, and each kind by itself, planted in each scene, from both kinds of
 * neighbours.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { playScene, type Scene } from "../support/planted-scenes.ts";
import { type PlantersWorld, startPlantersWorld } from "../support/planter.ts";

const ofLinks = [
  "signin",
  "interaction",
  "inquiry",
  "typed",
  "resume",
  "csrf",
  "upstream",
  "session",
  "proof",
  "link",
  "waiting",
];

/** What the planter has in each scene; a signature goes with its cookie. */
const kinds: Record<Scene, readonly string[]> = {
  "sign-in": ["signin", "interaction", "resume", "csrf"],
  "forced sign-in": ["signin", "interaction", "resume", "csrf", "upstream", "session", "known"],
  link: ofLinks,
  decline: ofLinks,
  console: [
    "signin",
    "interaction",
    "resume",
    "csrf",
    "upstream",
    "session",
    "console",
    "console.begin",
    "known",
  ],
};

/** What is planted alone: not what another scene plants in the very same way. */
const alone: Record<Scene, readonly string[]> = {
  "sign-in": kinds["sign-in"],
  "forced sign-in": ["upstream", "session", "known"],
  link: kinds.link,
  decline: ["signin", "session", "link"],
  console: ["signin", "interaction", "resume", "session", "console", "console.begin"],
};

for (const neighbourhood of ["other port", "sibling host"] as const) {
  describe(`L20: cookies planted one by one from ${neighbourhood}`, () => {
    let world: PlantersWorld;
    before(async () => {
      world = await startPlantersWorld(neighbourhood, 160);
    });
    after(() => world?.close());

    for (const [scene, ofScene] of Object.entries(kinds) as [Scene, readonly string[]][]) {
      test(`L20: ${scene}, all of the planter's cookies`, async () => {
        await playScene(world, scene, "all");
      });
      for (const kind of alone[scene]) {
        test(`L20: ${scene}, the cookie ${kind} alone`, async () => {
          const had = await playScene(world, scene, [kind]);
          assert.deepEqual(had.toSorted(), ofScene.toSorted(), "no kind is left out");
        });
      }
    }
  });
}
