/** What administrators do about mails that wait, failed or came back. */

import type { Clock } from "../clock.ts";
import type { Delivery } from "../domain/records.ts";
import { LiaisonError } from "../errors.ts";
import { type Bounce, LARGEST_NOTIFICATION, parseNotification } from "../mail/bounce.ts";
import type { OutboxStore, Page, Store, TroubledState } from "../storage/contract.ts";

export { LARGEST_NOTIFICATION };

export interface MailAdminDependencies {
  outbox: OutboxStore;
  clock: Clock;
  /** Who does it, as audit events name them. */
  actor: string;
}

export interface MailAdmin {
  /**
   * Sends a held mail next, whatever its throttles say. @throws LiaisonError `not_found`, or `bad_request` if
   * it isn't held
   */
  release(id: string): Promise<Delivery>;
  /**
   * Sends a mail that was given up once more. @throws LiaisonError `not_found`, or `bad_request` if it wasn't
   * given up
   */
  resend(id: string): Promise<Delivery>;
  /** Notes a bounce. Undefined if no mail that was sent has its Message-ID. */
  bounced(bounce: Bounce): Promise<Delivery | undefined>;
}

export function createMailAdmin({ outbox, clock, actor }: MailAdminDependencies): MailAdmin {
  async function requeue(id: string, from: "held" | "failed"): Promise<Delivery> {
    const done =
      from === "held"
        ? await outbox.release(id, actor, clock.now())
        : await outbox.resend(id, actor, clock.now());
    const delivery = await outbox.find(id);
    if (delivery === undefined) throw new LiaisonError("not_found", `There is no mail ${id}.`);
    if (done) return delivery;
    throw new LiaisonError("bad_request", `The mail ${id} ${whyNot(delivery, from)}`);
  }
  return {
    release: (id) => requeue(id, "held"),
    resend: (id) => requeue(id, "failed"),
    bounced: ({ messageId, reason, permanent }) =>
      outbox.noteBounce(messageId, { reason, permanent }, clock.now()),
  };
}

/**
 * Reads what a mail server's pipe brought, which is whatever anybody wrote to the sender's address.
 * @returns the bounce to be noted, or why there is nothing to note. Never throws.
 */
export async function readNotification(raw: Uint8Array): Promise<{ bounce: Bounce } | { nothing: string }> {
  try {
    const bounce = await parseNotification(raw);
    return bounce === undefined ? { nothing: "It tells of no failure." } : { bounce };
  } catch (error) {
    return { nothing: error instanceof LiaisonError ? error.message : "It can't be read." };
  }
}

/** What `mail list` tells of; of queued mails those that were tried. */
export const LISTED_STATES = ["held", "queued", "failed", "bounced"] as const;

const largestPage = 200;

/** Mails that wait, were put off, were given up or came back, newest first. */
export async function listMail(
  { outbox, administration }: Pick<Store, "outbox" | "administration">,
  states: readonly (typeof LISTED_STATES)[number][],
  limit: number,
): Promise<Delivery[]> {
  const troubled = states.filter((state): state is TroubledState => state !== "queued");
  const found = await outbox.list({ states: troubled, limit });
  const filter = { state: "queued", isPutOff: true } as const;
  for (let after: string | null = null, lacking = states.includes("queued") ? limit : 0; lacking > 0; ) {
    const request = { after, limit: Math.min(lacking, largestPage) };
    const page: Page<Delivery> = await administration.deliveries(filter, request);
    found.push(...page.items);
    if (page.next === null) break;
    lacking -= page.items.length;
    after = page.next;
  }
  return found.toSorted((one, other) => other.createdAt - one.createdAt).slice(0, limit);
}

function whyNot({ state, carriedBy }: Delivery, from: "held" | "failed"): string {
  if (state === "carried") return `is carried by the mail ${carriedBy}: look after that one.`;
  if (state === "bounced") {
    return (
      "came back after a server had taken it, and what it said is erased. Correct the address, and let " +
      "its person ask again."
    );
  }
  if (from === "held") return `isn't held: it is ${state}.`;
  return state === "held" ? "is held, not failed: release it." : `wasn't given up: it is ${state}.`;
}
