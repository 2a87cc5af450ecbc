/**
 * A circuit breaker, which keeps an upstream that hangs from costing others anything: an endpoint that gave
 * no answer several times in a row isn't asked for a while, then by one request alone until that one is
 * answered. Only silence counts, not an answer such as 500: a stranger can provoke those with a made-up code,
 * and must not be able to shut others out. How many ask at once is slots.ts's to say.
 */

import type { Clock, Instant, Milliseconds } from "../clock.ts";

export interface CircuitLimits {
  /** Silences in a row after which an endpoint is left alone. */
  silences: number;
  pauseMs: Milliseconds;
}

interface Line {
  silences: number;
  /** Until when nobody asks; from then on one does, the rest still don't. */
  closedUntil: Instant;
  isProbed: boolean;
}

export interface Circuit {
  /** Why `endpoint` can't be asked now; undefined if it can, and then `settle` must follow. */
  enter(endpoint: string): string | undefined;
  /** The request has ended; `answered` says whether anything came back. */
  settle(endpoint: string, answered: boolean): void;
  /** Whether an endpoint is left alone: it was silent when it was asked last. */
  isSilent(): boolean;
}

/** The circuit of one upstream. */
export function createCircuit({ silences, pauseMs }: CircuitLimits, clock: Clock): Circuit {
  const lines = new Map<string, Line>();

  /** A pause that is to last longer than it may was begun by a clock that has been set back since. */
  const isPaused = ({ closedUntil }: Line) => {
    const leftMs: Milliseconds = closedUntil - clock.now();
    return leftMs > 0 && leftMs <= pauseMs;
  };

  return {
    enter(endpoint) {
      const line = lines.get(endpoint);
      if (line !== undefined && line.silences >= silences) {
        if (line.isProbed || isPaused(line)) return "it gave no answer lately";
      }
      if (line !== undefined && line.silences >= silences) line.isProbed = true;
      return undefined;
    },
    settle(endpoint, answered) {
      if (answered) {
        lines.delete(endpoint);
        return;
      }
      const failed = (lines.get(endpoint)?.silences ?? 0) + 1;
      lines.set(endpoint, { silences: failed, closedUntil: clock.now() + pauseMs, isProbed: false });
    },
    isSilent: () => [...lines.values()].some((line) => line.silences >= silences),
  };
}
