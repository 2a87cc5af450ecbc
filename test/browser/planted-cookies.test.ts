/**
 * L20: cookies planted by a neighbour of the broker's host, in the combinations that each part of the binding
 * is there for. The full series plants all of them and each alone, in every flow.
 */

import { after, before, describe, test } from "node:test";
import { type Flow, type Planted, runFlow } from "../support/planted-flows.ts";
import { type Neighbourhood, type PlantedDeployment, startPlantedDeployment } from "../support/planter.ts";

const played: Record<Neighbourhood, [flow: Flow, planted: Planted][]> = {
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

for (const [neighbourhood, flows] of Object.entries(played) as [Neighbourhood, [Flow, Planted][]][]) {
  describe(`L20: cookies planted from ${neighbourhood}`, () => {
    let deployment: PlantedDeployment;
    before(async () => {
      deployment = await startPlantedDeployment(neighbourhood, 40);
    });
    after(() => deployment?.close());

    for (const [flow, planted] of flows) {
      test(`L20: ${flow}: ${planted === "all" ? "all" : planted.join(" and ")}`, async () => {
        await runFlow(deployment, flow, planted);
      });
    }
  });
}
