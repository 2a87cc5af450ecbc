/** The pages of the audit's verifications: asking for one, and looking how far it is, without a script. */

import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import type { Shell } from "./shell.ts";
import type { Visit } from "./visit.ts";

export function verificationRoutes(shell: Shell): void {
  shell.get(path, "audit", listVerifications);
  shell.post(path, "audit", askForVerification);
  shell.get(`${path}/:id`, "audit", showVerification);
}

const path = "/audit/verifications";
/** How long a page about one that goes on stands, in seconds. */
const reloadSeconds = 2;

async function listVerifications(visit: Visit): Promise<void> {
  const { items } = await visit.call(operations.verifications.list, {});
  const names = await namesOf(visit, { actors: items.map(({ asked_by }) => asked_by) });
  const view = { current: null, others: items, verify: visit.form(path), reloads: null, names };
  visit.send(consolePages.verifications(visit.site, visit.frame, view));
}

async function askForVerification(visit: Visit): Promise<void> {
  const { id } = await visit.call(operations.verifications.ask, {});
  visit.go(`${path}/${encodeURIComponent(id)}`);
}

async function showVerification(visit: Visit): Promise<void> {
  const current = await visit.call(operations.verifications.get, { id: visit.parameter("id") });
  const { items } = await visit.call(operations.verifications.list, {});
  const others = items.filter(({ id }) => id !== current.id);
  const goesOn = current.state === "waiting" || current.state === "running";
  const isStopped = visit.query("reload") === "no";
  const stopUrl = `${visit.url(`${path}/${encodeURIComponent(current.id)}`)}?reload=no`;
  const reloads = goesOn && !isStopped ? { seconds: reloadSeconds, stopUrl } : null;
  // By a field of the header: it needs no script and no markup, and `reload=no` is the page without it.
  if (reloads !== null) visit.ctx.set("refresh", String(reloads.seconds));
  const names = await namesOf(visit, { actors: items.map(({ asked_by }) => asked_by) });
  const view = { current, others, verify: visit.form(path), reloads, names };
  visit.send(consolePages.verifications(visit.site, visit.frame, view));
}
