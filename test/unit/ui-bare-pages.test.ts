/** Pages of deployments that lack or misname something, and what pages are dressed with. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assets } from "../../src/ui/assets.ts";
import { pages } from "../../src/ui/pages.ts";
import { bareSite } from "../support/bare-pages.ts";
import { flavours } from "../support/page-flavours.ts";

describe("pages without", () => {
  test("an address that isn't http(s) never becomes a link", () => {
    const site = {
      ...flavours.ordinary.site,
      support: { email: "a@b.example", url: "javascript:alert(1)", phone: null },
    };
    assert.doesNotMatch(
      pages.help(site, { senderAddress: "a@b.example", linkLifetimeMinutes: 1 }),
      /javascript:/,
    );
  });

  test("pages do without portals, without upstream support, without phone", () => {
    const site = bareSite();
    assert.match(pages.home(site), /<h1>/);
    assert.match(
      pages.signIn(site, {
        portal: null,
        form: { action: "/x", csrfToken: "t" },
        notice: null,
        back: { action: "/y", csrfToken: "t" },
        insufficient: null,
      }),
      /button-primary/,
    );
    assert.doesNotMatch(pages.signInLost(site, { reason: "expired", portal: null }), /Start again at/);
    assert.doesNotMatch(pages.help(site, { senderAddress: "a@b.example", linkLifetimeMinutes: 120 }), /tel:/);
  });

  test("assets are named by their content and need nothing from elsewhere", () => {
    assert.equal(assets.size, 3);
    for (const [path, { type, body }] of assets) {
      assert.match(path, /^\/assets\/[a-z]+-[0-9a-f]{12}\.(css|js|svg)$/);
      assert.match(type, /^(text\/(css|javascript); charset=utf-8|image\/svg\+xml)$/);
      assert.doesNotMatch(
        body.toString("utf8").replace("http://www.w3.org/2000/svg", ""),
        /https?:|url\(|@import/,
      );
    }
  });
});
