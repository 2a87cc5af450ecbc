/**
 * Delivers one mail to one recipient over SMTP. What mails say is rendering.ts's; why one isn't taken, in
 * words, is failures.ts's; when they are tried again is outbox-worker.ts's.
 */

import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { createTransport, type SendMailOptions } from "nodemailer";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { Milliseconds } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { domainOf, needsSmtpUtf8, withAsciiDomain } from "../domain/address.ts";
import { type AccessTokenSource, createAccessTokens } from "./access-tokens.ts";
import { type Attempt, failed, MailError, mailError } from "./failures.ts";
import { quotable } from "./quotable.ts";

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

/** Makes a pooled transport. Where the configuration asks for TLS, nothing is sent without it. */
export function createSmtpTransport(config: Config["mail"]): MailTransport {
  const { from_name, from_address, smtp } = config;
  const sender = { name: oneLine(from_name), address: withAsciiDomain(from_address) ?? from_address };
  const connection = connectionOf(config);
  const transporter = createTransport(
    {
      ...connection,
      pool: true,
      ...authenticationOf(smtp),
      ...dkimOf(config),
      maxConnections: smtp.max_connections,
      // The outbox decides when to try again, with what it knows of each message.
      maxRequeues: 0,
    },
    { disableFileAccess: true, disableUrlAccess: true },
  );

  return {
    async send(mail) {
      const { to, replyTo } = mail;
      const attempt: Attempt = {
        smtp,
        clientName: connection.name,
        byToken: Boolean(smtp.oauth2),
        needsSmtpUtf8: needsSmtpUtf8(to),
      };
      const recipient = recipientOf(to, attempt);
      const signal = AbortSignal.timeout(connection.socketTimeout);
      const answered = replyTo === undefined ? undefined : answerable(replyTo, attempt);
      try {
        if (attempt.needsSmtpUtf8 && !(await offersSmtpUtf8(connection, signal))) {
          throw failed("recipient_needs_smtputf8", attempt);
        }
        const message = messageOf(mail, { sender, recipient, answered });
        const { response } = await transporter.sendMail({ ...message, signal });
        return { reply: quotable(response) };
      } catch (error) {
        if (error instanceof MailError) throw error;
        throw await failureOf(error, attempt, connection, signal);
      }
    },
    async close() {
      transporter.close();
    },
  };
}

type Connection = ReturnType<typeof connectionOf>;

function connectionOf({ from_address, smtp }: Config["mail"]) {
  const timeoutMs: Milliseconds = smtp.timeout_seconds * 1000;
  // A phase that takes too long is told before the whole is: it says more.
  const phaseMs: Milliseconds = timeoutMs - Math.min(2000, timeoutMs / 5);
  return {
    host: smtp.host,
    port: smtp.port,
    name: smtp.client_name || domainOf(from_address),
    secure: smtp.security === "tls",
    requireTLS: smtp.security === "starttls",
    ignoreTLS: smtp.security === "none",
    tls: { minVersion: "TLSv1.2" as const },
    dnsTimeout: phaseMs,
    connectionTimeout: phaseMs,
    greetingTimeout: phaseMs,
    socketTimeout: timeoutMs,
  };
}

function dkimOf({ dkim }: Config["mail"]) {
  if (dkim === null) return {};
  return { dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.private_key } };
}

/**
 * The address that a mail is sent to. A line break or a list would be cleaned up by nodemailer, and the mail
 * would go to somebody else. @throws MailError
 */
function recipientOf(to: string, attempt: Attempt): string {
  const recipient = withAsciiDomain(to);
  if (recipient === undefined || !/^[^\s<>,;:"]+@[^\s<>,;:"@]+$/.test(to)) {
    throw failed("recipient_invalid", attempt);
  }
  return recipient;
}

interface Addresses {
  sender: { name: string; address: string };
  recipient: string;
  /** Who is answered to, if somebody else than the sender. */
  answered: string | undefined;
}

function messageOf(
  { messageId, subject, text, html }: Mail,
  { sender, recipient, answered }: Addresses,
): SendMailOptions {
  return {
    from: sender,
    to: { name: "", address: recipient },
    envelope: { from: sender.address, to: [recipient] },
    messageId: `<${messageId}>`,
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    ...(answered === undefined ? {} : { replyTo: { name: "", address: answered } }),
    subject: oneLine(subject),
    text,
    html,
  };
}

/** The reason, with a look at what really listens where nothing was said. */
async function failureOf(
  error: unknown,
  attempt: Attempt,
  connection: Connection,
  signal: AbortSignal,
): Promise<MailError> {
  if (signal.aborted) return failed("timeout", attempt, { cause: error });
  const failure = mailError(error, attempt);
  const isLost = failure.failure === "connection_lost";
  const isSilent = failure.failure === "no_greeting" || isLost;
  if (!connection.secure && isSilent && (await speaksTls(connection, signal))) {
    return failed("tls_from_the_start", attempt, { cause: error });
  }
  if (isLost && (await hangsUpOnEhlo(connection, attempt, signal))) {
    return failed("client_name_hung_up", attempt, { detail: "ECONNECTION at EHLO", cause: error });
  }
  return failure;
}

/** What nodemailer is to authenticate with: a password, or tokens that all connections share. */
function authenticationOf({ username, password, oauth2, timeout_seconds }: Config["mail"]["smtp"]) {
  if (username === null) return {};
  if (password !== null) return { auth: { user: username, pass: password } };
  if (!oauth2) return {};
  // Less than the delivery may take, of which it is a part.
  const accessToken = createAccessTokens(oauth2, Math.max(1, Math.floor(timeout_seconds * 0.8)));
  return { auth: { type: "OAuth2" as const, user: username, provisionCallback: provider(accessToken) } };
}

function provider(accessToken: AccessTokenSource) {
  type Done = (error: Error | null, token?: string) => void;
  return (_user: string, renew: boolean, done: Done) => {
    accessToken(renew).then(
      (token) => done(null, token),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
}

/**
 * The address for Reply-To. One beyond ASCII stands in a header only of mails that are sent as such (RFC
 * 6531, section 3.6): undefined where this one isn't, since a server may refuse the whole mail for it.
 */
function answerable(address: string, { needsSmtpUtf8: isSentSo }: Attempt): string | undefined {
  return needsSmtpUtf8(address) && !isSentSo ? undefined : withAsciiDomain(address);
}

/**
 * Asks the server on a connection of its own, for nodemailer would send such an address to any server, as
 * bytes that mean nothing there.
 */
function offersSmtpUtf8(options: SMTPConnection.Options, signal: AbortSignal): Promise<boolean> {
  const connection = new SMTPConnection(options);
  return new Promise<boolean>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    connection.on("error", reject);
    // Called after EHLO, which STARTTLS is followed by once more; with an error where the server hung up
    // before its greeting.
    connection.connect((error) => {
      if (error) reject(error);
      else resolve(/[ -]SMTPUTF8\b/i.test(connection.lastServerResponse || ""));
    });
  }).finally(() => connection.close());
}

/**
 * Whether the connection ends between our EHLO (or HELO, or the EHLO after STARTTLS) and its answer.
 * nodemailer's error doesn't say at which step that was: it is looked at once more, and nothing else is sent.
 */
function hangsUpOnEhlo(
  options: SMTPConnection.Options,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<boolean> {
  const connection = new SMTPConnection(options);
  return new Promise<boolean>((resolve) => {
    signal.addEventListener("abort", () => resolve(false), { once: true });
    if (signal.aborted) resolve(false);
    const look = (error: unknown) => {
      // What it said last: its greeting, that TLS may begin, or that it knows no EHLO.
      const isGreeted = /^(?:220|5\d\d)/.test(connection.lastServerResponse || "");
      resolve(isGreeted && mailError(error, attempt).failure === "connection_lost");
    };
    connection.on("error", look);
    connection.connect((error) => (error ? look(error) : resolve(false)));
  }).finally(() => connection.close());
}

/**
 * Whether what says nothing by itself answers a TLS handshake, whatever its certificate. Nothing else is
 * sent.
 */
async function speaksTls({ host, port }: Connection, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ host, port, ...servername, rejectUnauthorized: false }, () => resolve(true));
  const giveUp = () => resolve(false);
  // An alert is TLS, too.
  socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => resolve(/^ERR_SSL_.*ALERT/.test(code)));
  socket.on("close", giveUp);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return !signal.aborted && (await promise);
  } finally {
    signal.removeEventListener("abort", giveUp);
    socket.destroy();
  }
}

/** Names come from directories and upstreams; in a header they stay on one line. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}
