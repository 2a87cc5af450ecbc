/**
 * What strangers can have stored without an account, from one address: each sort as large as may be. Every
 * function asks for one and returns the status of its answer.
 */

import assert from "node:assert/strict";
import type { Liaison } from "./liaison.ts";
import { type Answer, askFrom } from "./raw-socket.ts";
import type { Page, UserAgent } from "./user-agent.ts";

export type Sort = "authorize" | "open" | "begin" | "signOut" | "postSignOut" | "callback" | "openLink";

export type StrangersFlood = Record<Sort, () => Promise<number>>;

/** Characters of an authorization request that count as one. */
const ordinaryLength = 2048;
const fromHere = "127.0.0.1";

/** @param link one that was mailed to a stranger, and is theirs to use */
export async function strangersFlood(liaison: Liaison, { link }: { link: string }): Promise<StrangersFlood> {
  const { url } = await liaison.customerSource.start();
  // What is stored holds each name with its value: as much of it as counts as one.
  const parameters = Object.fromEntries(url.searchParams);
  const room = ordinaryLength - JSON.stringify({ ...parameters, state: "" }).length;
  url.searchParams.set("state", "s".repeat(Math.min(room, ordinaryLength - url.search.length)));

  const authorize = () => askFrom(fromHere, url.href);
  const opened = async (): Promise<Answer> => {
    const asked = await authorize();
    if (asked.status !== 303) return asked;
    const cookie = cookiesOf(asked);
    return await askFrom(fromHere, String(asked.headers["location"]), {
      headers: { cookie, accept: "text/html" },
    });
  };

  return {
    authorize: async () => (await authorize()).status,
    open: async () => (await opened()).status,
    begin: beginnings(liaison, async (browser) => {
      const page = await browser.visit(url.href);
      return page.status === 200 ? page.form(/Fabrikam/) : page;
    }),
    openLink: beginnings(liaison, async (browser) => (await browser.visit(link)).form("Continue to sign in")),
    signOut: async () => {
      const asked = `${liaison.issuer}/logout?client_id=customersource&state=${"s".repeat(4096)}`;
      return (await askFrom(fromHere, asked)).status;
    },
    postSignOut: async () => {
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const body = `client_id=customersource&state=${"s".repeat(4096)}&unknown=${"x".repeat(2048)}`;
      return (await askFrom(fromHere, `${liaison.issuer}/logout`, { method: "POST", headers, body })).status;
    },
    callback: async () => {
      const asked = `${liaison.issuer}/upstream/fabrikam/callback?state=${"x".repeat(43)}&code=x`;
      return (await askFrom(fromHere, asked)).status;
    },
  };
}

/**
 * Begins sign-ins at an upstream by one form again and again, and by another once that has begun its share.
 */
function beginnings(
  liaison: Liaison,
  formIn: (browser: UserAgent) => Promise<ReturnType<Page["form"]> | Page>,
) {
  let current: Promise<{ browser: UserAgent; form: ReturnType<Page["form"]> | Page }> | undefined;
  const start = async () => {
    const browser = liaison.browser();
    return { browser, form: await formIn(browser) };
  };
  return async (): Promise<number> => {
    current ??= start();
    const mine = current;
    const { browser, form } = await mine;
    if ("status" in form) {
      current = undefined;
      return form.status;
    }
    const { status } = await browser.once(form.action, { method: "POST", body: form.fields });
    if (status === 429 && current === mine) current = undefined;
    return status;
  };
}

/** The cookies that an answer sets, as they are sent back. */
function cookiesOf({ headers }: Answer): string {
  return [headers["set-cookie"] ?? []]
    .flat()
    .map((line) => line.slice(0, line.indexOf(";")))
    .join("; ");
}

/**
 * Asks as long as it is let through, so many at a time, and `most` times at the most; returns how often it
 * was. A refusal ends it once `refusals` have come.
 */
export async function asLongAsLet(
  ask: () => Promise<number>,
  { most, parallel = 16, refusals = 1 }: { most: number; parallel?: number; refusals?: number },
): Promise<number> {
  let [asked, refused, served] = [0, 0, 0];
  const inLane = async () => {
    while (asked < most && refused < refusals) {
      asked += 1;
      const status = await ask();
      if (status === 429) refused += 1;
      else served += 1;
      assert.ok(status < 500, `answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, inLane));
  return served;
}
