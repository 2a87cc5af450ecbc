/**
 * Where the demo upstream's oidc-provider keeps its sessions, codes and tokens: in memory, gone with the
 * process.
 */

import type { Adapter, AdapterPayload } from "oidc-provider";
import type { Seconds } from "../clock.ts";

interface Row {
  payload: AdapterPayload;
  expiresAt: number;
}

/**
 * All models of one provider. Expired rows are dropped when met, and all of them every few thousand writes.
 */
export class MemoryRows {
  readonly #rows = new Map<string, Row>();
  #writes = 0;

  set(key: string, payload: AdapterPayload, expiresInSeconds: Seconds | undefined): void {
    const expiresAt =
      expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000;
    this.#rows.set(key, { payload, expiresAt });
    this.#writes += 1;
    if (this.#writes % 5000 === 0) for (const stale of [...this.#rows.keys()]) this.get(stale);
  }

  get(key: string): AdapterPayload | undefined {
    const row = this.#rows.get(key);
    if (row === undefined || row.expiresAt > Date.now()) return row?.payload;
    this.#rows.delete(key);
    return undefined;
  }

  find(model: string, wanted: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const [key, { payload }] of this.#rows) {
      if (key.startsWith(`${model}:`) && wanted(payload)) return this.get(key);
    }
    return undefined;
  }

  delete(key: string): void {
    this.#rows.delete(key);
  }

  deleteWhere(wanted: (payload: AdapterPayload) => boolean): void {
    for (const [key, { payload }] of this.#rows) if (wanted(payload)) this.#rows.delete(key);
  }
}

/** The adapter of one model over the provider's rows. */
export function memoryAdapter(model: string, rows: MemoryRows): Adapter {
  const key = (id: string) => `${model}:${id}`;
  return {
    async upsert(id, payload, expiresIn) {
      rows.set(key(id), payload, expiresIn);
    },
    async find(id) {
      return rows.get(key(id));
    },
    async findByUid(uid) {
      return rows.find(model, (payload) => payload.uid === uid);
    },
    async findByUserCode(userCode) {
      return rows.find(model, (payload) => payload.userCode === userCode);
    },
    async consume(id) {
      const payload = rows.get(key(id));
      if (payload !== undefined) payload["consumed"] = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      rows.delete(key(id));
    },
    async revokeByGrantId(grantId) {
      rows.deleteWhere((payload) => payload.grantId === grantId);
    },
  };
}
