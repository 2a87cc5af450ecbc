/** Why a mail isn't taken, told apart: real servers that are wrong in one way each. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import tls, { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { MailFailure } from "../../src/mail/failures.ts";
import { type BadSmtp, honest, type Misdeed, type SmtpStep, startBadSmtp } from "../support/bad-smtp.ts";
import { certificate, privateKey } from "../support/certificate.ts";
import {
  expiredCertificate,
  flawedKey,
  foreignCertificate,
  futureCertificate,
  orphanCertificate,
} from "../support/flawed-certificates.ts";
import { freePort } from "../support/free-port.ts";
import { failureOf, sendOnce, type TransportSettings } from "../support/smtp-transport.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Listens on loopback and speaks as it is told. */
async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A mail server that speaks TLS from its first byte. */
async function overTls(options: tls.TlsOptions): Promise<number> {
  const server = tls.createServer(options, (socket) => {
    socket.on("error", () => {});
    socket.write("220 mx.example ESMTP\r\n");
  });
  server.on("tlsClientError", () => {});
  return await listen(server);
}

const says = (text: string) => listen(createServer((socket) => void socket.write(text)));
const silence = () => listen(createServer(() => {}));

const secure = (security: "tls" | "starttls" | "none", more: object = {}): TransportSettings => ({
  smtp: { security, timeout_seconds: 2, ...more },
});

async function isToldAs(failure: MailFailure, port: number, settings: TransportSettings, words: RegExp) {
  const error = await failureOf(sendOnce(port, settings));
  assert.equal(error.failure, failure, error.message);
  assert.match(error.message, words);
  assert.doesNotMatch(error.message, /ann|customer/);
  assert.ok(error.message.length < 300, error.message);
  return error;
}

describe("a server that can't be reached", () => {
  it("refuses, isn't known to the DNS, or says nothing", async () => {
    await isToldAs(
      "connection_refused",
      await freePort(),
      secure("starttls"),
      /nothing listens there.*ECONNREFUSED/,
    );
    const nowhere = secure("tls", { host: "mail.invalid" });
    const error = await failureOf(sendOnce(587, nowhere));
    assert.match(error.failure, /^(host_unknown|dns_unanswered)$/);
    assert.match(error.message, /DNS.*mail\.invalid/);
    await isToldAs("no_greeting", await silence(), secure("none"), /said nothing/);
  });

  it("is no mail server at all", async () => {
    for (const greeting of [
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "* OK IMAP4rev1 ready\r\n",
      "+OK POP3 ready\r\n",
    ]) {
      await isToldAs("not_a_mail_server", await says(greeting), secure("none"), /is no mail server/);
    }
    await isToldAs(
      "no_tls_spoken",
      await says("HTTP/1.1 400 Bad Request\r\n\r\n"),
      secure("tls"),
      /wrong port/,
    );
  });
});

describe("a port for the other kind of TLS", () => {
  it("speaks plainly where TLS was expected", async () => {
    const plain = await says("220 mx.example ESMTP\r\n");
    await isToldAs("no_tls_spoken", plain, secure("tls"), /wrong port.*security to starttls/);
  });

  it("speaks TLS where a greeting was expected, whatever its certificate", async () => {
    const port = await overTls({ key: privateKey, cert: certificate });
    for (const security of ["starttls", "none"] as const) {
      await isToldAs("tls_from_the_start", port, secure(security), /wrong port.*security to tls/);
    }
    const old = await overTls({ key: privateKey, cert: certificate, ...nothingNewerThan("TLSv1.1") });
    await isToldAs("tls_from_the_start", old, secure("starttls"), /wrong port/);
    const impatient = await overTls({ key: privateKey, cert: certificate, handshakeTimeout: 300 });
    await isToldAs("tls_from_the_start", impatient, secure("starttls"), /wrong port/);
  });

  it("hangs up at a handshake", async () => {
    const port = await listen(createServer((socket) => void socket.end()));
    await isToldAs("tls_unanswered", port, secure("tls"), /may speak no TLS/);
  });
});

const nothingNewerThan = (maxVersion: tls.SecureVersion) =>
  ({ minVersion: "TLSv1", maxVersion, ciphers: "DEFAULT@SECLEVEL=0" }) as const;

describe("TLS that fails", () => {
  const trusted = getCACertificates("default");
  after(() => setDefaultCACertificates(trusted));
  const trust = (...more: string[]) => setDefaultCACertificates([...trusted, ...more]);

  /** What is shown, who is trusted, and by what name the server is called. */
  const certificates: [MailFailure, cert: string, trustedToo: string[], words: RegExp][] = [
    ["certificate_self_signed", certificate, [], /self-signed/],
    ["certificate_expired", expiredCertificate, [expiredCertificate], /has expired/],
    ["certificate_not_yet_valid", futureCertificate, [futureCertificate], /isn't valid yet/],
    ["certificate_unknown_issuer", orphanCertificate, [], /issuer.*is unknown/],
    ["certificate_name_mismatch", foreignCertificate, [foreignCertificate], /name doesn't match localhost/],
  ];
  for (const [failure, cert, trustedToo, words] of certificates) {
    it(`${failure}, from the first byte and after STARTTLS`, async () => {
      trust(...trustedToo);
      const key = cert === certificate ? privateKey : flawedKey;
      await isToldAs(failure, await overTls({ key, cert }), secure("tls"), words);
      const smtp = await startBadSmtp({ key, cert });
      closing.push(() => smtp.close());
      smtp.offers = ["STARTTLS"];
      const error = await isToldAs(failure, smtp.port, secure("starttls"), words);
      assert.deepEqual([error.permanent, error.concerns], [false, "server"]);
    });
  }

  it("has no version or no cipher in common", async () => {
    trust(certificate);
    const old = await overTls({ key: privateKey, cert: certificate, ...nothingNewerThan("TLSv1.1") });
    await isToldAs("tls_version", old, secure("tls"), /TLS 1\.2 or 1\.3/);
    const odd = { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" } as const;
    await isToldAs(
      "tls_handshake",
      await overTls({ key: privateKey, cert: certificate, ...odd }),
      secure("tls"),
      /ciphers/,
    );
  });

  it("isn't offered, is refused, or ends in plain text", async () => {
    const smtp = await startBadSmtp({ key: privateKey, cert: certificate });
    closing.push(() => smtp.close());
    await refusing(smtp, "STARTTLS", { say: "502 5.5.1 unknown command" });
    await isToldAs(
      "starttls_refused",
      smtp.port,
      secure("starttls"),
      /doesn't offer STARTTLS.*502 5\.5\.1 at STARTTLS/,
    );
    smtp.offers = ["STARTTLS"];
    await refusing(smtp, "STARTTLS", { say: "454 4.7.0 TLS not available" });
    await isToldAs("starttls_refused", smtp.port, secure("starttls"), /454 4\.7\.0/);
    await refusing(smtp, "STARTTLS", "garbage");
    await isToldAs("tls_unanswered", smtp.port, secure("starttls"), /fell silent in the TLS handshake/);
    const forgetful = createServer((socket) => {
      const replies = ["250-mx.example\r\n250 STARTTLS\r\n", "220 go ahead\r\n", "500 what?\r\n"];
      // Whoever gives up on it may reset the connection.
      socket.on("error", () => {});
      socket.write("220 mx.example ESMTP\r\n");
      socket.on("data", () => socket.write(replies.shift() ?? "500 what?\r\n"));
    });
    await isToldAs("no_tls_spoken", await listen(forgetful), secure("starttls"), /agreed to STARTTLS/);
    await refusing(smtp, "STARTTLS", "hang");
    await isToldAs("timeout", smtp.port, secure("starttls"), /didn't answer within 2 seconds/);
  });
});

async function refusing(smtp: BadSmtp, at: SmtpStep, misdeed: Misdeed): Promise<void> {
  smtp.hangUp();
  smtp.behaviour = (step) => (step === at ? misdeed : undefined);
}

describe("a server that refuses", () => {
  let smtp: BadSmtp;
  before(async () => {
    smtp = await startBadSmtp();
  });
  after(() => smtp.close());
  afterEach(() => {
    smtp.behaviour = honest;
    smtp.offers = ["8BITMIME"];
  });

  const quoted = "ann@customer.example http://block.example/x?mail=secret";
  const login = { username: "liaison", password: "the-password" };
  const cases: [MailFailure, step: SmtpStep, says: string, end: "kept" | "given up", words: RegExp][] = [
    ["greeting_refused", "connect", `554 5.7.1 ${quoted}`, "kept", /greeting refused: .*\(554 5\.7\.1\)/],
    ["greeting_refused", "connect", "421 4.3.2 too many", "kept", /busy.*421/],
    [
      "server_closing",
      "EHLO",
      "421 4.7.0 Try again later",
      "kept",
      /busy or restarts \(421 4\.7\.0 at EHLO\)/,
    ],
    ["client_name_refused", "EHLO", "502 unknown", "kept", /EHLO contoso\.example.*client_name/],
    ["authentication_refused", "AUTH", `535 5.7.8 ${quoted}`, "kept", /authentication refused.*535 5\.7\.8/],
    ["authentication_refused", "AUTH", "504 5.7.4 unrecognized", "kept", /oauth2/],
    [
      "authentication_required",
      "MAIL",
      "530 5.7.0 Authentication required",
      "kept",
      /wants authentication or TLS/,
    ],
    [
      "authentication_required",
      "RCPT",
      "530 5.7.0 Authentication required",
      "kept",
      /wants authentication or TLS/,
    ],
    ["sender_refused", "MAIL", `550 5.7.60 ${quoted}`, "kept", /from_address.*550 5\.7\.60 at MAIL FROM/],
    ["sender_deferred", "MAIL", "451 4.3.0 later", "kept", /for now/],
    ["too_large", "MAIL", "552 5.3.4 too big", "given up", /larger/],
    [
      "recipient_deferred",
      "RCPT",
      `451 4.7.1 Greylisted ${quoted}`,
      "kept",
      /puts the recipient off.*451 4\.7\.1/,
    ],
    [
      "recipient_refused",
      "RCPT",
      `550 5.1.1 ${quoted}`,
      "given up",
      /correct the address.*550 5\.1\.1 at RCPT TO/,
    ],
    [
      "recipient_refused",
      "RCPT",
      "501 5.1.3 Bad recipient address syntax",
      "given up",
      /correct the address/,
    ],
    ["recipient_refused", "RCPT", "554 5.2.1 Mailbox disabled", "given up", /correct the address/],
    ["recipient_refused", "RCPT", "550 No such user", "given up", /correct the address/],
    ["sender_refused", "RCPT", "550 5.1.7 Bad sender's address", "kept", /from_address.*at RCPT TO/],
    ["sender_refused", "RCPT", "550 5.1.8 Sender address rejected", "kept", /from_address.*at RCPT TO/],
    [
      "command_refused",
      "RCPT",
      "504 5.5.2 <x>: Helo command rejected",
      "kept",
      /EHLO contoso\.example.*client_name/,
    ],
    ["command_refused", "RCPT", "550 5.5.0 Helo command rejected", "kept", /client_name/],
    ["command_refused", "RCPT", "501 Helo command rejected", "kept", /client_name.*501 at RCPT TO/],
    [
      "relay_refused",
      "RCPT",
      "550 5.7.1 Authentication required",
      "kept",
      /no mail from us.*relay.*username/,
    ],
    ["relay_refused", "RCPT", `554 5.7.1 Relay access denied ${quoted}`, "kept", /relay rights.*554 5\.7\.1/],
    ["relay_refused", "RCPT", "554 5.7.1 Client host blocked", "kept", /client_name/],
    ["server_closing", "RCPT", "421 4.3.2 closing", "kept", /about to close/],
    ["content_refused", "content", `554 5.7.1 spam ${quoted}`, "given up", /content.*554 5\.7\.1/],
    ["content_deferred", "content", "452 4.2.2 full", "kept", /for now/],
    ["unexpected_answer", "content", "what?", "kept", /isn't SMTP/],
    ["unexpected_answer", "RCPT", "what?", "kept", /isn't SMTP/],
  ];
  for (const [failure, step, reply, end, words] of cases) {
    it(`at ${step} by "${reply.slice(0, 24)}": ${failure}, ${end}`, async () => {
      smtp.offers = ["8BITMIME", "AUTH LOGIN PLAIN"];
      await refusing(smtp, step, { say: reply });
      const error = await isToldAs(failure, smtp.port, secure("none", step === "AUTH" ? login : {}), words);
      assert.equal(error.permanent, end === "given up");
      assert.doesNotMatch(error.message, /block\.example|secret|the-password/);
    });
  }

  it("says of refusals at RCPT TO whether they may be about us", async () => {
    const replies = {
      "554 5.7.1 Relay access denied": "either",
      "550 5.1.1 unknown": "mail",
      "550 5.1.8 who?": "server",
    };
    for (const [reply, concerns] of Object.entries(replies)) {
      await refusing(smtp, "RCPT", { say: reply });
      assert.equal((await failureOf(sendOnce(smtp.port, secure("none")))).concerns, concerns, reply);
    }
  });

  it("hangs up after the content: kept", async () => {
    await refusing(smtp, "content", "drop");
    const error = await isToldAs("connection_lost", smtp.port, secure("none"), /hung up in the middle/);
    assert.deepEqual([error.permanent, error.concerns], [false, "server"]);
  });
});
