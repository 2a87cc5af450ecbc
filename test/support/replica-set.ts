/**
 * A real replica set of three members on loopback, which a test may kill, freeze and start again. Elections
 * are quick; expiry indexes rest, because tests move their own clocks; and no query may do without an index.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Document, MongoClient } from "mongodb";
import { freePort } from "./free-port.ts";
import { findMongod, noMongod } from "./mongod.ts";

const guardian = fileURLToPath(new URL("mongod-guardian.ts", import.meta.url));
const NAME = "liaison-test";

export interface Member {
  readonly port: number;
  readonly pid: number;
  readonly isAlive: boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Starts it again on its folder and port. */
  restart(): Promise<void>;
}

export interface ReplicaSet {
  members: readonly Member[];
  /** A connection string for a database of the set. */
  url: string;
  /** The member that says it is the primary and that a majority follows. Waits for one. */
  primary(): Promise<Member>;
  /** Resolves when there is a primary and every other member follows it. */
  healthy(): Promise<void>;
  /** Runs an administrative command on every member. */
  onEach(command: Document): Promise<void>;
  close(): Promise<void>;
}

export interface ReplicaSetOptions {
  /** Whether the server removes what has expired, every second. Default: it doesn't. */
  expires?: boolean;
  /** Whether a query without an index is refused. Default: it is. */
  noTableScan?: boolean;
  /**
   * How long a transaction may last, and with it one whose client is dead. Default: the server's, a minute.
   */
  transactionLifetimeSeconds?: number;
}

/** Starts a set. Whoever starts it closes it. */
export async function startReplicaSet(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
  const binary = findMongod(process.env);
  if (binary === undefined) throw new Error(noMongod);
  const root = await mkdtemp(join(tmpdir(), "liaison-mongo-"));
  const members = await Promise.all(
    [1, 2, 3].map(async (id) => new Mongod(binary, join(root, `member-${id}`), await freePort(), options)),
  );
  const hosts = members.map(({ port }) => `127.0.0.1:${port}`);
  const set = setOf(members, `mongodb://${hosts.join(",")}/?replicaSet=${NAME}`, root);
  try {
    // All of them, even if one fails: what is closed then must not be about to start.
    const starts = await Promise.allSettled(members.map((member) => member.restart()));
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    await initiate(members);
    await set.healthy();
    return set;
  } catch (error) {
    await set.close();
    throw error;
  }
}

function setOf(members: readonly Mongod[], url: string, root: string): ReplicaSet {
  const primary = () =>
    within(30_000, "the set has a primary", async () => {
      const states = await Promise.all(members.map((member) => stateOf(member)));
      // One that was frozen may believe it for a moment: it has no majority, and an older term.
      const candidates = states.flatMap((state, index) =>
        state?.isPrimary ? [{ member: members[index], term: state.term }] : [],
      );
      return candidates.sort((one, other) => other.term - one.term)[0]?.member;
    });
  return {
    members,
    url,
    primary,
    healthy: async () => {
      let seen = "";
      const look = async () => {
        const states = await Promise.all(members.map((member) => stateOf(member)));
        seen = members
          .map(({ port }, index) => `${port} ${states[index]?.name ?? "doesn't answer"}`)
          .join(", ");
        const isWhole = states.every((state) => state?.isPrimary || state?.isSecondary);
        return isWhole && states.filter((state) => state?.isPrimary).length === 1 ? true : undefined;
      };
      await within(45_000, "every member of the set is primary or follows", look).catch((cause: Error) => {
        throw new Error(`${cause.message} (${seen})`, { cause });
      });
    },
    onEach: async (command) => {
      for (const member of members) await tell(member, command);
    },
    close: async () => {
      await Promise.all(members.map((member) => member.kill()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

class Mongod implements Member {
  readonly port: number;
  pid = 0;
  readonly #binary: string;
  readonly #folder: string;
  readonly #options: ReplicaSetOptions;
  #guardian: ChildProcessByStdio<Writable, Readable, Readable> | undefined;

  constructor(binary: string, folder: string, port: number, options: ReplicaSetOptions) {
    this.#binary = binary;
    this.#folder = folder;
    this.port = port;
    this.#options = options;
  }

  get isAlive(): boolean {
    return (
      this.#guardian !== undefined && this.#guardian.exitCode === null && this.#guardian.signalCode === null
    );
  }

  async restart(): Promise<void> {
    if (this.isAlive) throw new Error(`the member at ${this.port} is running`);
    await mkdir(this.#folder, { recursive: true });
    const log = join(this.#folder, "mongod.log");
    const { expires = false, noTableScan = true, transactionLifetimeSeconds: lifetime } = this.#options;
    const parameters = [
      `ttlMonitorEnabled=${expires}`,
      "ttlMonitorSleepSecs=1",
      `notablescan=${noTableScan}`,
      "diagnosticDataCollectionEnabled=false",
      ...(lifetime === undefined ? [] : [`transactionLifetimeLimitSeconds=${lifetime}`]),
    ].flatMap((parameter) => ["--setParameter", parameter]);
    const child = spawn(
      process.execPath,
      [
        guardian,
        this.#binary,
        "--replSet",
        NAME,
        "--bind_ip",
        "127.0.0.1",
        "--port",
        String(this.port),
        "--dbpath",
        this.#folder,
        "--logpath",
        log,
        "--logappend",
        "--wiredTigerCacheSizeGB",
        "0.5",
        "--oplogSize",
        "256",
        "--nounixsocket",
        ...parameters,
      ],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    this.#guardian = child;
    child.stdin.on("error", () => {});
    child.stdout.once("data", (pid: Buffer) => {
      this.pid = Number(pid);
    });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    const closed = once(child, "close");
    await within(30_000, "mongod answers", async () => {
      if (!this.isAlive) {
        await closed;
        // What goes wrong before there is a log is said on the standard error output.
        throw new Error(
          `mongod ended: ${complaint}${(await readFile(log, "utf8").catch(() => "")).slice(-2000)}`,
        );
      }
      return (await ask(this, { ping: 1 })) && true;
    });
  }

  async kill(): Promise<void> {
    const child = this.#guardian;
    if (child === undefined || !this.isAlive) return;
    const gone = once(child, "exit");
    child.stdin.end(); // The guardian kills it: unlike us it knows that the pid is still mongod's.
    await gone;
  }

  freeze(): void {
    if (!this.isAlive) throw new Error(`the member at ${this.port} isn't running`);
    process.kill(this.pid, "SIGSTOP");
  }

  thaw(): void {
    if (this.isAlive) process.kill(this.pid, "SIGCONT");
  }
}

async function initiate(members: readonly Mongod[]): Promise<void> {
  const [first] = members;
  if (first === undefined) throw new Error("a set without members");
  const config = {
    _id: NAME,
    members: members.map(({ port }, _id) => ({ _id, host: `127.0.0.1:${port}` })),
    settings: { electionTimeoutMillis: 1000, heartbeatIntervalMillis: 250, heartbeatTimeoutSecs: 1 },
  };
  await tell(first, { replSetInitiate: config }, 20_000);
}

interface MemberState {
  /** As in PRIMARY, RECOVERING. */
  name: string;
  isPrimary: boolean;
  isSecondary: boolean;
  term: number;
}

async function stateOf(member: Member): Promise<MemberState | undefined> {
  const status = await ask(member, { replSetGetStatus: 1 });
  if (status === undefined) return undefined;
  const { myState, term, members } = status;
  const self = (members as { self?: boolean; stateStr: string }[]).find((one) => one.self);
  return {
    name: self?.stateStr ?? `state ${myState}`,
    isPrimary: myState === 1,
    isSecondary: myState === 2,
    term: Number(term),
  };
}

/**
 * One command to one member, whatever its state. Undefined if it is dead, doesn't answer in time, or refuses.
 */
async function ask(member: Member, command: Document): Promise<Document | undefined> {
  return member.isAlive ? await tell(member, command).catch(() => undefined) : undefined;
}

/** One command to one member, whatever its state. Throws if it isn't carried out, or not in time. */
async function tell(member: Member, command: Document, withinMs = 1500): Promise<Document> {
  const client = new MongoClient(`mongodb://127.0.0.1:${member.port}/?directConnection=true`, {
    serverSelectionTimeoutMS: withinMs,
    connectTimeoutMS: withinMs,
    socketTimeoutMS: withinMs,
    retryReads: false,
  });
  try {
    return await client.db("admin").command(command);
  } finally {
    await client.close();
  }
}

async function within<T>(milliseconds: number, what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await pause(100);
  }
}
