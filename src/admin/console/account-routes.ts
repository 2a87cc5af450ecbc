/** The pages of accounts: who signs in, by which identities, and where to. */

import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import type { Shell } from "./shell.ts";
import { listQuery, nextUrl, type Visit } from "./visit.ts";

export function accountRoutes(shell: Shell): void {
  shell.get("/accounts", "accounts", listAccounts);
  shell.get("/accounts/:id", "accounts", showAccount);
}

async function listAccounts(visit: Visit): Promise<void> {
  const query = listQuery(visit);
  const { items, next_cursor } = await visit.call(operations.accounts.list, query);
  const next = nextUrl(visit, visit.url("/accounts"), next_cursor);
  const view = { items, nextUrl: next, search: query.q ?? "" };
  visit.send(consolePages.accountList(visit.site, visit.frame, view));
}

async function showAccount(visit: Visit): Promise<void> {
  const id = visit.parameter("id");
  const account = await visit.call(operations.accounts.get, { id });
  const inquiries = await visit.call(operations.inquiries.list, { account_id: id, limit: 25 });
  const { cursor, limit } = listQuery(visit);
  const sessions = await visit.call(operations.sessions.list, { id, limit, cursor });
  const view = {
    account,
    inquiries: inquiries.items,
    sessions: sessions.items,
    nextUrl: nextUrl(visit, visit.url(`/accounts/${encodeURIComponent(id)}`), sessions.next_cursor),
    mayEnd: visit.may("sessions:write"),
  };
  visit.send(consolePages.accountPage(visit.site, visit.frame, view));
}
