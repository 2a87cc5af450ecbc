/**
 * What a browser journey plays in, whichever way it was started: addresses, mail, and newcomers who aren't
 * linked yet.
 */

import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../src/clock.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { register } from "./liaison.ts";

export type PortalId = "customersource" | "partnersource";

/** Somebody with an account at Fabrikam ID. */
export interface Visiting {
  name: string;
  username: string;
  password: string;
  /** The address that the organization registered. */
  registered: string;
}

export interface JourneyMail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

export interface JourneyDeployment {
  issuer: string;
  upstream: string;
  portals: Record<PortalId, string>;
  store: Store;
  /** What arrived for an address, oldest first. */
  mailsTo(address: string): Promise<JourneyMail[]>;
  close(): Promise<void>;
}

/** Names of newcomers, so that no two tests of a deployment meet. */
let count = 0;

export type Membership = "customer" | "partner";

/**
 * Somebody new: an account at Fabrikam ID, made as a person would make it, and a profile at one address in an
 * organization of its own for each membership. The account's own email address is another one.
 */
export async function newcomer(
  { upstream, store }: Pick<JourneyDeployment, "upstream" | "store">,
  memberships: readonly Membership[] = ["customer"],
): Promise<Visiting> {
  count += 1;
  const username = `guest${count}`;
  const person = {
    name: `Guest Number ${count}`,
    username,
    password: `${username}-password`,
    registered: `${username}@registered.example`,
  };
  const form = { name: person.name, email: `${username}@home.example`, username, password: person.password };
  const made = await fetch(`${upstream}/create-account`, { method: "POST", body: new URLSearchParams(form) });
  if (made.status !== 200) throw new Error(`no account for ${username}: ${made.status}`);
  for (const [index, kind] of memberships.entries()) {
    const id = asOrganizationId(organizationOf(person, index));
    await register(
      { store, clock: systemClock },
      { id, name: `${person.name}'s ${kind} ${index + 1}`, accountNumber: `N-${count}-${index + 1}`, kind },
      [{ id: `profile-${username}-${index + 1}`, email: person.registered, name: person.name }],
    );
  }
  return person;
}

/** The id of a newcomer's n-th organization, counted from 0. */
export function organizationOf({ username }: Pick<Visiting, "username">, index = 0): string {
  return `org-${username}-${index + 1}`;
}

/** Asks until the answer is something. Throws with what was waited for when it takes too long. */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined>,
  withinMs = 20_000,
): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await pause(50);
  }
}

/** Waits until so many mails have arrived for an address in all, and gives them, oldest first. */
export async function mailsOf(
  deployment: JourneyDeployment,
  address: string,
  atLeast = 1,
): Promise<JourneyMail[]> {
  return await until(`${atLeast} mails to ${address}`, async () => {
    const mails = await deployment.mailsTo(address);
    return mails.length >= atLeast ? mails : undefined;
  });
}

/** The link of a link mail: the first address in its text. */
export function linkOf(mail: JourneyMail | undefined): string {
  const link = /https?:\/\/\S+/.exec(mail?.text ?? "")?.[0];
  if (link === undefined) throw new Error(`no link in: ${mail?.text}`);
  return link;
}

/**
 * The link in the newest of so many link mails to an address; other mails (notices, invitations) don't count.
 */
export async function newestLink(deployment: JourneyDeployment, address: string, mails = 1): Promise<string> {
  return await until(`${mails} link mails to ${address}`, async () => {
    const links = (await deployment.mailsTo(address))
      .filter(({ text }) => /https?:\/\/[^/\s]+\/link\//.test(text))
      .map(linkOf);
    return links.length >= mails ? links.at(-1) : undefined;
  });
}
