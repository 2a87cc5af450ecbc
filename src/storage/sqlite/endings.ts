/**
 * Endings of many grants in SQLite: the count by which every read of a selection sees that it stands no
 * more, written in the transaction of whatever ends them. Those whose rows are still there are a queue,
 * which is ended-rows.ts's.
 */

import type { Instant } from "../../clock.ts";
import { type Ending, endingKey } from "../../domain/endings.ts";
import { CONSOLE_CLIENT_ID } from "../../domain/records.ts";
import type { Database } from "./database.ts";

/**
 * How often a key was ended, by an SQL expression of the key. One lookup each: a list of keys would be sorted
 * first, at each read.
 */
const countOf = (key: string) => `coalesce((SELECT e.count FROM endings e WHERE e.key = ${key}), 0)`;

/** How many endings a selection is under whose fields these SQL expressions give. */
export const endingsUnder = (of: {
  client: string;
  organization: string;
  profile: string;
  session: string;
}) => `(
  ${countOf(`'client:' || ${of.client}`)} + ${countOf(`'organization:' || ${of.organization}`)}
  + ${countOf(`'profile:' || ${of.profile}`)} + ${countOf(`'session:' || ${of.session}`)}
  + iif(${of.client} = '${CONSOLE_CLIENT_ID}', ${countOf(`'organization_console:' || ${of.organization}`)}
    + ${countOf(`'profile_console:' || ${of.profile}`)}, 0))`;

/**
 * Whether nothing has ended the selection `s` since it was made. Whatever reads selections for somebody asks
 * this.
 */
export const STANDS = `(s.endings = ${endingsUnder({
  client: "s.client_id",
  organization: "s.organization_id",
  profile: "s.profile_id",
  session: "s.session_uid",
})})`;

/** How many endings a client's own tokens are under. */
export const endingsOfClient = (client: string) => countOf(`'client:' || ${client}`);

/** Writes endings, inside the transaction of whatever ends something. */
export interface EndingWriter {
  /** Counts it: all that was selected under it before stands no more. */
  count(ending: Ending, now: Instant): void;
  /** Counts it, and has the rows removed in the background, from the first on. */
  begin(ending: Ending, now: Instant): void;
}

export function createEndingWriter(database: Database): EndingWriter {
  const write = (set: string) =>
    database.prepare(`
      INSERT INTO endings (key, count, ended_at, due_at, place) VALUES (:key, 1, :now, :dueAt, '')
      ON CONFLICT (key) DO UPDATE SET count = count + 1, ${set}`);
  const count = write("ended_at = excluded.ended_at");
  const begin = write(
    "ended_at = excluded.ended_at, due_at = excluded.due_at, place = excluded.place, lease_worker = NULL",
  );
  return {
    count: (ending, now) => void count.run({ key: endingKey(ending), now, dueAt: null }),
    begin: (ending, now) => void begin.run({ key: endingKey(ending), now, dueAt: now }),
  };
}
