/**
 * Delivers what waits in the outbox: claims under a lease, sends, marks, several at once. A process that dies
 * in between loses the lease, not the mail; it is sent again under the same Message-ID (at least once). What
 * mails say is rendering.ts's, SMTP is transport.ts's.
 */

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

/** Makes the worker of one process; several may share an outbox. */
export function createOutboxWorker(options: OutboxWorkerOptions): OutboxWorker {
  const { outbox, throttles, limits, transport, render, clock, logger, workerId, linkLifetimeMs } = options;
  const { leaseMs = 60_000, concurrency = 2, random = Math.random } = options;
  /** Whether the limit of all mails lets another one go. */
  async function mayGo(): Promise<boolean> {
    const { limit, windowSeconds } = limits.all;
    return (await throttles.takeSlot("mails:all", limit, windowSeconds, clock.now())).taken;
  }

  /** Deliveries under way. A slow one holds its own place alone: turns go on beside it. */
  const underWay = new Set<Promise<unknown>>();
  /** What a delivery failed by, other than the mail's own failure: the next turn tells. */
  let broken: { error: unknown } | undefined;

  function begin(message: OutboxMessage, linkExpiresAt: Instant | null, onSent: () => void): void {
    const delivery = deliver(message, linkExpiresAt).then(
      (isSent) => {
        if (isSent) onSent();
      },
      (error: unknown) => {
        broken ??= { error };
      },
    );
    const ended: Promise<unknown> = delivery.then(() => underWay.delete(ended));
    underWay.add(ended);
  }

  /**
   * Begins what is due, as many at once as there are places, until nothing is; the last ones may still be
   * under way then.
   */
  async function beginDue({ signal, onStep }: WorkerRun, onSent: () => void): Promise<void> {
    while (!signal.aborted && broken === undefined) {
      if (underWay.size >= concurrency) {
        await Promise.race(underWay);
        onStep();
        continue;
      }
      const dueAt = await outbox.nextDueAt();
      if (dueAt === undefined || dueAt > clock.now() || !(await mayGo())) break;
      const claimed = await outbox.claim(workerId, clock.now(), leaseMs, linkLifetimeMs);
      if (claimed === undefined) break;
      begin(claimed.message, claimed.linkExpiresAt, onSent);
      onStep();
    }
  }

  async function deliver(message: OutboxMessage, linkExpiresAt: Instant | null): Promise<boolean> {
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
  }

  async function deferOrFail(message: OutboxMessage, error: unknown): Promise<void> {
    const now = clock.now();
    const reason = error instanceof MailError ? error.message : "the mail couldn't be made or sent";
    const isPermanent = error instanceof MailError && error.permanent;
    const retryAt = now + retryDelayMs(message.attempts, random());
    const nextAttemptAt = isPermanent || retryAt > message.createdAt + giveUpAfterMs ? null : retryAt;
    const isNoted = await outbox.markDeferred(message.id, workerId, reason, nextAttemptAt, now);
    logFailure(message, error, reason, isNoted ? nextAttemptAt : undefined);
  }

  /** The first failure and the end are worth a line each. Neither address nor content is in them. */
  function logFailure(
    message: OutboxMessage,
    error: unknown,
    reason: string,
    nextAttemptAt: Instant | null | undefined,
  ) {
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

  /** Begins what is due and what is released. @throws what broke a delivery since the last turn */
  async function turn(run: WorkerRun, onSent: () => void): Promise<void> {
    // Releasing very many takes a while: what is queued doesn't wait for it.
    const [released, begun] = await Promise.allSettled([
      outbox.releaseDeferred(limits, clock.now(), run),
      beginDue(run, onSent),
    ]);
    if (released.status === "rejected") throw released.reason;
    if (begun.status === "rejected") throw begun.reason;
    if (released.value > 0) await beginDue(run, onSent);
    throwBroken();
  }

  function throwBroken(): void {
    if (broken === undefined) return;
    const { error } = broken;
    broken = undefined;
    throw error;
  }

  async function runOnce(run: WorkerRun = runAlone): Promise<number> {
    let sent = 0;
    try {
      await turn(run, () => {
        sent += 1;
      });
    } finally {
      await Promise.all(underWay);
    }
    throwBroken();
    return sent;
  }

  const { pollMs = 1000 } = options;
  const loop = createWorkerLoop({ name: "outbox", runOnce: (run) => turn(run, () => {}), pollMs, logger });
  return {
    ...loop,
    runOnce,
    async stop() {
      await loop.stop();
      await Promise.all(underWay);
    },
  };
}

/** 15 seconds, doubled with each attempt up to an hour; the second half of it is left to chance. */
function retryDelayMs(attempts: number, chance: number): Milliseconds {
  const delay = Math.min(firstRetryMs * 2 ** Math.max(0, attempts - 1), longestRetryMs);
  return Math.round(delay / 2 + (delay / 2) * chance);
}
