/** What leaves over SMTP, against a real server; cases M2, M3 and M5 among them. */

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import tls from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { Config } from "../../src/config/schema.ts";
import { MailError } from "../../src/mail/failures.ts";
import type { Mail } from "../../src/mail/transport.ts";
import { certificate, privateKey } from "../support/certificate.ts";
import { transportTo } from "../support/smtp-transport.ts";

type Smtp = Config["mail"]["smtp"];

interface Received {
  from: string;
  to: string[];
  source: string;
  secure: boolean;
  user: string | undefined;
}

const mail: Mail = {
  messageId: "fixed-id@example.com",
  to: "ann@customer.example",
  subject: "Link your profile",
  text: "Open https://id.example.com/link",
  html: "<p>Open it</p>",
};

/** An SMTP reply other than success, as the server's handlers give it. */
function reply(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

describe("SMTP transport", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function server(options: SMTPServerOptions = {}): Promise<{ port: number; received: Received[] }> {
    const received: Received[] = [];
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      logger: false,
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          received.push({
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            source: Buffer.concat(chunks).toString("utf8"),
            secure: session.secure,
            user: session.user,
          });
          done();
        });
      },
      ...options,
    });
    smtp.on("error", () => {});
    const listening = smtp.listen(0, "127.0.0.1");
    await once(listening, "listening");
    closing.push(() => new Promise((resolve) => smtp.close(() => resolve(undefined))));
    return { port: (listening.address() as AddressInfo).port, received };
  }

  function transport(
    port: number,
    smtp: Partial<Smtp> = {},
    fromName = "Contoso sign-in",
    dkim: Config["mail"]["dkim"] = null,
  ) {
    const mail = { from_name: fromName, from_address: "no-reply@example.com", dkim };
    const made = transportTo(port, { mail, smtp });
    closing.push(() => made.close());
    return made;
  }

  async function failure(sending: Promise<unknown>): Promise<MailError> {
    try {
      await sending;
    } catch (error) {
      assert.ok(error instanceof MailError);
      return error;
    }
    return assert.fail("the mail was taken");
  }

  const headersOf = ({ source }: Received) => source.slice(0, source.indexOf("\r\n\r\n"));

  it("sends one mail to one recipient under the given Message-ID, marked as automatic", async () => {
    const { port, received } = await server();
    const { reply: answer } = await transport(port).send(mail);
    assert.match(answer, /^250/);
    const [only] = received;
    assert.ok(only !== undefined && received.length === 1);
    assert.equal(only.from, "no-reply@example.com");
    assert.deepEqual(only.to, ["ann@customer.example"]);
    assert.match(headersOf(only), /^Message-ID: <fixed-id@example\.com>$/im);
    assert.match(headersOf(only), /^Auto-Submitted: auto-generated$/im);
    assert.match(only.source, /Open https:\/\/id\.example\.com\/link/);
  });

  it("signs what it sends by DKIM, where it is told to", async () => {
    const { port, received } = await server();
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const private_key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    await transport(port, {}, "Contoso sign-in", {
      domain: "example.com",
      selector: "liaison",
      private_key,
    }).send({
      ...mail,
      replyTo: "ann@consumer.example",
    });
    const { source } = received[0] ?? assert.fail();
    assert.match(source, /^Reply-To: ann@consumer\.example$/m);
    const tags = verifyDkim(source, publicKey);
    assert.deepEqual([tags.get("d"), tags.get("s")], ["example.com", "liaison"]);
    for (const header of ["from", "to", "subject", "message-id"]) {
      assert.ok(tags.get("h")?.toLowerCase().split(":").includes(header), header);
    }
    assert.throws(() => verifyDkim(source.replace("Open https", "Open http"), publicKey), /body/);
    assert.throws(() => verifyDkim(source.replace(/^Subject: /m, "Subject: Re: "), publicKey), /signature/);
  });

  it("M2: line breaks in names and subjects add no header", async () => {
    const { port, received } = await server();
    const subject = "Link Ann\r\nBcc: eve@evil.example\r\n\r\nbody";
    await transport(port, {}, "Contoso\r\nBcc: eve@evil.example\n").send({ ...mail, subject });
    const [only] = received;
    assert.ok(only !== undefined);
    assert.deepEqual(only.to, ["ann@customer.example"]);
    assert.doesNotMatch(headersOf(only), /^Bcc:/im);
  });

  it("refuses recipients that are no single address, without asking the server", async () => {
    const { port, received } = await server();
    const sender = transport(port);
    for (const to of [
      "a@x.example, b@y.example",
      "a@x.example\r\nRCPT TO:<b@y.example>",
      "Ann <a@x.example>",
      "a",
      "",
    ]) {
      assert.equal((await failure(sender.send({ ...mail, to }))).permanent, true, to);
    }
    assert.deepEqual(received, []);
  });

  it("M3: an internationalized domain travels as its A-label", async () => {
    const { port, received } = await server();
    let wire = "";
    const tap = createServer((socket) => {
      const upward = connect(port, "127.0.0.1");
      socket.on("data", (chunk) => {
        wire += chunk;
      });
      socket.pipe(upward).pipe(socket);
    });
    tap.listen(0, "127.0.0.1");
    await once(tap, "listening");
    closing.push(async () => tap.close());
    await transport((tap.address() as AddressInfo).port).send({ ...mail, to: "ann@bücher.example" });
    assert.match(wire, /^RCPT TO:<ann@xn--bcher-kva\.example>/im);
    assert.match(wire, /^To: .*ann@xn--bcher-kva\.example/im);
    assert.equal(received.length, 1);
  });

  describe("M5: what the server answers", () => {
    const cases: { name: string; options: SMTPServerOptions; permanent: boolean; code: string }[] = [
      {
        name: "550 for the recipient",
        options: { onRcptTo: (_to, _session, done) => done(reply(550, "no such user ann@customer.example")) },
        permanent: true,
        code: "550",
      },
      {
        name: "451 for the recipient",
        options: { onRcptTo: (_to, _session, done) => done(reply(451, "greylisted")) },
        permanent: false,
        code: "451",
      },
      {
        name: "554 for the content",
        options: {
          onData: (stream, _session, done) => void stream.resume().on("end", () => done(reply(554, "spam"))),
        },
        permanent: true,
        code: "554",
      },
      {
        name: "452 for the content",
        options: {
          onData: (stream, _session, done) => void stream.resume().on("end", () => done(reply(452, "full"))),
        },
        permanent: false,
        code: "452",
      },
      {
        name: "550 for the sender, which is ours to put right",
        options: { onMailFrom: (_from, _session, done) => done(reply(550, "not you")) },
        permanent: false,
        code: "550",
      },
      {
        name: "421 at connecting",
        options: { onConnect: (_session, done) => done(reply(421, "busy")) },
        permanent: false,
        code: "421",
      },
      {
        name: "554 at connecting",
        options: { onConnect: (_session, done) => done(reply(554, "go away")) },
        permanent: false,
        code: "554",
      },
    ];
    for (const { name, options, permanent, code } of cases) {
      it(`${name}: ${permanent ? "final" : "to be tried again"}`, async () => {
        const { port, received } = await server(options);
        const error = await failure(transport(port).send(mail));
        assert.equal(error.permanent, permanent);
        assert.match(error.message, new RegExp(code));
        assert.doesNotMatch(error.message, /ann|customer/);
        assert.deepEqual(received, []);
      });
    }

    it("after a refusal the next mail goes through", async () => {
      let refusals = 1;
      const { port, received } = await server({
        onRcptTo: (_to, _session, done) => done(refusals-- > 0 ? reply(550, "no") : null),
      });
      const sender = transport(port);
      await failure(sender.send(mail));
      await sender.send(mail);
      assert.equal(received.length, 1);
    });

    it("nobody listens: to be tried again", async () => {
      const error = await failure(transport(1).send(mail));
      assert.equal(error.permanent, false);
    });

    for (const [name, speak] of [
      ["says nothing", () => {}],
      [
        "says a little for ever",
        (socket: Socket) => void setInterval(() => socket.write("220-wait\r\n"), 50).unref(),
      ],
    ] as const) {
      it(`a server that ${name}: given up in time, to be tried again`, async () => {
        const sockets: Socket[] = [];
        const hanging = createServer((socket) => {
          sockets.push(socket);
          socket.on("error", () => {});
          speak(socket);
        });
        hanging.listen(0, "127.0.0.1");
        await once(hanging, "listening");
        closing.push(async () => {
          for (const socket of sockets) socket.destroy();
          hanging.close();
        });
        const began = performance.now();
        const { port } = hanging.address() as AddressInfo;
        const error = await failure(transport(port, { timeout_seconds: 1 }).send(mail));
        assert.equal(error.permanent, false);
        assert.ok(performance.now() - began < 3000);
      });
    }
  });

  describe("TLS", () => {
    const trusted = tls.getCACertificates("default");
    before(() => tls.setDefaultCACertificates([...trusted, certificate]));
    after(() => tls.setDefaultCACertificates(trusted));
    const withTls = { key: privateKey, cert: certificate };

    it("starttls: the connection is upgraded before anything is said", async () => {
      const { port, received } = await server({ ...withTls, disabledCommands: ["AUTH"] });
      await transport(port, { security: "starttls" }).send(mail);
      assert.equal(received[0]?.secure, true);
    });

    it("starttls not offered: refuses, and nothing is sent in clear", async () => {
      const commands: string[] = [];
      const { port, received } = await server({
        onMailFrom: (_from, _session, done) => {
          commands.push("MAIL FROM");
          done();
        },
      });
      const error = await failure(transport(port, { security: "starttls" }).send(mail));
      assert.equal(error.permanent, false);
      assert.deepEqual([commands, received], [[], []]);
    });

    it("a certificate that nobody vouches for: refuses", async () => {
      tls.setDefaultCACertificates(trusted);
      const { port, received } = await server({ ...withTls, disabledCommands: ["AUTH"] });
      const error = await failure(transport(port, { security: "starttls" }).send(mail));
      tls.setDefaultCACertificates([...trusted, certificate]);
      assert.equal(error.permanent, false);
      assert.deepEqual(received, []);
    });

    it("tls: from the first byte, with user name and password", async () => {
      const { port, received } = await server({
        ...withTls,
        secure: true,
        authOptional: false,
        disabledCommands: [],
        onAuth: ({ username, password }, _session, done) =>
          username === "liaison" && password === "right"
            ? done(null, { user: "liaison" })
            : done(reply(535, "wrong")),
      });
      const smtp = { security: "tls", username: "liaison" } as const;
      await transport(port, { ...smtp, password: "right" }).send(mail);
      assert.deepEqual([received[0]?.secure, received[0]?.user], [true, "liaison"]);

      const error = await failure(transport(port, { ...smtp, password: "wrong" }).send(mail));
      assert.equal(error.permanent, false);
      assert.equal(received.length, 1);
    });
  });
});

/** Verifies the one DKIM signature of a mail (RFC 6376, relaxed/relaxed), and returns its tags. */
function verifyDkim(source: string, publicKey: KeyObject): Map<string, string> {
  const [head = "", ...rest] = source.split("\r\n\r\n");
  const headers = head.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  const relaxed = (header: string) => {
    const [name = "", ...value] = header.split(":");
    return `${name.toLowerCase().trim()}:${value
      .join(":")
      .replace(/[ \t]+/g, " ")
      .trim()}`;
  };
  const signature = headers.find((header) => /^dkim-signature:/i.test(header)) ?? assert.fail("no signature");
  const tags = new Map(
    signature
      .slice(signature.indexOf(":") + 1)
      .split(";")
      .map((tag): [string, string] => {
        const [name = "", ...value] = tag.trim().split("=");
        return [name, value.join("=").replace(/\s+/g, "")];
      }),
  );
  assert.equal(tags.get("a"), "rsa-sha256");
  assert.equal(tags.get("c"), "relaxed/relaxed");
  const lines = rest
    .join("\r\n\r\n")
    .split("\r\n")
    .map((line) => line.replace(/[ \t]+/g, " ").trimEnd());
  const body = `${lines.join("\r\n").replace(/(\r\n)*$/, "")}\r\n`;
  assert.equal(createHash("sha256").update(body).digest("base64"), tags.get("bh"), "the body was changed");
  const signed = (tags.get("h") ?? "").split(":").map((name) => {
    const found = headers.findLast((header) => header.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return found === undefined ? "" : `${relaxed(found)}\r\n`;
  });
  const itself = relaxed(signature.replace(/(;\s*b=)[^;]*/, "$1"));
  const isValid = verify(
    "sha256",
    Buffer.from(signed.join("") + itself),
    publicKey,
    Buffer.from(tags.get("b") ?? "", "base64"),
  );
  assert.ok(isValid, "the signature doesn't fit");
  return tags;
}
