/**
 * What servers offer and how they refuse where they offer it: dialogues of a real SMTP server that the
 * transport must follow.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, it } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { MailFailure } from "../../src/mail/failures.ts";
import { aLetter, failureOf, sendOnce, transportTo } from "../support/smtp-transport.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Served {
  port: number;
  /** The mails that it took. */
  mails: string[];
}

/** An SMTP server that offers PIPELINING, as nearly all do, and no TLS. */
async function serve(options: SMTPServerOptions = {}): Promise<Served> {
  const served: Served = { port: 0, mails: [] };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    logger: false,
    onData: (stream, _session, done) => {
      let text = "";
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on("end", () => {
        served.mails.push(text);
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  served.port = (listening.address() as AddressInfo).port;
  closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return served;
}

const refusal = (responseCode: number, text: string) => Object.assign(new Error(text), { responseCode });

describe("authentication", () => {
  const login = { username: "liaison", password: "the-password" };
  for (const method of ["LOGIN", "CRAM-MD5"] as const) {
    it(`by AUTH ${method} where the server knows no other`, async () => {
      const shown: unknown[] = [];
      const { port, mails } = await serve({
        authMethods: [method],
        onAuth: ({ username, password, validatePassword }, _session, done) => {
          shown.push(username, password ?? validatePassword("the-password"));
          done(null, { user: username });
        },
      });
      await sendOnce(port, { smtp: login });
      assert.deepEqual(shown, ["liaison", method === "LOGIN" ? "the-password" : true]);
      assert.equal(mails.length, 1);
    });

    it(`a wrong password at AUTH ${method}: kept; neither it nor what the server says is told`, async () => {
      const { port, mails } = await serve({
        authMethods: [method],
        onAuth: (_auth, _session, done) =>
          done(refusal(535, "5.7.8 no, the-password is wrong, ann@customer.example")),
      });
      const error = await failureOf(sendOnce(port, { smtp: login }));
      assert.deepEqual(
        [error.failure, error.permanent, error.concerns],
        ["authentication_refused", false, "server"],
      );
      assert.match(error.message, /correct mail\.smtp\.username and password.*535 5\.7\.8/);
      assert.doesNotMatch(error.message, /the-password|ann/);
      assert.deepEqual(mails, []);
    });
  }
});

it("a server that knows no EHLO is greeted by HELO, and takes the mail", async () => {
  const { port, mails } = await serve({ disabledCommands: ["EHLO", "STARTTLS"] });
  await sendOnce(port);
  assert.equal(mails.length, 1);
});

describe("a server that takes several commands at once (PIPELINING) and refuses one of them", () => {
  const sender = {
    onMailFrom: (_: unknown, __: unknown, done: Refuse) => done(refusal(550, "5.7.60 not you")),
  };
  const greylisting = {
    onRcptTo: (_: unknown, __: unknown, done: Refuse) => done(refusal(451, "4.7.1 Greylisted")),
  };
  const nobody = { onRcptTo: (_: unknown, __: unknown, done: Refuse) => done(refusal(550, "5.1.1 nobody")) };
  type Refuse = (error: Error) => void;
  const cases: [MailFailure, SMTPServerOptions, permanent: boolean, words: RegExp][] = [
    ["sender_refused", sender, false, /550 5\.7\.60 at MAIL FROM/],
    ["recipient_deferred", greylisting, false, /451 4\.7\.1 at RCPT TO/],
    ["recipient_refused", nobody, true, /550 5\.1\.1 at RCPT TO/],
  ];
  for (const [failure, options, permanent, words] of cases) {
    it(`${failure}: the first refusal is told, the next mail goes over the same connection`, async () => {
      const connections = new Set<string>();
      let isRefusing = true;
      const [name, refuse] = Object.entries(options)[0] as [string, (...all: unknown[]) => void];
      const { port, mails } = await serve({
        [name]: (of: unknown, session: { id: string }, done: (error?: Error) => void) => {
          connections.add(session.id);
          if (isRefusing) refuse(of, session, done);
          else done();
        },
      });
      const transport = transportTo(port, { smtp: { max_connections: 1 } });
      try {
        const error = await failureOf(transport.send(aLetter));
        assert.deepEqual([error.failure, error.permanent], [failure, permanent], error.message);
        assert.match(error.message, words);
        assert.deepEqual(mails, []);
        isRefusing = false;
        await transport.send(aLetter);
        assert.equal(mails.length, 1);
        assert.equal(connections.size, 1);
      } finally {
        await transport.close();
      }
    });
  }

  it("and says 354 all the same: nothing of the mail is sent after the refusal", async () => {
    let heard = "";
    const server = createServer((socket) => {
      let isContent = false;
      socket.setEncoding("latin1").write("220 mx.example ESMTP\r\n");
      socket.on("error", () => {});
      socket.on("data", (text: string) => {
        for (const line of text.split("\r\n").slice(0, -1)) {
          heard += `${line}\n`;
          if (isContent) {
            if (line !== ".") continue;
            isContent = false;
            socket.write("250 2.0.0 queued\r\n");
          } else if (line.startsWith("EHLO")) socket.write("250-mx.example\r\n250 PIPELINING\r\n");
          else if (line.startsWith("RCPT")) socket.write("451 4.7.1 Greylisted\r\n");
          else if (line === "DATA") {
            isContent = true;
            socket.write("354 go\r\n");
          } else socket.write("250 ok\r\n");
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => void server.close());
    const error = await failureOf(sendOnce((server.address() as AddressInfo).port));
    assert.equal(error.failure, "recipient_deferred", error.message);
    assert.match(heard, /^RCPT TO/m);
    assert.doesNotMatch(heard, /Link your profile|Subject|id\.example/);
  });
});
