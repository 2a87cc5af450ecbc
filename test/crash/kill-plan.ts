/** Which calls the journey consists of, and a repeatable plan of where to die in it. */

import type { KillPoint } from "../support/process-kill.ts";
import { type Random, seededRandom } from "./random.ts";

/** A call of the journey. Linking two profiles, it makes some of them twice. */
export interface Step {
  name: string;
  call: string;
  /** Calls are counted from this one on: workers also ask when there is nothing to do. */
  after?: string;
  /** How many of these calls are worth dying at. */
  calls: number;
  /** Whether acceptance names it: these come first in a short series. */
  isCore?: boolean;
  /** How long the call may take, in microseconds: where `within` cuts. */
  micros?: number;
}

const smtpMicros = 12_000;

/** In the order of the journey. */
export const steps: readonly Step[] = [
  { name: "begin sign-in", call: "signIns.begin", calls: 1 },
  { name: "take sign-in", call: "signIns.take", calls: 1 },
  { name: "find account", call: "accounts.signIn", calls: 1 },
  { name: "leave outcome", call: "signIns.leaveOutcome", calls: 1 },
  { name: "take outcome", call: "signIns.takeOutcome", calls: 1 },
  { name: "inquire", call: "links.inquire", calls: 1, isCore: true },
  { name: "claim inquiry", call: "links.claimInquiry", after: "links.inquire", calls: 3, isCore: true },
  { name: "look up", call: "directory.membershipsByEmail", calls: 1, isCore: true },
  { name: "settle", call: "links.settleInquiry", calls: 1, isCore: true },
  { name: "claim link mail", call: "outbox.claim", after: "links.settleInquiry", calls: 2, isCore: true },
  { name: "send link mail", call: "transport.send", calls: 2, isCore: true, micros: smtpMicros },
  { name: "mark link mail sent", call: "outbox.markSent", calls: 2, isCore: true },
  { name: "view link", call: "links.view", calls: 6 },
  { name: "begin fresh sign-in", call: "signIns.begin", after: "links.view", calls: 2 },
  { name: "take fresh sign-in", call: "signIns.take", after: "links.view", calls: 2 },
  { name: "find account again", call: "accounts.signIn", after: "links.view", calls: 2, isCore: true },
  { name: "redeem", call: "links.redeem", calls: 2, isCore: true },
  { name: "claim notice", call: "outbox.claim", after: "links.redeem", calls: 2, isCore: true },
  {
    name: "send notice",
    call: "transport.send",
    after: "links.redeem",
    calls: 2,
    isCore: true,
    micros: smtpMicros,
  },
  { name: "mark notice sent", call: "outbox.markSent", after: "links.redeem", calls: 2, isCore: true },
  { name: "select profile", call: "accountsAtClients.select", calls: 1 },
];

/**
 * `data`: the server has the whole mail and hasn't answered yet. Only the driver, whose server it is, can
 * kill there.
 */
export type Phase = KillPoint["phase"] | "data";

export interface Kill {
  step: Step;
  phase: Phase;
  nth: number;
  delayMicros: number;
}

/** A write of the store takes about half a millisecond. */
const storeMicros = 600;

/** Every step has at least so many kills in a whole series. */
const leastKills = 6;

/**
 * `kills` places to die at, in rounds through the steps, the core ones first. A step's places come in an
 * order of the seed's; all of `everyKill` is each call of each step in each phase. What is more goes through
 * them again, with other delays.
 */
export function planKills({ seed, kills }: { seed: number; kills: number }): Kill[] {
  const plan: Kill[] = [];
  for (let turn = 0; plan.length < kills; turn += 1) plan.push(...wholePlan(seed + turn));
  return plan.slice(0, kills);
}

function wholePlan(seed: number): Kill[] {
  const random = seededRandom(seed);
  const inOrder = [...steps.filter(({ isCore }) => isCore), ...steps.filter(({ isCore }) => !isCore)];
  const ofSteps = inOrder.map((step) => placesIn(step, random));
  const rounds = Math.max(...ofSteps.map(({ length }) => length));
  const plan = Array.from({ length: rounds }, (_, round) =>
    ofSteps.flatMap((places) => places.slice(round, round + 1)),
  );
  return plan.flat();
}

/** How many kills a series has that leaves nothing out. */
export const everyKill = wholePlan(0).length;

function placesIn(step: Step, random: Random): Kill[] {
  const places = phasesOf(step).flatMap((phase) =>
    Array.from({ length: step.calls }, (_, index) => ({ phase, nth: index + 1 })),
  );
  const shuffled = places
    .map((place) => ({ place, rank: random.next() }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ place }) => place);
  const times = Math.ceil(leastKills / shuffled.length);
  return Array.from({ length: times }, () => shuffled)
    .flat()
    .map((place) => ({ step, ...place, delayMicros: random.below(step.micros ?? storeMicros) }));
}

function phasesOf({ call }: Step): Phase[] {
  const phases: Phase[] = ["before", "within", "after"];
  return call === "transport.send" ? [...phases, "data"] : phases;
}

/** How a place is written in the histogram and in failures. */
export function describeKill({ step, phase, nth }: Kill): string {
  return `${phase} ${step.name} (${step.call}, call ${nth})`;
}
