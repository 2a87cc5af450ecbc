/**
 * Reads what mail servers report of mails that couldn't be delivered: delivery status notifications (RFC
 * 3464), as a mail server pipes them, and the JSON of the webhook. What is noted of a mail is the outbox's.
 */

import PostalMime, { type Attachment, type Email } from "postal-mime";
import { z } from "zod";
import { LiaisonError } from "../errors.ts";
import { quotable } from "./quotable.ts";

export interface Bounce {
  /** Of the mail that it is about, without angle brackets. */
  messageId: string;
  /** What the server said, cut short and without addresses of pages: it may quote the mail. */
  reason: string;
  /** Whether it won't be tried again by that server. */
  permanent: boolean;
}

/** The largest notification that is read, in bytes: some servers return the whole mail. */
export const LARGEST_NOTIFICATION = 2_000_000;

/** Kinds of recipient reports that tell of no failure (RFC 3464, 2.3.3). */
const harmless = ["delivered", "relayed", "expanded"];

/**
 * Reads one notification. Undefined for one that tells of no failure.
 * @throws LiaisonError `bad_request` for anything else than a notification about a mail with a Message-ID
 */
export async function parseNotification(raw: Uint8Array): Promise<Bounce | undefined> {
  try {
    return read(await PostalMime.parse(raw, { forceRfc822Attachments: true, attachmentEncoding: "utf8" }));
  } catch (cause) {
    // Anybody may write to the address: what trips a parser is no notification either.
    throw cause instanceof LiaisonError ? cause : LiaisonError.badRequest("This is no mail.", cause);
  }
}

function read(mail: Email): Bounce | undefined {
  const part = (...types: string[]) => mail.attachments.find(({ mimeType }) => types.includes(mimeType));
  const status = part("message/delivery-status", "message/global-delivery-status");
  const original = part(
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "text/rfc822",
  );
  if (status === undefined) {
    throw refused(`it has no message/delivery-status part (RFC 3464)${whatItIs(mail)}`);
  }
  const messageId = original && fieldsOf(textOf(original).split(/\r?\n\r?\n/)[0] ?? "").get("message-id");
  const id = /<([^<>\s]+)>/.exec(messageId ?? "")?.[1];
  if (id === undefined) throw refused("it doesn't return the headers of the mail that it is about");
  // The first block is about the message, each following one about a recipient; our mails have one.
  const [, ...recipients] = textOf(status)
    .trim()
    .split(/(?:\r?\n){2,}/)
    .map(fieldsOf);
  const failed = recipients.find((fields) => !harmless.includes(fields.get("action")?.toLowerCase() ?? ""));
  if (failed === undefined) return undefined;
  const diagnostic = (failed.get("diagnostic-code") ?? "").replace(/^[\w-]+\s*;\s*/, "");
  const reason = quotable([failed.get("status"), diagnostic].filter(Boolean).join(" ")) || "no reason given";
  return { messageId: id, reason, permanent: failed.get("action")?.toLowerCase() === "failed" };
}

/** What came instead, where its headers say so; for whoever reads why nothing was noted. */
function whatItIs({ attachments, headers, inReplyTo }: Email): string {
  const header = (name: string) => headers.find(({ key }) => key === name)?.value.toLowerCase() ?? "";
  if (attachments.some(({ mimeType }) => mimeType === "message/disposition-notification"))
    return "; it is a read receipt";
  const submitted = header("auto-submitted");
  if (submitted !== "" && submitted !== "no") return "; it is an automatic reply";
  return inReplyTo === undefined ? "" : "; it is somebody's answer";
}

const webhookBody = z.strictObject({
  message_id: z.string().min(1).max(998),
  reason: z.string().max(10_000).default("no reason given"),
  permanent: z.boolean().default(true),
});

/** Reads what was posted to the webhook. @throws LiaisonError `bad_request` naming what is wrong */
export function parseWebhook(body: unknown): Bounce {
  const parsed = webhookBody.safeParse(body);
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: "" }] = parsed.error.issues;
    throw LiaisonError.badRequest(`${path.join(".") || "the body"}: ${message}`);
  }
  const { message_id, reason, permanent } = parsed.data;
  return { messageId: message_id.replace(/^<|>$/g, ""), reason: quotable(reason), permanent };
}

function refused(why: string): LiaisonError {
  return LiaisonError.badRequest(`This is no delivery status notification: ${why}.`);
}

function textOf({ content }: Attachment): string {
  return typeof content === "string" ? content : new TextDecoder().decode(content);
}

/** Header fields of a block, unfolded, their names in lower case. */
function fieldsOf(block: string): Map<string, string> {
  const lines = block.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 1
        ? []
        : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const];
    }),
  );
}
