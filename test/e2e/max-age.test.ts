/** `max_age` and `prompt=login` of a portal, at upstreams that honour, ignore and refuse them. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type LyingUpstreamFixture,
  type SentOff,
  startLyingUpstreamFixture,
} from "../support/lying-upstream-fixture.ts";
import type { Lies } from "../support/upstream-peer.ts";

/** What a portal asks, and how old the sign-in may be that it gets, in seconds. */
const wishes: [parameters: Record<string, string>, oldest: number][] = [
  [{ max_age: "0" }, 0],
  [{ max_age: "1" }, 1],
  [{ max_age: "10000" }, 10_000],
  [{ prompt: "login" }, 0],
  [{ prompt: "login", max_age: "10000" }, 0],
];
const named = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();

/** Errors by which upstreams refuse a fresh sign-in. */
const refusals = ["login_required", "invalid_request", "interaction_required"];

for (const [kind, entry] of [
  ["that show their sign-ins' age", {}],
  ["that needn't show it", { reauthentication: "prompt_only" }],
] as const) {
  describe(`portals that ask for a fresh sign-in, at upstreams ${kind}`, () => {
    let fixture: LyingUpstreamFixture;
    before(async () => {
      fixture = await startLyingUpstreamFixture({ entry });
      await fixture.linked("ann");
    });
    after(() => fixture.close());

    const ann = (auth_time: number): Lies => ({ claims: { sub: "ann", auth_time } });

    /** Comes back as Ann and redeems the code. Returns the `auth_time` that the portal gets. */
    async function authTimeOf(sent: SentOff, lies: Lies): Promise<number> {
      const page = await fixture.comeBack(sent, lies);
      assert.equal(page.status, 0, `${page.status} ${page.heading} ${page.text}`);
      const tokens = await fixture.liaison.customerSource.exchange(page.url, sent.started);
      return Number(tokens.claims()?.auth_time);
    }

    async function assertStale(
      sent: Pick<SentOff, "browser" | "request">,
      lies: Lies,
      parameters?: Record<string, string | null>,
    ): Promise<void> {
      const page = await fixture.comeBack(sent, lies, parameters);
      assert.equal(`${page.status} ${page.heading}`, "403 Liar didn't ask you to sign in again");
      assert.match(page.text, /needs a fresh sign-in\. Liar used an older one, or refused to make a new one/);
      assert.match(page.link("Try again"), /\/interaction\//);
    }

    for (const [parameters, oldest] of wishes) {
      const what = named(parameters);

      it(`${what}: asked of the upstream`, async () => {
        const { searchParams: asked } = (await fixture.sendOff(parameters)).request;
        const isShown = !("reauthentication" in entry);
        assert.equal(asked.get("max_age"), isShown ? String(oldest) : null);
        assert.equal(asked.get("prompt"), !isShown || oldest === 0 ? "login" : null);
      });

      it(`${what}, honoured: the portal gets a sign-in that is no older`, async () => {
        const begunAt = fixture.now();
        const sent = await fixture.sendOff(parameters);
        const authTime = await authTimeOf(sent, ann(fixture.now()));
        assert.ok(authTime >= begunAt && authTime <= fixture.now(), `${authTime - begunAt} s`);
      });

      it(`${what}, honoured amid a session: signed in anew, not once more`, async () => {
        const first = await fixture.sendOff();
        await authTimeOf(first, ann(fixture.now() - 20_000));
        const begunAt = fixture.now();
        const again = await fixture.sendOff(parameters, first.browser);
        assert.ok((await authTimeOf(again, ann(fixture.now()))) >= begunAt);
        const { url } = await fixture.liaison.customerSource.start({ max_age: "10000", prompt: "none" });
        assert.ok(
          (await first.browser.visit(url)).url.searchParams.has("code"),
          "the session is as fresh now",
        );
      });

      it(`${what}, ignored: refused, and it says why; the portal gets nothing old`, async () => {
        const sent = await fixture.sendOff(parameters);
        await assertStale(sent, ann(fixture.now() - oldest - 5));
        assert.match(fixture.reasons.at(-1) ?? "", /auth_time is \d+, earlier than \d+/);
        await assertStale(await fixture.sendOff(parameters), ann(fixture.now() - 31_536_000));
        const signedIn = (
          await sent.browser.visit((await fixture.liaison.customerSource.start({ prompt: "none" })).url)
        ).url;
        assert.equal(signedIn.searchParams.get("error"), "login_required");
      });

      for (const error of refusals) {
        it(`${what}, refused by ${error}: it says why`, async () => {
          await assertStale(await fixture.sendOff(parameters), {}, { error, code: null });
          assert.match(fixture.reasons.at(-1) ?? "", new RegExp(error));
        });
      }
    }

    it("an upstream's session that is young enough will do", async () => {
      const sent = await fixture.sendOff({ max_age: "10000" });
      const signedInAt = fixture.now() - 9000;
      assert.equal(await authTimeOf(sent, ann(signedInAt)), signedInAt);
    });

    it("nobody asked: a refusal by an error isn't about the age of a sign-in", async () => {
      for (const error of ["login_required", "interaction_required"]) {
        const page = await fixture.comeBack(await fixture.sendOff(), {}, { error, code: null });
        assert.match(page.text, /Signing in was cancelled, or your account wasn.t let in there/);
      }
      const page = await fixture.comeBack(
        await fixture.sendOff(),
        {},
        { error: "invalid_request", code: null },
      );
      assert.equal(page.heading, "We couldn't use the answer of Liar");
    });

    it("who goes on with another account comes as fresh as the first", async () => {
      const sent = await fixture.sendOff({ prompt: "login" });
      const step = await fixture.comeBack(sent, { claims: { sub: "unlinked" } });
      assert.match(step.heading, /email address registered/, step.text);
      const another = await sent.browser.press(step, /another account/);
      const request = another.url;
      assert.equal(request.searchParams.get("prompt"), "login");
      await assertStale({ ...sent, request }, ann(fixture.now() - 60));
    });

    it("the console's other account comes fresh", async () => {
      const browser = fixture.browser();
      const leave = async () =>
        await fixture.leave(browser, await browser.visit(`${fixture.liaison.issuer}/admin/another`));
      await assertStale(await leave(), ann(fixture.now() - 60));
      const page = await fixture.comeBack(await leave(), ann(fixture.now()));
      assert.notEqual(page.heading, "Liar didn't ask you to sign in again");
      assert.equal(page.url.origin, fixture.liaison.issuer);
    });
  });
}
