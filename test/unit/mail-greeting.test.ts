/** How a mail server is greeted: by a real name, for strict relays hang up on others. */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
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
    smtp.behaviour = (step) => (step === "EHLO" && smtp.commands.length === 1 ? { say: "502 unknown" } : undefined);
    await sendOnce(smtp.port);
    assert.deepEqual(greetings(), ["contoso.example", "contoso.example"]);
    smtp.commands.splice(0);
    smtp.behaviour = honest;
    await failureOf(sendOnce(smtp.port, {}, { to: "jürgen@customer.example" }));
    assert.deepEqual(greetings(), ["contoso.example"]);
  });
});
