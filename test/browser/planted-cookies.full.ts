/**
 * L20: all cookies that a planter has, and each kind by itself, planted in each flow, from both kinds of
 * neighbours.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Flow, runFlow } from "../support/planted-flows.ts";
import { type PlantedDeployment, startPlantedDeployment } from "../support/planter.ts";

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

/** What the planter has in each flow; a signature goes with its cookie. */
const kinds: Record<Flow, readonly string[]> = {
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

/** What is planted alone: not what another flow plants in the very same way. */
const alone: Record<Flow, readonly string[]> = {
  "sign-in": kinds["sign-in"],
  "forced sign-in": ["upstream", "session", "known"],
  link: kinds.link,
  decline: ["signin", "session", "link"],
  console: ["signin", "interaction", "resume", "session", "console", "console.begin"],
};

for (const neighbourhood of ["other port", "sibling host"] as const) {
  describe(`L20: cookies planted one by one from ${neighbourhood}`, () => {
    let deployment: PlantedDeployment;
    before(async () => {
      deployment = await startPlantedDeployment(neighbourhood, 160);
    });
    after(() => deployment?.close());

    for (const [flow, ofFlow] of Object.entries(kinds) as [Flow, readonly string[]][]) {
      test(`L20: ${flow}, all of the planter's cookies`, async () => {
        await runFlow(deployment, flow, "all");
      });
      for (const kind of alone[flow]) {
        test(`L20: ${flow}, the cookie ${kind} alone`, async () => {
          const had = await runFlow(deployment, flow, [kind]);
          assert.deepEqual(had.toSorted(), ofFlow.toSorted(), "no kind is left out");
        });
      }
    }
  });
}
