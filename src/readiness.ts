/**
 * What is known of whether this process can serve: named checks, looked at every few seconds, kept in memory
 * for whoever asks. What a check looks at is its owner's; the addresses that answer by it are
 * http/health.ts's.
 */

import type { Milliseconds } from "./clock.ts";
import { withoutDeadline } from "./deadline.ts";

/**
 * `degraded`: something beside is amiss, and requests are served all the same. `failing`: requests are better
 * sent elsewhere. Reasons are fixed words, never addresses or messages: anybody may read them.
 */
export type Finding = { status: "ok" } | { status: "degraded" | "failing"; reason: string };

export interface Check {
  /** What it is called in answers and in the log. */
  name: string;
  /** Throws, or takes longer than two seconds: failing. It asks nobody but the store. */
  look(): Finding | Promise<Finding>;
}

export interface ReadinessReport {
  status: "ok" | "degraded" | "failing" | "draining";
  checks: Record<string, Finding>;
}

export interface Readiness {
  /** What was found last. Costs nothing. */
  report(): ReadinessReport;
  /** Looks at everything once, then again and again until stopped. Resolves when the first look is done. */
  start(): Promise<void>;
  /** Looks out of turn: something has just changed. Does nothing unless started. */
  lookNow(): void;
  stop(): void;
  /** From now on the report says that this process is about to end, whatever is found. */
  drain(): void;
}

/** The part of pino's logger that is used here. */
export interface ReadinessLogger {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

export interface ReadinessOptions {
  checks: readonly Check[];
  logger: ReadinessLogger;
  /** Milliseconds between the end of a look and the next. Default: 5000. */
  everyMs?: Milliseconds;
}

const longestLookMs: Milliseconds = 2000;

/** Until the first look is done, everything is failing. What comes and goes is logged once each time. */
export function createReadiness({ checks, logger, everyMs = 5000 }: ReadinessOptions): Readiness {
  let found: Record<string, Finding> = failingAll(checks, "not looked at yet");
  let isDraining = false;
  let isStarted = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const before = found;
    const entries = checks.map(
      async (check): Promise<[string, Finding]> => [check.name, await finding(check)],
    );
    found = Object.fromEntries(await Promise.all(entries));
    for (const [name, now] of Object.entries(found)) tellChange(name, before[name], now);
  }

  function tellChange(check: string, before: Finding | undefined, now: Finding): void {
    const isFirst = before?.status === "failing" && before.reason === "not looked at yet";
    if (now.status === before?.status || (isFirst && now.status === "ok")) return;
    if (now.status === "ok") logger.info({ check }, "the check passes again");
    else logger.warn({ check, status: now.status, reason: now.reason }, "a check doesn't pass");
  }

  function again(): void {
    clearTimeout(timer);
    if (!isStarted) return;
    timer = setTimeout(() => void look().then(again), everyMs);
    timer.unref();
  }

  return {
    report: () => ({ status: isDraining ? "draining" : worstOf(Object.values(found)), checks: found }),
    async start() {
      isStarted = true;
      await look();
      again();
    },
    lookNow() {
      if (isStarted) void look().then(again);
    },
    stop() {
      isStarted = false;
      clearTimeout(timer);
    },
    drain() {
      isDraining = true;
    },
  };
}

function failingAll(checks: readonly Check[], reason: string): Record<string, Finding> {
  return Object.fromEntries(checks.map(({ name }) => [name, { status: "failing", reason }]));
}

async function finding(check: Check): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve({ status: "failing", reason: "no answer" }), longestLookMs);
  });
  try {
    return await Promise.race([withoutDeadline(async () => await check.look()), late]);
  } catch {
    return { status: "failing", reason: "unreachable" };
  } finally {
    clearTimeout(timer);
  }
}

function worstOf(findings: readonly Finding[]): "ok" | "degraded" | "failing" {
  const has = (status: Finding["status"]) => findings.some((one) => one.status === status);
  return has("failing") ? "failing" : has("degraded") ? "degraded" : "ok";
}
