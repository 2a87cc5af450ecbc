/**
 * Delivers what waits in the outbox: claims under a lease, sends, marks, several at once. A process that dies
 * in between loses the lease, not the mail; it is sent again under the same Message-ID (at least once). What
 * mails say is rendering.ts's, SMTP is transport.ts's.
 */

import { setTimeout } from "node:timers/promises";
import type { Clock, Instant, Milliseconds } from "../clock.ts";
import type { Limit } from "../domain/limit.ts";
import type { MailboxLimits } from "../domain/mailbox.ts";
import type { MailContent, OutboxMessage } from "../domain/records.ts";
import type { OutboxStore, ThrottleStore } from "../storage/contract.ts";
import { createWorkerLoop, runAlone, type WorkerLoop, type WorkerRun } from "../worker-loop.ts";
import { MailError } from "./failures.ts";
import type { MailTransport } from "./transport.ts";
import type { RenderedMail } from "./wording.ts";

/** Says a mail's content in words; `linkExpiresAt` is set for mails with links. */
export type RenderMail = (content: MailContent, context: { linkExpiresAt: Instant | null }) => RenderedMail;

/** The part of pino's logger that the worker uses. */
export interface OutboxLogger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

export interface OutboxWorkerOptions {
  outbox: OutboxStore;
  throttles: ThrottleStore;
  /**
   * How many mails go to one mailbox and about one profile of those that asking causes, and how many of all.
   */
  limits: { mailbox: MailboxLimits; profile: Limit; all: Limit };
  transport: MailTransport;
  render: RenderMail;
  clock: Clock;
  logger: OutboxLogger;
  /** Names this process in leases; unique among those alive. */
  workerId: string;
  /** The life of a mailed link, in milliseconds. */
  linkLifetimeMs: Milliseconds;
  /**
   * How long a claimed message is kept from others; must exceed the transport's time limit. Default: 60
   * seconds.
   */
  leaseMs?: Milliseconds;
  /** How many mails are sent at the same time. Default: 2. */
  concurrency?: number;
  pollMs?: Milliseconds;
  /** From 0 to below 1; spreads retries. */
  random?: () => number;
}

export interface OutboxWorker extends WorkerLoop {
  /**
   * Tries everything that is due now, until the run is told to end; resolves with how many mails were sent.
   * @throws when the store can't be reached
   */
  runOnce(run?: WorkerRun): Promise<number>;
}

const minuteMs: Milliseconds = 60_000;
const firstRetryMs: Milliseconds = 15_000;
const longestRetryMs: Milliseconds = 60 * minuteMs;
/**
 * What servers refuse for longer than this (RFC 5321 asks for days, a link is of no use by then) is given up.
 */
const giveUpAfterMs: Milliseconds = 48 * 60 * minuteMs;

/** How often it is looked for what was queued while others are still being released, in milliseconds. */
const BEGUN_EVERY_MS: Milliseconds = 100;

/** Makes the worker of one process; several may share an outbox. */
export function createOutboxWorker(options: OutboxWorkerOptions): OutboxWorker {
  const { outbox, limits, clock, logger, concurrency = 2, pollMs = 1000 } = options;
  const deliveries = createDeliveries(concurrency);
  const beginDue = createBeginner(options, deliveries);

  /** Begins what is due and what is released. @throws what broke a delivery since the last turn */
  async function turn(run: WorkerRun, onSent: () => void): Promise<void> {
    // Releasing very many takes a while: what it has queued doesn't wait for its end.
    let isReleasing = true;
    const releasing = outbox.releaseDeferred(limits, clock.now(), run).finally(() => {
      isReleasing = false;
    });
    const [released, begun] = await Promise.allSettled([
      releasing,
      (async () => {
        await beginDue(run, onSent);
        while (isReleasing && !run.signal.aborted) {
          await Promise.race([releasing, setTimeout(BEGUN_EVERY_MS)]);
          await beginDue(run, onSent);
        }
      })(),
    ]);
    if (released.status === "rejected") throw released.reason;
    if (begun.status === "rejected") throw begun.reason;
    if (released.value > 0) await beginDue(run, onSent);
    deliveries.throwBroken();
  }

  async function runOnce(run: WorkerRun = runAlone): Promise<number> {
    let sent = 0;
    try {
      await turn(run, () => {
        sent += 1;
      });
    } finally {
      await deliveries.ended();
    }
    deliveries.throwBroken();
    return sent;
  }

  const loop = createWorkerLoop({ name: "outbox", runOnce: (run) => turn(run, () => {}), pollMs, logger });
  return {
    ...loop,
    runOnce,
    async stop() {
      await loop.stop();
      await deliveries.ended();
    },
  };
}

/**
 * Begins what is due, as many at once as there are places, until nothing is; the last ones may still be under
 * way then.
 */
type BeginDue = (run: WorkerRun, onSent: () => void) => Promise<void>;

function createBeginner(options: OutboxWorkerOptions, deliveries: Deliveries): BeginDue {
  const { outbox, throttles, limits, clock, workerId, linkLifetimeMs, leaseMs = 60_000 } = options;
  const deliver = createDeliverer(options);

  /** Whether the limit of all mails lets another one go. */
  async function mayGo(): Promise<boolean> {
    const { limit, windowSeconds } = limits.all;
    return (await throttles.takeSlot("mails:all", limit, windowSeconds, clock.now())).taken;
  }

  return async ({ signal, onStep }, onSent) => {
    while (!signal.aborted && !deliveries.isBroken()) {
      if (deliveries.isFull()) {
        await deliveries.freed();
        onStep();
        continue;
      }
      const dueAt = await outbox.nextDueAt();
      if (dueAt === undefined || dueAt > clock.now() || !(await mayGo())) break;
      const claimed = await outbox.claim(workerId, clock.now(), leaseMs, linkLifetimeMs);
      if (claimed === undefined) break;
      deliveries.add(deliver(claimed.message, claimed.linkExpiresAt), onSent);
      onStep();
    }
  };
}

/** Deliveries under way. A slow one holds its own place alone: turns go on beside it. */
interface Deliveries {
  /** Whether every place is taken. */
  isFull(): boolean;
  /** Resolves when one of them has ended. */
  freed(): Promise<unknown>;
  /** Resolves when all of them have ended. */
  ended(): Promise<unknown>;
  /** @param delivery resolves with whether the mail was sent */
  add(delivery: Promise<boolean>, onSent: () => void): void;
  /** Whether one failed by other than the mail's own failure: the next turn tells. */
  isBroken(): boolean;
  /** Throws, once, what it failed by. */
  throwBroken(): void;
}

function createDeliveries(concurrency: number): Deliveries {
  const underWay = new Set<Promise<unknown>>();
  let broken: { error: unknown } | undefined;

  return {
    isFull: () => underWay.size >= concurrency,
    freed: () => Promise.race(underWay),
    ended: () => Promise.all(underWay),
    add(delivery, onSent) {
      const told = delivery.then(
        (isSent) => {
          if (isSent) onSent();
        },
        (error: unknown) => {
          broken ??= { error };
        },
      );
      const ended: Promise<unknown> = told.then(() => underWay.delete(ended));
      underWay.add(ended);
    },
    isBroken: () => broken !== undefined,
    throwBroken() {
      if (broken === undefined) return;
      const { error } = broken;
      broken = undefined;
      throw error;
    },
  };
}

/** Sends a claimed mail and marks what came of it. Resolves with whether it was sent. */
type Deliver = (message: OutboxMessage, linkExpiresAt: Instant | null) => Promise<boolean>;

function createDeliverer(options: OutboxWorkerOptions): Deliver {
  const { outbox, transport, render, clock, logger, workerId, random = Math.random } = options;

  async function deferOrFail(message: OutboxMessage, error: unknown): Promise<void> {
    const now = clock.now();
    const reason = error instanceof MailError ? error.message : "the mail couldn't be made or sent";
    const isPermanent = error instanceof MailError && error.permanent;
    const retryAt = now + retryDelayMs(message.attempts, random());
    const nextAttemptAt = isPermanent || retryAt > message.createdAt + giveUpAfterMs ? null : retryAt;
    const isNoted = await outbox.markDeferred(message.id, workerId, reason, nextAttemptAt, now);
    logFailure(logger, message, { error, reason, nextAttemptAt: isNoted ? nextAttemptAt : undefined });
  }

  return async (message, linkExpiresAt) => {
    let reply: string;
    try {
      const { messageId, to, content } = message;
      ({ reply } = await transport.send({ messageId, to, ...render(content, { linkExpiresAt }) }));
    } catch (error) {
      await deferOrFail(message, error);
      return false;
    }
    if (!(await outbox.markSent(message.id, workerId, reply, clock.now()))) {
      logger.warn({ mail: message.id }, "a mail was sent after its lease was lost; it may be sent twice");
    }
    return true;
  };
}

interface FailedAttempt {
  error: unknown;
  reason: string;
  /** Null when it is given up, undefined when another worker holds it by now. */
  nextAttemptAt: Instant | null | undefined;
}

/** The first failure and the end are worth a line each. Neither address nor content is in them. */
function logFailure(
  logger: OutboxLogger,
  message: OutboxMessage,
  { error, reason, nextAttemptAt }: FailedAttempt,
): void {
  const failure = error instanceof MailError ? error.failure : "unknown";
  const fields = {
    mail: message.id,
    kind: message.content.kind,
    attempts: message.attempts,
    failure,
    reason,
  };
  const unexpected = error instanceof MailError ? {} : { err: error };
  if (nextAttemptAt === null)
    logger.error({ ...fields, ...unexpected }, "a mail couldn't be delivered and is given up");
  else if (message.attempts <= 1) {
    logger.warn({ ...fields, ...unexpected }, "a mail couldn't be delivered yet and will be tried again");
  }
}

/** 15 seconds, doubled with each attempt up to an hour; the second half of it is left to chance. */
function retryDelayMs(attempts: number, chance: number): Milliseconds {
  const delay = Math.min(firstRetryMs * 2 ** Math.max(0, attempts - 1), longestRetryMs);
  return Math.round(delay / 2 + (delay / 2) * chance);
}
