/** The mapping from errors to responses. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "oidc-provider";
import { ERROR_CODES, LiaisonError } from "../../src/errors.ts";
import { responseTo } from "../../src/http/error-responses.ts";
import { withStoreErrors } from "../../src/oidc/store-errors.ts";
import { BodyTooLarge } from "../../src/read-body.ts";

const statusOf = (error: unknown) => responseTo(error).status;

describe("what an error is answered with", () => {
  it("is its code's: a refusal for what the caller can change, a failure for the rest", () => {
    const failures = ["upstream_rejected", "upstream_unavailable", "store_unavailable", "store_refused"];
    const ofCommands = ["config_invalid", "port_taken", "usage"];
    for (const code of ERROR_CODES) {
      const { status, code: told } = responseTo(LiaisonError.of(code, "why"));
      assert.equal(told, code);
      assert.equal(status >= 500, [...failures, ...ofCommands].includes(code), `${code}: ${status}`);
    }
  });

  it("says when a store may be there again, whoever asked it", async () => {
    const gone = LiaisonError.storeUnavailable("gone");
    const toldByTheProvider = await withStoreErrors(Promise.reject(gone)).catch((error: unknown) => error);
    for (const error of [gone, toldByTheProvider]) {
      const { status, retryAfterSeconds } = responseTo(error);
      assert.deepEqual([status, retryAfterSeconds], [503, 5]);
    }
  });

  it("is the status that oidc-provider's and Koa's say, if they mean to show it", () => {
    assert.equal(statusOf(new errors.InvalidRequest("why")), 400);
    assert.equal(statusOf(new BodyTooLarge(10)), 413);
    assert.equal(statusOf(Object.assign(new Error("why"), { status: 404, expose: true })), 404);
    assert.equal(statusOf(Object.assign(new Error("secret"), { status: 404, expose: false })), 500);
    assert.equal(statusOf(Object.assign(new Error("secret"), { status: 503, expose: true })), 500);
    assert.equal(statusOf(new TypeError("secret")), 500);
  });
});
