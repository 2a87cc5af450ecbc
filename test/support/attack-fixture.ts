/**
 * What the attack tests share: people of their own, a store whose calls are watched, and journeys that stop
 * half-way.
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../src/clock.ts";
import { seededSubject } from "../../src/demo/upstream-accounts.ts";
import {
  asInquiryId,
  asLinkRequestId,
  asProfileId,
  asUpstreamId,
  type ProfileId,
} from "../../src/domain/ids.ts";
import type {
  AuditEvent,
  LinkRequest,
  Profile,
  Requester,
  SignedInIdentity,
} from "../../src/domain/records.ts";
import { hashSecret, randomId } from "../../src/domain/secrets.ts";
import type { Store } from "../../src/storage/contract.ts";
import {
  type Liaison,
  type LiaisonOptions,
  signIn,
  signInUpstream,
  startLiaison,
  type TestPerson,
} from "./liaison.ts";
import { linkIn, type ReceivedMail } from "./mailbox.ts";
import type { StartedSignIn, TestPortal } from "./portal.ts";
import { type Page, UserAgent } from "./user-agent.ts";

/** Methods that change nothing, and those that only the workers call. */
const quietMethods = new Set([
  "purposeOfTaken",
  "find",
  "list",
  "identities",
  "organization",
  "membership",
  "membershipsByEmail",
  "latestInquiry",
  "view",
  "forClient",
  "forGrant",
  "findSessionByUid",
  "nextDueAt",
  "claimInquiry",
  "settleInquiry",
  "claim",
  "markSent",
  "markDeferred",
  "releaseDeferred",
  "takeSlot",
  "takeSlots",
  "sweep",
  "close",
  "unsealed",
  "chainEnds",
  "seal",
  "prune",
  "addCounts",
  "takeLease",
  "claimSignOut",
  "settleSignOut",
  "noteUse",
  "hasOwner",
  "lapseInvitations",
  "boundWaits",
  "claimEnding",
  "noteRefused",
]);

export interface StoreCall {
  part: string;
  method: string;
}

/** Notes every call that the application makes to its store. */
export class StoreWatch {
  readonly calls: StoreCall[] = [];
  #asked = 0;
  #settled = 0;

  readonly decorate = (store: Store): Store => {
    const parts = new Map<PropertyKey, object>();
    return new Proxy(store, {
      get: (target, name) => {
        const part: unknown = Reflect.get(target, name);
        if (typeof part !== "object" || part === null) return part;
        const watched = parts.get(name) ?? this.#watchedPart(String(name), part);
        parts.set(name, watched);
        return watched;
      },
    });
  };

  /** The calls that changed or may have changed something, apart from the workers'. */
  get writes(): string[] {
    return this.calls
      .filter(({ method }) => !quietMethods.has(method))
      .map(({ part, method }) => `${part}.${method}`);
  }

  /** Whether every inquiry has been answered. */
  get isSettled(): boolean {
    return this.#asked <= this.#settled;
  }

  #watchedPart(part: string, target: object): object {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== "function") return value;
        return async (...parameters: unknown[]) => {
          const method = String(name);
          this.calls.push({ part, method });
          if (method === "inquire") this.#asked += 1;
          const result: unknown = await value.apply(object, parameters);
          if (method === "inquire" && (result as { asked: boolean }).asked === false) this.#asked -= 1;
          const isLastPart = (parameters[2] as { more?: object } | undefined)?.more === undefined;
          if (method === "settleInquiry" && isLastPart && result === true) this.#settled += 1;
          return result;
        };
      },
    });
  }
}

export interface Attacked extends Liaison {
  watch: StoreWatch;
  /** Somebody with an account at the upstream whom no test has met. */
  stranger(): TestPerson;
}

/** The application with a watched store and `strangers` people. */
export async function startAttacked(
  options: LiaisonOptions & { strangers?: number } = {},
): Promise<Attacked> {
  const watch = new StoreWatch();
  const crowd = Array.from({ length: options.strangers ?? 12 }, (_, index): TestPerson => {
    const username = `stranger-${index}`;
    return {
      username,
      password: `${username}-password`,
      name: `Stranger ${index}`,
      email: `${username}@consumer.example`,
    };
  });
  const liaison = await startLiaison({
    ...options,
    crowd,
    decorate: (store) => watch.decorate(options.decorate?.(store) ?? store),
  });
  const strangers = [...crowd];
  const stranger = () => strangers.shift() ?? assert.fail("more strangers are needed");
  return Object.assign(liaison, { watch, stranger });
}

/** Waits until every inquiry was answered and every mail that is owed has left. */
export async function quiet({ watch, store, wake }: Attacked): Promise<void> {
  wake("inquiries");
  const deadline = Date.now() + 8000;
  while (!watch.isSettled || (await store.outbox.nextDueAt()) !== undefined) {
    assert.ok(Date.now() < deadline, "the workers are not done");
    await pause(20);
  }
}

/** Waits for so many mails to an address and returns all of them, oldest first. */
export async function mailsTo(
  { mailbox }: Attacked,
  address: string,
  count: number,
): Promise<ReceivedMail[]> {
  const theirs = () => mailbox.mails.filter(({ to }) => to === address);
  while (theirs().length < count) await mailbox.arrived(mailbox.mails.length + 1);
  return theirs();
}

export interface Asked {
  browser: UserAgent;
  started: StartedSignIn;
  waiting: Page;
}

/** Signs a person in at a portal and asks for a link to `email`. */
export async function ask(
  liaison: Attacked,
  person: TestPerson,
  email: string,
  portal: TestPortal = liaison.customerSource,
): Promise<Asked> {
  const browser = liaison.browser();
  const started = await portal.start();
  const linkStep = await signIn(browser, started, person);
  const waiting = await browser.press(linkStep, "Continue", { email });
  assert.equal(waiting.heading, "Check your email");
  return { browser, started, waiting };
}

/** The code of the request on the page that waits for its mail. */
export function codeOn({ text }: Page): string {
  return /Code ?([BCDFGHJKLMNPQRSTVWXZ]{4})/.exec(text)?.[1] ?? assert.fail(`no code: ${text}`);
}

/** Has one link mailed to `email`, which no other mail may go to meanwhile. */
export async function askForLink(
  liaison: Attacked,
  person: TestPerson,
  email: string,
): Promise<Asked & { link: string }> {
  const before = liaison.mailbox.mails.filter(({ to }) => to === email).length;
  const asked = await ask(liaison, person, email);
  const mail = (await mailsTo(liaison, email, before + 1))[before];
  return { ...asked, link: linkIn(mail ?? assert.fail("no mail")) };
}

/** A browser that stops before it returns to us from an upstream. */
export function hesitant(): UserAgent {
  return new UserAgent({ stopAt: (url) => url.port === "9" || isCallback(url) });
}

function isCallback({ pathname }: URL): boolean {
  return pathname.startsWith("/upstream/") && pathname.endsWith("/callback");
}

export interface Hesitation {
  browser: UserAgent;
  callback: URL;
  /** Lets the browser return, and go where it is led. */
  goOn(): Promise<Page>;
}

/** Opens a link and signs in upstream, up to the callback that would carry it out. */
export async function almostCarryOut(
  link: string,
  person: TestPerson,
  button: "Continue to sign in" | "Don’t link" = "Continue to sign in",
  browser: UserAgent = hesitant(),
): Promise<Hesitation> {
  const login = await browser.press(
    await browser.visit(link),
    button === "Don’t link" ? /^Don.t link$/ : button,
  );
  const stopped = await signInUpstream(browser, login, person);
  assert.ok(isCallback(stopped.url), `${stopped.url} is no callback: ${stopped.text}`);
  return { browser, callback: stopped.url, goOn: () => returnFromUpstream(browser, stopped.url) };
}

/** Opens a callback, whatever the browser would rather stop at, and goes where it leads. */
export async function returnFromUpstream(browser: UserAgent, callback: URL): Promise<Page> {
  const answer = await browser.once(callback);
  const location = answer.headers.get("location");
  return location === null ? answer : await browser.visit(new URL(location, callback));
}

/** The request behind a mailed link, as it is stored. */
export async function requestOf({ store }: Attacked, link: string): Promise<LinkRequest> {
  const [requestId = "", secret = ""] = new URL(link).pathname.split("/").slice(-2);
  const view = await store.links.view(asLinkRequestId(requestId), hashSecret(secret));
  return view?.request ?? assert.fail("no such request");
}

export async function profileOf({ store }: Attacked, profileId: string): Promise<Profile> {
  return (
    (await store.directory.membership(asProfileId(profileId)))?.profile ??
    assert.fail(`no profile ${profileId}`)
  );
}

export async function assertUnbound(liaison: Attacked, profileId: string): Promise<void> {
  assert.equal((await profileOf(liaison, profileId)).accountId, null, `${profileId} is bound`);
  assert.deepEqual(await auditOf(liaison, asProfileId(profileId), "profile.bound"), []);
}

export async function auditOf(
  { store }: Attacked,
  profileId: ProfileId,
  action: AuditEvent["action"],
): Promise<AuditEvent[]> {
  return (await store.audit.list({ profileId, limit: 200 })).filter((event) => event.action === action);
}

/** The identity that the test upstream gives a person. */
export function identityOf(
  { upstreamIssuer }: Pick<Liaison, "upstreamIssuer">,
  { username, email, name }: TestPerson,
) {
  return {
    upstreamId: asUpstreamId("fabrikam"),
    issuer: upstreamIssuer,
    subject: seededSubject(username),
    email,
    displayName: name,
  };
}

/** Binds profiles to a person without the journey: by an inquiry that a worker of the test's own answers. */
export async function bindTo(
  liaison: Pick<Liaison, "store" | "upstreamIssuer"> & { clock: Clock },
  person: TestPerson,
  ...profileIds: string[]
): Promise<string> {
  return await bindIdentity(liaison, identityOf(liaison, person), ...profileIds);
}

/** The same to whoever has an identity at some upstream. */
export async function bindIdentity(
  { store, clock }: Pick<Liaison, "store"> & { clock: Clock },
  identity: SignedInIdentity,
  ...profileIds: string[]
): Promise<string> {
  const { id: accountId } = await store.accounts.signIn(identity, clock.now());
  const requester = { ...identity, accountId };
  for (const profileId of profileIds) {
    const [worker, requestId, secretHash] = [randomId(), randomId(), hashSecret(randomId())];
    const now = clock.now();
    const later = now + 3_600_000;
    const inquiryId = asInquiryId(await claimedInquiry(store, worker, requester, now));
    const { emailVersion } =
      (await store.directory.membership(asProfileId(profileId)))?.profile ?? assert.fail(`no ${profileId}`);
    const request = {
      id: asLinkRequestId(requestId),
      inquiryId,
      secretHash,
      profileId: asProfileId(profileId),
      emailVersion,
      requester,
    };
    const content = {
      kind: "link" as const,
      requestId: asLinkRequestId(requestId),
      secret: randomBytes(32).toString("base64url"),
      profileName: profileId,
      organizationName: profileId,
      requester,
    };
    const mail = {
      id: randomId(),
      messageId: `${requestId}@test.example`,
      to: "nobody@test.example",
      content,
    };
    const link = {
      request: { ...request, purpose: "link_profile" as const, createdAt: now, expiresAt: later },
      mail,
    };
    await store.links.settleInquiry(inquiryId, worker, { links: [link], mails: [] }, now);
    const notice = { id: randomId(), messageId: `${randomId()}@test.example` };
    const redeemed = await store.links.redeem(
      { requestId: asLinkRequestId(requestId), secretHash, identity, accountId },
      notice,
      clock.now(),
    );
    assert.equal(redeemed.result, "bound");
  }
  return accountId;
}

/** An inquiry that a worker of the test's own holds. */
async function claimedInquiry(
  store: Store,
  worker: string,
  requester: Requester,
  now: number,
): Promise<string> {
  for (let turn = 0; turn < 20; turn += 1) {
    const id = asInquiryId(randomId());
    const inquiry = { id, requester, address: null, interactionCid: id, settledAt: null };
    // Due longer than any other; still the application's worker may be faster.
    await store.links.inquire({ ...inquiry, createdAt: 1, notBefore: 1 });
    if ((await store.links.claimInquiry(worker, now, 60_000))?.id === id) return id;
  }
  return assert.fail("the application's worker is always faster");
}
