/** Records by their names, each with the id to copy; upstreams and portals by theirs. */

import { CONSOLE_CLIENT_ID } from "../../domain/records.ts";
import { bdi, type Child, type Html, html } from "../html.ts";
import { messages } from "../messages.ts";
import type { Site } from "../views.ts";
import { isoTime } from "./components.ts";
import { sectionUrl } from "./frame.ts";
import type { ConsoleSection, Names } from "./views.ts";

type Kind = "profile" | "organization" | "account" | "client" | "key";

const sections: Record<Exclude<Kind, "key">, ConsoleSection> = {
  profile: "people",
  organization: "organizations",
  account: "accounts",
  client: "clients",
};

/** An id to be copied: one press takes all of it. */
export const idText = (id: string): Html => html`<code class="id">${bdi(id)}</code>`;

function known(site: Site, names: Names, kind: Kind, id: string): string | undefined {
  return kind === "client" ? site.portals.find((one) => one.id === id)?.name : names.get(`${kind}:${id}`);
}

/** A record by its name, which leads to it, and its id; of one that is gone the id alone. */
export function recordName(site: Site, names: Names, kind: Kind, id: string): Html {
  const name = known(site, names, kind, id);
  if (name === undefined) return idText(id);
  const url =
    kind === "key"
      ? sectionUrl(site, "keys")
      : `${sectionUrl(site, sections[kind])}/${encodeURIComponent(id)}`;
  return html`<a href="${url}">${bdi(name)}</a> ${idText(id)}`;
}

/** Which kind of record an actor of the audit is, and its id; undefined for what is no record. */
export function actorRecord(actor: string): { kind: Kind; id: string } | undefined {
  const [, word = "", id = ""] = /^(admin|account|key|client):(.+)$/s.exec(actor) ?? [];
  const kinds: Record<string, Kind> = { admin: "profile", account: "account", key: "key", client: "client" };
  const kind = kinds[word];
  return kind === undefined ? undefined : { kind, id };
}

/** Who did something: by name where it is somebody, as the audit has it otherwise. */
export function actorName(site: Site, names: Names, actor: string): Html {
  const record = actorRecord(actor);
  return record === undefined || known(site, names, record.kind, record.id) === undefined
    ? html`<code>${bdi(actor)}</code>`
    : recordName(site, names, record.kind, record.id);
}

/** A client by its name; the administration's own pages are one, too. */
export function clientName(site: Pick<Site, "portals" | "locale">, id: string): string {
  if (id === CONSOLE_CLIENT_ID) return messages(site.locale).text("admin.word");
  return site.portals.find((one) => one.id === id)?.name ?? id;
}

export function upstreamName(site: Pick<Site, "upstreams">, id: string): string {
  return site.upstreams.find((one) => one.id === id)?.name ?? id;
}

/** A text that may name an actor, or instants (RFC 3339, in UTC), which are shown as everywhere else. */
export function detailText(site: Site, names: Names, text: string): Child {
  if (actorRecord(text) !== undefined) return actorName(site, names, text);
  const pieces = text.split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/);
  // A server may have said something that only looks like one.
  return pieces.map((piece, place) =>
    place % 2 === 1 && !Number.isNaN(Date.parse(piece)) ? isoTime(site, piece) : piece !== "" && bdi(piece),
  );
}
