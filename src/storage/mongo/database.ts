/**
 * The connection to MongoDB's replica set: how long anything may take, its transactions, and what its
 * failures are called. What is stored is collections.ts's; when it is stored is each sub-store's.
 *
 * Reads go to the primary, which has everything that was ever acknowledged; writes are acknowledged by a
 * majority. The driver repeats a read or a write once by itself when the primary changes (retryable reads and
 * writes).
 */

import {
  type ClientSession,
  type Db,
  MongoAPIError,
  MongoClient,
  MongoClientClosedError,
  type MongoClientOptions,
  MongoError,
  MongoExpiredSessionError,
  MongoNotConnectedError,
  MongoServerError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from "mongodb";
import { callWithinDeadline } from "../../deadline.ts";
import { LiaisonError } from "../../errors.ts";
import type { Collections } from "./documents.ts";
import { collectionsIn } from "./documents.ts";

/**
 * How long one operation, or one transaction, may take at most before it counts as failed, in milliseconds.
 */
const DEADLINE_MS = 4000;
/**
 * How long a server may take to answer or to be found: a little less, so that the driver's own account comes
 * first.
 */
const SERVER_TIMEOUT_MS = 3500;

/**
 * How long a turn over many documents may take: an acknowledgment by a majority alone takes some tens of
 * milliseconds.
 */
export const TURN_MS = 100;

const WRITE_CONCERN = { w: "majority", wtimeoutMS: SERVER_TIMEOUT_MS } as const;

const CLIENT_OPTIONS = {
  appName: "liaison",
  retryReads: true,
  retryWrites: true,
  readPreference: "primary",
  readConcern: { level: "local" },
  writeConcern: WRITE_CONCERN,
  ignoreUndefined: true,
  serverSelectionTimeoutMS: SERVER_TIMEOUT_MS,
  waitQueueTimeoutMS: SERVER_TIMEOUT_MS,
  connectTimeoutMS: 2000,
  // A server that has stopped answering keeps its connections open: without this they would wait for ever.
  socketTimeoutMS: DEADLINE_MS + 1000,
  heartbeatFrequencyMS: 2000,
} satisfies MongoClientOptions;

/** Codes of a server that can't do it now, whatever was asked (src/mongo/base/error_codes.yml). */
const UNAVAILABLE_CODES: ReadonlySet<unknown> = new Set([
  6, 7, 89, 9001, 11600, 11602, 10107, 13435, 13436, 189, 91, 262, 50, 64, 112, 251, 24, 246, 14031, 133, 134,
  175, 314,
]);
const DUPLICATE_KEY = 11000;

/**
 * A connection without a deadline of its own, for migrating and copying: an index may take minutes to build.
 */
export function unboundedClient(url: string): MongoClient {
  return new MongoClient(url, { ...CLIENT_OPTIONS, serverSelectionTimeoutMS: 30_000, socketTimeoutMS: 0 });
}

export class MongoDatabase {
  readonly collections: Collections;
  readonly db: Db;
  readonly #client: MongoClient;

  constructor(url: string, database: string, appName: string = CLIENT_OPTIONS.appName) {
    this.#client = new MongoClient(url, { ...CLIENT_OPTIONS, appName });
    this.db = this.#client.db(database);
    this.collections = collectionsIn(this.db);
  }

  /**
   * Runs a piece of work that needs no transaction. Throws `store_unavailable` when it takes too long or
   * can't be done now.
   */
  run<T>(work: (deadline: Deadline) => Promise<T>): Promise<T> {
    return callWithinDeadline(DEADLINE_MS, (milliseconds) => this.#runFor(milliseconds, work));
  }

  async #runFor<T>(milliseconds: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    if (milliseconds === 0) throw tooSlow();
    const deadline = new Deadline(milliseconds);
    try {
      return await Promise.race([work(deadline), deadline.passed]);
    } catch (error) {
      throw translate(error);
    } finally {
      deadline.clear();
    }
  }

  /**
   * Runs work in one transaction: all it reads is of one instant, all it writes comes true at once or not at
   * all. The work is run again from its beginning when another transaction got in its way, so it must do
   * nothing but read and write here. https://www.mongodb.com/docs/drivers/node/current/crud/transactions/
   */
  transaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    return this.run((deadline) =>
      this.#client.withSession((session) =>
        session.withTransaction(
          async () => {
            // After the deadline somebody was told that it failed: it must not begin again.
            deadline.check();
            const result = await work(session);
            deadline.check();
            return result;
          },
          {
            readConcern: { level: "snapshot" },
            writeConcern: WRITE_CONCERN,
            maxCommitTimeMS: SERVER_TIMEOUT_MS,
          },
        ),
      ),
    );
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/** One operation's deadline: a promise that is rejected when it has passed. */
export class Deadline {
  readonly passed: Promise<never>;
  #isPassed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.passed = new Promise((_resolve, reject) => {
      this.#timer = setTimeout(() => {
        this.#isPassed = true;
        reject(tooSlow());
      }, milliseconds);
    });
    this.passed.catch(() => {});
  }

  check(): void {
    if (this.#isPassed) throw tooSlow();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

function tooSlow(): LiaisonError {
  return unavailable(new Error("the database didn't answer in time"));
}

function unavailable(cause: unknown): LiaisonError {
  return LiaisonError.storeUnavailable("The database can't be used right now.", cause);
}

/** A command's options: in the transaction of a session, if there is one. */
export const within = (session: ClientSession | undefined) => (session === undefined ? {} : { session });

/** Whether a unique index refused a write. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** What the driver calls errors of its caller that are none. */
const CLOSED = [
  MongoNotConnectedError,
  MongoTopologyClosedError,
  MongoClientClosedError,
  MongoExpiredSessionError,
];

function translate(error: unknown): unknown {
  const passes = error instanceof MongoError ? isPassing(error) : isLostConnection(error);
  return passes ? unavailable(error) : error;
}

/** What the driver lets through of a socket as it is: writing to one that the server has just closed. */
function isLostConnection(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return (
    typeof code === "string" &&
    /^(EPIPE|ECONN[A-Z]+|ETIMEDOUT|ERR_SOCKET_[A-Z_]+|ERR_STREAM_[A-Z_]+)$/.test(code)
  );
}

/** Whether the same may succeed later: everything but what is wrong with the request itself. */
function isPassing(error: MongoError): boolean {
  if (error instanceof MongoAPIError) return CLOSED.some((kind) => error instanceof kind);
  if (!(error instanceof MongoServerError) || error instanceof MongoWriteConcernError) return true;
  // A bulk write wraps whatever failed, a lost connection too; what a server said has a code.
  if (error.code === undefined) return true;
  return (
    error.hasErrorLabel("RetryableWriteError") ||
    error.hasErrorLabel("TransientTransactionError") ||
    error.hasErrorLabel("UnknownTransactionCommitResult") ||
    UNAVAILABLE_CODES.has(error.code)
  );
}
