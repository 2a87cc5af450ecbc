/** What the records are called that a page tells of, read once for the page. */

import { setImmediate } from "node:timers/promises";
import { LiaisonError } from "../../errors.ts";
import { accountName } from "../../ui/console/accounts-links-mails.ts";
import { actorRecord } from "../../ui/console/names.ts";
import type { Names } from "../../ui/console/views.ts";
import { operations } from "../definitions/operations.ts";
import type { ConsoleRequest } from "./request.ts";

interface Told {
  profiles?: readonly (string | null)[];
  organizations?: readonly (string | null)[];
  /** As audit events name them. */
  actors?: readonly string[];
}

/** How many records are read at a time, before others have their turn. */
const atOnce = 10;

/** Reads the names. A record that is gone has none. */
export async function namesOf(
  request: ConsoleRequest,
  { profiles = [], organizations = [], actors = [] }: Told,
): Promise<Names> {
  const names = new Map<string, string>();
  const acting = actors.map(actorRecord).filter((one) => one !== undefined);
  const told = [
    ...profiles.map((id) => ({ kind: "profile", id })),
    ...organizations.map((id) => ({ kind: "organization", id })),
    ...acting.filter(({ kind }) => kind === "profile" || kind === "account"),
  ];
  const wanted = new Map(told.map(({ kind, id }) => [`${kind}:${id}`, { kind, id }]));
  const read = async ([key, { kind, id }]: [string, { kind: string; id: string | null }]): Promise<void> => {
    const name = id === null ? undefined : await nameOf(request, kind, id);
    if (name !== undefined) names.set(key, name);
  };
  const entries = [...wanted];
  for (let place = 0; place < entries.length; place += atOnce) {
    await Promise.all(entries.slice(place, place + atOnce).map(read));
    // On SQLite no read lets anybody in.
    await setImmediate();
  }
  if (acting.some(({ kind }) => kind === "key")) {
    const { items } = await request.call(operations.apiKeys.list, {});
    for (const { id, name } of items) names.set(`key:${id}`, name);
  }
  return names;
}

async function nameOf(request: ConsoleRequest, kind: string, id: string): Promise<string | undefined> {
  try {
    if (kind === "profile") return (await request.call(operations.profiles.get, { id })).name;
    if (kind === "account") return accountName(await request.call(operations.accounts.get, { id }));
    return (await request.call(operations.organizations.get, { id })).name;
  } catch (error) {
    // Gone, or an id that no record could have.
    if (error instanceof LiaisonError && ["not_found", "bad_request"].includes(error.code)) return undefined;
    throw error;
  }
}
