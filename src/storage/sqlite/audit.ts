/** Owns audit events: append-only rows. */

import { type AuditEntry, auditEvent } from "../audit-entries.ts";
import type { AuditStore } from "../contract.ts";
import type { AuditEvent } from "../records.ts";
import type { Database } from "./database.ts";
import { parse } from "./rows.ts";

const EVENT_JSON = `json_object(
  'id', id, 'at', at, 'action', action, 'actor', actor, 'profileId', profile_id, 'organizationId', organization_id,
  'accountId', account_id, 'requestId', request_id, 'detail', json(detail))`;

/** Writes an event inside the transaction of its cause. */
export type AuditWriter = (entry: AuditEntry) => void;

export function createAuditWriter(database: Database): AuditWriter {
  const insert = prepareInsert(database);
  return (entry) => insert(auditEvent(entry));
}

export function createAuditStore(database: Database): AuditStore {
  const insert = prepareInsert(database);
  const select = (condition: string) =>
    database.prepare(
      `SELECT ${EVENT_JSON} AS record FROM audit_events WHERE ${condition} ORDER BY at DESC, rowid DESC LIMIT :limit`,
    );
  // `at >= 0` holds for every event; it lets the newest be read off the end of the index.
  const all = select("at >= 0");
  const byProfile = select("profile_id = :profileId");
  const byRequest = select("request_id = :requestId");
  const byBoth = select("request_id = :requestId AND profile_id = :profileId");

  return {
    append: (event) => database.run(() => insert(event)),
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
        return rows.map((row) => parse<AuditEvent>(row["record"]));
      }),
  };
}

function prepareInsert(database: Database): (event: AuditEvent) => void {
  const insert = database.prepare(`
    INSERT INTO audit_events (id, at, action, actor, profile_id, organization_id, account_id, request_id, detail)
    VALUES (:id, :at, :action, :actor, :profileId, :organizationId, :accountId, :requestId, :detail)`);
  return (event) => {
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
  };
}
