/** Finds out whether a file that couldn't be written to can be again, for readiness. */

import type { WriteFault } from "../contract.ts";
import type { Database } from "./database.ts";

/** More than a sign-in stores, in characters: so that what passes here isn't refused there. */
const PROBE_CHARACTERS = 65_536;

/**
 * Makes the look at what the connections met with. Only where one of them met with a fault something is
 * written: a row that is gone when the transaction ends, in pages that were written all the same
 * (secure_delete).
 * @param writer of the connections, the one that writes it: one whose commits reach the disk (fsync), as what
 *   must not be lost needs
 */
export function createWriteProbe(
  writer: Database,
  connections: readonly Database[],
): () => Promise<WriteFault | undefined> {
  const insert = writer.prepare(
    `INSERT INTO meta (name, value) VALUES ('probe', hex(zeroblob(${PROBE_CHARACTERS / 2})))`,
  );
  const remove = writer.prepare("DELETE FROM meta WHERE name = 'probe'");
  const known = () => connections.find(({ fault }) => fault !== undefined)?.fault;

  return async () => {
    if (known() === undefined) return undefined;
    try {
      await writer.transaction(() => {
        insert.run();
        remove.run();
      });
    } catch {
      return known();
    }
    for (const connection of connections) connection.recovered();
    return undefined;
  };
}
