/** Mails that were sent, wait, were given up or came back. */

import { z } from "zod";
import { define } from "./definition.ts";
import { anyId, instant, listOf, paging } from "./fields.ts";

const states = ["held", "carried", "queued", "sent", "bounced", "failed", "dropped"] as const;
const delivery = z.strictObject({
  id: anyId,
  to: z.string(),
  kind: z.string().nullable(),
  state: z.enum(states),
  attempts: z.int(),
  created_at: instant,
  next_attempt_at: instant,
  sent_at: instant.nullable(),
  bounced_at: instant.nullable(),
  inquiry_id: anyId.nullable(),
  request_id: anyId.nullable(),
  carried_by: anyId.nullable().meta({ description: "The mail that says what this one was to say." }),
  reason: z.string().nullable().meta({ description: "What a server said last, or why it failed." }),
});

export const mail = {
  list: define({
    name: "listMail",
    summary: "List mails, newest first, without what they say.",
    scope: "admin:read",
    method: "GET",
    path: "/mail",
    input: z.strictObject({
      state: z.enum(states).optional(),
      put_off: z
        .boolean()
        .default(false)
        .meta({ description: "Of those that are queued, the ones alone that a server didn't take at once." }),
      ...paging,
    }),
    output: listOf(delivery),
  }),
  release: define({
    name: "releaseMail",
    summary: "Send a held mail next, past its limits.",
    scope: "links:write",
    method: "POST",
    path: "/mail/{id}/release",
    input: z.strictObject({ id: anyId }),
    output: delivery,
  }),
  resend: define({
    name: "resendMail",
    summary: "Send a mail once more that was given up.",
    scope: "links:write",
    method: "POST",
    path: "/mail/{id}/resend",
    input: z.strictObject({ id: anyId }),
    output: delivery,
  }),
};
