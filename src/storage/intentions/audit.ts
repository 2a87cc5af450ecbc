/**
 * Audit events and the ends of their chain: written with their cause, given their places by one worker,
 * searched from the newest on. The chain itself is domain/audit-chain.ts's.
 */

import { type AuditEntry, auditEvent } from "../../domain/audit-entries.ts";
import type { AuditEvent, ChainMark } from "../../domain/records.ts";
import type { AuditFilter, AuditStore } from "../contract.ts";
import { LAST_INSTANT, readPage } from "../paging.ts";
import {
  AlreadyThere,
  type Engine,
  get,
  insert,
  inserted,
  list,
  put,
  remove,
  type Steps,
  update,
  type Where,
  write,
} from "../steps.ts";
import { type AuditEventRow, auditChain, auditEvents } from "../tables.ts";

/** Writes events in the transaction of their cause, in their order. */
export function* audit(...entries: readonly AuditEntry[]): Steps<void> {
  yield* write(entries.map((entry) => inserted(auditEvents, toRow(auditEvent(entry)))));
}

const toRow = (event: AuditEvent) => ({ ...event, chainSeq: null, mac: null });

function toEvent(row: AuditEventRow): AuditEvent {
  const { seq: _place, chainSeq: _seq, mac: _mac, ...event } = row;
  return event;
}

/** The filters that have an index of their own, the narrowest first. */
const FILTERS = ["requestId", "profileId", "accountId", "organizationId", "actor", "action"] as const;

const newestFirst = { order: ["at", "seq"], isDescending: true } as const;

export function createAuditStore(engine: Engine): AuditStore {
  return {
    append: (event) => engine.run(() => insert(auditEvents, toRow(event))),

    async appendOnce(event) {
      try {
        await engine.run(() => insert(auditEvents, toRow(event)));
        return true;
      } catch (error) {
        if (error instanceof AlreadyThere) return false;
        throw error;
      }
    },

    list: ({ profileId, requestId, limit }) =>
      engine.run(function* () {
        const given = {
          ...(requestId === undefined ? {} : { requestId }),
          ...(profileId === undefined ? {} : { profileId }),
        };
        // Holds for every event; it lets the newest be read off the end of an index.
        const rows = yield* list(auditEvents, { ...given, at: { gte: 0 } }, { ...newestFirst, limit });
        return rows.map(toEvent);
      }),

    search: (filter, page) => {
      const { from = 0, to = LAST_INSTANT } = filter;
      const given = FILTERS.filter((name) => filter[name] !== undefined);
      const where = { ...narrowest(filter), at: { gte: from, lt: to } };
      return readPage<AuditEventRow, AuditEvent>({
        page,
        begin: [LAST_INSTANT, engine.lastPlace],
        placeOf: ({ at, seq }) => [at, seq],
        item: (row) => (given.every((name) => row[name] === filter[name]) ? toEvent(row) : undefined),
        fetch: (behind, limit) =>
          engine.run(() => list(auditEvents, where, { ...newestFirst, behind, limit })),
      });
    },

    ...chainMethods(engine),
  };
}

function narrowest(filter: AuditFilter): Where<AuditEventRow> {
  const { requestId, profileId, accountId, organizationId, actor, action } = filter;
  if (requestId !== undefined) return { requestId };
  if (profileId !== undefined) return { profileId };
  if (accountId !== undefined) return { accountId };
  if (organizationId !== undefined) return { organizationId };
  if (actor !== undefined) return { actor };
  return action === undefined ? {} : { action };
}

/** An event has a place already, or is gone: undoes the sealing. */
class Taken extends Error {}

type Chain = Pick<AuditStore, "unsealed" | "countUnsealed" | "chainEnds" | "seal" | "chain" | "prune">;

function chainMethods(engine: Engine): Chain {
  return {
    unsealed: (limit) =>
      engine.run(function* () {
        const listing = { order: ["seq"], limit, by: "unsealed" } as const;
        return (yield* list(auditEvents, { chainSeq: null }, listing)).map(toEvent);
      }),

    countUnsealed: (most) =>
      engine.run(function* () {
        return (yield* list(auditEvents, { chainSeq: null }, { limit: most, by: "unsealed" })).length;
      }),

    chainEnds: () =>
      engine.run(function* () {
        const [base, head] = [yield* readEnd("base"), yield* readEnd("head")];
        return base && head && { base, head };
      }),

    async seal(events, ends) {
      try {
        return await engine.transaction(() => seal(events, ends));
      } catch (error) {
        if (error instanceof Taken) return false;
        throw error;
      }
    },

    chain: (fromSeq, limit) =>
      engine.run(function* () {
        const rows = yield* list(auditEvents, { chainSeq: { gte: fromSeq } }, { order: ["chainSeq"], limit });
        return rows.map((row) => ({ ...toEvent(row), seq: row.chainSeq ?? 0, mac: row.mac ?? "" }));
      }),

    prune: (after, base, event) =>
      engine.transaction(function* () {
        if ((yield* readEnd("base"))?.seq !== after) return false;
        yield* remove(auditEvents, { chainSeq: { gt: 0, lte: base.seq } });
        yield* put(auditChain, { name: "base", ...base });
        yield* insert(auditEvents, toRow(event));
        return true;
      }),
  };
}

function* readEnd(name: "base" | "head"): Steps<ChainMark | undefined> {
  const row = yield* get(auditChain, name);
  if (row === undefined) return undefined;
  const { name: _name, ...mark } = row;
  return mark;
}

function* seal(
  events: Parameters<Chain["seal"]>[0],
  { after, head, base }: Parameters<Chain["seal"]>[1],
): Steps<boolean> {
  if (((yield* readEnd("head"))?.seq ?? 0) !== after) return false;
  for (const { id, seq, mac } of events) {
    const placed = yield* update(auditEvents, { id, chainSeq: null }, { chainSeq: seq, mac });
    if (placed === 0) throw new Taken();
  }
  if ((yield* readEnd("base")) === undefined) yield* put(auditChain, { name: "base", ...base });
  yield* put(auditChain, { name: "head", ...head });
  return true;
}
