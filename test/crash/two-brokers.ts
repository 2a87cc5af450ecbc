/** Two broker processes on one database file behind one issuer, and a person whose account is linked through them. */

import assert from "node:assert/strict";
import { openLink, people, signIn } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import type { Store } from "../../src/storage/contract.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";
import { type AlternatingProxy, startAlternatingProxy } from "./alternating-proxy.ts";
import type { BrokerProcess } from "./broker-process.ts";
import { address, type Deployment, startDeployment } from "./deployment.ts";

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
  const folder = await deployment.copyData();
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

/** Ann asks for links to her address. Returns the page that waits, and the links by profile. */
export async function askForLinks(
  { deployment, store }: Pick<TwoBrokers, "deployment" | "store">,
  browser: UserAgent,
): Promise<{ waiting: Page; links: Map<string, string> }> {
  const portal = await deployment.portal();
  const linkStep = await signIn(browser, await portal.start(), people.ann);
  const before = deployment.mailbox.mails.length;
  const waiting = await browser.press(linkStep, /^(Continue|Send)/, { email: address });
  assert.equal(waiting.heading, "Check your email");
  const mails = (await deployment.mailbox.arrived(before + 2)).slice(before);
  const links = new Map<string, string>();
  for (const link of mails.map(linkIn)) {
    const requestId = new URL(link).pathname.split("/")[2] ?? "";
    const [event] = await store.audit.list({ requestId, limit: 1 });
    links.set(event?.profileId ?? "", link);
  }
  return { waiting, links };
}

/** A browser in which Ann is signed in, with both of her profiles linked. */
export async function linkedBrowser(two: TwoBrokers): Promise<UserAgent> {
  const browser = two.deployment.browser();
  const { links } = await askForLinks(two, browser);
  for (const link of links.values()) {
    const page = await openLink(browser, link, people.ann);
    assert.match(page.heading, /linked/i);
  }
  return browser;
}
