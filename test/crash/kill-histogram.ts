/** Prints what a series of kills hit and what it left behind, step by step. */

import { type Phase, steps } from "./kill-plan.ts";
import type { KillResult } from "./kill-series.ts";

const phases: Phase[] = ["before", "within", "data", "after"];

/** A line a step: kills by phase, then what the database held after them, with how often. */
export function histogram(results: readonly KillResult[]): string[] {
  const rows = steps.map(({ name }) => {
    const ofStep = results.filter(({ kill }) => kill.step.name === name);
    const counts = phases.map((phase) => cell(ofStep.filter(({ kill }) => kill.phase === phase).length));
    const left = [...Map.groupBy(ofStep, (result) => result.left)].map(
      ([what, { length }]) => `${what} ×${length}`,
    );
    const twice = ofStep.reduce((sum, result) => sum + result.duplicates, 0);
    return [name.padEnd(20), cell(ofStep.length), ...counts, cell(twice), "  ", left.sort().join(" · ")].join(
      "",
    );
  });
  const head = [
    "step".padEnd(20),
    ...["kills", ...phases, "twice"].map((word) => word.padStart(7)),
    "  ",
    "left behind",
  ];
  return [head.join(""), ...rows, ["all".padEnd(20), cell(results.length)].join("")];
}

function cell(count: number): string {
  return String(count === 0 ? "·" : count).padStart(7);
}
