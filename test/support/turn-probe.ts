/**
 * Measures what each turn of this thread's event loop uses of the processor: not how long it took, for others
 * use it, too. Collecting garbage isn't counted: when it comes, and what it takes, depends on all that the
 * process holds.
 */

import { type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";

export interface Turn {
  /** Milliseconds of the processor. */
  ms: number;
  /** What was under way when it ended. */
  during: string;
}

interface Span {
  from: number;
  to: number;
}

/** What is shorter is counted, and forgotten. */
const NOTED_MS = 10;

export class TurnProbe {
  /** What is under way. */
  during = "";
  count = 0;
  #turns: (Turn & Span)[] = [];
  #collections: Span[] = [];
  #immediate: NodeJS.Immediate | undefined;
  readonly #observer = new PerformanceObserver((list) => this.#note(list.getEntries()));

  get isRunning(): boolean {
    return this.#immediate !== undefined;
  }

  start(): void {
    this.count = 0;
    this.#turns = [];
    this.#collections = [];
    this.#observer.observe({ entryTypes: ["gc"] });
    let from = performance.now();
    let before = process.threadCpuUsage();
    const turn = () => {
      const [to, now] = [performance.now(), process.threadCpuUsage()];
      const ms = (now.user + now.system - before.user - before.system) / 1000;
      if (ms > NOTED_MS) this.#turns.push({ ms, during: this.during, from, to });
      this.count += 1;
      [from, before] = [to, now];
      this.#immediate = setImmediate(turn);
    };
    this.#immediate = setImmediate(turn);
  }

  /** The turns that used the most, the longest first. */
  stop(): Turn[] {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#note(this.#observer.takeRecords());
    this.#observer.disconnect();
    return this.#turns
      .map(({ ms, during, from, to }) => ({ ms: ms - this.#collected({ from, to }), during }))
      .toSorted((one, other) => other.ms - one.ms)
      .slice(0, 8);
  }

  #note(entries: readonly PerformanceEntry[]): void {
    for (const { startTime: from, duration } of entries)
      this.#collections.push({ from, to: from + duration });
  }

  #collected({ from, to }: Span): number {
    const overlaps = this.#collections.map((one) => Math.min(to, one.to) - Math.max(from, one.from));
    return overlaps.reduce((sum, ms) => sum + Math.max(0, ms), 0);
  }
}
