/** The pages of the audit's verifications: asking for one, and looking how far it is, without a script. */

import type { Seconds } from "../../clock.ts";
import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function verificationRoutes(router: ConsoleRouter): void {
  router.get(path, "audit", listVerifications);
  router.post(path, "audit", askForVerification);
  router.get(`${path}/:id`, "audit", showVerification);
}

const path = "/audit/verifications";
/** How long a page about one that goes on stands, in seconds. */
const reloadSeconds: Seconds = 2;

async function listVerifications(request: ConsoleRequest): Promise<void> {
  const { items } = await request.call(operations.verifications.list, {});
  const names = await namesOf(request, { actors: items.map(({ asked_by }) => asked_by) });
  const view = { current: null, others: items, verify: request.form(path), reloads: null, names };
  request.send(consolePages.verifications(request.site, request.frame, view));
}

async function askForVerification(request: ConsoleRequest): Promise<void> {
  const { id } = await request.call(operations.verifications.ask, {});
  request.redirect(`${path}/${encodeURIComponent(id)}`);
}

async function showVerification(request: ConsoleRequest): Promise<void> {
  const current = await request.call(operations.verifications.get, { id: request.parameter("id") });
  const { items } = await request.call(operations.verifications.list, {});
  const others = items.filter(({ id }) => id !== current.id);
  const goesOn = current.state === "waiting" || current.state === "running";
  const isStopped = request.query("reload") === "no";
  const stopUrl = `${request.url(`${path}/${encodeURIComponent(current.id)}`)}?reload=no`;
  const reloads = goesOn && !isStopped ? { seconds: reloadSeconds, stopUrl } : null;
  // By a field of the header: it needs no script and no markup, and `reload=no` is the page without it.
  if (reloads !== null) request.ctx.set("refresh", String(reloads.seconds));
  const names = await namesOf(request, { actors: items.map(({ asked_by }) => asked_by) });
  const view = { current, others, verify: request.form(path), reloads, names };
  request.send(consolePages.verifications(request.site, request.frame, view));
}
