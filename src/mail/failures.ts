/**
 * Why a mail wasn't taken: a closed list of reasons, each in words that say what to do about it. They go to
 * the log, the outbox and whoever looks there. None of them quotes what a server said, for that may quote the
 * mail, or names its recipient.
 */

import type { Seconds } from "../clock.ts";
import type { Config } from "../config/schema.ts";

type Smtp = Config["mail"]["smtp"];

/** What was asked for when it failed. */
export interface Attempt {
  smtp: Pick<Smtp, "host" | "port" | "security"> & { timeout_seconds: Seconds };
  /** How we greet the server. */
  clientName: string;
  /** Whether the password's place is taken by an access token. */
  byToken: boolean;
  /** Whether the recipient's local part is beyond ASCII (RFC 6531). */
  needsSmtpUtf8: boolean;
}

const serverAt = ({ smtp: { host, port } }: Attempt) => `${host}:${port}`;

const where = "correct mail.smtp.host and port";
const security = "mail.smtp.security";
const credentials = "mail.smtp.username and password (or oauth2)";
const trusting = "trust it by NODE_EXTRA_CA_CERTS";

/** What is wrong with all that is sent through this server, and with this one mail. */
const texts = {
  host_unknown: ({ smtp }) => `the DNS knows no ${smtp.host}: correct mail.smtp.host`,
  dns_unanswered: ({ smtp }) => `the DNS doesn't say where ${smtp.host} is: let this machine ask it`,
  connection_refused: (of) => `${serverAt(of)} refused the connection, nothing listens there: ${where}`,
  unreachable: (of) => `${serverAt(of)} can't be reached from here: look at routes and firewalls`,
  connect_timeout: (of) =>
    `${serverAt(of)} didn't take the connection in time: look for a firewall between, or ${where}`,
  no_greeting: (of) => `${serverAt(of)} took the connection and said nothing: it is busy, or no mail server`,
  not_a_mail_server: (of) => `what listens at ${serverAt(of)} is no mail server: ${where}`,
  tls_from_the_start: (of) =>
    `wrong port: ${serverAt(of)} speaks TLS from the first byte: set ${security} to tls, or another port`,
  no_tls_spoken: (of) =>
    of.smtp.security === "tls"
      ? `wrong port: ${serverAt(of)} speaks no TLS at first: set ${security} to starttls, or another port`
      : `${serverAt(of)} agreed to STARTTLS and went on without TLS: put that server right`,
  starttls_refused: (of) =>
    `${serverAt(of)} doesn't offer STARTTLS, or refused it: use a port that does, or one for ${security} tls`,
  tls_version: (of) => `${serverAt(of)} has no TLS version in common with us: enable TLS 1.2 or 1.3 there`,
  tls_handshake: (of) => `the TLS handshake with ${serverAt(of)} failed: look at its ciphers and certificate`,
  tls_unanswered: (of) =>
    `${serverAt(of)} hung up or fell silent in the TLS handshake: it may speak no TLS at that port`,
  certificate_expired: (of) => `the certificate of ${serverAt(of)} has expired: renew it there`,
  certificate_not_yet_valid: (of) =>
    `the certificate of ${serverAt(of)} isn't valid yet: look at the clock here and there`,
  certificate_self_signed: (of) =>
    `the certificate of ${serverAt(of)} is self-signed: get one of a known authority, or ${trusting}`,
  certificate_unknown_issuer: (of) =>
    `the issuer of the certificate of ${serverAt(of)} is unknown: let it send the chain, or ${trusting}`,
  certificate_name_mismatch: ({ smtp }) =>
    `the certificate's name doesn't match ${smtp.host}: set mail.smtp.host to a name that it is for`,
  certificate_refused: (of) => `the certificate of ${serverAt(of)} can't be trusted: replace it there`,
  greeting_refused: (of) =>
    `greeting refused: ${serverAt(of)} takes no connection from here: it is busy, or must be told to`,
  client_name_refused: (of) =>
    `greeting refused: ${serverAt(of)} takes no EHLO ${of.clientName}: set mail.smtp.client_name to our ` +
    "name in the DNS",
  client_name_hung_up: (of) =>
    `${serverAt(of)} hung up on our EHLO ${of.clientName}: set mail.smtp.client_name to our name in the DNS`,
  authentication_required: (of) =>
    `${serverAt(of)} wants authentication or TLS first: set ${credentials}, and ${security}`,
  authentication_refused: (of) =>
    of.byToken
      ? `authentication refused: ${serverAt(of)} takes no access token for mail.smtp.username: look at ` +
        "its rights there"
      : `authentication refused: ${serverAt(of)} doesn't take mail.smtp's password: correct ${credentials}`,
  access_token_refused: () =>
    "authentication refused: mail.smtp.oauth2.token_endpoint gives no access token: look at client and " +
    "grant there",
  access_token_unavailable: () =>
    "mail.smtp.oauth2.token_endpoint gave no usable answer: see that it can be reached and is the right one",
  sender_refused: (of) => `${serverAt(of)} refuses mail.from_address as sender: allow it there`,
  relay_refused: (of) =>
    `${serverAt(of)} takes no mail from us: look at our relay rights, ${credentials}, and ` +
    "mail.smtp.client_name",
  command_refused: (of) =>
    `${serverAt(of)} refused what we said, maybe EHLO ${of.clientName}: set mail.smtp.client_name to our ` +
    "name in the DNS",
  sender_deferred: (of) => `${serverAt(of)} takes no mail from us for now`,
  server_closing: (of) => `${serverAt(of)} is about to close: it is busy or restarts`,
  connection_lost: (of) => `${serverAt(of)} hung up in the middle`,
  timeout: (of) =>
    `${serverAt(of)} didn't answer within ${of.smtp.timeout_seconds} seconds (mail.smtp.timeout_seconds)`,
  unexpected_answer: (of) => `${serverAt(of)} answered with what isn't SMTP`,
  unknown: (of) => `the delivery to ${serverAt(of)} failed`,
  recipient_invalid: () => "the recipient is no address that mail could go to: correct it",
  recipient_refused: () => "the server refused the recipient for good: correct the address, or let it relay",
  recipient_deferred: () => "the server puts the recipient off for now",
  recipient_needs_smtputf8: () =>
    "the recipient's address needs SMTPUTF8, which the mail server doesn't offer: register one in ASCII",
  content_refused: () => "the server refused the mail's content for good",
  content_deferred: () => "the server puts the mail's content off for now",
  too_large: () => "the mail is larger than the server takes: raise its limit",
} satisfies Record<string, (attempt: Attempt) => string>;

export type MailFailure = keyof typeof texts;

/** Of which another mail may be free. */
const aboutTheMail: ReadonlySet<MailFailure> = new Set<MailFailure>([
  "recipient_invalid",
  "recipient_refused",
  "recipient_deferred",
  "recipient_needs_smtputf8",
  "content_refused",
  "content_deferred",
  "too_large",
]);

/**
 * Said of a recipient where servers put refusals of the client off until then: one of them alone doesn't tell
 * which it is.
 */
const aboutEither: ReadonlySet<MailFailure> = new Set<MailFailure>(["relay_refused", "command_refused"]);

/**
 * What no second try mends. Refused senders, names and credentials are ours to put right: the mail waits for
 * it.
 */
const final: ReadonlySet<MailFailure> = new Set<MailFailure>([
  "recipient_invalid",
  "recipient_refused",
  "recipient_needs_smtputf8",
  "content_refused",
  "too_large",
]);

/** Why a mail was not taken. The message is in the words of the reason, with the code of what happened. */
export class MailError extends Error {
  readonly failure: MailFailure;
  /** Whether trying again is pointless. */
  readonly permanent: boolean;
  /** What was refused: this one mail, all that is sent through this server, or either of them. */
  readonly concerns: "mail" | "server" | "either";

  constructor(failure: MailFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MailError";
    this.failure = failure;
    this.permanent = final.has(failure);
    this.concerns = aboutTheMail.has(failure) ? "mail" : aboutEither.has(failure) ? "either" : "server";
  }
}

/** A failure in its words. @param detail codes alone, such as "550 5.1.1 at RCPT TO" */
export function failed(
  failure: MailFailure,
  attempt: Attempt,
  { detail, cause }: { detail?: string; cause?: unknown } = {},
): MailError {
  const text = texts[failure](attempt);
  return new MailError(failure, detail === undefined ? text : `${text} (${detail})`, { cause });
}

/** What nodemailer's errors say, beside their message, which may quote the server. */
interface SmtpFailure {
  code: string;
  /** Of the system or of OpenSSL. */
  originalCode: string;
  /** The step: `CONN`, `EHLO`, `MAIL FROM`, … */
  command: string;
  timeoutType: string;
  /** The reply's code (RFC 5321, section 4.2.1) and its enhanced one (RFC 3463), where there was a reply. */
  reply: number | undefined;
  enhanced: string | undefined;
  /** Whether there was an answer that is no reply. */
  isNonsense: boolean;
  /** Whether the connection ended within the TLS handshake; Node has no code for it. */
  isBeforeTls: boolean;
  /** What an access token's failure says of itself. */
  detail: string;
}

/** From what nodemailer throws to its reason. */
export function mailError(error: unknown, attempt: Attempt): MailError {
  const seen = readError(error);
  return failed(failureOf(seen, attempt), attempt, { detail: detailOf(seen), cause: error });
}

function readError(error: unknown): SmtpFailure {
  const given = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof given[name] === "string" ? given[name] : "");
  const [, reply, enhanced] = /^([2-5]\d\d)(?:[ -]([245]\.\d{1,3}\.\d{1,3})\b)?/.exec(text("response")) ?? [];
  return {
    code: text("code"),
    originalCode: text("originalCode"),
    command: text("command"),
    timeoutType: text("timeoutType"),
    reply: reply === undefined ? undefined : Number(reply),
    enhanced,
    isNonsense: text("response") !== "" && reply === undefined,
    isBeforeTls: text("message").includes("before secure TLS connection"),
    detail: text("detail"),
  };
}

function detailOf({ code, originalCode, command, reply, enhanced, detail }: SmtpFailure): string {
  if (detail !== "") return detail;
  const answered = [reply, enhanced].filter((one) => one !== undefined).join(" ");
  const step = command === "" || command === "API" || command === "CONN" ? "" : ` at ${command}`;
  return `${answered || originalCode || code || "EUNKNOWN"}${step}`;
}

function failureOf(seen: SmtpFailure, attempt: Attempt): MailFailure {
  const { code, command, reply } = seen;
  if (code === "EDNS")
    return /NOTFOUND|NODATA|NONAME/.test(seen.originalCode) ? "host_unknown" : "dns_unanswered";
  if (command === "STARTTLS") return "starttls_refused";
  if (code === "ETIMEDOUT") return timeouts[seen.timeoutType] ?? "timeout";
  if (seen.isBeforeTls) return "tls_unanswered";
  const socketFailure = socketFailureOf(seen.originalCode);
  if (socketFailure !== undefined) return socketFailure;
  if (code === "ETLS") return "tls_unanswered";
  if (command === "EHLO" || command === "HELO")
    return reply === 421 ? "server_closing" : "client_name_refused";
  if (reply === 530) return "authentication_required";
  if (code === "EAUTH")
    return tokenFailures.find((failure) => failure === seen.originalCode) ?? "authentication_refused";
  if (code === "EENVELOPE" || code === "EMESSAGE") return aboutEnvelope(seen, attempt);
  if (reply === 421 && code === "ECONNECTION") return "server_closing";
  if (code === "EPROTOCOL" && command === "CONN") return greetingFailureOf(seen);
  if (code === "ECONNECTION" || code === "ESOCKET") return "connection_lost";
  return code === "EPROTOCOL" ? "unexpected_answer" : "unknown";
}

/** What access-tokens.ts throws. */
const tokenFailures = ["access_token_refused", "access_token_unavailable"] as const;

/** What nodemailer calls the phases that took too long. */
const timeouts: Readonly<Record<string, MailFailure>> = {
  CONNECT_TIMEOUT: "connect_timeout",
  GREETING_TIMEOUT: "no_greeting",
  UPGRADE_TIMEOUT: "tls_unanswered",
  SOCKET_TIMEOUT: "timeout",
};

/** By the codes of the system, of Node's TLS and of OpenSSL's verification and handshake. */
const socketFailures: readonly [RegExp, MailFailure][] = [
  [/^ECONNREFUSED$/, "connection_refused"],
  [/^(?:EHOST|ENET)(?:UNREACH|DOWN)$|^EADDRNOTAVAIL$|^EACCES$|^EPERM$/, "unreachable"],
  [/^ETIMEDOUT$/, "connect_timeout"],
  [/^ECONNRESET$|^EPIPE$/, "connection_lost"],
  [/^CERT_HAS_EXPIRED$/, "certificate_expired"],
  [/^CERT_NOT_YET_VALID$/, "certificate_not_yet_valid"],
  [/^(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_IN_CHAIN)?$/, "certificate_self_signed"],
  [/^UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF)/, "certificate_unknown_issuer"],
  [/^ERR_TLS_CERT_ALTNAME/, "certificate_name_mismatch"],
  [/^CERT_|CRL|INVALID_(?:CA|PURPOSE)|PATH_LENGTH|HOSTNAME_MISMATCH/, "certificate_refused"],
  [
    /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE)$/,
    "no_tls_spoken",
  ],
  [
    /^ERR_SSL_.*(?:PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|VERSION_TOO_LOW)/,
    "tls_version",
  ],
  [/^ERR_SSL_|^ERR_TLS_|^EPROTO$/, "tls_handshake"],
];

function socketFailureOf(originalCode: string): MailFailure | undefined {
  return socketFailures.find(([pattern]) => pattern.test(originalCode))?.[1];
}

/** Before anything was asked of the server: an answer without a reply's code comes from no mail server. */
function greetingFailureOf({ reply }: SmtpFailure): MailFailure {
  if (reply === undefined) return "not_a_mail_server";
  return reply >= 400 ? "greeting_refused" : "unexpected_answer";
}

function aboutEnvelope(seen: SmtpFailure, attempt: Attempt): MailFailure {
  const { command, reply, enhanced, code } = seen;
  if (seen.isNonsense) return "unexpected_answer";
  // Without a reply it is nodemailer that refuses: the mail for its size, or the address.
  if (reply === undefined) return code === "EMESSAGE" ? "too_large" : "recipient_invalid";
  const isFinal = reply >= 500;
  if (isFinal && attempt.needsSmtpUtf8 && command !== "DATA" && (enhanced === "5.6.7" || reply === 555)) {
    return "recipient_needs_smtputf8";
  }
  if (reply === 421) return "server_closing";
  if (command === "MAIL FROM") {
    if (isFinal && (reply === 552 || enhanced === "5.3.4")) return "too_large";
    return isFinal ? "sender_refused" : "sender_deferred";
  }
  if (command === "RCPT TO") return isFinal ? refusedAtRecipient(reply, enhanced) : "recipient_deferred";
  return isFinal ? "content_refused" : "content_deferred";
}

/**
 * Servers say here, too, what they hold against the client, its EHLO and the sender (Postfix by default:
 * smtpd_delay_reject). The enhanced code tells it from what they hold against the recipient (RFC 3463,
 * section 3).
 */
function refusedAtRecipient(reply: number, enhanced: string | undefined): MailFailure {
  if (enhanced === "5.1.7" || enhanced === "5.1.8") return "sender_refused";
  if (enhanced?.startsWith("5.7.")) return "relay_refused";
  if (enhanced?.startsWith("5.5.")) return "command_refused";
  const isAboutTheRecipient = /^5\.[12]\./.test(enhanced ?? "");
  return reply >= 501 && reply <= 504 && !isAboutTheRecipient ? "command_refused" : "recipient_refused";
}
