/**
 * The application with the lying upstream as its only one, browsers that stop at its door, and portals behind
 * it.
 */

import assert from "node:assert/strict";
import { pino } from "pino";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, mailsTo, returnFromUpstream, startAttacked } from "./attack-fixture.ts";
import { type LiaisonOptions, register, TestClock } from "./liaison.ts";
import { linkIn } from "./mailbox.ts";
import type { StartedSignIn } from "./portal.ts";
import { type Lies, type LyingUpstream, PEER_CLIENT, startLyingUpstream } from "./upstream-peer.ts";
import { type Page, UserAgent } from "./user-agent.ts";

/** A browser at the upstream's door. */
export interface SentOff {
  browser: UserAgent;
  started: StartedSignIn;
  /** The authorization request that the upstream gets. */
  request: URL;
}

export interface LyingUpstreamFixture {
  liaison: Attacked;
  liar: LyingUpstream;
  /** Reasons that the log tells for what was refused, oldest first. */
  reasons: string[];
  /** What the liar's clock is ahead of the application's by, in seconds. */
  clocks: { ahead: number };
  /** Seconds since the epoch by the application's clock. */
  now(): number;
  /** By the liar's. */
  theirNow(): number;
  /** A browser that stops at the upstream and at the portals. */
  browser(): UserAgent;
  /** From a page of the broker's to the upstream's door. */
  leave(browser: UserAgent, page: Page): Promise<Pick<SentOff, "browser" | "request">>;
  /** Sends a browser from the customer portal to the upstream's door. */
  sendOff(parameters?: Record<string, string>, browser?: UserAgent): Promise<SentOff>;
  /** Has the liar answer as it is told, and the browser come back with its answer. */
  comeBack(
    sent: Pick<SentOff, "browser" | "request">,
    lies: Lies,
    parameters?: Record<string, string | null>,
  ): Promise<Page>;
  /**
   * Registers a profile with the address `<profile>@liar.example`, and has its link mailed to whom the liar
   * calls `sub`.
   */
  linkFor(sub: string, profile?: string): Promise<string>;
  /** Opens a mailed link and goes on to the upstream's door. */
  redeem(link: string): Promise<Pick<SentOff, "browser" | "request">>;
  /** Links somebody to a profile, whose name is hers unless it is given. */
  linked(sub: string, profile?: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts it. `entry`: settings of the upstream's, beside the usual. */
export async function startLyingUpstreamFixture(
  options: LiaisonOptions & { entry?: object } = {},
): Promise<LyingUpstreamFixture> {
  const clocks = { ahead: 0 };
  const clock = options.clock ?? new TestClock();
  const liar = await startLyingUpstream({ now: () => clock.now() + clocks.ahead * 1000 });
  const reasons: string[] = [];
  const { entry = {}, ...rest } = options;
  const logger = pino({ level: "info" }, { write: (line: string) => void reasons.push(...reasonsIn(line)) });
  const liaison = await startAttacked({
    ...rest,
    clock,
    logger,
    upstream: false,
    config: (base) => {
      const one = {
        ...base,
        upstreams: [{ id: "liar", name: "Liar", issuer: liar.issuer, ...PEER_CLIENT, ...entry }],
      };
      return options.config?.(one) ?? one;
    },
  });
  const newBrowser = () =>
    new UserAgent({ stopAt: ({ port, origin }) => port === "9" || origin === liar.issuer });
  const now = () => Math.floor(liaison.clock.now() / 1000);

  const leave: LyingUpstreamFixture["leave"] = async (browser, page) => {
    const left = page.body.includes('name="upstream"') ? await browser.press(page, /Liar/) : page;
    assert.equal(left.url.origin, liar.issuer, `${left.status} ${left.url} ${left.text}`);
    return { browser, request: left.url };
  };

  const sendOff: LyingUpstreamFixture["sendOff"] = async (parameters = {}, browser = newBrowser()) => {
    const started = await liaison.customerSource.start(parameters);
    return { started, ...(await leave(browser, await browser.visit(started.url))) };
  };

  const comeBack: LyingUpstreamFixture["comeBack"] = async ({ browser, request }, lies, parameters) => {
    liar.lies = lies;
    const page = await returnFromUpstream(browser, liar.callback(request, parameters));
    liar.lies = {};
    return page;
  };

  const linkFor: LyingUpstreamFixture["linkFor"] = async (sub, profile = sub) => {
    const email = `${profile}@liar.example`;
    await register(liaison, { id: asOrganizationId(profile) }, [{ id: profile, email }]);
    const sent = await sendOff({ prompt: "select_account" });
    const page = await comeBack(sent, { claims: { sub } });
    const step = page.body.includes('name="email"') ? page : await sent.browser.follow(page, /Link another/);
    await sent.browser.press(step, "Continue", { email });
    const [mail] = await mailsTo(liaison, email, 1);
    return linkIn(mail ?? assert.fail("no mail"));
  };

  const redeem: LyingUpstreamFixture["redeem"] = async (link) => {
    const browser = newBrowser();
    return await leave(browser, await browser.press(await browser.visit(link), "Continue to sign in"));
  };

  return {
    liaison,
    liar,
    reasons,
    clocks,
    now,
    leave,
    sendOff,
    comeBack,
    linkFor,
    redeem,
    theirNow: () => now() + clocks.ahead,
    browser: newBrowser,
    linked: async (sub, profile) => {
      const page = await comeBack(await redeem(await linkFor(sub, profile)), { claims: { sub } });
      assert.equal(page.heading, "Your account is linked", page.text);
    },
    close: async () => {
      await liaison.close();
      await liar.close();
    },
  };
}

/** A line's own reason, or the error in it with its causes, as pino writes them out. */
function reasonsIn(line: string): string[] {
  const { err, reason } = JSON.parse(line) as { err?: { message?: string }; reason?: string };
  const found = reason ?? err?.message;
  return found === undefined ? [] : [found];
}
