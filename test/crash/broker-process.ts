/**
 * The driver's side of process-broker.ts: starts brokers, hears what they report, sees them die, and ends
 * them by their pid.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { keepingCompiled } from "../support/compile-cache.ts";
import type { BrokerOrders, BrokerReport } from "../support/process-parts.ts";

const entry = fileURLToPath(new URL("../support/process-broker.ts", import.meta.url));

export class BrokerProcess {
  /** Where it listens, once it does. */
  port = 0;
  /** Where it said that it would die. */
  dying: string | undefined;
  /** The models that it was too late to consume. */
  readonly lostRaces: string[] = [];
  /** After which calls its background's threads died. */
  readonly threadDeaths: string[] = [];
  /** What it wrote to its log. */
  log = "";
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<unknown>;

  constructor() {
    this.#child = spawn(process.execPath, [entry], {
      stdio: ["pipe", "pipe", "pipe"],
      env: keepingCompiled,
    });
    this.#exited = once(this.#child, "exit");
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) =>
      this.#hear(JSON.parse(line) as BrokerReport),
    );
  }

  #hear(line: BrokerReport): void {
    if ("listening" in line) this.port = line.listening;
    else if ("dying" in line) this.dying = line.dying;
    else if ("threadDies" in line) this.threadDeaths.push(line.threadDies);
    else this.lostRaces.push(line.lostRace);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Gives it its orders; resolves when it listens or, if it is ordered to die, is dead already. */
  async start(orders: BrokerOrders): Promise<void> {
    this.#child.stdin.write(`${JSON.stringify(orders)}\n`);
    await until(() => this.port !== 0 || !this.isAlive, "a broker listens", 20_000);
    if (this.port === 0 && this.#child.signalCode === null)
      throw new Error(`a broker didn't start: ${this.log}`);
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.isAlive) this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM; resolves when it has ended by itself. */
  async terminate(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exited;
  }

  /** How it ended; undefined while it lives. */
  get end(): string | undefined {
    return this.#child.signalCode ?? this.#child.exitCode?.toString();
  }
}

/** Waits for something outside of this process, looking every `lookEveryMs` milliseconds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs: number,
  lookEveryMs = 5,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(lookEveryMs);
  }
}
