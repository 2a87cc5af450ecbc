/** Owns how the payload of an artifact is sealed into its row and read out of it. */

import type { Seal } from "../seal.ts";
import type { Row } from "./database.ts";
import { text } from "./rows.ts";

export type Payload = Record<string, unknown>;

/** Where a payload belongs: it doesn't open under another id or model. */
export const payloadContext = (model: string, idHash: string) => `artifacts.payload:${model}:${idHash}`;

/** Opens a row's payload and adds when it was consumed. A row that only marks a one-time value has none. */
export function openPayload(seal: Seal, model: string, row: Row): Payload {
  const sealed = row["sealed_payload"];
  const payload: Payload =
    sealed === null ? {} : JSON.parse(seal.open(text(sealed), payloadContext(model, text(row["id_hash"]))));
  const consumed = row["consumed_at"];
  return consumed === null ? payload : { ...payload, consumed };
}
