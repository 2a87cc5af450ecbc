/** Link inquiries: what people asked for on the link step, and what became of it. */

import { z } from "zod";
import { TIMELINE_WORDS } from "../../domain/link.ts";
import { define } from "./definition.ts";
import { anyId, email, instant, listOf, paging, requester } from "./fields.ts";

const inquiry = z.strictObject({
  id: anyId,
  code: z.string().meta({ description: "The code that the person sees." }),
  requester,
  asked_at: instant,
  settled_at: instant.nullable(),
  held_until: instant.nullable(),
  matched: z.int().nullable().meta({ description: "How many profiles the address matched." }),
});

export const inquiries = {
  list: define({
    name: "listInquiries",
    summary: "List what people asked for on the link step, newest first.",
    scope: "admin:read",
    method: "GET",
    path: "/inquiries",
    input: z.strictObject({
      email: email.optional().meta({ description: "A registered address: those that matched its profiles." }),
      profile_id: anyId.optional(),
      account_id: anyId.optional(),
      before: instant.optional().meta({ description: "Those asked before it." }),
      limit: paging.limit,
    }),
    output: listOf(inquiry),
  }),
  get: define({
    name: "getInquiry",
    summary: "Tell what became of an inquiry and its requests, by the id of either.",
    scope: "admin:read",
    method: "GET",
    path: "/inquiries/{id}",
    input: z.strictObject({ id: anyId }),
    output: inquiry.extend({
      entries: z.array(
        z.strictObject({
          at: instant,
          // Any word, by the document: there may be more of them one day.
          what: z.string().pipe(z.enum(TIMELINE_WORDS)),
          request_id: anyId.nullable(),
          profile_id: anyId.nullable(),
          detail: z.string().nullable(),
        }),
      ),
    }),
  }),
};
