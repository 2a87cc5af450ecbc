/**
 * Keeps an upstream that hangs from costing the others anything: only so many requests to it are under way at once, and an
 * endpoint that gave no answer several times in a row isn't asked for a while, then by one request alone until that one is
 * answered. Only silence counts, not an answer such as 500: a stranger can provoke those with a made-up code, and must not
 * be able to shut others out.
 */

import type { Clock, Instant } from "../clock.ts";

export interface CircuitLimits {
  /** Requests to one upstream under way at once. */
  maxInFlight: number;
  /** Silences in a row after which an endpoint is left alone. */
  silences: number;
  pauseMs: number;
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
export function createCircuit({ maxInFlight, silences, pauseMs }: CircuitLimits, clock: Clock): Circuit {
  const lines = new Map<string, Line>();
  let inFlight = 0;

  return {
    enter(endpoint) {
      const line = lines.get(endpoint);
      if (line !== undefined && line.silences >= silences) {
        if (line.isProbed || clock.now() < line.closedUntil) return "it gave no answer lately";
      }
      if (inFlight >= maxInFlight) return `${maxInFlight} requests to this upstream are still unanswered`;
      if (line !== undefined && line.silences >= silences) line.isProbed = true;
      inFlight += 1;
      return undefined;
    },
    settle(endpoint, answered) {
      inFlight -= 1;
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
