import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { browserName } from "../../src/domain/browser-name.ts";
import { readSeen, seenNow } from "../../src/domain/seen-session.ts";

describe("what a browser is called", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  const cases: [userAgent: string, name: string][] = [
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/131.0.0.0 Safari/537.36`,
      "Chrome on Windows",
    ],
    [
      `Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`,
      "Edge on Windows",
    ],
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/131.0.0.0 Safari/537.36`, "Chrome on Linux"],
    [
      `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/131.0.0.0 Safari/537.36`,
      "Chrome on ChromeOS",
    ],
    [
      `Mozilla/5.0 (Linux; Android 10; K) ${webkit} SamsungBrowser/27.0 Chrome/125.0 Mobile Safari/537.36`,
      "Samsung Internet on Android",
    ],
    [
      `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/18.1 Safari/605.1.15`,
      "Safari on macOS",
    ],
    [
      `Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) ${webkit} CriOS/131.0 Mobile/15E148 ` +
        "Safari/604.1",
      "Chrome on iPhone",
    ],
    ["Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "Firefox on Android"],
    ["curl/8.5.0", "another browser"],
    ["", "another browser"],
    [`${"x".repeat(600)} Firefox/1`, "another browser"],
  ];
  for (const [userAgent, name] of cases) {
    it(name, () => assert.equal(browserName(userAgent), name));
  }
});

describe("where a session is used", () => {
  const place = { browser: "Firefox on Windows", network: "2001:db8:1:2::/64" };

  it("begins once, and is used last now", () => {
    const first = seenNow(undefined, place, 1000);
    assert.deepEqual(first, { ...place, begunAt: 1000, usedAt: 1000 });
    const next = seenNow(first, { ...place, network: "192.0.2.7" }, 2000);
    assert.deepEqual(next, { ...place, network: "192.0.2.7", begunAt: 1000, usedAt: 2000 });
    assert.deepEqual(readSeen({ uid: "u", seen: next }), next);
  });

  it("holds no more than so much of a text", () => {
    const { browser, network } = seenNow(
      undefined,
      { browser: "x".repeat(999), network: "y".repeat(999) },
      1,
    );
    assert.deepEqual([browser.length, network.length], [64, 64]);
  });

  for (const seen of [undefined, null, "x", {}, { ...place, begunAt: "1", usedAt: 1 }]) {
    it(`${JSON.stringify(seen)} says nothing`, () => assert.equal(readSeen({ seen }), undefined));
  }
});
