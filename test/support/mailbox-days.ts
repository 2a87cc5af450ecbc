/**
 * Z1 over days: 48 simulated hours of strangers who ask for somebody's mailbox, the whole product on the
 * injected clock, and a person to whom the mailbox belongs. Her requests go through the pages, strangers'
 * through the service that the pages call.
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { limitOf } from "../../src/config/derived.ts";
import { seededSubject } from "../../src/demo/upstream-accounts.ts";
import { asAccountId, asLinkRequestId, asOrganizationId, asUpstreamId } from "../../src/domain/ids.ts";
import type { Requester } from "../../src/domain/records.ts";
import { createLinking, type Linking } from "../../src/linking/linking.ts";
import { returnFromUpstream } from "./attack-fixture.ts";
import {
  type Liaison,
  openLink,
  register,
  signIn,
  startLiaison,
  TestClock,
  type TestPerson,
} from "./liaison.ts";
import { type LyingUpstream, PEER_CLIENT, startLyingUpstream } from "./upstream-peer.ts";
import { UserAgent } from "./user-agent.ts";
import { WorkerWatch } from "./worker-watch.ts";

const [minute, hour] = [60, 3600];
const hours = 48;
const stepMinutes = 5;
const steps = hour / minute / stepMinutes;
/** No mailbox gets more than so many link mails within any 24 hours (docs/running/mail.md). */
const mostADay = 84;
/** Where files cost no flush to a disk: days are simulated here, not disks. */
const inMemory = "/dev/shm";
/** By then she has a usable link, each time that she has asked. */
const withinSeconds = 2 * hour;
const pauseSeconds = 60;
const longestDelaySeconds = 6;

/** Strangers who ask for a mailbox, hour by hour. */
interface Crowd {
  name: string;
  /** Strangers who ask every hour: spread over it, and at its beginning. */
  spread?: number;
  atTheHour?: number;
  /** So many whose upstream says that the mailbox is theirs, verified; they ask every hour. */
  claiming?: number;
  /** So many whom nobody has seen before, each hour. */
  fresh?: number;
}

export const crowds = {
  spread: { name: "40 strangers, spread over the hour", spread: 40 },
  atTheHour: { name: "40 strangers at the full hour", atTheHour: 40 },
  claiming: { name: "20 strangers whose upstream says that the address is theirs", claiming: 20 },
  fresh: { name: "20 new strangers each hour", fresh: 20 },
  all: { name: "all of them together", spread: 20, atTheHour: 20, claiming: 20, fresh: 20 },
} satisfies Record<string, Crowd>;

/**
 * How often a person asks: once a day, or every hour. On the second day she asks once more a minute later,
 * once.
 */
type Habit = "daily" | "hourly";
/** In this hour all ask once more, and whoever gets a link then uses it. */
const lastHour = hours - 3;

/** When she asked, and when she had a usable link. */
interface Wish {
  askedAt: number;
  hadAt?: number;
}

/** A mailbox with those who ask for it. */
class Scene {
  readonly profileId: string;
  readonly email: string;
  readonly person: TestPerson;
  readonly browser: UserAgent;
  readonly wishes: Wish[] = [];
  /** When its mails arrived. */
  readonly mailsAt: number[] = [];
  /** She uses the next link that she gets; has used it. */
  isLast = false;
  isBound = false;
  /** The address's claimants, as the upstream's sign-in has made them. */
  claimants: Requester[] = [];
  readonly crowd: Crowd;
  readonly habit: Habit;

  constructor(index: number, crowd: Crowd, habit: Habit, browser: UserAgent) {
    this.profileId = `p-${index}`;
    this.email = `mailbox-${index}@northwind.example`;
    const username = `person-${index}`;
    const [password, name] = [`${username}-password`, `Person ${String.fromCharCode(65 + index)}`];
    this.person = { username, password, name, email: `${username}@consumer.example` };
    this.crowd = crowd;
    this.habit = habit;
    this.browser = browser;
  }

  get name(): string {
    return `${this.crowd.name}; she asks ${this.habit}`;
  }

  get isWaiting(): boolean {
    return this.wishes.some(({ hadAt }) => hadAt === undefined);
  }

  /** The strangers who ask in a step of an hour. */
  strangers(at: number, step: number): Requester[] {
    const { spread = 0, atTheHour = 0, fresh = 0 } = this.crowd;
    const some = (kind: string, count: number) =>
      Array.from({ length: count }, (_, index) => stranger(`${this.profileId}-${kind}-${index}`));
    const asking = some("spread", spread).filter((_, index) => index % steps === step);
    if (step === 0)
      asking.push(...some("at-the-hour", atTheHour), ...some(`new-${at}`, fresh), ...this.claimants);
    return asking;
  }

  /** Whether she asks in this step: now at the beginning of an hour, now in the midst of it. */
  asks(at: number, step: number): boolean {
    if (step !== (at * 7) % steps || at > lastHour) return false;
    return this.habit === "hourly" || at % 24 === 5 || at === lastHour;
  }
}

function stranger(subject: string): Requester {
  const who = {
    issuer: "https://strangers.example",
    subject,
    upstreamId: asUpstreamId("fabrikam"),
    accountId: asAccountId(subject),
  };
  return { ...who, email: `${subject}@consumer.example`, displayName: null };
}

/** @param played who asks for each mailbox, and how often its person does */
export function mailboxDays(played: readonly { crowd: Crowd; habit: Habit }[]): void {
  describe(`Z1: ${hours} hours of strangers who ask for her mailbox`, () => {
    const clock = new TestClock();
    const watch = new WorkerWatch();
    const fixtures: Scene[] = [];
    let liar: LyingUpstream;
    let liaison: Liaison;
    let linking: Linking;
    let readMails = 0;
    let dataDir: string | undefined;

    before(async () => {
      liar = await startLyingUpstream(clock);
      const browser = () =>
        new UserAgent({ stopAt: (url) => url.port === "9" || url.origin === liar.issuer });
      for (const { crowd, habit } of played)
        fixtures.push(new Scene(fixtures.length, crowd, habit, browser()));
      dataDir = await mkdtemp(join(existsSync(inMemory) ? inMemory : tmpdir(), "liaison-days-"));
      liaison = await startLiaison({
        clock,
        dataDir,
        crowd: [...fixtures.map(({ person }) => person), manyProfiles],
        decorate: (store) => watch.decorate(store),
        config: (base) => ({
          ...base,
          linking: { resend_after_seconds: pauseSeconds },
          limits: { requests_per_client_address: { limit: 100_000, window_seconds: 1 } },
          // oidc-provider lives by the machine's clock, from which ours goes away: it is to find no session
          // expired.
          sessions: { idle_seconds: 7 * 86_400, absolute_seconds: 7 * 86_400 },
          upstreams: [
            ...(base["upstreams"] as object[]),
            { id: "liar", name: "Liar", issuer: liar.issuer, ...PEER_CLIENT },
          ],
        }),
      });
      await register(liaison, { id: asOrganizationId("northwind") }, [
        ...fixtures.map(({ profileId, email }) => ({ id: profileId, email })),
        ...Array.from({ length: 25 }, (_, index) => ({ id: `p-many-${index}`, email: manyAddress })),
      ]);
      linking = linkingOf(liaison);
      for (const fixture of fixtures) await signClaimantsIn(fixture);
      await everythingDone();
      readMails = liaison.mailbox.mails.length;
      clock.advance(hour);
      for (let at = 0; at < hours; at += 1) await playHour(at);
    });
    after(async () => {
      await liaison?.close();
      await liar?.close();
      if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
    });

    /** Has the workers do all that is due at the clock's time. */
    async function everythingDone(): Promise<void> {
      await watch.inquiriesLookedAt(() => liaison.wake("inquiries"));
      await watch.mailsSent(liaison.store, () => liaison.wake("outbox"));
    }

    async function signClaimantsIn(fixture: Scene): Promise<void> {
      for (let index = 0; index < (fixture.crowd.claiming ?? 0); index += 1) {
        const sub = `${fixture.profileId}-claiming-${index}`;
        const browser = new UserAgent({ stopAt: (url) => url.port === "9" || url.origin === liar.issuer });
        const door = await browser.visit((await liaison.customerSource.start({ upstream: "liar" })).url);
        const claimed = { sub, email: fixture.email, email_verified: true };
        liar.lies = { claims: claimed, userinfo: claimed };
        const linkStep = await returnFromUpstream(browser, liar.callback(door.url));
        await browser.press(linkStep, "Continue", { email: "nobody@northwind.example" });
        const [asked] = await liaison.store.links.inquiries({ limit: 1 });
        assert.deepEqual([asked?.requester.subject, asked?.requester.email], [sub, fixture.email]);
        if (asked !== undefined) fixture.claimants.push(asked.requester);
        clock.advance(1);
      }
    }

    async function playHour(at: number): Promise<void> {
      for (let step = 0; step < steps; step += 1) {
        const before = clock.now();
        let isQuiet = true;
        for (const fixture of fixtures) {
          const strangers = fixture.strangers(at, step);
          await strangersAsk(fixture, strangers);
          if (strangers.length > 0) isQuiet = false;
          if (!fixture.asks(at, step)) continue;
          isQuiet = false;
          await sheAsks(fixture, at === 29);
          fixture.isLast = at === lastHour;
        }
        if (!isQuiet) {
          clock.advance(longestDelaySeconds);
          await everythingDone();
          await readNewMails();
        }
        clock.advance(stepMinutes * minute - (clock.now() - before) / 1000);
        await everythingDone();
        await readNewMails();
      }
    }

    async function strangersAsk({ email, profileId }: Scene, asking: Requester[]): Promise<void> {
      for (let index = 0; index < asking.length; index += 8) {
        const some = asking.slice(index, index + 8);
        const outcomes = await Promise.all(
          some.map((requester) =>
            linking.inquire({
              requester,
              typed: email,
              interactionCid: requester.subject,
              clientAddress: `crowd of ${profileId}`,
            }),
          ),
        );
        assert.ok(outcomes.every(({ asked }) => asked));
      }
    }

    async function sheAsks(fixture: Scene, twice: boolean): Promise<void> {
      const { browser, person, email } = fixture;
      const linkStep = await signIn(
        browser,
        await liaison.customerSource.start({ upstream: "fabrikam" }),
        person,
      );
      const waiting = await browser.press(linkStep, "Continue", { email });
      assert.equal(waiting.heading, "Check your email");
      fixture.wishes.push({ askedAt: clock.now() });
      if (!twice) return;
      clock.advance(pauseSeconds / 2);
      const early = await browser.press(waiting, "Send it again");
      assert.match(early.text, /Wait a little before you ask again/);
      clock.advance(pauseSeconds / 2);
      assert.equal((await browser.press(waiting, "Send it again")).heading, "Check your email");
      fixture.wishes.push({ askedAt: clock.now() });
    }

    /** Whoever waits for a mail looks at every link of those that came, and uses hers where she is to. */
    async function readNewMails(): Promise<void> {
      const mails = liaison.mailbox.mails.slice(readMails);
      readMails += mails.length;
      for (const { to, text } of mails) {
        const fixture = fixtures.find(({ email }) => email === to);
        // Once it is bound, strangers are told no more than that.
        if (fixture === undefined || fixture.isBound) continue;
        fixture.mailsAt.push(clock.now());
        if (!fixture.isWaiting) continue;
        const link = await linkOf(fixture, text);
        if (link === undefined) continue;
        for (const wish of fixture.wishes) wish.hadAt ??= clock.now();
        if (!fixture.isLast) continue;
        assert.equal(
          (await openLink(liaison.browser(), link, fixture.person)).heading,
          "Your account is linked",
        );
        fixture.isBound = true;
      }
    }

    /** The link in a mail that she can use: opened, it shows her own request. */
    async function linkOf({ person, profileId }: Scene, text: string): Promise<string | undefined> {
      for (const link of linksIn(text)) {
        if ((await subjectOf(link)) !== seededSubject(person.username)) continue;
        const page = await liaison.browser().visit(link);
        if (page.heading !== "Do you want to link this account?") continue;
        assert.ok(page.text.includes(person.email) && page.text.includes(`Profile ${profileId}`), page.text);
        return link;
      }
      return undefined;
    }

    /** Whose request a link is about. */
    async function subjectOf(link: string): Promise<string | undefined> {
      const [requestId = "", secret = ""] = new URL(link).pathname.split("/").slice(-2);
      return (await linking.view(asLinkRequestId(requestId), secret))?.request.requester.subject;
    }

    it("she has a usable link within two hours, each time that she asks", (test) => {
      const late: string[] = [];
      for (const { name, wishes } of fixtures) {
        const waits = wishes.map(({ askedAt, hadAt = Number.POSITIVE_INFINITY }) => (hadAt - askedAt) / 1000);
        const inTime = waits.filter((wait) => wait <= withinSeconds);
        const longest = Math.round(Math.max(...waits) / minute);
        test.diagnostic(
          `${name}: ${inTime.length} of ${waits.length} times in time, the longest wait ${longest} minutes`,
        );
        if (inTime.length < waits.length) late.push(name);
      }
      assert.deepEqual(late, []);
    });

    it("and uses one at the end", () => {
      assert.deepEqual(
        fixtures.filter(({ isBound }) => !isBound).map(({ name }) => name),
        [],
      );
    });

    it(`no mailbox gets more than ${mostADay} mails within any 24 hours`, (test) => {
      const flooded: string[] = [];
      for (const { name, mailsAt } of fixtures) {
        const most = Math.max(
          ...mailsAt.map((end) => mailsAt.filter((at) => at > end - dayMs && at <= end).length),
        );
        test.diagnostic(`${name}: ${most} mails within a day, ${mailsAt.length} altogether`);
        if (most > mostADay) flooded.push(name);
      }
      assert.deepEqual(flooded, []);
    });

    it("somebody with 25 profiles at one address gets 25 mails at once", async () => {
      const browser = liaison.browser();
      const started = await liaison.customerSource.start({ upstream: "fabrikam" });
      const linkStep = await signIn(browser, started, manyProfiles);
      await browser.press(linkStep, "Continue", { email: manyAddress });
      clock.advance(longestDelaySeconds);
      await everythingDone();
      const theirs = liaison.mailbox.mails.filter(({ to }) => to === manyAddress);
      assert.equal(theirs.length, 25);
      assert.equal(new Set(theirs.flatMap(({ text }) => linksIn(text))).size, 25);
    });
  });
}

const dayMs = 24 * hour * 1000;
const manyAddress = "everything@northwind.example";
const manyProfiles: TestPerson = {
  username: "many",
  password: "many-password",
  name: "Many Profiles",
  email: "many@consumer.example",
};

const linksIn = (text: string) => [...new Set(text.match(/https?:\/\/\S+\/link\/[\w-]{22}\/[\w-]{43}/g))];

/** The service as the pages have it, with the default limits, for strangers who need no browser. */
function linkingOf({ store: { links, audit }, clock, config }: Liaison): Linking {
  const limits = {
    identity: config.limits.inquiries_per_identity,
    client: config.limits.inquiries_per_client_address,
  };
  return createLinking({
    links,
    audit,
    clock,
    settings: {
      mailDomain: "contoso.example",
      lookupDelayMs: { min: 2000, max: longestDelaySeconds * 1000 },
      pauseSeconds,
      inquiryLimits: { identity: limitOf(limits.identity), client: limitOf(limits.client) },
    },
  });
}
