/**
 * Every combination of who opens a link, where, in which state it is by then and what has become of its
 * profile: with verdicts written by hand, and with reasons for those that can't be. A person opens the link
 * while it is alive and stands at the upstream's form; then the link and the profile become what the cell
 * says; then the person signs in.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  auditOf,
  bindTo,
  codeOn,
  profileOf,
  quiet,
  requestOf,
  startAttacked,
} from "./attack-fixture.ts";
import { aCrowd, allAnswered, allAsk, collectedFor } from "./crowd.ts";
import { openLink, people, register, signIn, signInUpstream, type TestPerson } from "./liaison.ts";
import { linksOf } from "./mailbox.ts";
import type { Page, UserAgent } from "./user-agent.ts";

export const browsers = ["same", "other"] as const;
export const accounts = ["same", "other", "other upstream"] as const;
export const states = ["fresh", "expired", "superseded", "used", "cancelled"] as const;
export const counts = [0, 1, 3] as const;
export const bindings = ["unbound", "me", "another"] as const;

export interface Cell {
  browser: (typeof browsers)[number];
  account: (typeof accounts)[number];
  state: (typeof states)[number];
  profiles: (typeof counts)[number];
  binding: (typeof bindings)[number];
}

export const cells: readonly Cell[] = browsers.flatMap((browser) =>
  accounts.flatMap((account) =>
    states.flatMap((state) =>
      counts.flatMap((profiles) =>
        bindings.map((binding) => ({ browser, account, state, profiles, binding })),
      ),
    ),
  ),
);

/** Why a combination can't be; undefined for one that can. */
export function impossible({ account, state, profiles, binding }: Cell): string | undefined {
  if (profiles === 0) return "no profile has the address, so nothing is mailed and there is no link";
  if (account === "other upstream") {
    return "a link signs in at its request's upstream, and a callback of another has no such sign-in (U4)";
  }
  if (binding === "me" && (state === "fresh" || state === "expired")) {
    return "what binds a profile to me is a newer request of mine, which supersedes this one";
  }
  return undefined;
}

export interface Verdict {
  /** The page's heading after signing in, and the reason that it gives. */
  page: string;
  /** The state of the request afterwards. */
  request: string;
  /** The reason of the refusal that is audited, or null. */
  refused: string | null;
  /** Whether this sign-in bound the profile; then, and only then, its owner is told by mail. */
  binds: boolean;
  /** The heading for whoever opens the link anew, before this sign-in. */
  landing: string;
}

const linked = "Your account is linked";
const alive = "Do you want to link this account?";
const wrong = "This link is for another account";
const used = "This link has already been used";
const cancelled = "This link has been cancelled";
const superseded = "A newer email replaces this link";
const expired = "This link has expired";
const elsewhere = "This profile is linked to another account";

const verdict = (
  page: string,
  request: string,
  refused: string | null,
  landing: string,
  binds = false,
): Verdict => ({
  page,
  request,
  refused,
  binds,
  landing,
});

/** By account, state and binding. The browser and the number of profiles make no difference. */
export const verdicts: Record<string, Verdict> = {
  "same fresh unbound": verdict(linked, "bound", null, alive, true),
  "same fresh another": verdict(elsewhere, "void", "bound_elsewhere", elsewhere),
  "same expired unbound": verdict(expired, "pending", "expired", expired),
  "same expired another": verdict(elsewhere, "void", "bound_elsewhere", elsewhere),
  "same superseded unbound": verdict(superseded, "superseded", "superseded", superseded),
  "same superseded me": verdict(superseded, "superseded", "superseded", superseded),
  "same superseded another": verdict(superseded, "superseded", "superseded", superseded),
  "same used unbound": verdict(used, "bound", "used", used),
  "same used me": verdict(used, "bound", null, used),
  "same used another": verdict(used, "bound", "used", used),
  "same cancelled unbound": verdict(cancelled, "cancelled", "cancelled", cancelled),
  "same cancelled me": verdict(cancelled, "cancelled", "cancelled", cancelled),
  "same cancelled another": verdict(cancelled, "cancelled", "cancelled", cancelled),
  "other fresh unbound": verdict(wrong, "pending", "wrong_account", alive),
  "other fresh another": verdict(elsewhere, "void", "bound_elsewhere", elsewhere),
  "other expired unbound": verdict(expired, "pending", "expired", expired),
  "other expired another": verdict(elsewhere, "void", "bound_elsewhere", elsewhere),
  "other superseded unbound": verdict(superseded, "superseded", "superseded", superseded),
  "other superseded me": verdict(superseded, "superseded", "superseded", superseded),
  "other superseded another": verdict(superseded, "superseded", "superseded", superseded),
  "other used unbound": verdict(used, "bound", "used", used),
  "other used me": verdict(used, "bound", "used", used),
  "other used another": verdict(used, "bound", "used", used),
  "other cancelled unbound": verdict(cancelled, "cancelled", "cancelled", cancelled),
  "other cancelled me": verdict(cancelled, "cancelled", "cancelled", cancelled),
  "other cancelled another": verdict(cancelled, "cancelled", "cancelled", cancelled),
};

export const nameOf = ({ browser, account, state, profiles, binding }: Cell) =>
  `${browser} browser, ${account} account, ${state} link, ${profiles} profiles, ${binding}`;

/**
 * Seconds that a link lives: long enough for a person who is quick, short enough for a clock that only goes
 * on.
 */
export const lifetimeSeconds = 30;

/**
 * Opens a link up to the upstream's form, and signs in there when told to. Returns the heading that it comes
 * to.
 */
export interface Hand {
  open(link: string): Promise<void>;
  signIn(person: TestPerson): Promise<string>;
  close(): Promise<void>;
}

export function handOf(browser: UserAgent): Hand {
  let login: Page;
  return {
    open: async (link) => {
      login = await browser.press(await browser.visit(link), "Continue to sign in");
    },
    signIn: async (person) => (await signInUpstream(browser, login, person)).heading,
    close: async () => {},
  };
}

/**
 * How many mails of its own a mailbox gets: as many as a cell needs, so that only a crowd makes it a
 * collected one.
 */
const mailsAtOnce = 6;

/** The application that cells are played on. */
export function startMatrix(): Promise<Attacked> {
  return startAttacked({
    config: (base) => ({
      ...base,
      linking: { link_lifetime_seconds: lifetimeSeconds, resend_after_seconds: 0 },
      limits: {
        ...(base["limits"] as object),
        mails_per_mailbox: { limit: mailsAtOnce, window_seconds: 3600 },
      },
      // The upstream's clock stays where it is, while ours goes on past the links' lives.
      upstreams: (base["upstreams"] as object[]).map((one) => ({ ...one, reauthentication: "prompt_only" })),
    }),
  });
}

export const possible = cells.filter((cell) => impossible(cell) === undefined);

let made = 0;

/**
 * Plays one cell and compares it with its verdict. `anotherHand` opens the link in another browser, where the
 * cell says so. `inACrowd`: the link comes in a mail that carries others' requests, too.
 */
export async function play(
  liaison: Attacked,
  cell: Cell,
  anotherHand: () => Promise<Hand>,
  { inACrowd = false }: { inACrowd?: boolean } = {},
): Promise<void> {
  const expected =
    verdicts[`${cell.account} ${cell.state} ${cell.binding}`] ?? assert.fail("no verdict was written");
  const id = asOrganizationId(`cell-${++made}`);
  const email = `${id}@northwind.example`;
  const ids = Array.from({ length: cell.profiles }, (_, index) => `${id}-${index}`);
  await register(
    liaison,
    { id },
    ids.map((profileId) => ({ id: profileId, email })),
  );
  const target = asProfileId(ids[0] ?? assert.fail());
  const mailed = () => liaison.mailbox.mails.filter(({ to }) => to === email);
  if (inACrowd) await allAsk(liaison, aCrowd(id, mailsAtOnce + 2, email), email);
  const mine = liaison.browser();
  const waiting = await mine.press(
    await signIn(mine, await liaison.customerSource.start(), people.ann),
    "Continue",
    {
      email,
    },
  );
  const until = async (count: number) => {
    for (let turn = 0; mailed().length < count; turn += 1) {
      assert.ok(turn < 200, `${mailed().length} of ${count} mails`);
      await pause(50);
    }
  };
  if (!inACrowd) await until(ids.length);
  const code = codeOn(waiting);
  const mails = inACrowd ? [await collectedFor(liaison, email)] : mailed();
  const mineAlone = mails.flatMap((mail) => linksOf(mail).filter((one) => one.code === code));
  assert.equal(mineAlone.length, ids.length, "one link for each profile");
  const theLinks = await Promise.all(
    mineAlone.map(async (one) => ({ link: one.link, request: await requestOf(liaison, one.link) })),
  );
  const { link } =
    theLinks.find(({ request }) => request.profileId === target) ?? assert.fail("no link for the profile");
  const replaced = async () => {
    if (!inACrowd) return await until(2 * ids.length);
    // The newer one waits for the next mail: what it replaces is dead already.
    await allAnswered(liaison);
    assert.equal((await requestOf(liaison, link)).state, "superseded");
  };
  const hand = cell.browser === "same" ? handOf(mine) : await anotherHand();
  try {
    await hand.open(link);
    await become(liaison, cell, { link, target, mine, waiting, email, replaced });
    await quiet(liaison);
    const landing = await liaison.browser().visit(link);
    assert.equal(landing.heading, expected.landing, "whoever opens it anew");
    const before = {
      mails: mailed().length,
      refusals: (await auditOf(liaison, target, "link.refused")).length,
    };

    const heading = await hand.signIn(cell.account === "same" ? people.ann : people.eve);

    assert.equal(heading, expected.page);
    assert.equal((await requestOf(liaison, link)).state, expected.request);
    const refusals = await auditOf(liaison, target, "link.refused");
    const added = refusals.slice(0, refusals.length - before.refusals).map(({ detail }) => detail["reason"]);
    assert.deepEqual(added, expected.refused === null ? [] : [expected.refused]);
    await quiet(liaison);
    assert.equal(mailed().length - before.mails, expected.binds ? 1 : 0, "mails");
    for (const other of ids.slice(1))
      assert.equal((await profileOf(liaison, other)).accountId, null, "the others");
  } finally {
    await hand.close();
    await liaison.store.links.unbind(target, "test", liaison.clock.now());
  }
}

interface Asked {
  link: string;
  target: string;
  mine: UserAgent;
  waiting: Page;
  email: string;
  /** Waits until a newer request has taken the place of the link's. */
  replaced(): Promise<void>;
}

/** Makes link and profile what the cell says. */
async function become(liaison: Attacked, { state, binding }: Cell, asked: Asked): Promise<void> {
  const { link, target, mine, waiting, email, replaced } = asked;
  const unbind = () => liaison.store.links.unbind(asProfileId(target), "test", liaison.clock.now());
  switch (state) {
    case "fresh":
      break;
    case "expired":
      liaison.clock.advance(lifetimeSeconds + 1);
      break;
    case "superseded":
      await mine.press(await mine.visit(waiting.link(/another address/)), "Continue", { email });
      await replaced();
      break;
    case "used":
      assert.equal((await openLink(liaison.browser(), link, people.ann)).heading, linked);
      await quiet(liaison);
      if (binding !== "me") await unbind();
      break;
    case "cancelled":
      assert.match(
        (await openLink(liaison.browser(), link, people.ann, "Don’t link")).heading,
        /cancelled|won.t be linked|not linked/i,
      );
      break;
  }
  if (binding === "another") await bindTo(liaison, people.ben, target);
  if (binding === "me" && state !== "used") await bindTo(liaison, people.ann, target);
}
