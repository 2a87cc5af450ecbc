/** The pages that end sessions of an account: one, or all. Each asks first. */

import { LiaisonError } from "../../errors.ts";
import { clientName } from "../../ui/console/names.ts";
import { accountName } from "../../ui/console/people.ts";
import type { AccountView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import type { OutputOf } from "../definitions/definition.ts";
import { operations } from "../definitions/operations.ts";
import type { Shell, Visit } from "./shell.ts";

/** How many sessions are counted for a page that asks. */
const mostCounted = 1000;

const accountPath = (id: string) => `/accounts/${encodeURIComponent(id)}`;

export function sessionRoutes(shell: Shell, { onChange }: { onChange(): void }): void {
  const accountOf = (visit: Visit) => visit.call(operations.accounts.get, { id: visit.parameter("id") });

  /** How many sessions an account has; of very many, more than are counted. */
  async function countSessions(visit: Visit, id: string): Promise<number> {
    let count = 0;
    let cursor: string | null = null;
    do {
      const page: OutputOf<typeof operations.sessions.list> = await visit.call(operations.sessions.list, {
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
    visit: Visit,
    account: AccountView,
    page: { heading: string; submit: string; says: string[]; action: string },
  ) {
    const t = messages(visit.site.locale);
    visit.send(
      consolePages.confirmPage(visit.site, visit.frame, {
        section: "accounts",
        heading: page.heading,
        back: { url: shell.url(accountPath(account.id)), label: accountName(account) },
        submit: page.submit,
        form: visit.form(page.action),
        consequences: [...page.says, t.text("admin.endsTokens"), t.text("admin.endSessionAgain")],
      }),
    );
  }

  shell.get("/accounts/:id/end", "accounts", async (visit) => {
    const t = messages(visit.site.locale);
    const account = await accountOf(visit);
    const count = await countSessions(visit, account.id);
    ask(visit, account, {
      heading: t.text("admin.endAllTitle", { account: accountName(account) }),
      submit: t.text("admin.endAll"),
      says: [
        count > mostCounted
          ? t.text("admin.endAllMany", { count: mostCounted })
          : t.text("admin.endAllCount", { count }),
      ],
      action: `${accountPath(account.id)}/end`,
    });
  });

  shell.post("/accounts/:id/end", "accounts", async (visit) => {
    await visit.call(operations.sessions.endAll, { id: visit.parameter("id") });
    onChange();
    visit.go(accountPath(visit.parameter("id")), "sessions_ended");
  });

  shell.get("/accounts/:id/end/:session", "accounts", async (visit) => {
    const t = messages(visit.site.locale);
    const account = await accountOf(visit);
    const found = await visit.call(operations.sessions.get, { id: visit.parameter("session") });
    if (found.account_id !== account.id) throw new LiaisonError("not_found", t.text("admin.endSessionGone"));
    const { browser, network } = found.session ?? {};
    const names = found.client_ids.map((id) => clientName(visit.site, id));
    ask(visit, account, {
      heading: t.text("admin.endSessionTitle", { account: accountName(account) }),
      submit: t.text("admin.endSession"),
      says: [
        ...(browser
          ? [t.text("admin.endSessionOf", { browser, network: network ?? t.text("admin.unknown") })]
          : []),
        ...(names.length > 0 ? [t.text("admin.endSessionPortals", { portals: names.join(", ") })] : []),
      ],
      action: `${accountPath(account.id)}/end/${encodeURIComponent(found.id)}`,
    });
  });

  shell.post("/accounts/:id/end/:session", "accounts", async (visit) => {
    await visit.call(operations.sessions.end, { id: visit.parameter("session") });
    onChange();
    visit.go(accountPath(visit.parameter("id")), "session_ended");
  });
}
