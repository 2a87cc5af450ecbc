/** Counts what an application asks of its store, and can make each call slow. */

import { setTimeout as pause } from "node:timers/promises";
import type { Store } from "../../src/storage/contract.ts";

/**
 * What isn't counted: what the workers ask again and again, whatever requests there are, and a note every
 * five minutes.
 */
const uncounted = new RegExp(
  [
    /^outbox\./,
    /^links\.(claim|settle)Inquiry/,
    /^directory\.membershipsByEmail/,
    /^administration\.(addCounts|takeLease|claimSignOut|settleSignOut|claimEnding|removeEnded)/,
    /^audit\.(unsealed|chainEnds|seal|prune)/,
    /^verifications\.claim/,
    /^clients\.noteUse/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

export class StoreCounter {
  /** Calls as `part.method`, in order. */
  calls: string[] = [];
  /** How long each write takes before it begins, in milliseconds. */
  writeDelayMs = 0;
  /** Writes that have begun and not ended. */
  underWay = 0;

  /** The store, with every call going through this counter. */
  readonly decorate = (store: Store): Store => {
    const parts = Object.entries(store).map(([name, part]) => [
      name,
      typeof part === "object" && part !== null ? this.#wrap(name, part) : part,
    ]);
    return {
      ...(Object.fromEntries(parts) as Store),
      sweep: (now, run) => store.sweep(now, run),
      close: () => store.close(),
    };
  };

  /** Calls since the last time. */
  take(): string[] {
    return this.calls.splice(0);
  }

  #wrap(name: string, part: object): object {
    return new Proxy(part, {
      get: (target, method) => {
        const original: unknown = Reflect.get(target, method);
        if (typeof original !== "function") return original;
        return async (...args: unknown[]) => {
          const call = `${name}.${String(method)}`;
          if (uncounted.test(call)) return await Reflect.apply(original, target, args);
          this.calls.push(call);
          const isWrite = !isRead(call);
          this.underWay += Number(isWrite);
          try {
            if (isWrite && this.writeDelayMs > 0) await pause(this.writeDelayMs);
            return await Reflect.apply(original, target, args);
          } finally {
            this.underWay -= Number(isWrite);
          }
        };
      },
    });
  }
}

/** Whether a call changes nothing. */
export function isRead(call: string): boolean {
  return READS.has(call.slice(call.lastIndexOf(".") + 1));
}

const READS: ReadonlySet<string> = new Set([
  "find",
  "findSessionByUid",
  "forClient",
  "forGrant",
  "list",
  "view",
  "latestInquiry",
  "membership",
  "membershipsByEmail",
  "organization",
  "identities",
  "nextDueAt",
]);
