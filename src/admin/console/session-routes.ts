/** The pages that end sessions of an account: one, or all. Each asks first. */

import { LiaisonError } from "../../errors.ts";
import { accountName } from "../../ui/console/accounts-links-mails.ts";
import { clientName } from "../../ui/console/names.ts";
import type { AccountView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { OutputOf } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function sessionRoutes(router: ConsoleRouter): void {
  router.get("/accounts/:id/end", "accounts", askToEndAll);
  router.post("/accounts/:id/end", "accounts", endAll);
  router.get("/accounts/:id/end/:session", "accounts", askToEndOne);
  router.post("/accounts/:id/end/:session", "accounts", endOne);
}

/** How many sessions are counted for a page that asks. */
const mostCounted = 1000;

const accountPath = (id: string) => `/accounts/${encodeURIComponent(id)}`;

async function askToEndAll(request: ConsoleRequest): Promise<void> {
  const t = messages(request.site.locale);
  const account = await accountOf(request);
  const count = await countSessions(request, account.id);
  ask(request, account, {
    heading: t.text("admin.endAllTitle", { account: accountName(account) }),
    submit: t.text("admin.endAll"),
    says: [
      count > mostCounted
        ? t.text("admin.endAllMany", { count: mostCounted })
        : t.text("admin.endAllCount", { count }),
    ],
    action: `${accountPath(account.id)}/end`,
  });
}

async function endAll(request: ConsoleRequest): Promise<void> {
  await request.call(operations.sessions.endAll, { id: request.parameter("id") });
  request.changed();
  request.redirect(accountPath(request.parameter("id")), "sessions_ended");
}

async function askToEndOne(request: ConsoleRequest): Promise<void> {
  const t = messages(request.site.locale);
  const account = await accountOf(request);
  const found = await request.call(operations.sessions.get, { id: request.parameter("session") });
  if (found.account_id !== account.id) throw LiaisonError.notFound(t.text("admin.endSessionGone"));
  const { browser, network } = found.session ?? {};
  const names = found.client_ids.map((id) => clientName(request.site, id));
  const says: string[] = [];
  if (browser)
    says.push(t.text("admin.endSessionOf", { browser, network: network ?? t.text("admin.unknown") }));
  if (names.length > 0) says.push(t.text("admin.endSessionPortals", { portals: names.join(", ") }));
  ask(request, account, {
    heading: t.text("admin.endSessionTitle", { account: accountName(account) }),
    submit: t.text("admin.endSession"),
    says,
    action: `${accountPath(account.id)}/end/${encodeURIComponent(found.id)}`,
  });
}

async function endOne(request: ConsoleRequest): Promise<void> {
  await request.call(operations.sessions.end, { id: request.parameter("session") });
  request.changed();
  request.redirect(accountPath(request.parameter("id")), "session_ended");
}

function accountOf(request: ConsoleRequest): Promise<AccountView> {
  return request.call(operations.accounts.get, { id: request.parameter("id") });
}

/** How many sessions an account has; of very many, more than are counted. */
async function countSessions(request: ConsoleRequest, id: string): Promise<number> {
  let count = 0;
  let cursor: string | null = null;
  do {
    const page: OutputOf<typeof operations.sessions.list> = await request.call(operations.sessions.list, {
      id,
      limit: 200,
      cursor: cursor ?? undefined,
    });
    count += page.items.length;
    cursor = page.next_cursor;
  } while (cursor !== null && count <= mostCounted);
  return count;
}

function ask(
  request: ConsoleRequest,
  account: AccountView,
  page: { heading: string; submit: string; says: string[]; action: string },
): void {
  const t = messages(request.site.locale);
  request.send(
    consolePages.confirmPage(request.site, request.frame, {
      section: "accounts",
      heading: page.heading,
      back: { url: request.url(accountPath(account.id)), label: accountName(account) },
      submit: page.submit,
      form: request.form(page.action),
      consequences: [...page.says, t.text("admin.endsTokens"), t.text("admin.endSessionAgain")],
    }),
  );
}
