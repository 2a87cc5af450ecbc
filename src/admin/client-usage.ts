/**
 * Client usage: when clients authenticated last, noted often enough to tell a secret that is in use from one
 * that isn't.
 */

import type { Logger } from "pino";
import type { Clock, Milliseconds } from "../clock.ts";
import { withoutDeadline } from "../deadline.ts";
import { asClientId } from "../domain/ids.ts";
import type { ClientStore } from "../storage/contract.ts";

/** How often the use of one secret is written down, in milliseconds. */
const noteEveryMs: Milliseconds = 5 * 60_000;

export interface ClientUsage {
  /** Nobody waits for it; a use that can't be written down is written down the next time. */
  note(clientId: string, secret: "current" | "previous"): void;
}

export function createClientUsage({
  clients,
  clock,
  logger,
}: {
  clients: Pick<ClientStore, "noteUse">;
  clock: Clock;
  logger: Pick<Logger, "warn">;
}): ClientUsage {
  const notedAt = new Map<string, number>();
  return {
    note(clientId, secret) {
      const key = `${secret}:${clientId}`;
      const now = clock.now();
      if (now - (notedAt.get(key) ?? 0) < noteEveryMs) return;
      notedAt.set(key, now);
      withoutDeadline(() => clients.noteUse(asClientId(clientId), secret, now)).catch((err: unknown) => {
        notedAt.delete(key);
        logger.warn({ err, client_id: clientId }, "the use of a client could not be noted");
      });
    },
  };
}
