/**
 * The fair queue before one upstream: shares its slots, the sign-ins that may ask it at once, among those who
 * send them. A sender is a client network (domain/networks.ts), a known browser, or what else its caller
 * tells people apart by. Whose answers turned out made up stands behind the others for a while. Whether the
 * upstream answers at all is circuit.ts's to watch.
 */

import type { Instant, Milliseconds } from "../clock.ts";

export interface SlotLimits {
  /** Sign-ins that ask one upstream at once. */
  maxInFlight: number;
  /** For how long one waits for its turn, in milliseconds. */
  waitMs: Milliseconds;
}

/** A person waits as long for our store. */
export const DEFAULT_SLOTS: SlotLimits = { maxInFlight: 32, waitMs: 3_500 };

/**
 * What came of a sign-in that asked. Only what its sender can make up is `made_up`; trouble of the upstream's
 * is neither.
 */
export type SlotOutcome = "proven" | "made_up" | "neither";

export interface Slot {
  /** Gives the slot to whoever is next. */
  end(outcome: SlotOutcome): void;
}

export interface Slots {
  /**
   * Waits for a slot, behind the sender's own in their order. Undefined if its turn doesn't come in time, or
   * too many wait.
   */
  take(sender: string): Promise<Slot | undefined>;
}

/**
 * The share of the slots that one sender has at most, so that others find one free; and that all suspects
 * have together.
 */
const senderShare = 1 / 2;
const suspectShare = 1 / 4;
/** How many wait at most, for each slot there is: of one sender, and of all. */
const waitingOfSender = 2;
const waitingOfAll = 16;

interface Waiting {
  settle(slot: Slot | undefined): void;
  timer?: NodeJS.Timeout;
}

interface Sender {
  held: number;
  readonly queue: Waiting[];
}

/**
 * Makes the queue.
 * @param elapsedMs milliseconds by a clock that nobody sets
 */
export function createSlots(
  { maxInFlight, waitMs }: SlotLimits,
  elapsedMs: () => number = () => performance.now(),
): Slots {
  const suspicion = createSuspicion(elapsedMs);
  /** Those who hold a slot or wait; who was served last stands last. */
  const senders = new Map<string, Sender>();

  function find(name: string): Sender {
    const known = senders.get(name);
    if (known !== undefined) return known;
    const added: Sender = { held: 0, queue: [] };
    senders.set(name, added);
    return added;
  }

  const next = () => nextSender(senders, { maxInFlight, isSuspect: (name) => suspicion.isOn(name) });

  function serve(): void {
    for (let name = next(); name !== undefined; name = next()) {
      const sender = find(name);
      sender.held += 1;
      senders.delete(name);
      senders.set(name, sender);
      const first = sender.queue.shift();
      if (first !== undefined) settle(first, slotOf(name));
    }
  }

  function slotOf(name: string): Slot {
    return {
      end(outcome) {
        suspicion.note(name, outcome);
        find(name).held -= 1;
        forget(name);
        serve();
      },
    };
  }

  /**
   * Leaves the one who came last to the sender who has most waiting: never somebody who has few to one who
   * has many.
   */
  function refuseOne(): void {
    const [longest] = [...senders].toSorted(([, one], [, other]) => other.queue.length - one.queue.length);
    if (longest === undefined) return;
    const [name, { queue }] = longest;
    const last = queue.pop();
    if (last !== undefined) settle(last, undefined);
    forget(name);
  }

  function forget(name: string): void {
    const sender = senders.get(name);
    if (sender?.held === 0 && sender.queue.length === 0) senders.delete(name);
  }

  function giveUp(name: string, waiting: Waiting): void {
    const { queue } = find(name);
    const at = queue.indexOf(waiting);
    if (at !== -1) queue.splice(at, 1);
    settle(waiting, undefined);
    forget(name);
    // Suspects may have had to stand back for it.
    serve();
  }

  return {
    take: (name) =>
      new Promise((resolve) => {
        const { queue } = find(name);
        if (queue.length >= waitingOfSender * maxInFlight) {
          resolve(undefined);
          return;
        }
        const waiting: Waiting = { settle: resolve };
        queue.push(waiting);
        serve();
        if (!queue.includes(waiting)) return;
        waiting.timer = setTimeout(() => giveUp(name, waiting), waitMs);
        if (sum([...senders.values()].map((one) => one.queue.length)) > waitingOfAll * maxInFlight)
          refuseOne();
      }),
  };
}

/** Whose turn it is: who holds fewest, of equals who was served longest ago; suspects behind all others. */
function nextSender(
  senders: ReadonlyMap<string, Sender>,
  { maxInFlight, isSuspect }: { maxInFlight: number; isSuspect(name: string): boolean },
): string | undefined {
  const mostOfSender = Math.max(1, Math.floor(maxInFlight * senderShare));
  const mostOfSuspects = Math.max(1, Math.floor(maxInFlight * suspectShare));
  const all = [...senders].map(([name, sender]) => ({ name, ...sender, isSuspect: isSuspect(name) }));
  if (sum(all.map(({ held }) => held)) >= maxInFlight) return undefined;
  const heldBySuspects = sum(all.map((one) => (one.isSuspect ? one.held : 0)));
  const doOthersWait = all.some((one) => one.queue.length > 0 && !one.isSuspect);
  const mayGo = all.filter((one) => {
    if (one.queue.length === 0) return false;
    if (!one.isSuspect) return one.held < mostOfSender;
    return heldBySuspects < mostOfSuspects && (one.held === 0 || !doOthersWait);
  });
  const [first] = mayGo.toSorted(
    (one, other) => Number(one.isSuspect) - Number(other.isSuspect) || one.held - other.held,
  );
  return first?.name;
}

function settle(waiting: Waiting, slot: Slot | undefined): void {
  clearTimeout(waiting.timer);
  waiting.settle(slot);
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** For how long after the last made-up answer its sender is a suspect, in milliseconds. */
const suspectMs: Milliseconds = 60_000;
/**
 * Proven sign-ins that pay for any number of made-up answers: an office isn't shut out for what one person
 * did there.
 */
const mostStrikes = 8;
const rememberedSuspects = 10_000;

interface Suspicion {
  isOn(sender: string): boolean;
  note(sender: string, outcome: SlotOutcome): void;
}

/** Who made answers up lately. A proven sign-in pays for one of them. */
function createSuspicion(elapsedMs: () => number): Suspicion {
  /** In the order in which they lapse. */
  const suspects = new Map<string, { strikes: number; until: Instant }>();

  function strikesOf(sender: string): number {
    const known = suspects.get(sender);
    return known === undefined || known.until <= elapsedMs() ? 0 : known.strikes;
  }

  function makeRoom(): void {
    const now = elapsedMs();
    for (const [sender, { until }] of suspects) {
      if (until > now && suspects.size <= rememberedSuspects) return;
      suspects.delete(sender);
    }
  }

  return {
    isOn: (sender) => strikesOf(sender) > 0,
    note(sender, outcome) {
      const strikes = strikesOf(sender);
      if (outcome === "made_up") {
        suspects.delete(sender);
        suspects.set(sender, { strikes: Math.min(strikes + 1, mostStrikes), until: elapsedMs() + suspectMs });
        makeRoom();
      } else if (outcome === "proven") {
        const known = suspects.get(sender);
        if (strikes > 1 && known !== undefined) known.strikes = strikes - 1;
        else suspects.delete(sender);
      }
    },
  };
}
