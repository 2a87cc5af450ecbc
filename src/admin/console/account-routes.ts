/** The pages of accounts: who signs in, by which identities, and where to. */

import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { type ConsoleRequest, listQuery, nextUrl } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function accountRoutes(router: ConsoleRouter): void {
  router.get("/accounts", "accounts", listAccounts);
  router.get("/accounts/:id", "accounts", showAccount);
}

async function listAccounts(request: ConsoleRequest): Promise<void> {
  const query = listQuery(request);
  const { items, next_cursor } = await request.call(operations.accounts.list, query);
  const next = nextUrl(request, request.url("/accounts"), next_cursor);
  const view = { items, nextUrl: next, search: query.q ?? "" };
  request.send(consolePages.accountList(request.site, request.frame, view));
}

async function showAccount(request: ConsoleRequest): Promise<void> {
  const id = request.parameter("id");
  const account = await request.call(operations.accounts.get, { id });
  const inquiries = await request.call(operations.inquiries.list, { account_id: id, limit: 25 });
  const { cursor, limit } = listQuery(request);
  const sessions = await request.call(operations.sessions.list, { id, limit, cursor });
  const view = {
    account,
    inquiries: inquiries.items,
    sessions: sessions.items,
    nextUrl: nextUrl(request, request.url(`/accounts/${encodeURIComponent(id)}`), sessions.next_cursor),
    mayEnd: request.may("sessions:write"),
  };
  request.send(consolePages.accountPage(request.site, request.frame, view));
}
