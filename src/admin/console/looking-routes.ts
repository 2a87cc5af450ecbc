/** The pages that look: the overview, links, mails, why somebody was refused. */

import { LiaisonError } from "../../errors.ts";
import type { InquiryView, MailState } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import { type ConsoleRequest, listQuery, nextUrl } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function lookingRoutes(router: ConsoleRouter): void {
  router.get("", "overview", showOverview);
  router.get("/links", "links", listLinks);
  router.get("/links/:id", "links", showLink);
  router.get("/mail", "mail", listMail);
  router.post("/mail/:id/release", "mail", (request) => queueMail(request, "release"));
  router.post("/mail/:id/resend", "mail", (request) => queueMail(request, "resend"));
  router.get("/why", "why", showWhy);
}

const ranges = ["24h", "7d", "30d"] as const;
const states: readonly MailState[] = ["held", "carried", "queued", "sent", "bounced", "failed", "dropped"];
/** How many inquiries a page of them has. */
const mostInquiries = 25;

async function showOverview(request: ConsoleRequest): Promise<void> {
  const range = ranges.find((one) => one === request.query("range")) ?? "24h";
  const figures = await request.call(operations.figures.get, { range });
  const attention = await request.call(operations.attention.get, {});
  const upstreams = new Map(request.site.upstreams.map(({ id, name }) => [id, name]));
  request.send(consolePages.overview(request.site, request.frame, { range, figures, attention, upstreams }));
}

async function listLinks(request: ConsoleRequest): Promise<void> {
  const email = request.query("email").trim();
  const before = request.query("before");
  try {
    const { items } = await request.call(operations.inquiries.list, {
      limit: mostInquiries,
      email: email === "" ? undefined : email,
      before: before === "" ? undefined : before,
    });
    const view = { items, email, nextUrl: nextInquiriesUrl(request, items, email), fault: null };
    request.send(consolePages.linkList(request.site, request.frame, view));
  } catch (error) {
    if (!(error instanceof LiaisonError) || error.code !== "bad_request") throw error;
    const view = { items: [], email, nextUrl: null, fault: error.message };
    request.send(consolePages.linkList(request.site, request.frame, view), 400);
  }
}

function nextInquiriesUrl(
  request: ConsoleRequest,
  items: readonly InquiryView[],
  email: string,
): string | null {
  if (items.length < mostInquiries) return null;
  const last = items.at(-1);
  const more = new URLSearchParams({ ...(email === "" ? {} : { email }), before: last?.asked_at ?? "" });
  return `${request.url("/links")}?${more}`;
}

async function showLink(request: ConsoleRequest): Promise<void> {
  const line = await request.call(operations.inquiries.get, { id: request.parameter("id") });
  const names = await namesOf(request, {
    profiles: line.entries.map(({ profile_id }) => profile_id),
    actors: line.entries.map(({ detail }) => detail ?? ""),
  });
  request.send(consolePages.linkPage(request.site, request.frame, { ...line, names }));
}

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

async function showWhy(request: ConsoleRequest): Promise<void> {
  const search = request.query("q").trim();
  const profileId = request.query("profile_id");
  const clientId = request.query("client_id");
  const query = { q: search.slice(0, 200), limit: 20 };
  const found = search === "" ? [] : (await request.call(operations.profiles.list, query)).items;
  const profile = profileId === "" ? null : await request.call(operations.profiles.get, { id: profileId });
  const asked = profile === null || clientId === "" ? null : { client_id: clientId, profile_id: profile.id };
  const result = asked === null ? null : await request.call(operations.simulation.run, asked);
  const view = { search, found, profile, clientId, result, fault: null };
  request.send(consolePages.why(request.site, request.frame, view));
}
