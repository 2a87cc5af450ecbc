/**
 * What readiness asks of the store: that it can be read and written, and that its schema is one that this
 * process can use. What a write's failure means, and the words for a command, are sqlite/failures.ts's.
 */

import type { Check } from "../readiness.ts";
import type { Store, WriteFault } from "./contract.ts";

const reasons: Record<WriteFault, string> = {
  full: "its disk is full",
  read_only: "it is read-only",
  failing: "its disk refuses what is written",
};

export function storeChecks({
  schemaVersion,
  writeFault,
}: Pick<Store, "schemaVersion" | "writeFault">): Check[] {
  return [
    {
      name: "store",
      async look() {
        await schemaVersion();
        const fault = await writeFault();
        return fault === undefined ? { status: "ok" } : { status: "failing", reason: reasons[fault] };
      },
    },
    {
      name: "schema",
      async look() {
        const { found, needed } = await schemaVersion();
        return found < needed ? { status: "failing", reason: "older than needed" } : { status: "ok" };
      },
    },
  ];
}
