/**
 * The fair queue before an upstream: who gets a slot, who waits, who is refused; and what of a sign-in takes
 * one.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { asUpstreamId } from "../../src/domain/ids.ts";
import type { LiaisonError } from "../../src/errors.ts";
import type { UpstreamSignInError } from "../../src/upstream/failures.ts";
import { createSlots, type Slot, type SlotOutcome } from "../../src/upstream/slots.ts";
import type { Upstreams } from "../../src/upstream/upstreams.ts";
import { refusal, SIGN_IN, sender, useUpstreams } from "../support/upstream-fixture.ts";

/** Eight slots: four for one sender, two for all suspects; 16 of one sender wait, 128 of all. */
const limits = { maxInFlight: 8, waitMs: 60_000 };

/** A queue, with what its senders got so far. */
function house({ maxInFlight, waitMs } = limits) {
  let elapsed = 0;
  const slots = createSlots({ maxInFlight, waitMs }, () => elapsed);
  const held: { sender: string; slot: Slot }[] = [];
  const refused: string[] = [];
  const come = (sender: string, times = 1) => {
    for (let time = 0; time < times; time += 1) {
      void slots.take(sender).then((slot) => {
        if (slot === undefined) refused.push(sender);
        else held.push({ sender, slot });
      });
    }
  };
  const end = async (sender: string, outcome: SlotOutcome = "neither") => {
    await turn();
    const at = held.findIndex((one) => one.sender === sender);
    const [first] = held.splice(at, 1);
    if (at === -1 || first === undefined) assert.fail(`${sender} holds none`);
    first.slot.end(outcome);
  };
  return {
    come,
    end,
    refused,
    /** Who holds slots, in the order in which they got them. */
    async holders(): Promise<string> {
      await turn();
      return held.map(({ sender }) => sender).join("");
    },
    later(ms: number): void {
      elapsed += ms;
    },
    /** One that came with a made-up answer. */
    async suspect(sender: string): Promise<void> {
      come(sender);
      await turn();
      await end(sender, "made_up");
    },
  };
}

describe("the slots of an upstream", () => {
  it("go to those who come, half of them at most to one sender", async () => {
    const { come, holders } = house();
    come("a", 10);
    assert.equal(await holders(), "aaaa");
    come("b", 3);
    come("c", 3);
    assert.equal(await holders(), "aaaabbbc");
  });

  it("are given in turns: to whoever holds fewest, of equals to whoever was served longest ago", async () => {
    const { come, end, holders } = house();
    for (const sender of ["a", "b"]) come(sender, 8);
    assert.equal(await holders(), "aaaabbbb");
    for (const sender of ["c", "d"]) come(sender, 2);
    for (const sender of ["a", "a", "b", "b"]) await end(sender);
    assert.equal(await holders(), "aabbcdcd");
    for (const sender of ["a", "b"]) await end(sender);
    assert.equal(await holders(), "abcdcdab", "all had as many: who had waited longest was first");
  });

  it("keep the order of one sender's own", async () => {
    const slots = createSlots(limits);
    const given: number[] = [];
    const take = async (index: number) => {
      const slot = await slots.take("a");
      given.push(index);
      await turn();
      slot?.end("neither");
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => take(index)));
    assert.deepEqual(
      given,
      Array.from({ length: 12 }, (_, index) => index),
    );
  });

  it("aren't waited for by more of one sender than it can be served", async () => {
    const { come, holders, refused } = house();
    come("a", 4 + 16);
    come("b");
    assert.equal(await holders(), "aaaab");
    assert.deepEqual(refused, []);
    come("a", 2);
    await turn();
    assert.deepEqual(refused, ["a", "a"]);
  });

  it("when too many wait, whoever has most of them is refused for whoever has few", async () => {
    const { come, end, holders, refused } = house();
    const crowd = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (const sender of crowd) come(sender, 20);
    await turn();
    const before = refused.length;
    assert.ok(!refused.includes("z"));
    come("z");
    await turn();
    assert.equal(refused.length, before + 1);
    assert.ok(!refused.includes("z"));
    let served = 0;
    for (let first = await holders(); !first.includes("z"); first = await holders()) {
      await end(first.charAt(0));
      served += 1;
    }
    assert.ok(served <= 10, "once everybody had one");
  });

  it("are waited for until the time is up, not longer", async () => {
    const slots = createSlots({ maxInFlight: 1, waitMs: 20 });
    const first = await slots.take("a");
    assert.equal(await slots.take("b"), undefined);
    first?.end("neither");
    assert.notEqual(await slots.take("b"), undefined, "a free one is had at once, whoever gave up before");
  });

  it("Z8: go to suspects behind all others", async () => {
    const { come, end, holders, suspect } = house();
    await suspect("x");
    for (const sender of ["a", "b"]) come(sender, 4);
    for (const sender of ["x", "c", "d"]) come(sender);
    for (const sender of ["a", "a", "b"]) await end(sender);
    assert.equal(await holders(), "aabbbcdx");
  });

  it("Z8: go to suspects a quarter of them in all, and one each while others wait", async () => {
    const { come, end, holders, suspect } = house();
    for (const sender of ["x", "y"]) await suspect(sender);
    for (const sender of ["x", "y"]) come(sender, 8);
    assert.equal(await holders(), "xx");
    come("a", 5);
    assert.equal(await holders(), "xxaaaa");
    await end("x");
    assert.equal(await holders(), "xaaaay");
    await end("y");
    assert.equal(await holders(), "xaaaay", "x has one already");
    await end("a");
    for (let time = 0; time < 7; time += 1) await end("y");
    assert.equal(await holders(), "xaaaax", "nobody else waits any more");
  });

  it("Z8: a proven sign-in pays for a made-up answer, and so does a quiet minute", async () => {
    const { come, end, holders, suspect, later } = house();
    const room = async (sender: string) => {
      come(sender, 4);
      const got = (await holders()).length;
      for (let time = 0; time < got; time += 1) await end(sender);
      for (let more = await holders(); more !== ""; more = await holders()) await end(sender);
      return got;
    };
    assert.equal(await room("x"), 4);
    await suspect("x");
    await suspect("x");
    assert.equal(await room("x"), 2);
    for (const left of [2, 4]) {
      come("x");
      await end("x", "proven");
      assert.equal(await room("x"), left);
    }
    await suspect("x");
    assert.equal(await room("y"), 4, "nobody else is one");
    later(59_999);
    assert.equal(await room("x"), 2);
    later(1);
    assert.equal(await room("x"), 4);
  });
});

describe("a sign-in's slot", () => {
  const fixture = useUpstreams();
  const hang = () => {};

  async function begin(parties: Upstreams, times: number) {
    const begun = [];
    while (begun.length < times) begun.push(await fixture.begin(parties));
    return begun;
  }

  /** So many callbacks of one sender at once; what each failed by, or "proven". */
  async function comeBack(parties: Upstreams, times: number): Promise<string[]> {
    const ended = await Promise.allSettled(
      (await begin(parties, times)).map(({ url, browsers }) =>
        parties.complete({
          sender,
          upstreamId: asUpstreamId("liar"),
          url: fixture.liar.callback(url),
          browsers,
        }),
      ),
    );
    return ended.map((one) => (one.status === "fulfilled" ? "proven" : String(one.reason.code)));
  }

  /** Answers of an endpoint that take a while, and how many were under way at once. */
  function slowly(path: string, status: number, body: object): { most: number } {
    const seen = { most: 0 };
    let underWay = 0;
    fixture.liar.lies.answer = {
      [path]: (response) => {
        underWay += 1;
        seen.most = Math.max(seen.most, underWay);
        setTimeout(() => {
          underWay -= 1;
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
        }, 40);
      },
    };
    return seen;
  }

  it("Z8: is one of a quarter once a code was made up, until a sign-in is proven", async () => {
    const parties = fixture.theLiar();
    const first = slowly("/token", 400, { error: "invalid_grant" });
    assert.deepEqual(await comeBack(parties, 4), Array(4).fill("upstream_rejected"));
    assert.equal(first.most, 4);
    const then = slowly("/token", 400, { error: "invalid_grant" });
    assert.deepEqual(await comeBack(parties, 8), Array(8).fill("upstream_rejected"));
    assert.equal(then.most, 2);
    fixture.liar.lies.answer = {};
    for (let time = 0; time < 8; time += 1) await fixture.signIn(parties);
    const atLast = slowly("/token", 500, {});
    assert.deepEqual(await comeBack(parties, 4), Array(4).fill("upstream_unavailable"));
    assert.equal(atLast.most, 4);
    assert.deepEqual(await comeBack(parties, 4), Array(4).fill("upstream_unavailable"));
    assert.equal(atLast.most, 4, "what the upstream fails at is nobody's doing");
  });

  it("is waited for, and of whom too many wait some are told to begin anew", async () => {
    const parties = fixture.theLiar();
    slowly("/token", 500, {});
    await comeBack(parties, 20);
    assert.equal(fixture.liar.tokenRequests.length, 20, "each had its turn");
    fixture.liar.lies.answer = { "/token": hang };
    const errors = await Promise.all(
      (await begin(parties, 40)).map(({ url, browsers }) =>
        parties
          .complete({ sender, upstreamId: asUpstreamId("liar"), url: fixture.liar.callback(url), browsers })
          .catch((thrown: LiaisonError) => thrown),
      ),
    );
    const refused = errors.filter((error) =>
      /too many sign-ins wait/.test(String((error as LiaisonError).cause)),
    );
    assert.notEqual(refused.length, 0);
    for (const error of refused) {
      refusal("upstream_unavailable")(error);
      assert.deepEqual((error as UpstreamSignInError).purpose, SIGN_IN.purpose);
    }
  });

  it("isn't needed by somebody who cancelled there", async () => {
    const parties = fixture.theLiar();
    const { url, browsers } = await fixture.begin(parties);
    fixture.liar.lies.answer = { "/token": hang };
    let isOver = false;
    const crowd = comeBack(parties, 8).then(() => {
      isOver = true;
    });
    while (fixture.liar.tokenRequests.length < 4) await pause(5);
    const cancelled = fixture.liar.callback(url, { code: null, error: "access_denied" });
    const back = parties.complete({ sender, upstreamId: asUpstreamId("liar"), url: cancelled, browsers });
    await assert.rejects(back, refusal("upstream_refused"));
    assert.equal(isOver, false);
    await crowd;
  });

  it("is needed for a request that goes ahead of the browser", async () => {
    const { issuer, lies } = fixture.liar;
    lies.metadata = {
      require_pushed_authorization_requests: true,
      pushed_authorization_request_endpoint: `${issuer}/par`,
    };
    const seen = slowly("/par", 201, { request_uri: "urn:example:1", expires_in: 60 });
    const parties = fixture.theLiar();
    await Promise.all(Array.from({ length: 10 }, () => fixture.begin(parties)));
    assert.equal(seen.most, 4);
  });
});
