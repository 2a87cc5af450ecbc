/** The pages of mails: what waits, was sent or failed, and sending it now. */

import type { MailState } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { type ConsoleRequest, listQuery, nextUrl } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function mailRoutes(router: ConsoleRouter): void {
  router.get("/mail", "mail", listMail);
  router.post("/mail/:id/release", "mail", (request) => queueMail(request, "release"));
  router.post("/mail/:id/resend", "mail", (request) => queueMail(request, "resend"));
}

const states: readonly MailState[] = ["held", "carried", "queued", "sent", "bounced", "failed", "dropped"];

async function listMail(request: ConsoleRequest): Promise<void> {
  const state = states.find((one) => one === request.query("state")) ?? null;
  const { cursor, limit } = listQuery(request);
  const query = { limit, state: state ?? undefined, cursor };
  const { items, next_cursor } = await request.call(operations.mail.list, query);
  request.send(
    consolePages.mailList(request.site, request.frame, {
      items,
      nextUrl: nextUrl(request, request.url("/mail"), next_cursor),
      search: "",
      state,
      mayAct: request.may("links:write"),
      act: (id, word) => request.form(`/mail/${encodeURIComponent(id)}/${word}`),
    }),
  );
}

async function queueMail(request: ConsoleRequest, word: "release" | "resend"): Promise<void> {
  await request.call(operations.mail[word], { id: request.parameter("id") });
  request.changed();
  request.redirect("/mail", "mail_queued");
}
