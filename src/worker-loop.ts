/** Runs a worker's `runOnce` again and again until stopped. What a run does is the worker's own. */

import { withoutPatience } from "./patience.ts";

export interface WorkerLoop {
  start(): void;
  /** No new run begins, the one under way is told to end; resolves when it has. */
  stop(): Promise<void>;
  /** There is work now: runs at once, or once more after the run under way. Does nothing unless started. */
  nudge(): void;
}

/** The part of pino's logger that a loop uses. */
export interface WorkerLoopLogger {
  error(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

export interface WorkerLoopOptions {
  /** What the worker is called in the log. */
  name: string;
  /** One run. What it resolves to doesn't matter here. The signal is aborted when the loop is stopped: a long run ends early. */
  runOnce(signal: AbortSignal): Promise<unknown>;
  /** Milliseconds between the end of a run and the next. Default: 1000. */
  pollMs?: number;
  logger: WorkerLoopLogger;
}

const longestPauseMs = 30_000;

/**
 * Makes a loop around a worker; it starts when told to. Runs never overlap. When they fail, the first failure of a streak is
 * logged, and so is the first success after it; meanwhile the pauses double, up to 30 seconds.
 */
export function createWorkerLoop({ name, runOnce, pollMs = 1000, logger }: WorkerLoopOptions): WorkerLoop {
  let started = false;
  let nudged = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function attempt(): Promise<void> {
    try {
      await runOnce(stopping.signal);
      if (failures > 0) logger.info({ worker: name, failures }, "the worker runs again");
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures === 1) logger.error({ worker: name, err: error }, "the worker failed and will be tried again");
    }
  }

  function run(): void {
    clearTimeout(timer);
    nudged = false;
    running = withoutPatience(attempt).then(() => {
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
  };
}
