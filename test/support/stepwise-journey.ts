/**
 * One person's journey, one request of the broker at a time, so that a test can do something to the
 * deployment before each. A step that can't be served is made again as it was: a page is loaded again, a form
 * is sent again.
 */

import assert from "node:assert/strict";
import { signInUpstream, type TestPerson } from "./liaison.ts";
import { linkIn, type Mailbox } from "./mailbox.ts";
import type { PortalTokens, TestPortal } from "./portal.ts";
import type { Page, UserAgent } from "./user-agent.ts";

export interface Answer {
  status: number;
  /** The same request once more. */
  again(): Promise<Answer>;
}

export interface Step {
  name: string;
  act(): Promise<Answer>;
}

export interface JourneyOptions {
  portal: TestPortal;
  mailbox: Mailbox;
  browser: UserAgent;
  person: TestPerson;
  /** The address that the organization registered. */
  registered: string;
}

/** The steps, in their order. Each asserts what it leads to, once it is served. */
export async function journeySteps({
  portal,
  mailbox,
  browser,
  person,
  registered,
}: JourneyOptions): Promise<Step[]> {
  const started = await portal.start({ prompt: "consent" });
  let page: Page;
  let waiting: Page;
  let tokens: PortalTokens;
  const subject = () => tokens.claims()?.sub ?? "";

  /** A step of the browser's: `check` is told where it led. */
  const browse = (name: string, act: () => Promise<Page>, check: (page: Page) => void): Step => {
    const served = (found: Page, again: () => Promise<Page>): Answer => {
      if (found.status !== 503) check(found);
      // Where it got further than its first request, that one has been served: the last one is made again.
      const repeat = found.url.href.includes("/upstream/") ? () => browser.visit(found.url) : again;
      return { status: found.status, again: async () => served(await repeat(), again) };
    };
    return { name, act: async () => served(await act(), act) };
  };

  /** A step of the portal's. */
  const call = (name: string, ask: () => Promise<void>): Step => ({
    name,
    act: async function act(): Promise<Answer> {
      try {
        await ask();
        return { status: 200, again: act };
      } catch (error) {
        const { cause, status = (cause as Response | undefined)?.status } = error as {
          status?: number;
          cause?: unknown;
        };
        if (status !== 503) throw error;
        return { status, again: act };
      }
    },
  });

  const reaches = (heading: RegExp) => (found: Page) => {
    assert.match(found.heading, heading, `${found.status} ${found.url}: ${found.text}`);
    page = found;
  };

  return [
    browse("the portal sends the person off", () => browser.visit(started.url), reaches(/Sign in/)),
    browse("chooses the upstream", () => browser.press(page, /Fabrikam ID/), reaches(/Sign in/)),
    browse("comes back signed in", () => signInUpstream(browser, page, person), reaches(/email/i)),
    browse(
      "asks for a link",
      () => browser.press(page, /^(Continue|Send)/, { email: registered }),
      (found) => {
        reaches(/Check your email/)(found);
        waiting = found;
      },
    ),
    browse("looks at the waiting page", () => browser.visit(waiting.url), reaches(/Check your email/)),
    browse(
      "opens the mailed link",
      async () => {
        const mails = await mailbox.arrived(1, 20_000);
        const [mail] = mails.filter(({ to }) => to === registered).slice(-1);
        return await browser.visit(linkIn(mail ?? assert.fail("no mail")));
      },
      reaches(/Link/i),
    ),
    browse("continues", () => browser.press(page, "Continue to sign in"), reaches(/Sign in/)),
    browse(
      "comes back to redeem",
      () => signInUpstream(browser, page, person),
      reaches(/Your account is linked/),
    ),
    browse(
      "lets the waiting tab go on",
      () => browser.follow(waiting, /I’ve opened the link|I've opened the link/),
      (found) => {
        assert.equal(found.status, 0, `${found.status} ${found.url}: ${found.text}`);
        page = found;
      },
    ),
    call("exchanges the code", async () => {
      tokens = await portal.exchange(page.url, started);
    }),
    call("asks userinfo", async () => {
      assert.equal((await portal.userinfo(tokens.access_token, subject()))["sub"], subject());
    }),
    call("introspects", async () => {
      assert.equal((await portal.introspect(tokens.access_token)).active, true);
    }),
    call("refreshes", async () => {
      assert.ok((await portal.refresh(tokens.refresh_token ?? "")).access_token);
    }),
    browse(
      "signs in again without being asked",
      async () => await browser.visit((await portal.start({ prompt: "consent" })).url),
      (found) => assert.equal(found.status, 0, found.text),
    ),
  ];
}
