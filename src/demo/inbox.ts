/** The demo's inbox: a real SMTP server on loopback, and a web page and API to read what it received. */

import { once } from "node:events";
import Router from "@koa/router";
import Koa, { type Context } from "koa";
import { simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { Mailbox } from "./inbox-mailbox.ts";
import { mailListPage, mailPage, missingMailPage, peoplePage } from "./inbox-pages.ts";
import { sendPage } from "./page.ts";
import type { DemoPerson } from "./people.ts";
import { portTaken, type Running, serveOnLoopback } from "./servers.ts";

export interface InboxOptions {
  port: number;
  smtpPort: number;
  /** Keeps the mails over a restart. */
  file?: string;
  /** Shown at /people. */
  people?: readonly DemoPerson[];
  places?: Record<DemoPerson["portal"], string>;
}

const MAX_MAIL_BYTES = 1024 * 1024;

/** Starts the inbox: SMTP on 127.0.0.1, pages and `GET /api/messages` on loopback. Throws `port_taken`. */
export async function startInbox(options: InboxOptions): Promise<Running> {
  const mailbox = await Mailbox.open(options.file);
  const smtp = await startSmtp(mailbox, options.smtpPort);
  const app = new Koa();
  app.use(routes(mailbox, options).routes());
  try {
    const web = await serveOnLoopback(options.port, app.callback());
    return { url: web.url, close: async () => void (await Promise.all([web.close(), smtp.close()])) };
  } catch (error) {
    await smtp.close();
    throw error;
  }
}

function routes(mailbox: Mailbox, { people = [], places }: InboxOptions): Router {
  const router = new Router();
  router.get("/", (ctx) => sendPage(ctx, mailListPage(mailbox.list())));
  router.get("/messages/:id", (ctx) => {
    const message = mailbox.find(ctx.params["id"] ?? "");
    sendPage(ctx, message === undefined ? missingMailPage() : mailPage(message));
  });
  router.get("/messages/:id/html", (ctx) => sendMailHtml(ctx, mailbox.find(ctx.params["id"] ?? "")?.html));
  router.get("/api/messages", (ctx) => sendJson(ctx, mailbox.list()));
  router.get("/api/newest", (ctx) => sendJson(ctx, { id: mailbox.list()[0]?.id ?? "" }));
  if (places !== undefined) router.get("/people", (ctx) => sendPage(ctx, peoplePage(people, places)));
  return router;
}

function sendJson(ctx: Context, body: unknown): void {
  ctx.set("Cache-Control", "no-store");
  ctx.type = "application/json";
  ctx.body = JSON.stringify(body);
}

/** A mail's HTML as it came, locked up: no script, no form, nothing loaded, only in our own frame. */
function sendMailHtml(ctx: Context, source: string | undefined): void {
  if (source === undefined) ctx.throw(404);
  ctx.set({
    "Content-Security-Policy":
      "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
  ctx.type = "html";
  ctx.body = source;
}

async function startSmtp(mailbox: Mailbox, port: number): Promise<{ close(): Promise<void> }> {
  const smtp = new SMTPServer({
    name: "inbox.localhost",
    banner: "Liaison demo inbox",
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    size: MAX_MAIL_BYTES,
    closeTimeout: 500,
    onData(stream, session, done) {
      receive(mailbox, stream, session).then(
        () => done(),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  // A peer that hangs up amid a mail is its own affair: it will send again.
  smtp.on("error", () => undefined);
  const listening = smtp.listen(port, "127.0.0.1");
  try {
    await once(listening, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") throw portTaken([port]);
    throw error;
  }
  return { close: () => new Promise((resolve) => smtp.close(() => resolve())) };
}

/**
 * Puts a mail into the mailbox once for each recipient of its envelope; the reply to the sender waits for
 * that.
 */
async function receive(
  mailbox: Mailbox,
  stream: Parameters<typeof simpleParser>[0],
  session: SMTPServerSession,
): Promise<void> {
  const mail = await simpleParser(stream, { skipTextToHtml: true, skipHtmlToText: true });
  for (const { address: to } of session.envelope.rcptTo) {
    await mailbox.add({
      to,
      subject: mail.subject ?? "",
      text: mail.text ?? "",
      html: mail.html || "",
      received_at: new Date().toISOString(),
    });
  }
}
