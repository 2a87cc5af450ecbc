/**
 * A person on the way from a portal to a linked account, over HTTP, with two profiles at one address. The
 * person remembers what the broker has answered, because that must outlive any kill, and can go on after one.
 */

import assert from "node:assert/strict";
import { openLink, people, signIn } from "../support/liaison.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";
import type { BrokerProcess } from "./broker-process.ts";
import { until } from "./broker-process.ts";
import { address, type Deployment, profiles } from "./deployment.ts";
import { boundIn, isLinkMail, isQuiet, linksByProfile } from "./kill-state.ts";

const timeoutMs = 15_000;
/**
 * Each look opens the database and reads all of it: more often would keep the broker from what is waited for.
 */
const lookEveryMs = 25;

export class Journey {
  /** Whether the broker has answered the inquiry with its 303: from then on the mails are owed. */
  isInquiryAnswered = false;
  /** Profiles whose link the broker said it has carried out. */
  readonly answeredBound: string[] = [];
  readonly #deployment: Deployment;
  readonly #place: string;
  readonly #browser: UserAgent;

  constructor(deployment: Deployment, place: string) {
    this.#deployment = deployment;
    this.#place = place;
    this.#browser = deployment.browser();
  }

  /** All of it. Rejects when the broker dies on the way. */
  async walk(broker: BrokerProcess): Promise<void> {
    await this.#ask();
    await this.#untilMailed(broker);
    await this.#openLinks();
    await this.#arrive();
  }

  /**
   * The way of somebody whom a kill has stopped: asks again if no mail came, opens what isn't linked yet, and
   * arrives.
   */
  async complete(broker: BrokerProcess): Promise<void> {
    if (!this.#hasLinkMails()) {
      await this.#ask();
      await this.#untilMailed(broker);
    }
    await this.#openLinks();
    await this.#arrive();
  }

  /** From the portal to *Check your email*. */
  async #ask(): Promise<void> {
    const portal = await this.#deployment.portal();
    const linkStep = await signIn(this.#browser, await portal.start(), people.ann);
    const { action, fields } = linkStep.form(/^(Continue|Send)/);
    fields.set("email", address);
    const answer = await this.#browser.once(action, { method: "POST", body: fields });
    assert.equal(answer.status, 303, answer.text);
    this.isInquiryAnswered = true;
    const waiting = await this.#browser.visit(new URL(answer.headers.get("location") ?? "", action));
    assert.equal(waiting.heading, "Check your email");
  }

  async #untilMailed(broker: BrokerProcess): Promise<void> {
    await until(() => this.#hasLinkMails() || !broker.isAlive, "the link mails arrive", timeoutMs);
    if (!broker.isAlive) throw new Error("the broker died before the mails came");
  }

  #hasLinkMails(): boolean {
    const { mails } = this.#deployment.mailbox;
    return (
      new Set(mails.filter(isLinkMail).map(({ messageId }) => messageId)).size >= Object.keys(profiles).length
    );
  }

  /** Opens each mailed link whose profile isn't bound, and carries it out. */
  async #openLinks(): Promise<void> {
    const state = await this.#deployment.data.read(this.#place);
    const bound = boundIn(state);
    for (const [profile, link] of linksByProfile(state, this.#deployment.mailbox.mails)) {
      if (bound.includes(profile)) continue;
      const page: Page = await openLink(this.#browser, link, people.ann);
      assert.equal(page.heading, "Your account is linked", page.text);
      this.answeredBound.push(profile);
    }
  }

  /** Signs in at the portal again, this time all the way. */
  async #arrive(): Promise<void> {
    const portal = await this.#deployment.portal();
    const started = await portal.start();
    const end = await signIn(this.#browser, started, people.ann);
    assert.equal(end.status, 0, `the portal, not: ${end.text}`);
    const tokens = await portal.exchange(end.url, started);
    const claims = await portal.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
    assert.equal(claims["profile_id"], profiles.customer);
  }

  /** Waits until the broker's workers have done what there is to do. False if it died meanwhile. */
  async untilQuiet(broker: BrokerProcess): Promise<boolean> {
    const { data } = this.#deployment;
    const isDone = async () => !broker.isAlive || isQuiet(await data.read(this.#place));
    await until(isDone, "the workers finish", timeoutMs, lookEveryMs);
    return broker.isAlive;
  }
}
