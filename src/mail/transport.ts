/**
 * Delivers one mail to one recipient over SMTP. What mails say is messages.ts's; when they are tried again is
 * outbox-worker.ts's.
 */

import { createTransport } from "nodemailer";
import type { Config } from "../config/schema.ts";

export interface Mail {
  /** RFC 5322 Message-ID without angle brackets. */
  messageId: string;
  /** One address; never a list. */
  to: string;
  subject: string;
  text: string;
  html: string;
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

  constructor(message: string, options: { permanent: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "MailError";
    this.permanent = options.permanent;
  }
}

/** Makes a pooled transport. Where the configuration asks for TLS, nothing is sent without it. */
export function createSmtpTransport({ from_name, from_address, smtp }: Config["mail"]): MailTransport {
  const timeoutMs = smtp.timeout_seconds * 1000;
  const isTls = smtp.security === "tls";
  const transporter = createTransport(
    {
      pool: true,
      host: smtp.host,
      port: smtp.port,
      secure: isTls,
      requireTLS: smtp.security === "starttls",
      ignoreTLS: smtp.security === "none",
      tls: { minVersion: "TLSv1.2" },
      ...(smtp.username === null || smtp.password === null
        ? {}
        : { auth: { user: smtp.username, pass: smtp.password } }),
      maxConnections: smtp.max_connections,
      // The outbox decides when to try again, with what it knows of each message.
      maxRequeues: 0,
      dnsTimeout: timeoutMs,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
    },
    { disableFileAccess: true, disableUrlAccess: true },
  );

  return {
    async send({ messageId, to, subject, text, html }) {
      // A line break or a list would be cleaned up by nodemailer, and the mail would go to somebody else.
      if (!/^[^\s<>,;:"]+@[^\s<>,;:"@]+$/.test(to))
        throw new MailError("the recipient is no address", { permanent: true });
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const { response } = await transporter.sendMail({
          from: { name: oneLine(from_name), address: from_address },
          to: { name: "", address: to },
          envelope: { from: from_address, to: [to] },
          messageId: `<${messageId}>`,
          headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
          subject: oneLine(subject),
          text,
          html,
          signal,
        });
        return { reply: response.slice(0, 200) };
      } catch (error) {
        if (signal.aborted) throw new MailError("ETIMEDOUT", { permanent: false, cause: error });
        throw mailError(error);
      }
    },
    async close() {
      transporter.close();
    },
  };
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
  const isRefused =
    typeof responseCode === "number" && responseCode >= 500 && stepsAboutTheMail.includes(String(command));
  // Without a reply it is nodemailer that finds the address impossible, such as one that needs SMTPUTF8 where there is none.
  const isImpossible = code === "EENVELOPE" && responseCode === undefined;
  return new MailError(`${String(code ?? "EUNKNOWN")}${step}${reply}`, {
    permanent: isRefused || isImpossible,
    cause: error,
  });
}
