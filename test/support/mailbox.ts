/** A real SMTP server that keeps what it receives, for tests that read their mail. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

export interface ReceivedMail {
  messageId: string;
  to: string;
  envelopeTo: string[];
  subject: string;
  text: string;
  html: string;
  headers: string;
}

export interface Mailbox {
  port: number;
  /** In order of arrival. */
  mails: ReceivedMail[];
  /** Waits until so many mails have arrived in all. */
  arrived(count: number, withinMs?: number): Promise<ReceivedMail[]>;
  close(): Promise<void>;
}

/**
 * Starts it on a free port of loopback, without TLS and authentication.
 * @param options.beforeAccepting called when a whole mail is here and the client hasn't been told so yet
 * @param options.onAwaited called when somebody begins to wait for a mail
 */
export async function startMailbox(
  options: { beforeAccepting?: (mail: ReceivedMail) => void; onAwaited?: () => void } = {},
): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  let wake = () => {};
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    logger: false,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", async () => {
        const source = Buffer.concat(chunks).toString("utf8");
        const parsed = await simpleParser(source);
        const to = Array.isArray(parsed.to) ? parsed.to[0] : parsed.to;
        const mail = {
          messageId: parsed.messageId ?? "",
          to: to?.value[0]?.address ?? "",
          envelopeTo: session.envelope.rcptTo.map(({ address }) => address),
          subject: parsed.subject ?? "",
          text: parsed.text ?? "",
          html: parsed.html || "",
          headers: source.slice(0, source.indexOf("\r\n\r\n")),
        };
        mails.push(mail);
        options.beforeAccepting?.(mail);
        done();
        wake();
      });
    },
  });
  server.on("error", () => {});
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return {
    port: (listening.address() as AddressInfo).port,
    mails,
    arrived: async (count, withinMs = 8000) => {
      const deadline = Date.now() + withinMs;
      if (mails.length < count) options.onAwaited?.();
      while (mails.length < count) {
        const left = deadline - Date.now();
        if (left <= 0) throw new Error(`${mails.length} of ${count} mails after ${withinMs} ms`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return mails;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The link of a link mail: the first address in its text. */
export function linkIn(mail: ReceivedMail): string {
  const link = /https?:\/\/\S+/.exec(mail.text)?.[0];
  if (link === undefined) throw new Error(`no link in: ${mail.text}`);
  return link;
}

/**
 * Every link of a mail with the code above it, in their order: one of a link mail, up to fifty of a collected
 * one.
 */
export function linksOf({ text }: ReceivedMail): { code: string | null; link: string }[] {
  const links: { code: string | null; link: string }[] = [];
  let code: string | null = null;
  for (const line of text.split("\n")) {
    code = /\bcode(?: of the request)?: ([A-Z]{4})$/i.exec(line.trim())?.[1] ?? code;
    const link = /^https?:\/\/\S+\/link\/\S+$/.exec(line.trim())?.[0];
    if (link === undefined) continue;
    links.push({ code, link });
    code = null;
  }
  return links;
}

/** The link of the request that has this code; undefined where the mail has none. */
export function linkWithCode(mail: ReceivedMail, code: string): string | undefined {
  return linksOf(mail).find((one) => one.code === code)?.link;
}
