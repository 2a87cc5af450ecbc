import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { notingTokenAnswer, withTokenAnswer } from "../../src/upstream/token-answer.ts";

describe("the answer that an exchange rests on", () => {
  const endpoint = "https://upstream.example/token";
  let now = 0;
  const clock = { now: () => now };

  it("is its own, however many are under way", async () => {
    const waiting: ((date: string) => void)[] = [];
    const fetch = notingTokenAnswer(
      () =>
        new Promise((resolve) => waiting.push((date) => resolve(new Response(null, { headers: { date } })))),
      clock,
    );
    // As openid-client does, which makes its request ready first.
    const exchange = async () => {
      await turn();
      await fetch(endpoint, {});
    };
    const first = withTokenAnswer(endpoint, exchange);
    const second = withTokenAnswer(endpoint, exchange);
    now = 2_000;
    while (waiting.length < 2) await turn();
    now = 3_000;
    waiting[1]?.("of the second");
    assert.deepEqual((await second).answer, { askedAt: 2_000, answeredAt: 3_000, date: "of the second" });
    now = 4_000;
    waiting[0]?.("of the first");
    assert.deepEqual((await first).answer, { askedAt: 2_000, answeredAt: 4_000, date: "of the first" });
  });

  it("is the token endpoint's, not that of the keys fetched behind it", async () => {
    const fetch = notingTokenAnswer(async (url) => new Response(null, { headers: { date: url } }), clock);
    const { result, answer } = await withTokenAnswer("https://upstream.example:443/token", async () => {
      await fetch(endpoint, {});
      await fetch("https://upstream.example/jwks", {});
      return "tokens";
    });
    assert.equal(result, "tokens");
    assert.equal(answer.date, endpoint);
  });

  it("is missed where there was none", async () => {
    await assert.rejects(
      withTokenAnswer(endpoint, async () => {}),
      TypeError,
    );
  });
});
