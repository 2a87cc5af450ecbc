/** The pages of the audit: its events by a filter, and the same as a file. */

import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { z } from "zod";
import { type Calendar, createCalendar } from "../../domain/calendar.ts";
import { LiaisonError } from "../../errors.ts";
import type { AuditEventView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import { AUDIT_CSV_HEADER, auditCsvLine } from "../csv-out.ts";
import type { OutputOf } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import { type ConsoleRequest, nextUrl } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

type Format = "jsonl" | "csv";
type AuditPage = OutputOf<typeof operations.audit.list>;

export function auditRoutes(router: ConsoleRouter, { timeZone }: { timeZone: string }): void {
  const calendar = createCalendar(timeZone);
  router.get("/audit", "audit", (request) => listEvents(request, calendar));
  router.get("/audit/export.jsonl", "audit", (request) => exportEvents(request, calendar, "jsonl"));
  router.get("/audit/export.csv", "audit", (request) => exportEvents(request, calendar, "csv"));
}

async function listEvents(request: ConsoleRequest, calendar: Calendar): Promise<void> {
  const { typed, input, fault } = filterOf(request, calendar);
  const cursor = request.query("cursor");
  const query = { ...input, limit: 50, cursor: cursor === "" ? undefined : cursor };
  const none = { items: [], next_cursor: null };
  const { items, next_cursor } = fault === null ? await request.call(operations.audit.list, query) : none;
  const asked = new URLSearchParams(Object.entries(typed).filter(([, value]) => value !== ""));
  const view = {
    items,
    nextUrl: nextUrl(request, request.url("/audit"), next_cursor),
    filter: typed,
    fault,
    names: await namesOf(request, {
      profiles: items.map((event) => event.profile_id),
      organizations: items.map((event) => event.organization_id),
      actors: items.map((event) => event.actor),
    }),
    verify: request.form("/audit/verifications"),
    exportUrl: (format: Format) => `${request.url(`/audit/export.${format}`)}?${asked}`,
  };
  request.send(consolePages.audit(request.site, request.frame, view), fault === null ? 200 : 400);
}

async function exportEvents(request: ConsoleRequest, calendar: Calendar, format: Format): Promise<void> {
  const { input, fault } = filterOf(request, calendar);
  if (fault !== null) throw new LiaisonError("bad_request", fault);
  const read = (cursor: string | null) =>
    request.call(operations.audit.list, { ...input, limit: 200, cursor: cursor ?? undefined });
  // Read before anything is sent, so that a refusal is a page.
  const first = await read(null);
  const { ctx } = request;
  ctx.type = format === "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8";
  ctx.set("content-disposition", `attachment; filename="audit.${format}"`);
  ctx.body = Readable.from(linesFrom(first, read, format));
}

/** A text of whole lines for each page, from the first on. */
async function* linesFrom(
  first: AuditPage,
  read: (cursor: string | null) => Promise<AuditPage>,
  format: Format,
): AsyncGenerator<string> {
  const line = (event: AuditEventView) =>
    format === "csv" ? auditCsvLine(event) : `${JSON.stringify(event)}\n`;
  if (format === "csv") yield AUDIT_CSV_HEADER;
  for (let page = first; ; page = await read(page.next_cursor)) {
    yield page.items.map(line).join("");
    if (page.next_cursor === null) return;
    // Neither an await on SQLite nor a reader who is fast lets anybody in.
    await setImmediate();
  }
}

/** The filter as it was typed, and as the operation takes it: days are whole. */
function filterOf(request: ConsoleRequest, calendar: Calendar) {
  const [action = "", actor = "", from = "", to = ""] = ["action", "actor", "from", "to"].map((name) =>
    request.query(name).trim(),
  );
  const isUnread = [from, to].some((day) => day !== "" && calendar.endOfDay(day) === undefined);
  // Before the first day that the calendar has there is nothing to leave out.
  const begin = isUnread || from === "" ? undefined : calendar.endOfDay(dayBefore(from));
  const until = to === "" ? undefined : calendar.endOfDay(to);
  return {
    typed: { action, actor, from, to },
    fault: isUnread ? messages(request.site.locale).text("admin.audit.dates") : null,
    input: {
      action: action === "" ? undefined : action,
      actor: actor === "" ? undefined : actor,
      from: begin === undefined ? undefined : new Date(begin).toISOString(),
      to: until === undefined ? undefined : new Date(until).toISOString(),
    } satisfies z.input<typeof operations.audit.list.input>,
  };
}

/** The day before one that there is. */
function dayBefore(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - 1);
  return date.toISOString().slice(0, 10);
}
