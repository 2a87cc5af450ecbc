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
