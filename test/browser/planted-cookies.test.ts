/** L20: cookies planted by a neighbour of the broker's host, all together and the one that a sign-in is begun with. The full series plants each. */

import { after, before, describe, test } from "node:test";
import { playScene, scenes } from "../support/planted-scenes.ts";
import { type PlantersWorld, startPlantersWorld } from "../support/planter.ts";

for (const neighbourhood of ["other port", "sibling host"] as const) {
  describe(`L20: cookies planted from ${neighbourhood}`, () => {
    let world: PlantersWorld;
    before(async () => {
      world = await startPlantersWorld(neighbourhood, 60);
    });
    after(() => world?.close());

    for (const scene of scenes) {
      test(`L20: ${scene}, all of the planter's cookies`, async () => {
        await playScene(world, scene, "all");
      });
    }

    test("L20: sign-in, the cookie alone that the planter began with", async () => {
      await playScene(world, "sign-in", ["signin"]);
    });

    // Her browser then leaves what came of it at the interaction, for whoever resumes.
    test("L20: sign-in, all but the cookie of the resume", async () => {
      await playScene(world, "sign-in", ["signin", "interaction"]);
    });
  });
}
