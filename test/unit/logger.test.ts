/** Case D6, at its root: what could be used never reaches the log. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger } from "../../src/logger.ts";

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  const lines: string[] = [];
  write(createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } }));
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? "");
}

describe("logger", () => {
  const secret = "s3cr3t-value-of-some-length";

  it("hides values under telling names, at any depth", () => {
    const names = [
      "code",
      "access_token",
      "refreshToken",
      "client_secret",
      "password",
      "cookie",
      "set-cookie",
      "Authorization",
      "code_verifier",
      "codeVerifier",
      "state",
      "nonce",
      "jti",
      "encryption_key",
      "id_token_hint",
    ];
    for (const name of names) {
      const line = logged((logger) =>
        logger.info({ a: { b: [{ [name]: secret, kept: "kept" }] } }, "message"),
      );
      assert.ok(!JSON.stringify(line).includes(secret), name);
      assert.ok(JSON.stringify(line).includes("kept"));
    }
  });

  it("shows our own error codes, though authorization codes have the same name", () => {
    assert.equal(
      logged((logger) => logger.info({ code: "upstream_rejected" }, "x"))["code"],
      "upstream_rejected",
    );
    for (const code of [
      "upstream_rejected2",
      "constructor",
      7,
      ["upstream_rejected"],
      { a: "upstream_rejected" },
    ]) {
      assert.equal(logged((logger) => logger.info({ code }, "x"))["code"], "[hidden]");
    }
    assert.equal(
      logged((logger) => logger.info({ client_secret: "conflict" }, "x"))["client_secret"],
      "[hidden]",
    );
  });

  const texts = [
    `GET /upstream/a/callback?code=${secret}&state=x`,
    `https://id.example.com/token#access_token=${secret}`,
    `Authorization: Bearer ${secret}`,
    `GET /link/request-1/${secret}`,
    `GET /link/request-1/${secret.slice(0, 9)}=${secret.slice(9)}.`,
    `body was client_secret=${secret}`,
  ];
  for (const text of texts) {
    it(`hides it in texts and errors: ${text.replace(secret, "…")}`, () => {
      const nested = new Error("outer", {
        cause: Object.assign(new Error(text), { response: { body: secret } }),
      });
      for (const write of [
        (logger: ReturnType<typeof createLogger>) => logger.info(text),
        (logger: ReturnType<typeof createLogger>) => logger.info({ detail: text }, text),
        (logger: ReturnType<typeof createLogger>) => logger.error(new Error(text)),
        (logger: ReturnType<typeof createLogger>) => logger.error({ err: new Error(text) }),
        (logger: ReturnType<typeof createLogger>) => logger.error({ err: nested }, "it failed"),
        (logger: ReturnType<typeof createLogger>) => logger.child({ token: secret, detail: text }).info("x"),
      ]) {
        assert.ok(!JSON.stringify(logged(write)).includes(secret.slice(9)));
      }
    });
  }

  it("keeps what helps: level, time, message, codes and causes of errors", () => {
    const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const line = logged((logger) =>
      logger.error({ err: new Error("no store", { cause }), mail: "m1" }, "it failed"),
    );
    assert.equal(line["level"], "error");
    assert.equal(line["msg"], "it failed");
    assert.equal(line["mail"], "m1");
    assert.ok(!Number.isNaN(Date.parse(String(line["time"]))));
    const err = line["err"] as { message: string; stack: string; cause: { code: string } };
    assert.equal(err.message, "no store");
    assert.match(err.stack, /logger\.test/);
    assert.equal(err.cause.code, "ECONNREFUSED");
  });
});
