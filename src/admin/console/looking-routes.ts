/** The pages that look: the overview, links, mails, why somebody was refused. */

import { LiaisonError } from "../../errors.ts";
import type { InquiryView, MailState } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import type { Shell } from "./shell.ts";
import { listQuery, nextUrl, type Visit } from "./visit.ts";

export function lookingRoutes(shell: Shell): void {
  shell.get("", "overview", showOverview);
  shell.get("/links", "links", listLinks);
  shell.get("/links/:id", "links", showLink);
  shell.get("/mail", "mail", listMail);
  shell.post("/mail/:id/release", "mail", (visit) => queueMail(visit, "release"));
  shell.post("/mail/:id/resend", "mail", (visit) => queueMail(visit, "resend"));
  shell.get("/why", "why", showWhy);
}

const ranges = ["24h", "7d", "30d"] as const;
const states: readonly MailState[] = ["held", "carried", "queued", "sent", "bounced", "failed", "dropped"];
/** How many inquiries a page of them has. */
const mostInquiries = 25;

async function showOverview(visit: Visit): Promise<void> {
  const range = ranges.find((one) => one === visit.query("range")) ?? "24h";
  const figures = await visit.call(operations.figures.get, { range });
  const attention = await visit.call(operations.attention.get, {});
  const upstreams = new Map(visit.site.upstreams.map(({ id, name }) => [id, name]));
  visit.send(consolePages.overview(visit.site, visit.frame, { range, figures, attention, upstreams }));
}

async function listLinks(visit: Visit): Promise<void> {
  const email = visit.query("email").trim();
  const before = visit.query("before");
  try {
    const { items } = await visit.call(operations.inquiries.list, {
      limit: mostInquiries,
      email: email === "" ? undefined : email,
      before: before === "" ? undefined : before,
    });
    const view = { items, email, nextUrl: nextInquiriesUrl(visit, items, email), fault: null };
    visit.send(consolePages.linkList(visit.site, visit.frame, view));
  } catch (error) {
    if (!(error instanceof LiaisonError) || error.code !== "bad_request") throw error;
    const view = { items: [], email, nextUrl: null, fault: error.message };
    visit.send(consolePages.linkList(visit.site, visit.frame, view), 400);
  }
}

function nextInquiriesUrl(visit: Visit, items: readonly InquiryView[], email: string): string | null {
  if (items.length < mostInquiries) return null;
  const last = items.at(-1);
  const more = new URLSearchParams({ ...(email === "" ? {} : { email }), before: last?.asked_at ?? "" });
  return `${visit.url("/links")}?${more}`;
}

async function showLink(visit: Visit): Promise<void> {
  const line = await visit.call(operations.inquiries.get, { id: visit.parameter("id") });
  const names = await namesOf(visit, {
    profiles: line.entries.map(({ profile_id }) => profile_id),
    actors: line.entries.map(({ detail }) => detail ?? ""),
  });
  visit.send(consolePages.linkPage(visit.site, visit.frame, { ...line, names }));
}

async function listMail(visit: Visit): Promise<void> {
  const state = states.find((one) => one === visit.query("state")) ?? null;
  const { cursor, limit } = listQuery(visit);
  const query = { limit, state: state ?? undefined, cursor };
  const { items, next_cursor } = await visit.call(operations.mail.list, query);
  visit.send(
    consolePages.mailList(visit.site, visit.frame, {
      items,
      nextUrl: nextUrl(visit, visit.url("/mail"), next_cursor),
      search: "",
      state,
      mayAct: visit.may("links:write"),
      act: (id, word) => visit.form(`/mail/${encodeURIComponent(id)}/${word}`),
    }),
  );
}

async function queueMail(visit: Visit, word: "release" | "resend"): Promise<void> {
  await visit.call(operations.mail[word], { id: visit.parameter("id") });
  visit.changed();
  visit.go("/mail", "mail_queued");
}

async function showWhy(visit: Visit): Promise<void> {
  const search = visit.query("q").trim();
  const profileId = visit.query("profile_id");
  const clientId = visit.query("client_id");
  const query = { q: search.slice(0, 200), limit: 20 };
  const found = search === "" ? [] : (await visit.call(operations.profiles.list, query)).items;
  const profile = profileId === "" ? null : await visit.call(operations.profiles.get, { id: profileId });
  const asked = profile === null || clientId === "" ? null : { client_id: clientId, profile_id: profile.id };
  const result = asked === null ? null : await visit.call(operations.simulation.run, asked);
  const view = { search, found, profile, clientId, result, fault: null };
  visit.send(consolePages.why(visit.site, visit.frame, view));
}
