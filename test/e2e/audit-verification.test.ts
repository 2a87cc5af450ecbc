/**
 * Verifying the audit as a job: asked for over the API and on the pages, by several at once, and looked at
 * until it has ended.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type AdminFixture, type Api, startAdminFixture } from "../support/admin-fixture.ts";

interface Verification {
  id: string;
  url: string;
  state: string;
  kept_head: string | null;
  asked_by: string;
  asked_at: string;
  started_at: string | null;
  ended_at: string | null;
  verified: number;
  total: number | null;
  result: {
    intact: boolean;
    verified: number;
    unsealed: number;
    head: string | null;
    problem: string | null;
  } | null;
  failure: string | null;
}

interface Event {
  actor: string;
  detail: { verification?: string; joined?: boolean };
}

describe("a verification of the audit", () => {
  let fixture: AdminFixture;
  let auditors: Api[];
  before(async () => {
    fixture = await startAdminFixture({});
    auditors = [await fixture.keyWith(["audit:read"]), await fixture.keyWith(["audit:read"])];
  });
  after(() => fixture?.close());

  async function ended(api: Api, { url }: Verification): Promise<Verification> {
    for (let turn = 0; turn < 100; turn += 1) {
      const path = url.replace(`${fixture.issuer}/admin/api/v1`, "");
      const found = await api.get<Verification>(path);
      if (found.state === "finished" || found.state === "failed") return found;
      await pause(100);
    }
    return assert.fail("it never ended");
  }

  it("is answered at once, and ends with what it came to; two who ask at once get one", async () => {
    const asked = await Promise.all(auditors.map((api) => api.verifyAudit<Verification>()));
    const [one, other] = asked as [Verification, Verification];
    assert.equal(one.id, other.id);
    assert.ok(["waiting", "running"].includes(one.state), one.state);
    assert.deepEqual([one.ended_at, one.result, one.failure, one.kept_head], [null, null, null, null]);
    assert.equal(one.url, `${fixture.issuer}/admin/api/v1/audit/verifications/${one.id}`);
    const [first, second] = await Promise.all(auditors.map((api, index) => ended(api, asked[index] ?? one)));
    assert.deepEqual(first, second);
    assert.deepEqual([first?.state, first?.result?.intact, first?.result?.problem], ["finished", true, null]);
    assert.equal(first?.verified, first?.result?.verified);
    for (const at of [first?.asked_at, first?.started_at, first?.ended_at])
      assert.match(String(at), /^\d{4}-.*Z$/);
    const events = await fixture.owner.list<Event>("/audit?action=audit.verification_asked");
    assert.deepEqual(
      events.map(({ detail }) => [detail.verification, detail.joined]),
      [
        [one.id, true],
        [one.id, false],
      ],
    );
    assert.equal(new Set(events.map(({ actor }) => actor)).size, 2, "each is named");
    assert.equal(events[1]?.actor, one.asked_by);
  });

  it("tells whether the head that was kept is still there", async () => {
    const [api] = auditors as [Api];
    const { result } = await ended(api, await api.verifyAudit<Verification>());
    const head = result?.head ?? assert.fail("no head");
    const again = await ended(api, await api.verifyAudit<Verification>(head));
    assert.deepEqual([again.kept_head, again.result?.intact], [head, true]);
    const [seq = "", mac = ""] = head.split(".");
    const forged = await ended(api, await api.verifyAudit<Verification>(`${seq}.${mac.slice(1)}_`));
    assert.deepEqual([forged.state, forged.result?.intact], ["finished", false]);
    assert.equal(forged.result?.problem, `place ${seq}: another event than under the head given`);
    const listed = await api.list<Verification>("/audit/verifications");
    assert.deepEqual(listed.map(({ id }) => id).slice(0, 2), [forged.id, again.id]);
  });

  it("is nobody's without the scope, and none is at another address", async () => {
    const other = await fixture.keyWith(["admin:read"]);
    const refused = await other.call("POST", "/audit/verifications", { body: {} });
    assert.equal(refused.status, 403);
    assert.equal((await fixture.owner.call("GET", "/audit/verifications/none")).status, 404);
    assert.equal((await fixture.owner.call("GET", "/audit/verification")).status, 404);
  });
});
