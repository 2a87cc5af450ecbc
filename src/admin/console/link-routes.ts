/** The pages of link inquiries: the newest, those of an address, the time line of one. */

import { LiaisonError } from "../../errors.ts";
import type { InquiryView } from "../../ui/console/views.ts";
import { consolePages } from "../../ui/console.ts";
import { operations } from "../definitions/operations.ts";
import { namesOf } from "./names.ts";
import type { ConsoleRequest } from "./request.ts";
import type { ConsoleRouter } from "./router.ts";

export function linkRoutes(router: ConsoleRouter): void {
  router.get("/links", "links", listLinks);
  router.get("/links/:id", "links", showLink);
}

/** How many inquiries a page of them has. */
const mostInquiries = 25;

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
