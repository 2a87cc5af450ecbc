/** `If-Match` as RFC 9110, section 13.1.1 has it: a tag, a list of which one is to match, or any. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type AdminFixture,
  type Api,
  makeClient,
  makeOrganization,
  makeProfile,
  startAdminFixture,
} from "../support/admin-fixture.ts";

describe("If-Match", () => {
  let fixture: AdminFixture;
  before(async () => {
    fixture = await startAdminFixture();
  });
  after(() => fixture?.close());

  const edit = (api: Api, path: string, ifMatch: string, name = "Edited") =>
    api.call("PATCH", path, { body: { name }, headers: { "if-match": ifMatch } });

  const records: [what: string, make: () => Promise<string>][] = [
    ["an organization", async () => `/organizations/${await makeOrganization(fixture)}`],
    ["a profile", async () => `/profiles/${(await makeProfile(fixture)).id}`],
    ["a client app", async () => `/clients/${(await makeClient(fixture, "web")).id}`],
  ];
  for (const [what, make] of records) {
    it(`${what}: *, and lists of which one is right`, async () => {
      const path = await make();
      for (const header of ["*", " * "])
        assert.equal((await edit(fixture.owner, path, header)).status, 200, header);
      for (const list of [
        (tag: string) => `"older", ${tag}`,
        (tag: string) => `${tag},"older"`,
        (tag: string) => tag,
      ]) {
        const header = list(await fixture.owner.etag(path));
        const { status, headers } = await edit(fixture.owner, path, header, `Edited ${header.length}`);
        assert.equal(status, 200, header);
        assert.equal(headers.get("etag"), await fixture.owner.etag(path));
      }
      const tag = await fixture.owner.etag(path);
      for (const header of ['"older"', '"older", "oldest"', `W/${tag}`, `"older", W/${tag}`]) {
        assert.equal((await edit(fixture.owner, path, header)).status, 412, header);
      }
      for (const header of ["older", "**", '"a" "b" c', tag.slice(1), `*, ${tag}`]) {
        assert.equal((await edit(fixture.owner, path, header)).status, 412, `${header} is no list of tags`);
      }
      assert.equal(await fixture.owner.etag(path), tag, "nothing was written by those that were refused");
    });
  }

  it("says nothing where nothing is edited", async () => {
    const { id } = await makeProfile(fixture);
    const calls: [method: string, path: string, body?: object][] = [
      ["GET", "/organizations"],
      ["GET", `/profiles/${id}`],
      ["GET", "/figures"],
      ["PUT", `/profiles/${id}/admin-role`, { role: "none" }],
      ["DELETE", "/api-keys/nope"],
    ];
    for (const [method, path, body] of calls) {
      const plain = await fixture.owner.call(method, path, body === undefined ? {} : { body });
      for (const header of ["*", '"a", "b"', '"a"']) {
        const headers = { "if-match": header };
        const { status } = await fixture.owner.call(
          method,
          path,
          body === undefined ? { headers } : { body, headers },
        );
        assert.equal(status, plain.status, `${method} ${path} ${header}`);
        assert.ok(status < 500);
      }
    }
  });

  it("* of a record that isn't there is refused, and needs no more than the edit does", async () => {
    assert.equal((await edit(fixture.owner, "/organizations/nope", "*")).status, 404);
    const writer = await fixture.keyWith(["directory:write"]);
    const path = `/organizations/${await makeOrganization(fixture)}`;
    assert.equal((await writer.call("GET", path)).status, 403);
    assert.equal((await edit(writer, path, "*")).status, 200);
    const auditor = await fixture.keyWith(["admin:read"]);
    assert.equal((await edit(auditor, path, "*")).status, 403);
  });

  it("* lets every one of several who edit at once through", async () => {
    const path = `/organizations/${await makeOrganization(fixture)}`;
    const names = Array.from({ length: 4 }, (_, index) => `Racer ${index}`);
    const answers = await Promise.all(names.map((name) => edit(fixture.owner, path, "*", name)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.ok(names.includes((await fixture.owner.get<{ name: string }>(path)).name));
  });
});
