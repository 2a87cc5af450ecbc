/**
 * People who ask for an address without browsers: crowds of any size, and the mail that carries what they
 * leave waiting.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { asAccountId, asUpstreamId } from "../../src/domain/ids.ts";
import type { Requester } from "../../src/domain/records.ts";
import { createLinking } from "../../src/linking/linking.ts";
import type { Attacked } from "./attack-fixture.ts";
import { linksOf } from "./mailbox.ts";

/** Seconds that what is over a mailbox's limits waits for others to go with it. */
export const GATHERING_SECONDS = 60;

/** Strangers with accounts of their own, whose upstream says that the address is theirs. */
export function aCrowd(name: string, size: number, email: string): Requester[] {
  return Array.from({ length: size }, (_, index) => {
    const subject = asAccountId(`${name}-${index}`);
    const identity = {
      issuer: "https://id.example",
      subject,
      upstreamId: asUpstreamId("fabrikam"),
      accountId: subject,
    };
    return { ...identity, email, emailVerified: true, displayName: null };
  });
}

/** They ask, one after the other; returns when all of it is answered. */
export async function allAsk(
  { store, clock }: Attacked,
  requesters: readonly Requester[],
  email: string,
): Promise<void> {
  const { links, audit } = store;
  const unlimited = { limit: 1_000_000, windowSeconds: 1 };
  const linking = createLinking({
    links,
    audit,
    clock,
    settings: {
      mailDomain: "contoso.example",
      lookupDelayMs: { min: 0, max: 0 },
      pauseSeconds: 0,
      inquiryLimits: { identity: unlimited, client: unlimited },
    },
  });
  for (const [index, requester] of requesters.entries()) {
    const interactionCid = `${requester.subject}-${clock.now()}`;
    await linking.inquire({ requester, typed: email, interactionCid, clientAddress: `2001:db8::${index}` });
  }
  await allAnswered({ store });
}

/** Waits until every inquiry has been answered. */
export async function allAnswered({ store: { links } }: Pick<Attacked, "store">): Promise<void> {
  const areLeft = async () =>
    (await links.inquiries({ limit: 1000 })).some(({ settledAt }) => settledAt === null);
  for (let turn = 0; await areLeft(); turn += 1) {
    assert.ok(turn < 600, "the worker isn't done");
    await pause(50);
  }
}

/** Lets a minute pass, and returns the mail that then carries what waited for the address. */
export async function collectedFor(liaison: Attacked, address: string) {
  await allAnswered(liaison);
  const several = () => liaison.mailbox.mails.find((mail) => mail.to === address && linksOf(mail).length > 1);
  assert.equal(several(), undefined, "it went before its time");
  liaison.clock.advance(GATHERING_SECONDS);
  for (let turn = 0; ; turn += 1) {
    const mail = several();
    if (mail !== undefined) return mail;
    assert.ok(turn < 200, "no mail with several links came");
    await pause(50);
  }
}
