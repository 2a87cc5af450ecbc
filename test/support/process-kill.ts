/**
 * Ends the process it runs in by SIGKILL at one chosen call: before it, while it is under way, or before its
 * result is seen.
 */

import { Worker } from "node:worker_threads";

/** One place to die at. */
export interface KillPoint {
  /** Part and method, such as `links.redeem`. */
  call: string;
  /** Calls count from the first call of this one on; from the start when left out. */
  after?: string | undefined;
  /** Which of the calls, from 1. */
  nth: number;
  /** `within`: from another thread, so that work which holds the main one is cut in the middle. */
  phase: "before" | "within" | "after";
  /** For `within`: how long after the call began, in microseconds. */
  delayMicros?: number;
}

/** Runs around each watched call. */
export type Around = <T>(call: string, proceed: () => T) => T | Promise<Awaited<T>>;

/** Stands in for a part: every call of a method goes through `around`. */
export function watchCalls<T extends object>(part: string, target: T, around: Around): T {
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property);
      if (typeof value !== "function") return value;
      return (...parameters: unknown[]) =>
        around(`${part}.${String(property)}`, () => Reflect.apply(value, object, parameters) as unknown);
    },
  });
}

/**
 * What the threads of a process count together: whether the call after which calls count was seen, how many
 * were, and how many backgrounds there have been.
 */
export function sharedCounts(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(12));
}

const SEEN = 0;
const COUNT = 1;
const LIVES = 2;

/** Counts another background; returns how many there were before. */
export function countLife(counts: Int32Array): number {
  return Atomics.add(counts, LIVES, 1);
}

/**
 * Makes the watch that dies at `point`, after it has told `announce` where. Each thread of the process makes
 * one.
 */
export function createKillSwitch(
  point: KillPoint,
  counts: Int32Array,
  announce: (place: string) => void,
): Around {
  const cutter = point.phase === "within" ? createCutter(point.delayMicros ?? 0) : undefined;

  const isIt = (call: string): boolean => {
    if (call !== point.call || (point.after !== undefined && Atomics.load(counts, SEEN) === 0)) return false;
    return Atomics.add(counts, COUNT, 1) + 1 === point.nth;
  };
  const die = (): never => {
    process.kill(process.pid, "SIGKILL");
    throw new Error("SIGKILL came back");
  };

  return (call, proceed) => {
    const hit = isIt(call);
    if (call === point.after) Atomics.store(counts, SEEN, 1);
    if (!hit) return proceed();
    announce(`${point.call} ${point.phase} ${point.nth}`);
    if (point.phase === "before") return die();
    if (point.phase === "after") return Promise.resolve(proceed()).then(die, die);
    cutter?.cut();
    return proceed();
  };
}

/** A thread that waits to kill the process, ready before it is needed. */
function createCutter(delayMicros: number): { cut(): void } {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./process-cutter.ts", import.meta.url), {
    workerData: { signal, delayMicros },
  });
  worker.unref();
  return {
    cut: () => {
      Atomics.store(signal, 0, 1);
      Atomics.notify(signal, 0);
    },
  };
}
