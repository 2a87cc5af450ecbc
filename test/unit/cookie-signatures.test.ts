/** Signatures of cookies, held against those that Koa makes by itself. */

import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import Koa from "koa";
import { createCookieSignatures } from "../../src/oidc/cookie-signatures.ts";

const values = ["", "1", "a+b/c=", "vT3r-_kq0".repeat(40), "ü"];

/** What Koa's own signature of a cookie with this value is. */
function signatureByKoa(keys: string[], name: string, value: string): string {
  const request = new IncomingMessage(new Socket());
  const context = new Koa({ keys }).createContext(request, new ServerResponse(request));
  context.cookies.set(name, encodeURIComponent(value), { signed: true });
  const lines = context.response.get("set-cookie") as unknown as string[];
  return /=([^;]*)/.exec(lines.find((line) => line.startsWith(`${name}.sig=`)) ?? "")?.[1] ?? "none";
}

describe("signatures of cookies", () => {
  for (const value of values) {
    it(`are Koa's own: of ${value.length} characters`, () => {
      const data = `liaison.session=${encodeURIComponent(value)}`;
      const byKoa = signatureByKoa(["newest", "older"], "liaison.session", value);
      const signatures = createCookieSignatures(["newest", "older"]);
      assert.equal(signatures.sign(data), byKoa);
      assert.equal(signatures.index(data, byKoa), 0);
    });
  }

  it("are good by an older key, which is told", () => {
    const signatures = createCookieSignatures(["newest", "older", "oldest"]);
    const { sign } = createCookieSignatures(["oldest"]);
    assert.equal(signatures.index("liaison.session=1", sign("liaison.session=1")), 2);
    assert.equal(signatures.verify("liaison.session=1", sign("liaison.session=1")), true);
  });

  it("are good for nothing else", () => {
    const signatures = createCookieSignatures(["newest", "older"]);
    const signature = signatures.sign("liaison.session=1");
    for (const [data, given] of [
      ["liaison.session=2", signature],
      ["liaison.resume=1", signature],
      ["liaison.session=1", signature.slice(1)],
      ["liaison.session=1", ""],
      ["liaison.session=1", createCookieSignatures(["another"]).sign("liaison.session=1")],
    ] as const) {
      assert.equal(signatures.index(data, given), -1, `${data} ${given}`);
      assert.equal(signatures.verify(data, given), false, `${data} ${given}`);
    }
  });
});
