/** The pages that look: the overview, accounts, links, mails, why somebody was refused. */

import { LiaisonError } from "../../errors.ts";
import type { MailState } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import { sessionRoutes } from "./session-routes.ts";
import { listQuery, nextUrl, type Shell } from "./shell.ts";

const ranges = ["24h", "7d", "30d"] as const;
const states: readonly MailState[] = ["held", "carried", "queued", "sent", "bounced", "failed", "dropped"];

export function lookingRoutes(shell: Shell, { onChange }: { onChange(): void }): void {
  accountRoutes(shell);
  sessionRoutes(shell, { onChange });
  shell.get("", "overview", async (visit) => {
    const range = ranges.find((one) => one === visit.query("range")) ?? "24h";
    const figures = await visit.call(operations.figures.get, { range });
    const attention = await visit.call(operations.attention.get, {});
    const upstreams = new Map(visit.site.upstreams.map(({ id, name }) => [id, name]));
    visit.send(consolePages.overview(visit.site, visit.frame, { range, figures, attention, upstreams }));
  });

  shell.get("/links", "links", async (visit) => {
    const email = visit.query("email").trim();
    const before = visit.query("before");
    const limit = 25;
    try {
      const { items } = await visit.call(operations.inquiries.list, {
        limit,
        email: email === "" ? undefined : email,
        before: before === "" ? undefined : before,
      });
      const last = items.at(-1);
      const more = new URLSearchParams({ ...(email === "" ? {} : { email }), before: last?.asked_at ?? "" });
      const next = items.length < limit ? null : `${shell.url("/links")}?${more}`;
      visit.send(
        consolePages.linkList(visit.site, visit.frame, { items, email, nextUrl: next, fault: null }),
      );
    } catch (error) {
      if (!(error instanceof LiaisonError) || error.code !== "bad_request") throw error;
      const view = { items: [], email, nextUrl: null, fault: error.message };
      visit.send(consolePages.linkList(visit.site, visit.frame, view), 400);
    }
  });

  shell.get("/links/:id", "links", async (visit) => {
    const line = await visit.call(operations.inquiries.get, { id: visit.parameter("id") });
    const names = await namesOf(visit, {
      profiles: line.entries.map(({ profile_id }) => profile_id),
      actors: line.entries.map(({ detail }) => detail ?? ""),
    });
    visit.send(consolePages.linkPage(visit.site, visit.frame, { ...line, names }));
  });

  shell.get("/mail", "mail", async (visit) => {
    const state = states.find((one) => one === visit.query("state")) ?? null;
    const { cursor, limit } = listQuery(visit);
    const { items, next_cursor } = await visit.call(operations.mail.list, {
      limit,
      state: state ?? undefined,
      cursor,
    });
    visit.send(
      consolePages.mailList(visit.site, visit.frame, {
        items,
        nextUrl: nextUrl(visit, shell.url("/mail"), next_cursor),
        search: "",
        state,
        mayAct: visit.may("links:write"),
        act: (id, word) => visit.form(`/mail/${encodeURIComponent(id)}/${word}`),
      }),
    );
  });

  for (const word of ["release", "resend"] as const) {
    shell.post(`/mail/:id/${word}`, "mail", async (visit) => {
      await visit.call(operations.mail[word], { id: visit.parameter("id") });
      onChange();
      visit.go("/mail", "mail_queued");
    });
  }

  shell.get("/why", "why", async (visit) => {
    const [search, profileId, clientId] = [
      visit.query("q").trim(),
      visit.query("profile_id"),
      visit.query("client_id"),
    ];
    const found =
      search === ""
        ? []
        : (await visit.call(operations.profiles.list, { q: search.slice(0, 200), limit: 20 })).items;
    const profile = profileId === "" ? null : await visit.call(operations.profiles.get, { id: profileId });
    const base = { search, found, profile, clientId };
    if (profile === null || clientId === "") {
      return visit.send(consolePages.why(visit.site, visit.frame, { ...base, result: null, fault: null }));
    }
    const asked = { client_id: clientId, profile_id: profile.id };
    const result = await visit.call(operations.simulation.run, asked);
    visit.send(consolePages.why(visit.site, visit.frame, { ...base, result, fault: null }));
  });
}

function accountRoutes(shell: Shell): void {
  shell.get("/accounts", "accounts", async (visit) => {
    const query = listQuery(visit);
    const { items, next_cursor } = await visit.call(operations.accounts.list, query);
    const next = nextUrl(visit, shell.url("/accounts"), next_cursor);
    visit.send(
      consolePages.accountList(visit.site, visit.frame, { items, nextUrl: next, search: query.q ?? "" }),
    );
  });

  shell.get("/accounts/:id", "accounts", async (visit) => {
    const id = visit.parameter("id");
    const account = await visit.call(operations.accounts.get, { id });
    const inquiries = await visit.call(operations.inquiries.list, { account_id: id, limit: 25 });
    const { cursor, limit } = listQuery(visit);
    const sessions = await visit.call(operations.sessions.list, { id, limit, cursor });
    visit.send(
      consolePages.accountPage(visit.site, visit.frame, {
        account,
        inquiries: inquiries.items,
        sessions: sessions.items,
        nextUrl: nextUrl(visit, shell.url(`/accounts/${encodeURIComponent(id)}`), sessions.next_cursor),
        mayEnd: visit.may("sessions:write"),
      }),
    );
  });
}
