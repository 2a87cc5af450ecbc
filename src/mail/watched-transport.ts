/**
 * Remembers how the mail server behaved when it was used last, for readiness: nothing is sent to find out.
 */

import type { Check } from "../readiness.ts";
import { MailError } from "./failures.ts";
import type { MailTransport } from "./transport.ts";

/**
 * The transport, and what is known of its server by what was sent: by the delivery that was begun last, of
 * those that say something about it. One mail that it refuses says nothing against it. A refusal that may be
 * about its recipient or about us speaks against it once another recipient gets one, and no mail went since
 * the first: otherwise a single recipient, tried again for two days, would make readiness flap.
 */
export function watchedTransport(transport: MailTransport): { transport: MailTransport; check: Check } {
  let isFailing = false;
  let begun = 0;
  /** The number of the delivery that told last. */
  let toldBy = 0;
  let doubt: { number: number; to: string } | undefined;

  /** Deliveries run beside each other: one that was begun before is older news, however late it ends. */
  function tell(number: number, fails: boolean): void {
    if (number < toldBy) return;
    toldBy = number;
    isFailing = fails;
    if (!fails && doubt !== undefined && doubt.number < number) doubt = undefined;
  }

  function hear(error: MailError, number: number, to: string): void {
    if (error.concerns === "server") tell(number, true);
    if (error.concerns !== "either" || number < toldBy) return;
    if (doubt !== undefined && doubt.to !== to) tell(number, true);
    else doubt = { number, to };
  }

  return {
    transport: {
      ...transport,
      async send(mail) {
        begun += 1;
        const number = begun;
        try {
          const sent = await transport.send(mail);
          tell(number, false);
          return sent;
        } catch (error) {
          if (error instanceof MailError) hear(error, number, mail.to);
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
