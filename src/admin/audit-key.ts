/** The key of the audit's chain: made once, stored encrypted. */

import { randomBytes } from "node:crypto";
import type { KeyStore } from "../storage/contract.ts";

export async function auditKeyOf(keys: KeyStore): Promise<Buffer> {
  return Buffer.from(
    await keys.findOrCreate("audit.1", async () => randomBytes(32).toString("base64url")),
    "base64url",
  );
}
