/**
 * The background in a `worker_threads` thread of its own: started, watched, started again when it dies, and
 * ended, by the requests' thread. What runs in it is entry.ts; what passes between the two are the messages
 * here.
 */

import { Worker } from "node:worker_threads";
import type { MetricCount } from "../admin/metrics.ts";
import type { Milliseconds } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import type { Check, Finding } from "../readiness.ts";
import { type Background, backgroundCheckNames, type WorkerName } from "./background.ts";

/** What the thread is asked to do: sooner than at its next turn, or with its next sums. */
type Work = { kind: "wake"; worker: WorkerName } | { kind: "count"; one: MetricCount };

/** What the thread is told. */
export type ToBackground = Work | { kind: "stop" } | { kind: "close" };

/**
 * What the thread tells: that it runs, every second what its checks find, and that its workers have ended.
 */
export type FromBackground =
  | { kind: "running" }
  | { kind: "found"; findings: Record<string, Finding> }
  | { kind: "stopped" };

/** What the shipped thread is made of; it opens a store and makes a logger of its own. */
export interface BackgroundThreadData {
  config: Config;
}

export interface BackgroundThreadOptions {
  /** What the thread finds as its `workerData`: for the shipped one `BackgroundThreadData`. */
  data: object;
  logger: {
    error(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
  /** The module that runs in the thread; entry.ts unless given. */
  entry?: URL;
  /**
   * Milliseconds from a death to the next start, doubled with each that follows soon. Default: 1000, up to 30
   * 000.
   */
  restartMs?: { first: number; longest: number };
}

/** How often the thread says what it finds, in milliseconds. */
export const tellEveryMs: Milliseconds = 1000;
/** So many times nothing was heard: the check fails; and then it is taken for hanging and ended. */
const silencesTold = 10;
const silencesEnded = 60;
const defaultRestartMs = { first: 1000, longest: 30_000 };
/** Whoever lived so long died of something else than its start, in milliseconds. */
const longLifeMs: Milliseconds = 60_000;
/**
 * How long it may take to start before nobody waits for it any more, and to end before it is ended, in
 * milliseconds.
 */
const startMs: Milliseconds = 10_000;
const closeMs: Milliseconds = 5000;
/** Longer than any one step of a worker, such as a delivery by SMTP; whoever stops us may wait less. */
const stopMs: Milliseconds = 60_000;

/**
 * Makes the background of a thread; nothing runs until it is started. A thread that dies, by a fault or
 * because it is ended from outside, is logged once and started again after a pause; what it had claimed is
 * taken up again when its leases are over. What is asked of it meanwhile is done by the next.
 */
export function createBackgroundThread(options: BackgroundThreadOptions): Background {
  const { data, logger, restartMs = defaultRestartMs } = options;
  const entry = options.entry ?? new URL("./entry.ts", import.meta.url);
  let thread: Worker | undefined;
  let state: "new" | "starting" | "running" | "dead" | "stopping" | "ended" = "new";
  let findings: Record<string, Finding> = {};
  let silences = 0;
  let startedAt = 0;
  let deaths = 0;
  let timer: NodeJS.Timeout | undefined;
  let changed: () => void = () => {};
  /**
   * What it is to be told when it runs, and of what is counted every second: summed up, for that may be much.
   */
  const untold = new Map<string, Work>();
  const waiting = new Set<() => void>();

  /**
   * Resolves when something has happened to the thread that may be what is waited for, or after so many
   * milliseconds.
   */
  async function until(isDone: () => boolean, withinMs: Milliseconds): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!isDone() && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, deadline - performance.now());
        waiting.add(() => {
          clearTimeout(late);
          resolve();
        });
      });
    }
  }

  function happened(): void {
    const told = [...waiting];
    waiting.clear();
    for (const tell of told) tell();
  }

  function wake(worker: WorkerName): void {
    const message: Work = { kind: "wake", worker };
    if (thread !== undefined && state !== "starting") thread.postMessage(message);
    else if (state !== "ended") keep(message);
  }

  function keep(message: Work): void {
    if (message.kind === "wake") {
      untold.set(message.worker, message);
      return;
    }
    const { name, hour, count } = message.one;
    const key = `${hour}:${name}`;
    const known = untold.get(key);
    const before = known?.kind === "count" ? known.one.count : 0;
    untold.set(key, { kind: "count", one: { name, hour, count: before + count } });
  }

  function tellUntold(): void {
    for (const message of untold.values()) thread?.postMessage(message);
    untold.clear();
  }

  function begin(): void {
    state = "starting";
    silences = 0;
    startedAt = performance.now();
    let fault: unknown;
    // Flags that this process was given, of a test runner for one, aren't for its threads.
    const begun = new Worker(entry, { workerData: data, execArgv: [], name: "background" });
    thread = begun;
    begun.on("message", (message: FromBackground) => heard(message));
    begun.on("error", (err) => {
      fault = err;
    });
    begun.on("exit", (code) => died(code, fault));
  }

  function heard(message: FromBackground): void {
    silences = 0;
    if (message.kind === "found") {
      findings = message.findings;
      return;
    }
    if (message.kind === "stopped") state = "ended";
    else if (state === "starting") {
      state = "running";
      tellUntold();
      if (deaths > 0) logger.info({ deaths }, "the background runs again");
      changed();
    }
    happened();
  }

  function died(code: number, fault: unknown): void {
    thread = undefined;
    if (state === "ended" || state === "stopping") {
      if (state === "stopping")
        logger.error({ ...reasonOf(fault), code }, "the background died while it was stopped");
      state = "ended";
      happened();
      return;
    }
    state = "dead";
    deaths = performance.now() - startedAt > longLifeMs ? 1 : deaths + 1;
    const pauseMs: Milliseconds = Math.min(restartMs.first * 2 ** (deaths - 1), restartMs.longest);
    logger.error(
      { ...reasonOf(fault), code, again_in_ms: pauseMs },
      "the background died and is started again",
    );
    timer = setTimeout(begin, pauseMs);
    changed();
    happened();
  }

  /**
   * Every second: tells it what was counted, and looks whether it was heard of; by count, for the machine may
   * have slept.
   */
  function listen(): void {
    silences += 1;
    if (state === "running") tellUntold();
    if (silences !== silencesEnded || thread === undefined || state === "stopping") return;
    logger.error({ seconds: (silences * tellEveryMs) / 1000 }, "the background hangs and is ended");
    void thread.terminate();
  }
  let listening: NodeJS.Timeout | undefined;

  const check: Check = {
    name: "background",
    look() {
      if (state === "dead") return { status: "failing", reason: "died; it is started again" };
      if (state === "starting") return { status: "failing", reason: "starting" };
      if (state !== "running") return { status: "failing", reason: "not running" };
      return silences > silencesTold ? { status: "failing", reason: "hangs" } : { status: "ok" };
    },
  };
  const checkOf = (name: string): Check => ({ name, look: () => findings[name] ?? { status: "ok" } });

  async function stop(): Promise<void> {
    clearTimeout(timer);
    if (state === "new" || state === "dead") state = "ended";
    if (state === "starting" || state === "running") {
      // One that is starting hears all of it in this order, once it listens.
      tellUntold();
      thread?.postMessage({ kind: "stop" } satisfies ToBackground);
      state = "stopping";
    }
    await until(() => state === "ended", stopMs);
  }

  return {
    checks: [check, ...backgroundCheckNames.map(checkOf)],
    async start() {
      if (state !== "new") return;
      listening = setInterval(listen, tellEveryMs);
      listening.unref();
      begin();
      await until(() => state === "running" || state === "ended", startMs);
    },
    wake,
    count(one) {
      if (state !== "ended" || thread !== undefined) keep({ kind: "count", one });
    },
    onChange(listener) {
      changed = listener;
    },
    stop,
    async close() {
      await stop();
      clearInterval(listening);
      const last = thread;
      if (last === undefined) return;
      tellUntold();
      last.postMessage({ kind: "close" } satisfies ToBackground);
      await until(() => thread === undefined, closeMs);
      if (thread !== undefined) await last.terminate();
    },
  };
}

function reasonOf(fault: unknown): { err?: unknown } {
  return fault === undefined ? {} : { err: fault };
}
