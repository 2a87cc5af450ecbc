/**
 * Times of an upstream that can't be, or are told by another clock, as the whole application meets them: U15,
 * U16.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { asProfileId } from "../../src/domain/ids.ts";
import { requestOf } from "../support/attack-fixture.ts";
import { type LyingUpstreamFixture, startLyingUpstreamFixture } from "../support/lying-upstream-fixture.ts";
import type { Page } from "../support/user-agent.ts";

const unacceptable = "502 We couldn't use the answer of Liar";
const stale = "403 Liar didn't ask you to sign in again";
const linked = "200 Your account is linked";

type Claims = Record<string, unknown>;

describe("an upstream's times", () => {
  let fixture: LyingUpstreamFixture;
  let people = 0;
  before(async () => {
    fixture = await startLyingUpstreamFixture();
    await fixture.linked("ann");
  });
  after(() => fixture.close());
  afterEach(() => {
    fixture.clocks.ahead = 0;
  });

  /** Signs in at the portal. Returns where it ended, and the portal's `auth_time` if it got one. */
  async function signIn(
    claims: Claims,
    parameters: Record<string, string> = { max_age: "3600" },
    date?: string | null,
  ) {
    const sent = await fixture.sendOff(parameters);
    const page = await fixture.comeBack(sent, { claims: { sub: "ann", ...claims }, ...dated(date) });
    if (page.status !== 0) return { end: `${page.status} ${page.heading}`, authTime: undefined };
    const tokens = await fixture.liaison.customerSource.exchange(page.url, sent.started);
    return { end: "at the portal", authTime: tokens.claims()?.auth_time };
  }

  /** Carries out a fresh link. Returns the page that it ends on. */
  async function redeem(claims: () => Claims, date?: string | null): Promise<{ page: Page; link: string }> {
    people += 1;
    const sub = `person-${people}`;
    const ahead = fixture.clocks.ahead;
    fixture.clocks.ahead = 0;
    const link = await fixture.linkFor(sub);
    fixture.clocks.ahead = ahead;
    const sent = await fixture.redeem(link);
    return { page: await fixture.comeBack(sent, { claims: { sub, ...claims() }, ...dated(date) }), link };
  }

  const dated = (date: string | null | undefined) => (date === undefined ? {} : { date });
  const ended = ({ page }: { page: Page }) => `${page.status} ${page.heading}`;
  const boundTo = async (profile: string) =>
    (await fixture.liaison.store.directory.membership(asProfileId(profile)))?.profile.accountId;

  const impossible: [why: string, time: () => unknown][] = [
    ["in milliseconds", () => fixture.now() * 1000],
    ["of a year ago in milliseconds", () => (fixture.now() - 31_536_000) * 1000],
    ["an hour ahead", () => fixture.now() + 3600],
    ["as text", () => String(fixture.now())],
    ["negative", () => -fixture.now()],
    ["beyond 2^53", () => 2 ** 53 + 2],
    ["beyond 2^63", () => 1e19],
  ];
  for (const [why, time] of impossible) {
    it(`U16: iat and auth_time ${why}: no sign-in, no link, and the log says why`, async () => {
      for (const claims of [{ auth_time: time() }, { iat: time() }, { iat: time(), auth_time: undefined }]) {
        assert.equal((await signIn(claims, {})).end, unacceptable);
        assert.match(fixture.reasons.at(-1) ?? "", /iat|auth_time/);
        assert.equal((await signIn(claims)).end, unacceptable);
      }
      for (const name of ["auth_time", "iat"]) {
        const { page, link } = await redeem(() => ({ [name]: time() }));
        assert.equal(ended({ page }), unacceptable);
        assert.equal(await boundTo(`person-${people}`), null);
        assert.equal((await requestOf(fixture.liaison, link)).state, "pending", "the link still works");
      }
    });
  }

  it("U16: of fractions whole seconds are kept, for sign-ins and links", async () => {
    const now = fixture.now();
    assert.deepEqual(await signIn({ auth_time: now - 100.5, iat: now + 0.25, exp: now + 300.5 }), {
      end: "at the portal",
      authTime: now - 101,
    });
    const { end, authTime } = await signIn({ auth_time: undefined, iat: now + 0.889183 }, {});
    assert.equal(end, "at the portal");
    assert.ok(authTime === undefined || Number.isInteger(authTime));
    const late = await redeem(() => ({ iat: fixture.now() + 0.889183, auth_time: fixture.now() + 0.75 }));
    assert.equal(ended(late), linked);
    assert.equal((await redeem(() => ({ auth_time: fixture.now() - 60.5 }))).page.status, 403);
  });

  for (const ahead of [90, -90]) {
    it(
      `U15: a clock ${ahead} s off: links are redeemed, though tokens live a minute; a session of a ` +
        "minute ago isn't new",
      async () => {
        fixture.clocks.ahead = ahead;
        const lives = () => ({ iat: fixture.theirNow(), exp: fixture.theirNow() + 60 });
        assert.equal(ended(await redeem(() => ({ ...lives(), auth_time: fixture.theirNow() }))), linked);
        assert.equal(ended(await redeem(() => ({ ...lives(), auth_time: fixture.theirNow() - 60 }))), stale);
        const begun = fixture.now();
        for (const wish of [{ max_age: "1" }, { prompt: "login" }]) {
          const { end, authTime } = await signIn({ ...lives(), auth_time: fixture.theirNow() }, wish);
          assert.equal(end, "at the portal");
          assert.ok(
            Number(authTime) >= begun && Number(authTime) <= fixture.now(),
            `by our clock: ${authTime}`,
          );
          assert.equal((await signIn({ ...lives(), auth_time: fixture.theirNow() - 60 }, wish)).end, stale);
        }
        const then = fixture.theirNow() - 1000;
        const { authTime } = await signIn({ ...lives(), auth_time: then });
        assert.ok(Math.abs(Number(authTime) - (then - ahead)) <= 1);
      },
    );
  }

  for (const ahead of [900, -900]) {
    it(`U15: a clock ${ahead} s off is refused, and the log names the clocks`, async () => {
      fixture.clocks.ahead = ahead;
      assert.equal(ended(await redeem(() => ({}))), unacceptable);
      assert.match(fixture.reasons.at(-1) ?? "", /the upstream's clock is \d+ s (ahead of|behind) ours/);
      assert.equal((await signIn({}, {})).end, unacceptable);
    });
  }

  it("U15: a token made with the code and delivered a minute later makes no old sign-in new", async () => {
    people += 1;
    const sub = `person-${people}`;
    const link = await fixture.linkFor(sub);
    for (const [before, end] of [
      [30, stale],
      [0, linked],
    ] as const) {
      const sent = await fixture.redeem(link);
      const made = { sub, iat: fixture.now(), exp: fixture.now() + 300, auth_time: fixture.now() - before };
      fixture.liaison.clock.advance(60);
      assert.equal(ended({ page: await fixture.comeBack(sent, { claims: made }) }), end);
    }
  });

  it("U15: without a Date, iat is believed within a minute and no further", async () => {
    fixture.clocks.ahead = 50;
    assert.equal(ended(await redeem(() => ({}), null)), linked);
    assert.equal(ended(await redeem(() => ({ auth_time: fixture.theirNow() - 60 }), null)), stale);
    fixture.clocks.ahead = 90;
    assert.equal(ended(await redeem(() => ({}), null)), unacceptable);
  });

  it("U15: declining a link asks for as much", async () => {
    people += 1;
    const sub = `person-${people}`;
    const link = await fixture.linkFor(sub);
    const browser = fixture.browser();
    const leave = async () =>
      await fixture.leave(browser, await browser.press(await browser.visit(link), /^Don.t link$/));
    assert.equal(
      ended({
        page: await fixture.comeBack(await leave(), { claims: { sub, auth_time: fixture.now() - 60 } }),
      }),
      stale,
    );
    assert.equal((await requestOf(fixture.liaison, link)).state, "pending");
    const page = await fixture.comeBack(await leave(), { claims: { sub, auth_time: fixture.now() } });
    assert.equal(page.status, 200, page.text);
    assert.equal((await requestOf(fixture.liaison, link)).state, "cancelled");
  });
});
