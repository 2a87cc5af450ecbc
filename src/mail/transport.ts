/**
 * Delivers one mail to one recipient over SMTP. What mails say is messages.ts's; when they are tried again is
 * outbox-worker.ts's.
 */

import { createTransport } from "nodemailer";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { Config } from "../config/schema.ts";

export interface Mail {
  /** RFC 5322 Message-ID without angle brackets. */
  messageId: string;
  /** One address; never a list. */
  to: string;
  subject: string;
  text: string;
  html: string;
  /** One address. */
  replyTo?: string;
}

export interface MailTransport {
  /** Resolves with the server's last reply when it took the mail. @throws MailError */
  send(mail: Mail): Promise<{ reply: string }>;
  /** Closes idle connections; the ones in use when they are done. */
  close(): Promise<void>;
}

/** Why a mail was not taken. The message names the step and the code, never an address or what the server quoted. */
export class MailError extends Error {
  /** Whether trying again is pointless. */
  readonly permanent: boolean;
  /** What was refused: this one mail, or all that is sent through this server. */
  readonly concerns: "mail" | "server";

  constructor(message: string, options: { permanent: boolean; concerns?: "mail" | "server"; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "MailError";
    this.permanent = options.permanent;
    this.concerns = options.concerns ?? (options.permanent ? "mail" : "server");
  }
}

/** Makes a pooled transport. Where the configuration asks for TLS, nothing is sent without it. */
export function createSmtpTransport({ from_name, from_address, smtp, dkim }: Config["mail"]): MailTransport {
  const timeoutMs = smtp.timeout_seconds * 1000;
  const connection = {
    host: smtp.host,
    port: smtp.port,
    secure: smtp.security === "tls",
    requireTLS: smtp.security === "starttls",
    ignoreTLS: smtp.security === "none",
    tls: { minVersion: "TLSv1.2" as const },
    dnsTimeout: timeoutMs,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  };
  const transporter = createTransport(
    {
      ...connection,
      pool: true,
      ...(smtp.username === null || smtp.password === null
        ? {}
        : { auth: { user: smtp.username, pass: smtp.password } }),
      ...(dkim === null
        ? {}
        : { dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.private_key } }),
      maxConnections: smtp.max_connections,
      // The outbox decides when to try again, with what it knows of each message.
      maxRequeues: 0,
    },
    { disableFileAccess: true, disableUrlAccess: true },
  );

  return {
    async send({ messageId, to, subject, text, html, replyTo }) {
      // A line break or a list would be cleaned up by nodemailer, and the mail would go to somebody else.
      if (!/^[^\s<>,;:"]+@[^\s<>,;:"@]+$/.test(to))
        throw new MailError("the recipient is no address", { permanent: true });
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        if (needsSmtpUtf8(to) && !(await offersSmtpUtf8(connection, signal))) {
          const reason = "the recipient's address needs SMTPUTF8, which the mail server doesn't offer";
          throw new MailError(reason, { permanent: true });
        }
        const { response } = await transporter.sendMail({
          from: { name: oneLine(from_name), address: from_address },
          to: { name: "", address: to },
          envelope: { from: from_address, to: [to] },
          messageId: `<${messageId}>`,
          headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
          ...(replyTo === undefined ? {} : { replyTo: { name: "", address: replyTo } }),
          subject: oneLine(subject),
          text,
          html,
          signal,
        });
        return { reply: quotable(response) };
      } catch (error) {
        if (error instanceof MailError) throw error;
        if (signal.aborted) throw new MailError("ETIMEDOUT", { permanent: false, cause: error });
        throw mailError(error);
      }
    },
    async close() {
      transporter.close();
    },
  };
}

/** A local part beyond ASCII (RFC 6531); a domain travels as its A-label. */
function needsSmtpUtf8(address: string): boolean {
  return /[^\p{ASCII}].*@/u.test(address);
}

/**
 * Asks the server on a connection of its own, for nodemailer would send such an address to any server, as bytes that mean
 * nothing there.
 */
function offersSmtpUtf8(options: SMTPConnection.Options, signal: AbortSignal): Promise<boolean> {
  const connection = new SMTPConnection(options);
  return new Promise<boolean>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    connection.on("error", reject);
    // Called after EHLO, which STARTTLS is followed by once more.
    connection.connect(() => resolve(/[ -]SMTPUTF8\b/i.test(connection.lastServerResponse || "")));
  }).finally(() => connection.close());
}

/** The start of a reply as it is stored. A server that quotes what it was sent must not get a mailed link into the records. */
export function quotable(reply: string): string {
  return reply
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replace(/\S*:\/\/\S*/g, "…")
    .trim()
    .slice(0, 200);
}

/** Names come from directories and upstreams; in a header they stay on one line. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

/** Steps whose refusal is about this mail, so that 5xx is final. Refused senders and credentials are ours to put right. */
const stepsAboutTheMail = ["RCPT TO", "DATA"];

function mailError(error: unknown): MailError {
  const { code, command, responseCode } = error as { code?: unknown; command?: unknown; responseCode?: unknown };
  const step = typeof command === "string" && command !== "API" ? ` at ${command}` : "";
  const reply = typeof responseCode === "number" ? `, the server answered ${responseCode}` : "";
  const isAboutTheMail = typeof responseCode === "number" && stepsAboutTheMail.includes(String(command));
  const isRefused = isAboutTheMail && responseCode >= 500;
  // Without a reply it is nodemailer that finds the address impossible, such as one that needs SMTPUTF8 where there is none.
  const isImpossible = code === "EENVELOPE" && responseCode === undefined;
  return new MailError(`${String(code ?? "EUNKNOWN")}${step}${reply}`, {
    permanent: isRefused || isImpossible,
    concerns: isAboutTheMail || isImpossible ? "mail" : "server",
    cause: error,
  });
}
