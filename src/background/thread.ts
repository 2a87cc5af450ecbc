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
  const watched = watchedThread(options);
  const { untold, happenings } = watched;
  return {
    checks: [checkOf(watched), ...backgroundCheckNames.map((name) => foundCheck(watched, name))],
    async start() {
      if (watched.state !== "new") return;
      watched.listening = setInterval(() => listen(watched), tellEveryMs);
      watched.listening.unref();
      begin(watched);
      await happenings.until(() => watched.state === "running" || watched.state === "ended", startMs);
    },
    wake(worker) {
      const message: Work = { kind: "wake", worker };
      if (watched.thread !== undefined && watched.state !== "starting") watched.thread.postMessage(message);
      else if (watched.state !== "ended") untold.keep(message);
    },
    count(one) {
      if (watched.state !== "ended" || watched.thread !== undefined) untold.keep({ kind: "count", one });
    },
    onChange(listener) {
      watched.changed = listener;
    },
    stop: () => stop(watched),
    close: () => close(watched),
  };
}

/** The thread, and what is known of it. */
interface WatchedThread extends Required<BackgroundThreadOptions> {
  readonly untold: Untold;
  readonly happenings: Happenings;
  thread: Worker | undefined;
  state: "new" | "starting" | "running" | "dead" | "stopping" | "ended";
  findings: Record<string, Finding>;
  /** How many times in a row nothing was heard of it when it should have been. */
  silences: number;
  startedAt: number;
  /** How many in a row died soon. */
  deaths: number;
  /** Of the next start. */
  timer: NodeJS.Timeout | undefined;
  /** Of the look whether it was heard of. */
  listening: NodeJS.Timeout | undefined;
  changed(): void;
}

function watchedThread({ data, logger, entry, restartMs }: BackgroundThreadOptions): WatchedThread {
  return {
    data,
    logger,
    entry: entry ?? new URL("./entry.ts", import.meta.url),
    restartMs: restartMs ?? defaultRestartMs,
    untold: createUntold(),
    happenings: createHappenings(),
    thread: undefined,
    state: "new",
    findings: {},
    silences: 0,
    startedAt: 0,
    deaths: 0,
    timer: undefined,
    listening: undefined,
    changed: () => {},
  };
}

function begin(watched: WatchedThread): void {
  watched.state = "starting";
  watched.silences = 0;
  watched.startedAt = performance.now();
  let fault: unknown;
  // Flags that this process was given, of a test runner for one, aren't for its threads.
  const begun = new Worker(watched.entry, { workerData: watched.data, execArgv: [], name: "background" });
  watched.thread = begun;
  begun.on("message", (message: FromBackground) => heard(watched, message));
  begun.on("error", (err) => {
    fault = err;
  });
  begun.on("exit", (code) => died(watched, code, fault));
}

function heard(watched: WatchedThread, message: FromBackground): void {
  watched.silences = 0;
  if (message.kind === "found") {
    watched.findings = message.findings;
    return;
  }
  if (message.kind === "stopped") watched.state = "ended";
  else if (watched.state === "starting") {
    const { deaths, logger, untold, thread } = watched;
    watched.state = "running";
    untold.tell(thread);
    if (deaths > 0) logger.info({ deaths }, "the background runs again");
    watched.changed();
  }
  watched.happenings.happened();
}

function died(watched: WatchedThread, code: number, fault: unknown): void {
  const { logger, restartMs, happenings } = watched;
  watched.thread = undefined;
  if (watched.state === "ended" || watched.state === "stopping") {
    if (watched.state === "stopping")
      logger.error({ ...reasonOf(fault), code }, "the background died while it was stopped");
    watched.state = "ended";
    happenings.happened();
    return;
  }
  watched.state = "dead";
  watched.deaths = performance.now() - watched.startedAt > longLifeMs ? 1 : watched.deaths + 1;
  const pauseMs: Milliseconds = Math.min(restartMs.first * 2 ** (watched.deaths - 1), restartMs.longest);
  logger.error(
    { ...reasonOf(fault), code, again_in_ms: pauseMs },
    "the background died and is started again",
  );
  watched.timer = setTimeout(() => begin(watched), pauseMs);
  watched.changed();
  happenings.happened();
}

/**
 * Every second: tells it what was counted, and looks whether it was heard of; by count, for the machine may
 * have slept.
 */
function listen(watched: WatchedThread): void {
  const { thread, state, untold, logger } = watched;
  watched.silences += 1;
  if (state === "running") untold.tell(thread);
  if (watched.silences !== silencesEnded || thread === undefined || state === "stopping") return;
  const seconds = (watched.silences * tellEveryMs) / 1000;
  logger.error({ seconds }, "the background hangs and is ended");
  void thread.terminate();
}

async function stop(watched: WatchedThread): Promise<void> {
  const { thread, state, untold, happenings } = watched;
  clearTimeout(watched.timer);
  if (state === "new" || state === "dead") watched.state = "ended";
  if (state === "starting" || state === "running") {
    // One that is starting hears all of it in this order, once it listens.
    untold.tell(thread);
    thread?.postMessage({ kind: "stop" } satisfies ToBackground);
    watched.state = "stopping";
  }
  await happenings.until(() => watched.state === "ended", stopMs);
}

async function close(watched: WatchedThread): Promise<void> {
  await stop(watched);
  clearInterval(watched.listening);
  const last = watched.thread;
  if (last === undefined) return;
  watched.untold.tell(last);
  last.postMessage({ kind: "close" } satisfies ToBackground);
  await watched.happenings.until(() => watched.thread === undefined, closeMs);
  if (watched.thread !== undefined) await last.terminate();
}

function checkOf(watched: WatchedThread): Check {
  return {
    name: "background",
    look() {
      const { state, silences } = watched;
      if (state === "dead") return { status: "failing", reason: "died; it is started again" };
      if (state === "starting") return { status: "failing", reason: "starting" };
      if (state !== "running") return { status: "failing", reason: "not running" };
      return silences > silencesTold ? { status: "failing", reason: "hangs" } : { status: "ok" };
    },
  };
}

/** What the thread's check of this name found last. */
function foundCheck(watched: WatchedThread, name: string): Check {
  return { name, look: () => watched.findings[name] ?? { status: "ok" } };
}

/** What a thread is to be told when it runs, and of what is counted every second. */
interface Untold {
  /** Counts are summed up, for they may be many. */
  keep(message: Work): void;
  tell(thread: Worker | undefined): void;
}

function createUntold(): Untold {
  const untold = new Map<string, Work>();
  return {
    keep(message) {
      if (message.kind === "wake") {
        untold.set(message.worker, message);
        return;
      }
      const { name, hour, count } = message.one;
      const key = `${hour}:${name}`;
      const known = untold.get(key);
      const before = known?.kind === "count" ? known.one.count : 0;
      untold.set(key, { kind: "count", one: { name, hour, count: before + count } });
    },
    tell(thread) {
      for (const message of untold.values()) thread?.postMessage(message);
      untold.clear();
    },
  };
}

interface Happenings {
  /**
   * Resolves when something has happened to the thread that is what is waited for, or after so many
   * milliseconds.
   */
  until(isDone: () => boolean, withinMs: Milliseconds): Promise<void>;
  /** Something happened that may be what is waited for. */
  happened(): void;
}

function createHappenings(): Happenings {
  const waiting = new Set<() => void>();
  return {
    async until(isDone, withinMs) {
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
    },
    happened() {
      const told = [...waiting];
      waiting.clear();
      for (const tell of told) tell();
    },
  };
}

function reasonOf(fault: unknown): { err?: unknown } {
  return fault === undefined ? {} : { err: fault };
}
