/** Audit events in SQLite: append-only rows. */

import { type AuditEntry, auditEvent } from "../../domain/audit-entries.ts";
import type { AuditEvent, ChainMark } from "../../domain/records.ts";
import { integer, nullable, text } from "../../sql-columns.ts";
import type { AuditStore } from "../contract.ts";
import { readPage } from "../paging.ts";
import type { Database, Parameters } from "./database.ts";
import { object, raw } from "./json.ts";

const EVENT_JSON = object<AuditEvent>({
  id: "id",
  at: "at",
  action: "action",
  actor: "actor",
  profileId: "profile_id",
  organizationId: "organization_id",
  accountId: "account_id",
  requestId: "request_id",
  // What somebody else made unreadable is told as the text that it is: verifying the chain finds it.
  detail: raw("CASE WHEN json_valid(detail) THEN json(detail) ELSE detail END"),
});

/** Writes an event inside the transaction of its cause. */
export type AuditWriter = (entry: AuditEntry) => void;

export function createAuditWriter(database: Database): AuditWriter {
  const insert = prepareInsert(database);
  return (entry) => void insert(auditEvent(entry));
}

export function createAuditStore(database: Database): AuditStore {
  const insert = prepareInsert(database);
  const insertOnce = prepareInsert(database, "ON CONFLICT (id) DO NOTHING");
  const select = (condition: string) =>
    database.prepare(
      `SELECT ${EVENT_JSON} AS record FROM audit_events WHERE ${condition} ORDER BY at DESC, rowid DESC ` +
        "LIMIT :limit",
      { record: EVENT_JSON },
    );
  // `at >= 0` holds for every event; it lets the newest be read off the end of the index.
  const all = select("at >= 0");
  const byProfile = select("profile_id = :profileId");
  const byRequest = select("request_id = :requestId");
  const byBoth = select("request_id = :requestId AND profile_id = :profileId");

  return {
    append: (event) => database.run(() => void insert(event)),
    appendOnce: (event) => database.run(() => insertOnce(event) === 1),
    list: ({ profileId, requestId, limit }) =>
      database.run(() => {
        const rows =
          profileId !== undefined && requestId !== undefined
            ? byBoth.all({ profileId, requestId, limit })
            : profileId !== undefined
              ? byProfile.all({ profileId, limit })
              : requestId !== undefined
                ? byRequest.all({ requestId, limit })
                : all.all({ limit });
        return rows.map(({ record }) => record);
      }),
    search: createAuditSearch(database),
    ...createChain(database, insert),
  };
}

/** The filters that have an index of their own, the narrowest first, with the columns that they compare. */
const FILTERS = [
  ["requestId", "request_id"],
  ["profileId", "profile_id"],
  ["accountId", "account_id"],
  ["organizationId", "organization_id"],
  ["actor", "actor"],
  ["action", "action"],
] as const;

interface PlacedEvent {
  event: AuditEvent;
  place: number;
}

function createAuditSearch(database: Database): AuditStore["search"] {
  const select = (condition: string) =>
    database.prepare(
      `
      SELECT ${EVENT_JSON} AS event, rowid AS place FROM audit_events
      WHERE ${condition}at >= :from AND at < :to AND (at, rowid) < (:at, :place)
      ORDER BY at DESC, rowid DESC LIMIT :limit`,
      { event: EVENT_JSON, place: integer },
    );
  const all = select("");
  const by = new Map(FILTERS.map(([name, column]) => [name, select(`${column} = :value AND `)]));

  return (filter, page) =>
    database.run(() => {
      const given = FILTERS.filter(([name]) => filter[name] !== undefined);
      const first = given[0]?.[0];
      const statement = (first && by.get(first)) ?? all;
      const value: Parameters = first === undefined ? {} : { value: filter[first] ?? "" };
      const { from = 0, to = Number.MAX_SAFE_INTEGER } = filter;
      return readPage<PlacedEvent, AuditEvent>({
        page,
        begin: [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
        placeOf: ({ event, place }) => [event.at, place],
        item: ({ event }) => (given.every(([name]) => event[name] === filter[name]) ? event : undefined),
        fetch: ([at = 0, place = 0], limit) => statement.all({ ...value, from, to, at, place, limit }),
      });
    });
}

type Chain = Pick<AuditStore, "unsealed" | "countUnsealed" | "chainEnds" | "seal" | "chain" | "prune">;

function createChain(database: Database, insert: (event: AuditEvent) => number): Chain {
  const unsealed = database.prepare(
    `
    SELECT ${EVENT_JSON} AS record FROM audit_events INDEXED BY audit_events_unsealed
    WHERE chain_seq IS NULL ORDER BY rowid LIMIT :limit`,
    { record: EVENT_JSON },
  );
  const someUnsealed = database.prepare(
    "SELECT rowid FROM audit_events WHERE chain_seq IS NULL LIMIT :most",
    {
      rowid: integer,
    },
  );
  const end = database.prepare("SELECT seq, mac, at, seal FROM audit_chain WHERE name = :name", {
    seq: integer,
    mac: text,
    at: integer,
    seal: text,
  });
  const putEnd = database.prepare(`
    INSERT INTO audit_chain (name, seq, mac, at, seal) VALUES (:name, :seq, :mac, :at, :seal)
    ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, mac = excluded.mac, at = excluded.at,
      seal = excluded.seal`);
  const place = database.prepare(
    "UPDATE audit_events SET chain_seq = :seq, mac = :mac WHERE id = :id AND chain_seq IS NULL",
  );
  const chain = database.prepare(
    `
    SELECT ${EVENT_JSON} AS record, chain_seq, mac FROM audit_events
    WHERE chain_seq IS NOT NULL AND chain_seq >= :fromSeq ORDER BY chain_seq LIMIT :limit`,
    { record: EVENT_JSON, chain_seq: integer, mac: nullable(text) },
  );
  const remove = database.prepare(
    "DELETE FROM audit_events WHERE chain_seq IS NOT NULL AND chain_seq <= :seq",
  );

  const readEnd = (name: "base" | "head"): ChainMark | undefined => end.get({ name });

  return {
    unsealed: (limit) => database.run(() => unsealed.all({ limit }).map(({ record }) => record)),
    countUnsealed: (most) => database.run(() => someUnsealed.all({ most }).length),
    chainEnds: () =>
      database.run(() => {
        const [base, head] = [readEnd("base"), readEnd("head")];
        return base && head && { base, head };
      }),
    seal: async (events, { after, head, base }) => {
      try {
        return await database.transaction(() => {
          if ((readEnd("head")?.seq ?? 0) !== after) return false;
          for (const event of events) if (place.run(event) === 0) throw new Taken();
          if (readEnd("base") === undefined) putEnd.run({ name: "base", ...base });
          putEnd.run({ name: "head", ...head });
          return true;
        });
      } catch (error) {
        if (error instanceof Taken) return false;
        throw error;
      }
    },
    chain: (fromSeq, limit) =>
      database.run(() =>
        chain.all({ fromSeq, limit }).map(({ record, chain_seq: seq, mac }) => {
          return { ...record, seq, mac: mac ?? "" };
        }),
      ),
    prune: (after, base, event) =>
      database.transaction(() => {
        if (readEnd("base")?.seq !== after) return false;
        remove.run({ seq: base.seq });
        putEnd.run({ name: "base", ...base });
        insert(event);
        return true;
      }),
  };
}

/** An event has a place already: rolls the sealing back. */
class Taken extends Error {}

/** Returns how many it inserted. */
function prepareInsert(database: Database, otherwise = ""): (event: AuditEvent) => number {
  const insert = database.prepare(`
    INSERT INTO audit_events (id, at, action, actor, profile_id, organization_id, account_id, request_id,
      detail)
    VALUES (:id, :at, :action, :actor, :profileId, :organizationId, :accountId, :requestId, :detail)
      ${otherwise}`);
  return (event) =>
    insert.run({
      id: event.id,
      at: event.at,
      action: event.action,
      actor: event.actor,
      profileId: event.profileId,
      organizationId: event.organizationId,
      accountId: event.accountId,
      requestId: event.requestId,
      detail: JSON.stringify(event.detail),
    });
}
