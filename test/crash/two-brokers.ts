/**
 * Two broker processes on one database file behind one issuer, and a person whose account is linked through
 * them.
 */

import assert from "node:assert/strict";
import { asLinkRequestId, asProfileId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { type AlternatingProxy, startAlternatingProxy } from "../support/alternating-proxy.ts";
import { openLink, people, signIn } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";
import type { BrokerProcess } from "./broker-process.ts";
import { address, type Deployment, profiles, startDeployment } from "./deployment.ts";

export interface TwoBrokers {
  deployment: Deployment;
  brokers: BrokerProcess[];
  proxy: AlternatingProxy;
  /** The test's own view of the database. */
  store: Store;
  close(): Promise<void>;
}

export async function startTwoBrokers(): Promise<TwoBrokers> {
  const deployment = await startDeployment();
  const folder = await deployment.data.copy();
  const brokers = [deployment.broker(), deployment.broker()];
  await Promise.all(brokers.map((broker) => broker.start({ config: deployment.config(folder, 0) })));
  const proxy = await startAlternatingProxy(
    deployment.port,
    brokers.map(({ port }) => port),
  );
  const store = await deployment.openStore(folder);
  return {
    deployment,
    brokers,
    proxy,
    store,
    close: async () => {
      await store.close();
      await proxy.close();
      await deployment.close();
    },
  };
}

/** Ann signs in at a portal and asks for links to her address. Returns the links by profile. */
export async function askForLinks(
  { deployment, store }: Pick<TwoBrokers, "deployment" | "store">,
  browser: UserAgent,
): Promise<Map<string, string>> {
  const portal = await deployment.portal();
  const linkStep = await signIn(browser, await portal.start(), people.ann);
  const before = deployment.mailbox.mails.length;
  const waiting = await browser.press(linkStep, /^(Continue|Send)/, { email: address });
  assert.equal(waiting.heading, "Check your email");
  const mails = (await deployment.mailbox.arrived(before + 2)).slice(before);
  const links = new Map<string, string>();
  for (const link of mails.map(linkIn)) {
    const requestId = asLinkRequestId(new URL(link).pathname.split("/")[2] ?? "");
    const [event] = await store.audit.list({ requestId, limit: 1 });
    links.set(event?.profileId ?? "", link);
  }
  return links;
}

/**
 * A browser of Ann's that opened a link, continued and signed in at the upstream, and is paused where that
 * sends it back to the broker. The function returned lets it go on.
 */
export async function pausedCallback(deployment: Deployment, link: string): Promise<() => Promise<Page>> {
  let isPaused = true;
  const browser = deployment.browser((url) => isPaused && url.pathname.endsWith("/callback"));
  const callback = await openLink(browser, link, people.ann);
  assert.equal(callback.status, 0, `paused at the callback, not: ${callback.text}`);
  return async () => {
    isPaused = false;
    return await browser.visit(callback.url);
  };
}

/** A browser in which Ann is signed in, with her customer profile linked. */
export async function linkedBrowser(two: Pick<TwoBrokers, "deployment" | "store">): Promise<UserAgent> {
  const { deployment, store } = two;
  const browser = deployment.browser();
  const membership = await store.directory.membership(asProfileId(profiles.customer));
  if (membership?.profile.accountId === null) {
    const links = await askForLinks(two, browser);
    const page = await openLink(browser, links.get(profiles.customer) ?? "", people.ann);
    assert.match(page.heading, /linked/i);
  }
  const portal = await deployment.portal();
  assert.equal((await signIn(browser, await portal.start(), people.ann)).status, 0, "straight to the portal");
  return browser;
}
