/** How a mail server is greeted: by a real name, for strict relays hang up on others. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type BadSmtp, honest, startBadSmtp } from "../support/bad-smtp.ts";
import { certificate, privateKey } from "../support/certificate.ts";
import { failureOf, sendOnce } from "../support/smtp-transport.ts";

describe("EHLO", () => {
  let smtp: BadSmtp;
  before(async () => {
    smtp = await startBadSmtp({ key: privateKey, cert: certificate });
  });
  after(() => smtp.close());
  afterEach(() => {
    smtp.commands.splice(0);
    smtp.mails.splice(0);
    smtp.behaviour = honest;
    smtp.offers = ["8BITMIME"];
  });
  const greetings = () => smtp.commands.flatMap(({ line }) => /^(?:EHLO|HELO) (.*)/i.exec(line)?.[1] ?? []);

  it("names the domain of the sender's address, in ASCII", async () => {
    await sendOnce(smtp.port);
    await sendOnce(smtp.port, { mail: { from_address: "no-reply@Bücher.example" } });
    assert.deepEqual(greetings(), ["contoso.example", "xn--bcher-kva.example"]);
    assert.equal(smtp.mails.length, 2);
  });

  it("names what mail.smtp.client_name says", async () => {
    for (const client_name of ["out.contoso.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"]) {
      await sendOnce(smtp.port, { smtp: { client_name } });
    }
    assert.deepEqual(greetings(), ["out.contoso.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"]);
  });

  it("says the same where EHLO isn't known, and when the server is asked for SMTPUTF8 alone", async () => {
    smtp.behaviour = (step) =>
      step === "EHLO" && smtp.commands.length === 1 ? { say: "502 unknown" } : undefined;
    await sendOnce(smtp.port);
    assert.deepEqual(greetings(), ["contoso.example", "contoso.example"]);
    smtp.commands.splice(0);
    smtp.behaviour = honest;
    await failureOf(sendOnce(smtp.port, {}, { to: "jürgen@customer.example" }));
    assert.deepEqual(greetings(), ["contoso.example"]);
  });

  it("that a server hangs up on is told as that, with the name's setting", async () => {
    setDefaultCACertificates([...getCACertificates("default"), certificate]);
    const words =
      /hung up on our EHLO contoso\.example: set mail\.smtp\.client_name .*\(ECONNECTION at EHLO\)$/;
    const isHungUp = async (sending: Promise<unknown>) => {
      const { failure, message, permanent, concerns } = await failureOf(sending);
      assert.deepEqual([failure, permanent, concerns], ["client_name_hung_up", false, "server"], message);
      assert.match(message, words);
    };
    smtp.behaviour = (step) => (step === "EHLO" ? "drop" : undefined);
    await isHungUp(sendOnce(smtp.port));
    await isHungUp(sendOnce(smtp.port, {}, { to: "jürgen@customer.example" }));
    smtp.behaviour = (step) => {
      if (step !== "EHLO") return undefined;
      return smtp.commands.at(-1)?.line.startsWith("EHLO") ? { say: "502 unknown" } : "drop";
    };
    await isHungUp(sendOnce(smtp.port));
    smtp.offers = ["STARTTLS"];
    smtp.behaviour = (step) => (step === "EHLO" && smtp.commands.at(-1)?.secure ? "drop" : undefined);
    await isHungUp(sendOnce(smtp.port, { smtp: { security: "starttls" } }));
  });

  it("isn't blamed for what ends before or after it", async () => {
    for (const at of ["connect", "MAIL", "RCPT", "content"]) {
      smtp.behaviour = (step) => (step === at ? "drop" : undefined);
      assert.equal((await failureOf(sendOnce(smtp.port))).failure, "connection_lost", at);
    }
  });
});
