/**
 * An upstream that hangs costs others nothing: what is under way at once, what is left alone for a while, and
 * what isn't.
 */

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asUpstreamId } from "../../src/domain/ids.ts";
import type { Upstreams } from "../../src/upstream/upstreams.ts";
import { refusal, sender, useUpstreams } from "../support/upstream-fixture.ts";

const fixture = useUpstreams();

const hang = () => {};
const asked = (path: string) => fixture.liar.requests.filter((one) => one === path).length;

async function fails(parties: Upstreams, reason: RegExp): Promise<void> {
  const error = await fixture.signIn(parties).catch((thrown: unknown) => thrown);
  refusal("upstream_unavailable")(error);
  assert.match(String((error as Error).cause), reason);
}

/** Three sign-ins whose code is never answered. */
async function silenced(): Promise<Upstreams> {
  const parties = fixture.theLiar();
  fixture.liar.lies.answer = { "/token": hang };
  for (let time = 0; time < 3; time += 1) await fails(parties, /timeout/);
  assert.equal(asked("/token"), 3);
  return parties;
}

/** What readiness is told of it. */
const known = (parties: Upstreams) =>
  parties
    .checks()
    .find(({ name }) => name === "upstream.liar")
    ?.look();

describe("U14 an upstream that hangs", () => {
  it("U14 after three silences in a row it isn't asked for three seconds, and costs no time", async () => {
    const parties = await silenced();
    assert.deepEqual(await known(parties), { status: "degraded", reason: "silent" });
    const begun = performance.now();
    for (let time = 0; time < 20; time += 1) await fails(parties, /not asked: it gave no answer lately/);
    assert.ok(performance.now() - begun < 250);
    assert.equal(asked("/token"), 3);
    fixture.now += 2_999;
    await fails(parties, /not asked/);
  });

  it("U14 then one request alone finds out whether it is back, its answer opens it for all", async () => {
    const parties = await silenced();
    fixture.now += 3_000;
    const answers: ServerResponse[] = [];
    fixture.liar.lies.answer = { "/token": (response) => void answers.push(response) };
    const [first] = [fails(parties, /timeout/), pause(50).then(() => fails(parties, /not asked/))];
    await first;
    assert.equal(answers.length, 1);
    await fails(parties, /not asked/);
    fixture.now += 3_000;
    fixture.liar.lies.answer = {};
    assert.equal((await fixture.signIn(parties)).identity.subject, "person-1");
    assert.deepEqual(await known(parties), { status: "ok" });
    const all = await Promise.all(Array.from({ length: 5 }, () => fixture.begin(parties)));
    for (const { url, browsers } of all) {
      await parties.complete({
        sender,
        upstreamId: asUpstreamId("liar"),
        url: fixture.liar.callback(url),
        browsers,
      });
    }
  });

  it("U14 only silence counts: no stranger's made-up codes shut others out", async () => {
    const parties = fixture.theLiar();
    for (const status of [400, 500, 503, 429, 302]) {
      fixture.liar.lies.answer = { "/token": (response) => void response.writeHead(status).end() };
      for (let time = 0; time < 4; time += 1) await assert.rejects(fixture.signIn(parties));
    }
    fixture.liar.lies.answer = {};
    assert.equal((await fixture.signIn(parties)).identity.subject, "person-1");
    assert.equal(asked("/token"), 21);
  });

  it("U14 an endpoint's silence is its own", async () => {
    const parties = fixture.theLiar();
    fixture.liar.lies = { claims: { email: undefined }, answer: { "/userinfo": hang } };
    for (let time = 0; time < 4; time += 1) {
      assert.equal((await fixture.signIn(parties)).identity.subject, "person-1");
      assert.match(
        JSON.stringify(fixture.log.at(-1)?.fields),
        time < 3 ? /userinfo: .*timeout/ : /userinfo is not asked/,
      );
    }
  });

  it(
    "U14 only so many ask it at once, of one sender half of them; who waits learns of its silence with " +
      "them",
    async () => {
      for (const [of, most] of [
        [() => "192.0.2.1", 4],
        [(index: number) => `192.0.2.${index}`, 8],
      ] as const) {
        const parties = fixture.theLiar();
        const begun = await Promise.all(Array.from({ length: 20 }, () => fixture.begin(parties)));
        fixture.liar.lies.answer = { "/token": hang };
        fixture.liar.requests.length = 0;
        const failures = await Promise.allSettled(
          begun.map(({ url, browsers }, index) =>
            parties.complete({
              sender: of(index),
              upstreamId: asUpstreamId("liar"),
              url: fixture.liar.callback(url),
              browsers,
            }),
          ),
        );
        const reasons = failures.map((failure) =>
          failure.status === "rejected" ? String(failure.reason.cause) : "done",
        );
        // The first two that gave up made room for two, before the third said that it is silent.
        assert.ok(asked("/token") >= most && asked("/token") <= most + 2, String(asked("/token")));
        const spared = reasons.filter((reason) => reason.includes("not asked: it gave no answer lately"));
        assert.equal(spared.length, 20 - asked("/token"));
      }
    },
  );

  it("a clock that is set back prolongs no pause", async () => {
    const parties = await silenced();
    fixture.liar.lies.answer = {};
    fixture.now -= 24 * 3_600_000;
    assert.equal((await fixture.signIn(parties)).identity.subject, "person-1");

    const others = fixture.theLiar();
    fixture.liar.lies.answer = {
      "/.well-known/openid-configuration": (response) => void response.writeHead(500).end(),
    };
    await fails(others, /answered 500/);
    fixture.liar.lies.answer = {};
    await fails(others, /answered 500/);
    fixture.now -= 24 * 3_600_000;
    assert.equal(
      (await fixture.signIn(others)).identity.subject,
      "person-1",
      "nor what is remembered of discovery",
    );
  });
});
