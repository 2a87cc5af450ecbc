/**
 * The part of the configuration's schema that is about mail: the sender, the mail server and what proves us
 * to it. How to set it up is in docs/running/mail.md.
 */

import { createPrivateKey } from "node:crypto";
import { z } from "zod";
import { needsSmtpUtf8, parseAddress } from "../domain/address.ts";
import { isEncryptedOrLocal } from "../domain/loopback.ts";
import { evenIfOtherwiseFaulty, isPresent } from "./rules.ts";

/** Of the deployment's own: any mail server must take it, and a local part beyond ASCII is what few do. */
export const emailAddress = z
  .string()
  .refine(
    (value) => parseAddress(value)?.address === value && !needsSmtpUtf8(value),
    "write an email address, in ASCII before its @",
  );

/**
 * Access tokens in the password's place (XOAUTH2): by refresh_token where there is one, else by client
 * credentials.
 */
const oauth2 = z.strictObject({
  token_endpoint: z
    .url({ protocol: /^https?$/, error: "write an absolute https address" })
    .refine((value) => {
      const url = URL.parse(value);
      return url === null || isEncryptedOrLocal(url);
    }, "must be https: a secret is sent there; http is for this machine alone"),
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
  scope: z.string().min(1).nullable().default(null),
  refresh_token: z.string().min(1).nullable().default(null),
});

const smtp = z
  .strictObject({
    host: z.string().min(1),
    port: z.number().int().min(1).max(65535).default(587),
    /**
     * `starttls`: plain connection that must be upgraded; `tls`: from the first byte; `none`: only for a
     * relay on this machine.
     */
    security: z.enum(["starttls", "tls", "none"]).default("starttls"),
    /** How the server is greeted (EHLO); null: by the domain of from_address. */
    client_name: z
      .string()
      .regex(
        /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*$|^\[(?:[\d.]+|IPv6:[\da-f:.]+)\]$/i,
        "write a name with a dot, such as mail.example.com, or an address such as [192.0.2.1] or " +
          "[IPv6:2001:db8::1]",
      )
      .nullable()
      .default(null),
    username: z.string().min(1).nullable().default(null),
    password: z.string().min(1).nullable().default(null),
    oauth2: oauth2.nullable().default(null),
    /** How many mails are delivered at once. */
    max_connections: z.number().int().min(1).max(50).default(2),
    /**
     * How long one delivery may take altogether, from connecting to the server's last reply; less than the
     * outbox's lease.
     */
    timeout_seconds: z.number().int().positive().max(50).default(30),
  })
  .superRefine((value, context) => {
    const refuse = (key: string, message: string) =>
      context.addIssue({ code: "custom", path: [key], message });
    const isAuthenticated = isPresent(value.password) || isPresent(value.oauth2);
    if (isPresent(value.password) && isPresent(value.oauth2))
      refuse("oauth2", "stands beside password: keep one of the two");
    if (isPresent(value.username) && !isAuthenticated) {
      refuse("password", "give both a username and a password (or oauth2), or neither");
    }
    if (!isPresent(value.username) && isAuthenticated) {
      refuse("username", "give both a username and a password (or oauth2), or neither");
    }
  }, evenIfOtherwiseFaulty);

/** Signs mails where the mail server doesn't (RFC 6376). */
const dkim = z.strictObject({
  domain: z
    .string()
    .regex(/^[a-z0-9.-]+\.[a-z0-9-]+$/i, "write the domain of the sender's address, or one above it"),
  selector: z.string().regex(/^[a-z0-9._-]+$/i, "write the name before ._domainkey in the DNS"),
  private_key: z.string().refine((pem) => {
    try {
      const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey(pem);
      return type === "rsa" && (details?.modulusLength ?? 0) >= 2048;
    } catch {
      return false;
    }
  }, "write an RSA private key in PEM, of 2048 bits or more (openssl genrsa 2048)"),
});

export const mailSchema = z.strictObject({
  from_name: z.string().min(1),
  from_address: emailAddress,
  smtp,
  dkim: dkim.nullable().default(null),
  /** What a mail provider shows when it reports a bounce. Without one there is no webhook. */
  bounce_webhook_token: z.string().min(32, "use at least 32 characters").nullable().default(null),
});
