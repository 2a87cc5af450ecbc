/** Codes and tokens used twice, and rights taken away while they live: O2, O5, S7 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ResponseBodyError, tokenRevocation } from "openid-client";
import { asOrganizationId, asProfileId, type OrganizationId } from "../../src/domain/ids.ts";
import type { Store } from "../../src/storage/contract.ts";
import { type Attacked, bindTo, startAttacked } from "../support/attack-fixture.ts";
import { register, signIn } from "../support/liaison.ts";
import type { StartedSignIn } from "../support/portal.ts";
import type { UserAgent } from "../support/user-agent.ts";

/** What a portal got, whether for a code or for a refresh token. */
interface Tokens {
  access_token: string;
  refresh_token: string;
}

function received({ access_token, refresh_token }: { access_token: string; refresh_token?: string }): Tokens {
  return { access_token, refresh_token: refresh_token ?? assert.fail("no refresh token") };
}

/** Makes the next two readers of a model's rows go on only when both have read. */
class Rendezvous {
  #model = "";
  #arrived: (() => void)[] = [];

  readonly decorate = (store: Store): Store => ({
    ...store,
    artifacts: {
      ...store.artifacts,
      find: async (model, ...rest) => {
        const found = await store.artifacts.find(model, ...rest);
        if (model === this.#model) await this.#meet();
        return found;
      },
    },
  });

  /** Runs two requests of which neither goes on before the other has read the row of this model. */
  async of<T>(
    model: string,
    requests: [() => Promise<T>, () => Promise<T>],
  ): Promise<PromiseSettledResult<T>[]> {
    this.#model = model;
    return await Promise.allSettled(requests.map((request) => request()));
  }

  #meet(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived.push(resolve);
      if (this.#arrived.length < 2) return;
      this.#model = "";
      for (const goOn of this.#arrived.splice(0)) goOn();
    });
  }
}

describe("codes and tokens", () => {
  const rendezvous = new Rendezvous();
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({ decorate: rendezvous.decorate });
  });
  after(() => liaison?.close());

  interface Code {
    callback: URL;
    started: StartedSignIn;
  }

  interface Member {
    browser: UserAgent;
    /** Signs on again in the same session. */
    code(): Promise<Code>;
    tokens(): Promise<Tokens>;
  }

  const exchange = async ({ callback, started }: Code) =>
    received(await liaison.customerSource.exchange(callback, started));
  const refresh = async (tokens: Tokens) =>
    received(await liaison.customerSource.refresh(tokens.refresh_token));

  /** Somebody signed in at CustomerSource under the profile `id` of the organization `id`. */
  async function member(id: OrganizationId): Promise<Member> {
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
    return { browser, code, tokens: async () => await exchange(await code()) };
  }

  function invalidGrant(error: unknown): boolean {
    assert.ok(error instanceof ResponseBodyError, String(error));
    assert.equal(error.error, "invalid_grant");
    assert.equal(error.status, 400);
    return true;
  }

  async function userinfoStatus({ access_token }: Tokens): Promise<number> {
    const headers = { authorization: `Bearer ${access_token}` };
    return (await fetch(`${liaison.issuer}/userinfo`, { headers })).status;
  }

  async function assertDead(tokens: Tokens): Promise<void> {
    assert.equal(await userinfoStatus(tokens), 401);
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      assert.deepEqual(await liaison.customerSource.introspect(token), { active: false });
    }
    await assert.rejects(refresh(tokens), invalidGrant);
  }

  async function assertAlive(tokens: Tokens): Promise<void> {
    assert.equal(await userinfoStatus(tokens), 200);
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      assert.equal((await liaison.customerSource.introspect(token)).active, true);
    }
  }

  /** What the winners of a race got, in which both had read the row before either consumed it. */
  async function race(model: string, request: () => Promise<Tokens>): Promise<Tokens[]> {
    const settled = await rendezvous.of(model, [request, request]);
    for (const one of settled) if (one.status === "rejected") invalidGrant(one.reason);
    return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }

  it("O2: a code used twice revokes what the first use gave", async () => {
    const { code, tokens } = await member(asOrganizationId("o2-twice"));
    const once = await code();
    const first = await exchange(once);
    await assertAlive(first);
    await assert.rejects(exchange(once), invalidGrant);
    await assertDead(first);
    await assertAlive(await tokens());
  });

  it("O2: the same 30 seconds later", async () => {
    const { code } = await member(asOrganizationId("o2-later"));
    const once = await code();
    const first = await exchange(once);
    const rotated = await refresh(first);
    liaison.clock.advance(30);
    await assertAlive(rotated);
    await assert.rejects(exchange(once), invalidGrant);
    await assertDead(rotated);
    await assertDead(first);
  });

  it("O2: two exchanges at once: one wins, and then the tokens of both are dead", async () => {
    const { code, tokens } = await member(asOrganizationId("o2-race"));
    for (let round = 0; round < 10; round += 1) {
      const once = await code();
      const winners = await race("AuthorizationCode", () => exchange(once));
      assert.equal(winners.length, 1, `round ${round}`);
      for (const winner of winners) await assertDead(winner);
    }
    await assertAlive(await tokens());
  });

  it("O2: a stolen code is of no use to another portal, and is not spent by it", async () => {
    const { code } = await member(asOrganizationId("o2-stolen"));
    const { callback, started } = await code();
    const stolen = new URL(callback.href.replace("customersource", "partnersource"));
    await assert.rejects(liaison.partnerSource.exchange(stolen, started), invalidGrant);
    await assertAlive(await exchange({ callback, started }));
  });

  it("O5: a replayed refresh token revokes its family", async () => {
    const { tokens } = await member(asOrganizationId("o5-replay"));
    const first = await tokens();
    const second = await refresh(first);
    assert.notEqual(second.refresh_token, first.refresh_token);
    await assertAlive(second);
    await assert.rejects(refresh(first), invalidGrant);
    await assertDead(second);
    await assertDead(first);
    await assertAlive(await tokens());
  });

  it("O5: two rotations at once: one wins, and then the family of both is dead", async () => {
    const { tokens } = await member(asOrganizationId("o5-race"));
    for (let round = 0; round < 10; round += 1) {
      const first = await tokens();
      const winners = await race("RefreshToken", () => refresh(first));
      assert.equal(winners.length, 1, `round ${round}`);
      for (const dead of [...winners, first]) await assertDead(dead);
    }
  });

  it("O5: another portal's refresh token is refused and stays alive", async () => {
    const { tokens } = await member(asOrganizationId("o5-stolen"));
    const first = await tokens();
    await assert.rejects(liaison.partnerSource.refresh(first.refresh_token), invalidGrant);
    assert.deepEqual(await liaison.partnerSource.introspect(first.access_token), { active: false });
    for (const token of [first.access_token, first.refresh_token]) {
      await tokenRevocation(liaison.partnerSource.configuration, token);
    }
    await assertAlive(first);
  });

  const takenAway: [what: string, id: string, error: string, takeAway: (id: string) => Promise<unknown>][] = [
    [
      "the profile is disabled",
      "s7-profile",
      "access_denied",
      async (id) => {
        const { profile } = (await liaison.store.directory.membership(asProfileId(id))) ?? assert.fail();
        await liaison.store.directory.putProfile({ ...profile, enabled: false }, "test", liaison.clock.now());
      },
    ],
    [
      "the organization is disabled",
      "s7-organization",
      "access_denied",
      async (id) => {
        const { organization } = (await liaison.store.directory.membership(asProfileId(id))) ?? assert.fail();
        const disabled = { ...organization, enabled: false };
        await liaison.store.directory.putOrganization(disabled, "test", liaison.clock.now());
      },
    ],
    [
      "the plan is suspended",
      "s7-plan",
      "access_denied",
      async (id) => {
        const { organization } = (await liaison.store.directory.membership(asProfileId(id))) ?? assert.fail();
        const plan = { status: "suspended" as const, expiresAt: null };
        await liaison.store.directory.putOrganization({ ...organization, plan }, "test", liaison.clock.now());
      },
    ],
    [
      "the profile is unlinked",
      "s7-unbind",
      "interaction_required",
      (id) => liaison.store.links.unbind(asProfileId(id), "test", liaison.clock.now()),
    ],
  ];
  for (const [what, id, error, takeAway] of takenAway) {
    it(`S7: ${what} during a session: userinfo, introspection, refresh, silent sign-on refuse`, async () => {
      const { browser, tokens, code } = await member(asOrganizationId(id));
      const [first, unused] = [await tokens(), await code()];
      await assertAlive(first);
      await takeAway(id);
      await assertDead(first);
      await assert.rejects(exchange(unused), invalidGrant);
      const silent = await browser.visit((await liaison.customerSource.start({ prompt: "none" })).url);
      assert.equal(silent.url.searchParams.get("error"), error);
    });
  }
});
