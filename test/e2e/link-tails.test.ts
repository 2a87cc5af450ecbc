/** What mail programs, scanners and people make of a mailed link's address, and what it still opens. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { requestOf } from "../support/attack-fixture.ts";
import { type LyingUpstreamFixture, startLyingUpstreamFixture } from "../support/lying-upstream-fixture.ts";

describe("a mailed link with something behind it, or in it", () => {
  let fixture: LyingUpstreamFixture;
  let link: string;
  before(async () => {
    fixture = await startLyingUpstreamFixture();
    link = await fixture.linkFor("tails");
  });
  after(() => fixture.close());

  const middle = () => link.lastIndexOf("/") + 20;
  const opened: [why: string, address: () => string][] = [
    ["as mailed", () => link],
    ["with a slash", () => `${link}/`],
    ["with a parameter", () => `${link}?utm_source=x`],
    ["with a fragment", () => `${link}#_=_`],
    ...[".", "%3E", ")", "%20", ",", "%22", "%C2%A0", "&gt;", "%3E%20wrote:"].map(
      (end): [string, () => string] => [`with ${end} behind it`, () => link + end],
    ),
    ...["=", "%20", "%0D%0A", "=%0D%0A"].map((inside): [string, () => string] => [
      `with ${inside} in it`,
      () => link.slice(0, middle()) + inside + link.slice(middle()),
    ]),
  ];
  for (const [why, address] of opened) {
    it(`${why}: it opens, and nothing is decided by that`, async () => {
      const page = await fixture.browser().visit(address());
      assert.equal(`${page.status} ${page.heading}`, "200 Do you want to link this account?");
      assert.equal((await requestOf(fixture.liaison, link)).state, "pending");
    });
  }

  const dead: [why: string, address: () => string][] = [
    ["cut off", () => link.slice(0, middle())],
    ["without its last letter", () => link.slice(0, -1)],
    ["with a letter behind it", () => `${link}x`],
    ["with another letter in it", () => link.slice(0, -1) + (link.endsWith("A") ? "B" : "A")],
  ];
  for (const [why, address] of dead) {
    it(`${why}: it doesn't, and the page says what may be amiss`, async () => {
      const page = await fixture.browser().visit(address());
      assert.equal(`${page.status} ${page.heading}`, "404 This link doesn't work");
    });
  }

  it("a found secret is redeemed as any other", async () => {
    const sent = await fixture.redeem(`${link}.`);
    assert.equal(
      (await fixture.comeBack(sent, { claims: { sub: "tails" } })).heading,
      "Your account is linked",
    );
  });
});
