/** What routes declare of themselves: where HEAD is refused, and whose forms are read. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Route, watchingRoutes } from "../properties/fuzz-routes.ts";
import { type Liaison, startLiaison } from "../support/liaison.ts";

describe("what routes declare", () => {
  let liaison: Liaison;
  let routes: Route[];
  before(async () => {
    const watched = await watchingRoutes(startLiaison);
    liaison = watched.started;
    routes = watched.routes;
  });
  after(() => liaison?.close());

  const addressesOf = (method: string) =>
    routes
      .filter(
        ({ pattern, methods }) =>
          methods.includes(method) && methods.length <= 2 && !pattern.includes("/api/"),
      )
      .map(({ pattern }) => pattern.replace(/:\w+/g, "x"));

  it("HEAD is refused where a GET begins, makes or spends a thing, answered like GET elsewhere", async () => {
    const ours = addressesOf("GET").filter((path) =>
      /^\/(interaction|upstream|admin\/callback)\b/.test(path),
    );
    assert.ok(ours.length >= 15, `${ours}`);
    for (const path of [...ours, "/authorize", "/authorize/x", "/AUTHORIZE?client_id=x"]) {
      const { status, headers } = await fetch(liaison.issuer + path, { method: "HEAD", redirect: "manual" });
      assert.deepEqual([path, status, headers.get("allow")], [path, 405, "GET, POST"]);
      assert.equal(headers.get("set-cookie"), null, path);
    }
    for (const path of ["/", "/help", "/HELP/", "/healthz"]) {
      assert.equal((await fetch(liaison.issuer + path, { method: "HEAD" })).status, 200, path);
    }
  });

  it("every address that our pages post to reads a form, and refuses a compressed one unread", async () => {
    const posted = addressesOf("POST").filter((path) => /^\/(interaction|link|admin)\b/.test(path));
    assert.ok(posted.length > 25, `${posted}`);
    for (const path of posted) {
      const headers = { "content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip" };
      const init = { method: "POST", headers, body: "csrf=x", redirect: "manual" } as const;
      assert.equal((await fetch(liaison.issuer + path, init)).status, 415, path);
    }
  });
});
