/** What carrying out an administrator's change rests on: who does it, and how it is refused. */

import type { Instant } from "../../clock.ts";
import type { AdminChange, ChangeOutcome, Revocation } from "../contract.ts";
import type { Steps } from "../steps.ts";

export interface By {
  actor: string;
  now: Instant;
}

/** Undoes what was written so far. */
export class Refused extends Error {
  readonly outcome: ChangeOutcome;
  constructor(outcome: ChangeOutcome) {
    super(outcome.result);
    this.outcome = outcome;
  }
}

export function refuse(result: Exclude<ChangeOutcome["result"], "done" | "repeated">): never {
  throw new Refused({ result });
}

/** How each kind of change is carried out. */
export type Appliers = {
  [Kind in AdminChange["kind"]]: (
    change: Extract<AdminChange, { kind: Kind }>,
    by: By,
  ) => Steps<Revocation | undefined>;
};
