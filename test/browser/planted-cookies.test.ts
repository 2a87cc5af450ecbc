/**
 * L20: cookies planted by a neighbour of the broker's host, in the combinations that each part of the binding
 * is there for. The full series plants all of them and each alone, in every scene.
 */

import { after, before, describe, test } from "node:test";
import { type Planted, playScene, type Scene } from "../support/planted-scenes.ts";
import { type Neighbourhood, type PlantersWorld, startPlantersWorld } from "../support/planter.ts";

const played: Record<Neighbourhood, [scene: Scene, planted: Planted][]> = {
  "other port": [
    ["sign-in", "all"],
    // Her browser then leaves what came of it at the interaction, for whoever resumes.
    ["sign-in", ["signin", "interaction"]],
    ["sign-in", ["signin"]],
    ["link", "all"],
    ["console", "all"],
  ],
  "sibling host": [
    ["forced sign-in", "all"],
    ["decline", "all"],
  ],
};

for (const [neighbourhood, scenes] of Object.entries(played) as [Neighbourhood, [Scene, Planted][]][]) {
  describe(`L20: cookies planted from ${neighbourhood}`, () => {
    let world: PlantersWorld;
    before(async () => {
      world = await startPlantersWorld(neighbourhood, 40);
    });
    after(() => world?.close());

    for (const [scene, planted] of scenes) {
      test(`L20: ${scene}: ${planted === "all" ? "all" : planted.join(" and ")}`, async () => {
        await playScene(world, scene, planted);
      });
    }
  });
}
