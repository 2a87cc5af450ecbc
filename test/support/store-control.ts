/** Lets a test pause or fail single calls of the store that the application was given. */

import { LiaisonError } from "../../src/errors.ts";
import type { Store } from "../../src/storage/contract.ts";

export class StoreControl {
  /** Calls that can't be reached, as `part.method`, `part.*` or `*`. */
  readonly down = new Set<string>();
  /** Calls that are carried out, and whose answers get lost. */
  readonly mute = new Set<string>();
  #paused: { call: string; reached: () => void; released: Promise<void> } | undefined;

  /** Pauses the next call of this name: resolves `reached` when it came, lets it go on after `release`. */
  pauseNext(call: string): { reached: Promise<void>; release: () => void } {
    let release = () => {};
    let reached = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const came = new Promise<void>((resolve) => {
      reached = resolve;
    });
    this.#paused = { call, reached, released };
    return { reached: came, release };
  }

  /** The store, with every call going through this control. */
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

  #wrap(name: string, part: object): object {
    return new Proxy(part, {
      get: (target, method) => {
        const original: unknown = Reflect.get(target, method);
        if (typeof original !== "function") return original;
        return async (...args: unknown[]) => {
          await this.#before(name, String(method));
          const answer: unknown = await Reflect.apply(original, target, args);
          refuseIn(this.mute, name, String(method));
          return answer;
        };
      },
    });
  }

  async #before(part: string, method: string): Promise<void> {
    const paused = this.#paused;
    if (paused?.call === `${part}.${method}`) {
      this.#paused = undefined;
      paused.reached();
      await paused.released;
    }
    refuseIn(this.down, part, method);
  }
}

function refuseIn(calls: ReadonlySet<string>, part: string, method: string): void {
  if (["*", `${part}.*`, `${part}.${method}`].some((call) => calls.has(call))) {
    throw LiaisonError.storeUnavailable("The store can't be reached.");
  }
}
