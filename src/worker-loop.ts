/** Runs a worker's `runOnce` again and again until stopped. What a run does is the worker's own. */

import type { Milliseconds } from "./clock.ts";
import { withoutDeadline } from "./deadline.ts";
import type { Check } from "./readiness.ts";

export interface WorkerLoop {
  start(): void;
  /** No new run begins, the one under way is told to end; resolves when it has. */
  stop(): Promise<void>;
  /** There is work now: runs at once, or once more after the run under way. Does nothing unless started. */
  nudge(): void;
  /**
   * Whether it is alive. Failing: it completed nothing for as long as it pauses at most and two minutes more,
   * so it hangs. Degraded: it turns, and its last runs failed.
   */
  check: Check;
}

/** A run, as its worker sees it. */
export interface WorkerRun {
  /** Aborted when the loop is stopped: a long run ends early. */
  signal: AbortSignal;
  /**
   * To be called by a run that may last, with each piece of work that it has completed: it says that the loop
   * is alive.
   */
  onStep(): void;
}

/** For a run outside of a loop: nobody ends it, and nobody looks. */
export const runAlone: WorkerRun = { signal: new AbortController().signal, onStep: () => {} };

/** The part of pino's logger that a loop uses. */
export interface WorkerLoopLogger {
  error(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

export interface WorkerLoopOptions {
  /** What the worker is called in the log. */
  name: string;
  /** One run. What it resolves to doesn't matter here. */
  runOnce(run: WorkerRun): Promise<unknown>;
  /** Milliseconds between the end of a run and the next. Default: 1000. */
  pollMs?: Milliseconds;
  logger: WorkerLoopLogger;
  /** Milliseconds by a clock that nobody sets. */
  elapsedMs?: () => number;
}

const longestPauseMs: Milliseconds = 30_000;
/** Longer than any one step: a delivery by SMTP takes up to 50 seconds, a batch's transaction less. */
const longestStepMs: Milliseconds = 120_000;
/**
 * How many runs in a row must fail until that is said. One or two are an election, or a lock held by another
 * process.
 */
const failuresTold = 3;

/**
 * Makes a loop around a worker; it starts when told to. Runs never overlap. When they fail, the first failure
 * of a streak is logged, and so is the first success after it; meanwhile the pauses double, up to 30 seconds.
 */
export function createWorkerLoop(options: WorkerLoopOptions): WorkerLoop {
  const { name, runOnce, pollMs = 1000, logger, elapsedMs = () => performance.now() } = options;
  let started = false;
  let nudged = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopping = new AbortController();
  let running: Promise<void> | undefined;
  let aliveAt = elapsedMs();

  function onStep(): void {
    aliveAt = elapsedMs();
  }

  async function attempt(): Promise<void> {
    try {
      await runOnce({ signal: stopping.signal, onStep });
      if (failures > 0) logger.info({ worker: name, failures }, "the worker runs again");
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures === 1)
        logger.error({ worker: name, err: error }, "the worker failed and will be tried again");
    }
    onStep();
  }

  function run(): void {
    clearTimeout(timer);
    nudged = false;
    running = withoutDeadline(attempt).then(() => {
      running = undefined;
      if (!started) return;
      const pause = Math.min(pollMs * 2 ** failures, Math.max(pollMs, longestPauseMs));
      timer = setTimeout(run, nudged ? 0 : pause);
    });
  }

  return {
    start() {
      if (started) return;
      started = true;
      stopping = new AbortController();
      onStep();
      if (running === undefined) run();
    },
    async stop() {
      started = false;
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
    nudge() {
      if (!started) return;
      if (running === undefined) run();
      else nudged = true;
    },
    check: {
      name: `background.${name}`,
      look() {
        if (!started) return { status: "failing", reason: "not running" };
        const longestMs: Milliseconds = Math.max(pollMs, longestPauseMs) + longestStepMs;
        if (elapsedMs() - aliveAt > longestMs) return { status: "failing", reason: "hangs" };
        if (failures >= failuresTold) return { status: "degraded", reason: "its last runs failed" };
        return { status: "ok" };
      },
    },
  };
}
