/** One lifecycle: does each operation to the real thing and to the model, and compares what both say. */

import assert from "node:assert/strict";
import {
  asAccountId,
  asClientId,
  asLinkRequestId,
  asOrganizationId,
  asProfileId,
  asUpstreamId,
} from "../../src/domain/ids.ts";
import { randomSecret } from "../../src/domain/secrets.ts";
import {
  addressOf,
  eventInShort,
  inShort,
  keptOf,
  nth,
  organizationsOf,
  type Person,
  peopleOf,
  profilesOf,
} from "./lifecycle-cast.ts";
import { type LifecycleDeployment, linkLifetimeMs } from "./lifecycle-deployment.ts";
import {
  answerDelayMs,
  LifecycleModel,
  type ModelLink,
  type ModelMail,
  type ModelOrganization,
  type ModelProfile,
  type Reception,
} from "./lifecycle-model.ts";
import type { Attempt, Operation, Spelling } from "./lifecycle-operations.ts";

/** What was seen in a series, so that it can be told that the deep places were reached. */
export type Tally = Map<string, number>;

export class Lifecycle {
  readonly #real: LifecycleDeployment;
  readonly #model: LifecycleModel;
  readonly #people: Person[];
  readonly #organizations: ModelOrganization[];
  readonly #name: string;
  readonly #tally: Tally;
  readonly #marks: { outbox: number; inquiries: number };
  #lastEvent: string | undefined;

  private constructor(real: LifecycleDeployment, name: string, tally: Tally) {
    this.#real = real;
    this.#name = name;
    this.#tally = tally;
    this.#marks = real.marks();
    this.#people = peopleOf(name);
    this.#organizations = organizationsOf(name);
    const profiles = profilesOf(name, this.#organizations);
    this.#model = new LifecycleModel(real.now, profiles);
  }

  static async begin(real: LifecycleDeployment, name: string, tally: Tally): Promise<Lifecycle> {
    const lifecycle = new Lifecycle(real, name, tally);
    for (const { id } of lifecycle.#organizations) await real.putOrganization(asOrganizationId(id), true);
    for (const profile of lifecycle.#model.profiles) await lifecycle.#put(profile);
    lifecycle.#lastEvent = (await real.store.audit.list({ limit: 1 }))[0]?.id;
    return lifecycle;
  }

  async step(operation: Operation): Promise<void> {
    await this.#do(operation);
    await this.#compare();
  }

  /** Answers and delivers all that is left, so that nothing of this lifecycle meets the next. */
  async rest(): Promise<void> {
    for (let hours = 0; hours < 4; hours += 1) {
      this.#wait(60 * 60_000);
      await this.#answer(100);
      await this.#deliver([], []);
    }
    await this.#compare();
    assert.equal(this.#model.nextMailAt, undefined, "mail is owed for ever");
    assert.ok(this.#model.inquiries.every(({ settled }) => settled));
  }

  async #do(operation: Operation): Promise<void> {
    const { profiles } = this.#model;
    switch (operation.do) {
      case "sign_in":
        return void (await this.#signIn(operation.who));
      case "inquire":
        return await this.#inquire(operation.who, operation.address, operation.spelling);
      case "ask":
        await this.#inquire(operation.who, operation.address, "exact");
        this.#wait(answerDelayMs);
        await this.#answer(100);
        return await this.#deliver([], []);
      case "answer":
        return await this.#answer(operation.batchSize);
      case "answerer_dies": {
        const claimed = await this.#real.store.links.claimInquiry("dead", this.#real.now, 30_000);
        return assert.equal(claimed?.id, this.#model.claimInquiry()?.id);
      }
      case "deliver":
        return await this.#deliver(operation.refuses, operation.rejects);
      case "courier_dies":
        return await this.#courierDies(operation.after === "sending");
      case "open":
        return await this.#open(operation.attempt);
      case "redeem":
        return await this.#redeem(operation.attempts);
      case "decline":
        return await this.#decline(operation.attempt);
      case "edit_email": {
        const profile = nth(profiles, operation.profile);
        this.#model.editEmail(profile, this.#addressOf(operation.address));
        return await this.#put(profile);
      }
      case "switch_profile": {
        const profile = nth(profiles, operation.profile);
        this.#model.switchProfile(profile, operation.enabled);
        return await this.#put(profile);
      }
      case "switch_organization": {
        const organization = nth(this.#organizations, operation.organization);
        this.#model.switchOrganization(organization, operation.enabled);
        return await this.#real.putOrganization(asOrganizationId(organization.id), organization.enabled);
      }
      case "unbind":
        return await this.#unbind(nth(profiles, operation.profile), operation.from);
      case "wait":
        return this.#wait(operation.ms);
      case "wait_for_expiry": {
        const link = this.#mailed(operation.link);
        return this.#wait((link?.expiresAt ?? 0) + operation.ms - this.#real.now);
      }
      case "wait_for_mail":
        return this.#wait((this.#model.nextMailAt ?? 0) + operation.ms - this.#real.now);
      case "sweep":
        return void (await this.#real.store.sweep(this.#real.now));
    }
  }

  #wait(ms: number): void {
    this.#real.now += Math.max(0, ms);
    this.#model.now = this.#real.now;
  }

  #addressOf(address: number): string {
    return addressOf(this.#name, address);
  }

  #put({ id, organization, email, enabled }: ModelProfile): Promise<void> {
    return this.#real.putProfile({
      id: asProfileId(id),
      organizationId: asOrganizationId(organization.id),
      email,
      enabled,
    });
  }

  /** The account of a person; a new one at their first sign-in, the same ever after. */
  async #signIn(who: number): Promise<string> {
    const person = nth(this.#people, who);
    const { id } = await this.#real.store.accounts.signIn(person.identity, this.#real.now);
    if (person.accountId === undefined) this.#model.events.push(`account.created by ${who}`);
    assert.equal(id, person.accountId ?? id);
    person.accountId = id;
    assert.equal(
      this.#people.filter(({ accountId }) => accountId === id).length,
      1,
      "two people share an account",
    );
    return id;
  }

  async #inquire(who: number, address: number, spelling: Spelling): Promise<void> {
    const accountId = asAccountId(await this.#signIn(who));
    const exact = this.#addressOf(address);
    const typed = {
      exact,
      upper: exact.toUpperCase(),
      padded: `  ${exact}\t`,
      unknown: `x${exact}`,
      list: `${exact}, x${exact}`,
      cut_off: exact.slice(0, exact.indexOf("@") + 1),
    }[spelling];
    const requester = { ...nth(this.#people, who).identity, accountId };
    const inquiry = { requester, typed, interactionCid: this.#name, clientAddress: "192.0.2.1" };
    const outcome = await this.#real.linking.inquire(inquiry);
    if (!outcome.asked) assert.fail("there is no pause between two");
    const { id } = outcome.inquiry;
    const isOne = spelling !== "list" && spelling !== "cut_off";
    const mailbox = isOne ? typed.trim().toLowerCase() : null;
    this.#model.inquiries.push({
      id,
      who,
      mailbox,
      dueAt: this.#real.now + answerDelayMs,
      settled: false,
    });
  }

  async #answer(batchSize: number): Promise<void> {
    this.#real.settled = [];
    const count = await this.#real.inquiryWorker(batchSize).runOnce();
    assert.equal(this.#real.settled.length, count);
    for (const { inquiryId, mails } of this.#real.settled) {
      const inquiry = this.#model.claimInquiry();
      assert.equal(inquiryId, inquiry?.id, "another inquiry was due");
      if (inquiry === undefined) return;
      const written = mails.map(({ id, to, content }) => {
        assert.ok(
          content.kind !== "support_request" && content.kind !== "collected",
          "nothing is over a limit",
        );
        const profile = this.#model.profiles.find((candidate) => candidate.id === content.profileName);
        assert.ok(profile !== undefined, `mail about ${content.profileName}`);
        assert.equal(to, profile.email, "mail goes to the registered address alone");
        const link = content.kind === "link" ? { id: content.requestId, secret: content.secret } : null;
        return { id, kind: content.kind, profile, link };
      });
      const short = (entries: { kind: string; profile: ModelProfile }[]) =>
        entries.map(({ kind, profile }) => `${kind} ${profile.id}`).sort();
      assert.deepEqual(short(written), short(this.#model.answers(inquiry)));
      for (const { kind } of written) this.#count(`mail ${kind}`);
      this.#model.settle(inquiry, written);
    }
    if (count < batchSize)
      assert.equal(this.#model.claimInquiry(), undefined, "an inquiry that is due was left");
  }

  async #deliver(refuses: number[], rejects: number[]): Promise<void> {
    const [refused, rejected] = [refuses, rejects].map((some) =>
      some.map((address) => this.#addressOf(address)),
    );
    const receive = (to: string): Reception => {
      if (rejected?.includes(to)) return "rejected";
      return refused?.includes(to) ? "refused" : "taken";
    };
    this.#real.receive = receive;
    this.#real.handedOver = [];
    await this.#real.outbox.runOnce();
    for (const mail of this.#real.handedOver) {
      const wanted = this.#model.claimMail();
      this.#assertSame(mail, wanted);
      if (wanted === undefined) return;
      this.#model.handOver(wanted, receive(wanted.to));
      this.#count(`mail ${receive(wanted.to)}`);
    }
    assert.equal(this.#model.claimMail(), undefined, "a mail that is due was left");
  }

  async #courierDies(afterSending: boolean): Promise<void> {
    const { store, now } = this.#real;
    const claimed = await store.outbox.claim("dead", now, 60_000, linkLifetimeMs);
    const wanted = this.#model.claimMail();
    assert.equal(claimed?.message.id, wanted?.id);
    if (claimed === undefined || wanted === undefined) return;
    const { messageId, to, content } = claimed.message;
    if (!afterSending) return;
    const mail = { messageId, to, content, linkExpiresAt: claimed.linkExpiresAt };
    this.#real.noteHandOver(mail);
    this.#assertSame(mail, wanted);
    if (wanted.link !== null) wanted.link.mailed = true;
  }

  #assertSame(mail: LifecycleDeployment["handedOver"][number], wanted: ModelMail | undefined): void {
    const said = {
      id: this.#real.messageIdOf.get(mail.messageId),
      to: mail.to,
      kind: mail.content.kind,
    };
    assert.deepEqual(said, wanted && { id: wanted.id, to: wanted.to, kind: wanted.kind });
    assert.equal(mail.linkExpiresAt, wanted?.link?.expiresAt ?? null);
    if (mail.content.kind === "link") assert.equal(mail.content.secret, wanted?.link?.secret);
  }

  /** The mailed link of this number, the newest first. */
  #mailed(number: number): ModelLink | undefined {
    const mailed = this.#model.links.filter((link) => link.mailed).reverse();
    return mailed[number % Math.max(1, mailed.length)];
  }

  /** Whom and what an attempt is made with; undefined while nothing was mailed. */
  async #prepared({ link: number, who, secret, upstream }: Attempt) {
    const link = this.#mailed(number);
    if (link === undefined) return undefined;
    const by = who === "requester" ? link.who : who;
    const accountId = asAccountId(await this.#signIn(by));
    const { identity } = nth(this.#people, by);
    const other = this.#mailed(number + 1);
    const isOther = secret === "of_another" && other !== undefined && other !== link;
    const used = secret === "right" ? link.secret : isOther ? other.secret : randomSecret();
    const held = { id: link.id, secret: used };
    const shown = upstream === "right" ? identity : { ...identity, upstreamId: asUpstreamId("three") };
    const attempt = this.#real.attempt(held, shown, accountId);
    return { attempt, held, by, known: secret === "right" ? link : undefined, isRight: upstream === "right" };
  }

  async #open(attempt: Attempt): Promise<void> {
    const prepared = await this.#prepared(attempt);
    if (prepared === undefined) return;
    const { held, known } = prepared;
    const preview = await this.#real.linking.view(asLinkRequestId(held.id), held.secret);
    assert.equal(preview?.request.id, known?.id);
    assert.equal(preview?.membership.profile.id, known?.profile.id);
  }

  async #redeem(attempts: Attempt[]): Promise<void> {
    const prepared = [];
    for (const attempt of attempts) {
      const ready = await this.#prepared(attempt);
      if (ready !== undefined) prepared.push(ready);
    }
    this.#real.notices = [];
    const outcomes = await Promise.all(prepared.map(({ attempt }) => this.#real.linking.redeem(attempt)));
    const wanted = prepared.map(({ known, by, isRight }, turn) =>
      this.#model.redeem(known, by, isRight, nth(this.#real.notices, turn)),
    );
    assert.deepEqual(outcomes.map(inShort), wanted);
    for (const outcome of wanted) this.#count(`redeem ${outcome}`);
  }

  async #decline(attempt: Attempt): Promise<void> {
    const prepared = await this.#prepared(attempt);
    if (prepared === undefined) return;
    const outcome = inShort(await this.#real.linking.decline(prepared.attempt));
    assert.equal(outcome, this.#model.decline(prepared.known, prepared.by));
    this.#count(`decline ${outcome}`);
  }

  async #unbind(profile: ModelProfile, from: number | "anybody"): Promise<void> {
    const accountId = from === "anybody" ? undefined : asAccountId(await this.#signIn(from));
    const { store, now } = this.#real;
    const undone = await store.links.unbind(asProfileId(profile.id), "admin:test", now, accountId);
    const wanted = this.#model.unbind(profile, from);
    assert.equal(undone !== undefined, wanted);
    this.#count(`unbind ${wanted}`);
  }

  #count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
  }

  async #compare(): Promise<void> {
    const { store, linking } = this.#real;
    const { profiles, links, mails, inquiries } = this.#model;
    for (const { id, email, version, provenVersion, enabled, boundTo, organization } of profiles) {
      const { profile, organization: its } =
        (await store.directory.membership(asProfileId(id))) ?? assert.fail(id);
      const stored = {
        email: profile.email,
        version: profile.emailVersion,
        proven: profile.provenEmailVersion,
      };
      assert.deepEqual(stored, { email, version, proven: provenVersion });
      assert.equal(
        profile.accountId,
        boundTo === null ? null : nth(this.#people, boundTo).accountId,
        `${id} is bound`,
      );
      assert.deepEqual([profile.enabled, its.enabled], [enabled, organization.enabled]);
    }
    for (const [who, { accountId }] of this.#people.entries()) {
      if (accountId === undefined) continue;
      const accountAtClient = await store.accountsAtClients.forClient(
        asAccountId(accountId),
        asClientId("portal"),
        null,
        this.#real.now,
      );
      const theirs = profiles.filter(({ boundTo }) => boundTo === who).map(({ id }) => id);
      const told = accountAtClient?.memberships.map(({ profile }) => profile.id);
      assert.deepEqual(told, theirs);
    }
    for (const link of links) {
      const verdict = (await linking.view(asLinkRequestId(link.id), link.secret))?.verdict;
      const said = verdict === undefined ? "unknown" : verdict.alive ? undefined : verdict.reason;
      assert.equal(said, this.#model.deadReason(link, link.who), `the link for ${link.profile.id}`);
    }
    const owed = mails.map(({ id, to, state }) => ({ id, to, state }));
    assert.deepEqual(this.#real.mailsSince(this.#marks.outbox), owed, "mails");
    assert.equal(await store.outbox.nextDueAt(), this.#model.nextMailAt, "when the next mail is due");
    const asked = inquiries.map(keptOf);
    assert.deepEqual(this.#real.inquiriesSince(this.#marks.inquiries), asked, "inquiries");
    await this.#compareAudit();
  }

  async #compareAudit(): Promise<void> {
    const events = await this.#real.auditAfter(this.#lastEvent);
    this.#lastEvent = events.at(-1)?.id ?? this.#lastEvent;
    const said = events.map((event) => eventInShort(event, this.#people)).sort();
    assert.deepEqual(said, this.#model.events.sort(), "audit");
    this.#model.events = [];
  }
}
