/**
 * Whether a selection stands, in SQL: by the count of endings that it is under (domain/endings.ts). Hot reads
 * ask it in their own statement; whoever isn't one asks intentions/endings.ts.
 */

import { CONSOLE_CLIENT_ID } from "../../domain/records.ts";

/**
 * How often a key was ended, by an SQL expression of the key. One lookup each: a list of keys would be sorted
 * first, at each read.
 */
const countOf = (key: string) => `coalesce((SELECT e.count FROM endings e WHERE e.key = ${key}), 0)`;

const ofConsole = `${countOf("'organization_console:' || s.organization_id")}
  + ${countOf("'profile_console:' || s.profile_id")}`;

/**
 * Whether nothing has ended the selection `s` since it was made. Whatever reads selections for somebody asks
 * this.
 */
export const STANDS = `(s.endings =
  ${countOf("'client:' || s.client_id")} + ${countOf("'organization:' || s.organization_id")}
  + ${countOf("'profile:' || s.profile_id")} + ${countOf("'session:' || s.session_uid")}
  + iif(s.client_id = '${CONSOLE_CLIENT_ID}', ${ofConsole}, 0))`;

/** How many endings a client's own tokens are under. */
export const endingsOfClient = (client: string) => countOf(`'client:' || ${client}`);
