/**
 * People who sign in, link their profile and stay signed in while the database loses its primary. A request
 * that is answered 503 is made again as it was; whoever is told then that the sign-in is over begins it anew.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { openLink, signIn, type TestPerson } from "../support/liaison.ts";
import { linkIn, type Mailbox } from "../support/mailbox.ts";
import type { PortalTokens, TestPortal } from "../support/portal.ts";
import { type Page, UserAgent, type Visit } from "../support/user-agent.ts";
import type { Ledger } from "./failover-ledger.ts";

/**
 * Longer than the leases of an inquiry and of its mail together, whose claims may be carried out without an
 * answer.
 */
const timeoutMs = 120_000;
const restMs = 250;

/** A browser that loads a page again when the broker can't serve it right now. */
class RetryingAgent extends UserAgent {
  /** Whether the broker was ever unavailable to it since this was last set to false. */
  wasRefused = false;
  /** Its last requests of the broker: they tell how it came where it shouldn't be. */
  readonly trail: string[] = [];
  readonly #ledger: Ledger;
  readonly #issuer: string;

  constructor(issuer: string, ledger: Ledger) {
    super({ stopAt: (url) => url.port === "9" });
    this.#issuer = issuer;
    this.#ledger = ledger;
  }

  override async once(address: string | URL, visit: Visit = {}): Promise<Page> {
    const isBroker = new URL(address).href.startsWith(this.#issuer);
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const began = performance.now();
      const page = await super.once(address, visit);
      if (!isBroker) return page;
      const what = `${visit.method ?? "GET"} ${new URL(address).pathname}`;
      this.trail.push(`${what} ${page.status}`);
      this.#ledger.answered(page.status, performance.now() - began, what);
      if (page.status !== 503) return page;
      this.wasRefused = true;
      assert.ok(Date.now() < deadline, `${what} was unavailable for ${timeoutMs} ms`);
      await pause(restMs);
    }
  }
}

export interface PersonOptions {
  index: number;
  person: TestPerson;
  /** The address that the organization registered. */
  registered: string;
  issuer: string;
  portal: TestPortal;
  mailbox: Mailbox;
  ledger: Ledger;
  /** How often they refresh their tokens. */
  refreshes: number;
}

/** One person's way from the portal to being linked, signed in and refreshed. */
export async function live(options: PersonOptions): Promise<void> {
  const { ledger, refreshes } = options;
  const browser = new RetryingAgent(options.issuer, ledger);
  const mails = await ledger.during("sign-in", () => askForLink(options, browser));
  await ledger.during("redemption", () => redeem(options, browser, mails));
  let tokens = await ledger.during("sign-in", () => signInAtPortal(options, browser));
  for (let turn = 0; turn < refreshes; turn += 1) {
    tokens = await ledger.during("refresh", () => refreshed(options, browser, tokens));
  }
}

/** From the portal to *Check your email*, and waits for the mail. Returns how many had come before. */
async function askForLink(
  { portal, person, registered, mailbox, ledger }: PersonOptions,
  browser: RetryingAgent,
) {
  const before = mailsTo(mailbox, registered).length;
  for (;;) {
    const linkStep = await signIn(browser, await portal.start(), person);
    if (isOver(linkStep, browser, ledger)) continue;
    const waiting = await browser.press(linkStep, /^(Continue|Send)/, { email: registered });
    if (isOver(waiting, browser, ledger)) continue;
    assert.equal(
      waiting.heading,
      "Check your email",
      `${waiting.text}\n${browser.trail.slice(-12).join("\n")}`,
    );
    return before;
  }
}

async function redeem(options: PersonOptions, browser: RetryingAgent, mailsBefore: number): Promise<void> {
  const { index, person, registered, mailbox, ledger } = options;
  const deadline = Date.now() + timeoutMs;
  while (mailsTo(mailbox, registered).length <= mailsBefore) {
    assert.ok(Date.now() < deadline, `no mail came for ${registered}`);
    await pause(20);
  }
  for (;;) {
    const [mail] = mailsTo(mailbox, registered).slice(-1);
    assert.ok(mail);
    const landing = await browser.visit(linkIn(mail));
    // A dead link says so before anybody signs in.
    const isAlive = landing.text.includes("Continue to sign in");
    const page = isAlive ? await openLink(browser, linkIn(mail), person) : landing;
    if (page.heading === "Your account is linked") break;
    if (isOver(page, browser, ledger)) continue;
    // Its answer was lost, not what it did.
    if (browser.wasRefused && /already/i.test(page.heading)) break;
    // Asked twice, because an answer was lost: the newer mail is on its way.
    if (/newer/i.test(page.heading + page.text)) {
      await pause(100);
      continue;
    }
    assert.fail(`${page.status} ${page.heading}: ${page.text}`);
  }
  ledger.toldLinked.add(index);
}

async function signInAtPortal(
  { portal, person, ledger }: PersonOptions,
  browser: RetryingAgent,
): Promise<PortalTokens> {
  for (;;) {
    browser.wasRefused = false;
    const started = await portal.start({ prompt: "consent" });
    const end = await signIn(browser, started, person);
    if (end.status !== 0 && isOver(end, browser, ledger)) continue;
    assert.equal(end.status, 0, `the portal, not: ${end.status} ${end.text}`);
    const tokens = await exchanged(ledger, "code", () => portal.exchange(end.url, started));
    if (tokens === undefined) continue;
    ledger.exchanged(end.url.searchParams.get("code") ?? "");
    return tokens;
  }
}

async function refreshed(
  options: PersonOptions,
  browser: RetryingAgent,
  tokens: PortalTokens,
): Promise<PortalTokens> {
  const { portal, ledger } = options;
  const token = tokens.refresh_token ?? assert.fail("no refresh token");
  const fresh = await exchanged(ledger, "refresh", () => portal.refresh(token));
  if (fresh === undefined) return await signInAtPortal(options, browser);
  ledger.exchanged(token);
  return fresh as PortalTokens;
}

/**
 * Asks the token endpoint until it can answer. Undefined when an answer that was lost had spent the
 * credential.
 */
async function exchanged<T>(
  ledger: Ledger,
  kind: "code" | "refresh",
  ask: () => Promise<T>,
): Promise<T | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (let wasRefused = false; ; ) {
    const began = performance.now();
    try {
      const tokens = await ask();
      ledger.answered(200, performance.now() - began, kind);
      return tokens;
    } catch (error) {
      const { error: code, cause, status = (cause as Response | undefined)?.status } = error as TokenError;
      ledger.answered(
        status ?? 599,
        performance.now() - began,
        `${kind}: ${String((error as Error).message)} ${code}`,
      );
      if (status === 503) {
        wasRefused = true;
        assert.ok(Date.now() < deadline, `tokens were unavailable for ${timeoutMs} ms`);
        await pause(restMs);
        continue;
      }
      assert.ok(
        wasRefused && code === "invalid_grant",
        `${kind} refused: ${code} ${String((error as Error).message)}`,
      );
      ledger.begunAnew[kind] += 1;
      return undefined;
    }
  }
}

/** What openid-client throws; an answer that OAuth doesn't speak of is its cause. */
interface TokenError {
  status?: number;
  error?: string;
  cause?: unknown;
}

/**
 * Whether a page says that this sign-in is over, or asks for it once more because a callback was taken and
 * what it came to was lost. Either may be said after a 503 alone.
 */
function isOver(page: Page, browser: RetryingAgent, ledger: Ledger): boolean {
  if (page.status !== 400 && !page.heading.startsWith("Sign in")) return false;
  assert.ok(browser.wasRefused, `${page.url.pathname}: ${page.heading}: ${page.text}`);
  ledger.begunAnew.callback += 1;
  return true;
}

function mailsTo({ mails }: Mailbox, address: string) {
  return mails.filter(({ to, text }) => to === address && /\/link\//.test(text));
}
