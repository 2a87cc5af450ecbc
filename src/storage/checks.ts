/**
 * What readiness asks of the store: that it answers, and that its schema is one that this process can use.
 */

import type { Check } from "../readiness.ts";
import type { Store } from "./contract.ts";

export function storeChecks({ schemaVersion }: Pick<Store, "schemaVersion">): Check[] {
  return [
    {
      name: "store",
      async look() {
        await schemaVersion();
        return { status: "ok" };
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
