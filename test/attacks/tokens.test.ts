/** Codes and tokens used twice, and rights taken away while they live: O2, O5, S7 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ResponseBodyError } from "openid-client";
import { type Attacked, bindTo, startAttacked } from "../support/attack-kit.ts";
import { register, signIn } from "../support/liaison.ts";
import type { PortalTokens, StartedSignIn } from "../support/portal.ts";
import type { UserAgent } from "../support/user-agent.ts";

describe("codes and tokens", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked();
  });
  after(() => liaison.close());

  interface Member {
    browser: UserAgent;
    /** Signs on again in the same session. */
    code(): Promise<{ callback: URL; started: StartedSignIn }>;
    tokens(): Promise<PortalTokens>;
  }

  /** Somebody signed in at CustomerSource under the profile `id` of the organization `id`. */
  async function member(id: string): Promise<Member> {
    await register(liaison, { id }, [{ id, email: `${id}@northwind.example` }]);
    const person = liaison.stranger();
    await bindTo(liaison, person, id);
    const browser = liaison.browser();
    const scope = "openid profile email organization offline_access";
    const code = async () => {
      const started = await liaison.customerSource.start({ scope });
      const end = await signIn(browser, started, person);
      assert.ok(end.url.searchParams.has("code"), end.text);
      return { callback: end.url, started };
    };
    const tokens = async () => {
      const { callback, started } = await code();
      return await liaison.customerSource.exchange(callback, started);
    };
    return { browser, code, tokens };
  }

  function invalidGrant(error: unknown): boolean {
    assert.ok(error instanceof ResponseBodyError, String(error));
    assert.equal(error.error, "invalid_grant");
    assert.equal(error.status, 400);
    return true;
  }

  async function assertDead(tokens: PortalTokens): Promise<void> {
    const { customerSource } = liaison;
    const { access_token: access, refresh_token: refresh = "" } = tokens;
    assert.ok(refresh !== "");
    const headers = { authorization: `Bearer ${access}` };
    assert.equal((await fetch(`${liaison.issuer}/userinfo`, { headers })).status, 401);
    for (const token of [access, refresh]) assert.deepEqual(await customerSource.introspect(token), { active: false });
    await assert.rejects(customerSource.refresh(refresh), invalidGrant);
  }

  async function assertAlive({ access_token: access, refresh_token: refresh = "" }: PortalTokens): Promise<void> {
    const headers = { authorization: `Bearer ${access}` };
    assert.equal((await fetch(`${liaison.issuer}/userinfo`, { headers })).status, 200);
    for (const token of [access, refresh]) assert.equal((await liaison.customerSource.introspect(token)).active, true);
  }

  /** Sorts what racers got. */
  async function race(contestants: Promise<PortalTokens>[]): Promise<PortalTokens[]> {
    const settled = await Promise.allSettled(contestants);
    for (const one of settled) if (one.status === "rejected") invalidGrant(one.reason);
    return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }

  it("O2: a code used twice revokes what the first use gave", async () => {
    const { code, tokens } = await member("o2-twice");
    const { callback, started } = await code();
    const first = await liaison.customerSource.exchange(callback, started);
    await assertAlive(first);
    await assert.rejects(liaison.customerSource.exchange(callback, started), invalidGrant);
    await assertDead(first);
    await assertAlive(await tokens());
  });

  it("O2: the same 30 seconds later", async () => {
    const { code } = await member("o2-later");
    const { callback, started } = await code();
    const first = await liaison.customerSource.exchange(callback, started);
    const rotated = await liaison.customerSource.refresh(first.refresh_token ?? "");
    liaison.clock.advance(30);
    await assert.rejects(liaison.customerSource.exchange(callback, started), invalidGrant);
    await assertDead(first);
    await assertDead({ ...first, ...rotated });
  });

  it("O2: two exchanges at once: one wins, and then the tokens of both are dead", async () => {
    const { code, tokens } = await member("o2-race");
    for (let round = 0; round < 10; round += 1) {
      const { callback, started } = await code();
      const exchange = () => liaison.customerSource.exchange(callback, started);
      const winners = await race([exchange(), exchange()]);
      assert.equal(winners.length, 1, `round ${round}`);
      for (const winner of winners) await assertDead(winner);
    }
    await assertAlive(await tokens());
  });

  it("O2: a stolen code is of no use to another portal, and is not spent by it", async () => {
    const { code } = await member("o2-stolen");
    const { callback, started } = await code();
    const stolen = new URL(callback.href.replace("customersource", "partnersource"));
    await assert.rejects(liaison.partnerSource.exchange(stolen, started), invalidGrant);
    await assertAlive(await liaison.customerSource.exchange(callback, started));
  });

  it("O5: a replayed refresh token revokes its family", async () => {
    const { tokens } = await member("o5-replay");
    const first = await tokens();
    const second = { ...first, ...(await liaison.customerSource.refresh(first.refresh_token ?? "")) };
    assert.notEqual(second.refresh_token, first.refresh_token);
    await assertAlive(second);
    await assert.rejects(liaison.customerSource.refresh(first.refresh_token ?? ""), invalidGrant);
    await assertDead(second);
    await assertDead(first);
    await assertAlive(await tokens());
  });

  it("O5: two rotations at once: one wins, and then the family of both is dead", async () => {
    const { tokens } = await member("o5-race");
    for (let round = 0; round < 10; round += 1) {
      const first = await tokens();
      const refresh = async () => ({ ...first, ...(await liaison.customerSource.refresh(first.refresh_token ?? "")) });
      const winners = await race([refresh(), refresh()]);
      assert.equal(winners.length, 1, `round ${round}`);
      for (const dead of [first, ...winners]) await assertDead(dead);
    }
  });

  it("O5: another portal's refresh token is refused and stays alive", async () => {
    const { tokens } = await member("o5-stolen");
    const first = await tokens();
    await assert.rejects(liaison.partnerSource.refresh(first.refresh_token ?? ""), invalidGrant);
    assert.deepEqual(await liaison.partnerSource.introspect(first.access_token), { active: false });
    await assertAlive(first);
  });

  const takenAway: [what: string, id: string, error: string, takeAway: (id: string) => Promise<unknown>][] = [
    [
      "the profile is disabled",
      "s7-profile",
      "access_denied",
      async (id) => {
        const { profile } = (await liaison.store.directory.membership(id)) ?? assert.fail();
        await liaison.store.directory.putProfile({ ...profile, enabled: false }, "test", liaison.clock.now());
      },
    ],
    [
      "the organization is disabled",
      "s7-organization",
      "access_denied",
      async (id) => {
        const { organization } = (await liaison.store.directory.membership(id)) ?? assert.fail();
        const disabled = { ...organization, enabled: false };
        await liaison.store.directory.putOrganization(disabled, "test", liaison.clock.now());
      },
    ],
    [
      "the plan is suspended",
      "s7-plan",
      "access_denied",
      async (id) => {
        const { organization } = (await liaison.store.directory.membership(id)) ?? assert.fail();
        const plan = { status: "suspended" as const, expiresAt: null };
        await liaison.store.directory.putOrganization({ ...organization, plan }, "test", liaison.clock.now());
      },
    ],
    [
      "the profile is unlinked",
      "s7-unbind",
      "interaction_required",
      (id) => liaison.store.links.unbind(id, "test", liaison.clock.now()),
    ],
  ];
  for (const [what, id, error, takeAway] of takenAway) {
    it(`S7: ${what} during a session: userinfo, introspection, refresh and silent sign-on refuse`, async () => {
      const { browser, tokens, code } = await member(id);
      const [first, unused] = [await tokens(), await code()];
      await assertAlive(first);
      await takeAway(id);
      await assertDead(first);
      await assert.rejects(liaison.customerSource.exchange(unused.callback, unused.started), invalidGrant);
      const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
      assert.equal(silent.url.searchParams.get("error"), error);
    });
  }
});
