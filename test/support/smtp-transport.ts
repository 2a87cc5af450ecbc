/** The transport as the configuration makes it, pointed at a test's server, and what its failures say. */

import assert from "node:assert/strict";
import type { Config } from "../../src/config/schema.ts";
import { MailError } from "../../src/mail/failures.ts";
import { createSmtpTransport, type Mail, type MailTransport } from "../../src/mail/transport.ts";

export interface TransportSettings {
  mail?: Partial<Config["mail"]>;
  smtp?: Partial<Config["mail"]["smtp"]>;
}

export const aLetter: Mail = {
  messageId: "fixed-id@example.com",
  to: "ann@customer.example",
  subject: "Link your profile",
  text: "Open https://id.example.com/link",
  html: "<p>Open it</p>",
};

/** Makes it for a port of this machine, without TLS and authentication unless told otherwise. */
export function transportTo(port: number, { mail = {}, smtp = {} }: TransportSettings = {}): MailTransport {
  return createSmtpTransport({
    from_name: "Contoso sign-in",
    from_address: "no-reply@contoso.example",
    dkim: null,
    bounce_webhook_token: null,
    ...mail,
    smtp: {
      host: "localhost",
      port,
      security: "none",
      client_name: null,
      username: null,
      password: null,
      oauth2: null,
      max_connections: 2,
      timeout_seconds: 5,
      ...smtp,
    },
  });
}

/** Sends one mail over a transport of its own. */
export async function sendOnce(
  port: number,
  settings: TransportSettings = {},
  mail: Partial<Mail> = {},
): Promise<{ reply: string }> {
  const transport = transportTo(port, settings);
  try {
    return await transport.send({ ...aLetter, ...mail });
  } finally {
    await transport.close();
  }
}

/** What becomes of a mail that must not be taken. */
export async function failureOf(sending: Promise<unknown>): Promise<MailError> {
  try {
    await sending;
  } catch (error) {
    assert.ok(error instanceof MailError, String(error));
    return error;
  }
  return assert.fail("the mail was taken");
}
