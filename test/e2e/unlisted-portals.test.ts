/** Which portals pages name: those that a known profile opens; to everybody else those that are listed. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { type Attacked, askForLink, startAttacked } from "../support/attack-fixture.ts";
import { openLink, register } from "../support/liaison.ts";
import type { Page } from "../support/user-agent.ts";

describe("portals named on pages", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({
      config: (base) => {
        const portals = base["portals"] as Record<string, unknown>[];
        const [first] = portals;
        const hidden = {
          ...first,
          id: "hidden",
          name: "HiddenSource",
          access_policy: { kinds: ["partner"] },
          listed: false,
        };
        return { ...base, portals: [...portals, hidden] };
      },
    });
    await register(liaison, { id: asOrganizationId("customer") }, [
      { id: "customer", email: "ann@northwind.example" },
    ]);
    await register(liaison, { id: asOrganizationId("partner"), kind: "partner" }, [
      { id: "partner", email: "ben@litware.example" },
    ]);
  });
  after(() => liaison?.close());

  const named = ({ text }: Page) =>
    ["CustomerSource", "PartnerSource", "HiddenSource"].filter((name) => text.includes(name));

  it("an unlisted one is on no page that anybody can open", async () => {
    const browser = liaison.browser();
    for (const path of [
      "/",
      "/help",
      `/link/${"r".repeat(22)}/${"s".repeat(43)}`,
      "/nowhere",
      "/session/end",
    ]) {
      const page = await browser.visit(liaison.issuer + path);
      assert.ok(page.status !== 0);
      assert.ok(!page.body.includes("HiddenSource"), `${path}: ${page.text}`);
    }
    for (const path of ["/", "/help"]) {
      assert.deepEqual(
        named(await browser.visit(liaison.issuer + path)),
        ["CustomerSource", "PartnerSource"],
        path,
      );
    }
  });

  it("a profile's pages name what it opens, listed or not, and nothing else", async () => {
    const ben = liaison.stranger();
    const { link } = await askForLink(liaison, ben, "ben@litware.example");
    const cancelled = await openLink(liaison.browser(), link, ben, "Don’t link");
    assert.equal(cancelled.heading, "The link has been cancelled");
    assert.deepEqual(named(cancelled), ["PartnerSource", "HiddenSource"]);
    assert.deepEqual(
      named(await liaison.browser().visit(link)),
      ["PartnerSource", "HiddenSource"],
      "the dead link's",
    );

    const ann = liaison.stranger();
    const asked = await askForLink(liaison, ann, "ann@northwind.example");
    const linked = await openLink(liaison.browser(), asked.link, ann);
    assert.deepEqual(named(linked), ["CustomerSource"]);
    assert.deepEqual(named(await liaison.browser().visit(asked.link)), ["CustomerSource"], "the used link's");
  });

  it("a profile that opens nothing is led nowhere", async () => {
    await register(liaison, { id: asOrganizationId("off"), enabled: true }, [
      { id: "off", email: "off@northwind.example" },
    ]);
    const { link } = await askForLink(liaison, liaison.stranger(), "off@northwind.example");
    await register(liaison, { id: asOrganizationId("off"), enabled: false }, []);
    const dead = await liaison.browser().visit(link);
    assert.equal(dead.heading, "This profile is not active");
    assert.deepEqual(named(dead), []);
  });
});
