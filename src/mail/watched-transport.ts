/** Remembers how the mail server behaved when it was used last, for readiness: nothing is sent to find out. */

import type { Check } from "../readiness.ts";
import { MailError } from "./failures.ts";
import type { MailTransport } from "./transport.ts";

/** The transport, and what is known of its server by what was sent. One mail that it refuses says nothing against it. */
export function watchedTransport(transport: MailTransport): { transport: MailTransport; check: Check } {
  let isFailing = false;
  return {
    transport: {
      ...transport,
      async send(mail) {
        try {
          const sent = await transport.send(mail);
          isFailing = false;
          return sent;
        } catch (error) {
          if (error instanceof MailError) isFailing = error.concerns === "server";
          throw error;
        }
      },
    },
    check: {
      name: "mail",
      look: () => (isFailing ? { status: "degraded", reason: "the last delivery failed" } : { status: "ok" }),
    },
  };
}
