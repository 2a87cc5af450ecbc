/**
 * Notes the unregistered addresses that come with a client's id, so that its developer finds them on the
 * client's page.
 */

import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { withoutDeadline } from "../deadline.ts";
import { asClientId } from "../domain/ids.ts";
import type { RefusedAddress } from "../domain/records.ts";
import type { ClientStore } from "../storage/contract.ts";

export interface RefusedNotes {
  /** Nobody waits for it; one that can't be written down stands in the log alone. */
  note(clientId: string, refused: Pick<RefusedAddress, "parameter" | "address">): void;
}

export function createRefusedNotes({
  clients,
  clock,
  logger,
}: {
  clients: Pick<ClientStore, "noteRefused">;
  clock: Clock;
  logger: Pick<Logger, "warn">;
}): RefusedNotes {
  return {
    note(clientId, refused) {
      withoutDeadline(() => clients.noteRefused(asClientId(clientId), refused, clock.now())).catch(
        (err: unknown) => {
          logger.warn({ err, client_id: clientId }, "an address that isn't registered could not be noted");
        },
      );
    },
  };
}
