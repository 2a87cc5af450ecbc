/** The pages of the audit's verifications: asking for one, and looking how far it is, without a script. */

import type { Seconds } from "../../clock.ts";
import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import type { Shell } from "./shell.ts";

const path = "/audit/verifications";
/** How long a page about one that goes on stands, in seconds. */
const reloadSeconds: Seconds = 2;

export function verificationRoutes(shell: Shell): void {
  shell.get(path, "audit", async (visit) => {
    const { items } = await visit.call(operations.verifications.list, {});
    const names = await namesOf(visit, { actors: items.map(({ asked_by }) => asked_by) });
    const view = { current: null, others: items, verify: visit.form(path), reloads: null, names };
    visit.send(consolePages.verifications(visit.site, visit.frame, view));
  });

  shell.post(path, "audit", async (visit) => {
    const { id } = await visit.call(operations.verifications.ask, {});
    visit.go(`${path}/${encodeURIComponent(id)}`);
  });

  shell.get(`${path}/:id`, "audit", async (visit) => {
    const current = await visit.call(operations.verifications.get, { id: visit.parameter("id") });
    const { items } = await visit.call(operations.verifications.list, {});
    const others = items.filter(({ id }) => id !== current.id);
    const goesOn = current.state === "waiting" || current.state === "running";
    const isStopped = visit.query("reload") === "no";
    const stopUrl = `${shell.url(`${path}/${encodeURIComponent(current.id)}`)}?reload=no`;
    const reloads = goesOn && !isStopped ? { seconds: reloadSeconds, stopUrl } : null;
    // By a field of the header: it needs no script and no markup, and `reload=no` is the page without it.
    if (reloads !== null) visit.ctx.set("refresh", String(reloads.seconds));
    const names = await namesOf(visit, { actors: items.map(({ asked_by }) => asked_by) });
    const view = { current, others, verify: visit.form(path), reloads, names };
    visit.send(consolePages.verifications(visit.site, visit.frame, view));
  });
}
