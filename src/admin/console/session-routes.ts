/** The pages that end sessions of an account: one, or all. Each asks first. */

import { LiaisonError } from "../../errors.ts";
import { type AccountSession, accountName, sessionsOf } from "../../ui/console/people.ts";
import type { AccountView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { messages } from "../../ui/messages.ts";
import { operations } from "../definitions/operations.ts";
import type { Shell, Visit } from "./shell.ts";

interface Asked {
  account: AccountView;
  sessions: AccountSession[];
}

const accountPath = (id: string) => `/accounts/${encodeURIComponent(id)}`;

export function sessionRoutes(shell: Shell, { onChange }: { onChange(): void }): void {
  async function read(visit: Visit): Promise<Asked> {
    const id = visit.parameter("id");
    const account = await visit.call(operations.accounts.get, { id });
    const grants = await visit.call(operations.grants.list, { account_id: id, limit: 200 });
    return { account, sessions: sessionsOf(grants.items) };
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
    const { account, sessions } = await read(visit);
    ask(visit, account, {
      heading: t.text("admin.endAllTitle", { account: accountName(account) }),
      submit: t.text("admin.endAll"),
      says: [t.text("admin.endAllCount", { count: sessions.length })],
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
    const { account, sessions } = await read(visit);
    const found = sessions.find((one) => one.id === visit.parameter("session"));
    if (found === undefined) throw new LiaisonError("not_found", t.text("admin.endSessionGone"));
    const { browser, network } = found.session ?? {};
    const names = found.portals.map((id) => visit.site.portals.find((portal) => portal.id === id)?.name ?? id);
    ask(visit, account, {
      heading: t.text("admin.endSessionTitle", { account: accountName(account) }),
      submit: t.text("admin.endSession"),
      says: [
        ...(browser ? [t.text("admin.endSessionOf", { browser, network: network ?? t.text("admin.unknown") })] : []),
        t.text("admin.endSessionPortals", { portals: names.join(", ") }),
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
