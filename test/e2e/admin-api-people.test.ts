/** The administration's REST API at work: people, portals and machines. Records are admin-api.test.ts's. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asOrganizationId } from "../../src/domain/ids.ts";
import {
  type AdminFixture,
  Api,
  anId,
  machineToken,
  makeClient,
  makeProfile,
  signInSomebody,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { linkByMail, register } from "../support/liaison.ts";
import { TestPortal } from "../support/portal.ts";

describe("the administration's API: people, portals and machines", () => {
  let fixture: AdminFixture;
  before(async () => {
    fixture = await startAdminFixture({
      strangers: 12,
      config: (base) => ({ ...base, administration: { secret_overlap_seconds: 30 } }),
    });
  });
  after(() => fixture?.close());

  it("counts a sign-in and a link", async () => {
    interface Figures {
      series: { name: string; upstream_id: string | null; total: number; points: { count: number }[] }[];
    }
    const totals = async () => {
      const { series } = await fixture.owner.get<Figures>("/figures?range=24h");
      for (const one of series) assert.equal(one.points.length, 24);
      return Object.fromEntries(
        series.map(({ name, upstream_id, total }) => [`${name} ${upstream_id ?? ""}`.trim(), total]),
      );
    };
    assert.deepEqual([...new Set(Object.values(await totals()))], [0]);
    const id = asOrganizationId(anId());
    await register(fixture, { id }, [{ id, email: `${id}@counted.example` }]);
    const [browser, person] = [fixture.browser(), fixture.stranger()];
    const started = await fixture.customerSource.start();
    const end = await linkByMail(fixture, browser, started, person, `${id}@counted.example`);
    await fixture.customerSource.exchange(end.url, started);
    // The person signs in upstream twice: to ask, and afresh to open the link. One mail is the link, one the
    // notice.
    const wanted: Record<string, number> = {
      sign_ins: 1,
      links_asked: 1,
      links_bound: 1,
      mails_sent: 2,
      "upstream_sign_ins fabrikam": 2,
    };
    // Each broker gives what it counted to the store now and then.
    const deadline = Date.now() + 25_000;
    const isThere = (now: Record<string, number>) =>
      Object.keys(wanted).every((name) => now[name] === wanted[name]);
    while (!isThere(await totals()) && Date.now() < deadline) await pause(100);
    const nothingElse = { links_refused: 0, mails_deferred: 0, mails_failed: 0, mails_bounced: 0 };
    assert.deepEqual(await totals(), { ...wanted, ...nothingElse, "upstream_failures fabrikam": 0 });
  });

  it("serves a machine that proves itself by its secret, within its scopes", async () => {
    const machine = await makeClient(fixture, "machine", { scopes: ["admin:read", "directory:write"] });
    const api = new Api(fixture.issuer, await machineToken(fixture, machine, "admin:read directory:write"));
    const body = { name: "Synced", account_number: "CRM-1", kind: "customer" };
    const { id } = await api.done<{ id: string }>("POST", "/organizations", { body });
    await api.edit(`/organizations/${id}`, { name: "Synced again" });
    assert.equal((await api.call("DELETE", `/clients/${machine.id}`)).status, 403);
    const events = await fixture.owner.list<{ actor: string }>(`/audit?organization_id=${id}`);
    assert.deepEqual([...new Set(events.map(({ actor }) => actor))], [`client:${machine.id}`]);
  });

  const redirectUri = "http://localhost:9/registered/callback";

  it("rotates a portal's secret while people sign in at it", async () => {
    const made = await makeClient(fixture, "web", { id: anId() });
    const connect = (clientSecret: string) =>
      TestPortal.connect({ issuer: fixture.issuer, clientId: made.id, clientSecret, redirectUri });
    const before = await connect(made.client_secret);
    await signInSomebody(fixture, { portal: before });
    const rotated = await fixture.owner.done<typeof made>("POST", `/clients/${made.id}/secret`, { body: {} });
    const after = await connect(rotated.client_secret);
    const one = await signInSomebody(fixture, { portal: before });
    await signInSomebody(fixture, { portal: after });
    fixture.clock.advance(30);
    const refresh = one.tokens.refresh_token ?? "";
    await assert.rejects(before.refresh(refresh), { status: 401 });
    await after.refresh(refresh);
  });

  it("ends a portal's sign-ins with the portal", async () => {
    const made = await makeClient(fixture, "web");
    const portal = await TestPortal.connect({
      issuer: fixture.issuer,
      clientId: made.id,
      clientSecret: made.client_secret,
      redirectUri,
    });
    const { tokens, accountId, profileId, browser } = await signInSomebody(fixture, { portal });
    const impact = await fixture.owner.get<{ sign_ins: number }>(`/clients/${made.id}/impact`);
    assert.equal(impact.sign_ins, 1);
    await fixture.owner.done("DELETE", `/clients/${made.id}`);
    await assert.rejects(portal.refresh(tokens.refresh_token ?? ""), { status: 401 });
    await assert.rejects(portal.userinfo(tokens.access_token, accountId));
    assert.deepEqual(await fixture.owner.list(`/grants?profile_id=${profileId}`), []);
    const page = await browser.visit((await portal.start()).url);
    assert.deepEqual([page.status, page.url.origin], [400, fixture.issuer]);
    assert.equal((await fixture.owner.call("GET", `/clients/${made.id}`)).status, 404);
  });

  it("ends a session: its refresh tokens, and what its browser could do", async () => {
    const [one, bystander] = [await signInSomebody(fixture), await signInSomebody(fixture)];
    const shown = await fixture.owner.list<{ session_id: string }>(`/grants?account_id=${one.accountId}`);
    assert.deepEqual(
      shown.map(({ session_id }) => session_id),
      [one.sessionId],
    );
    await fixture.owner.done("DELETE", `/sessions/${one.sessionId}`);
    await assert.rejects(fixture.customerSource.refresh(one.tokens.refresh_token ?? ""), {
      error: "invalid_grant",
    });
    const silent = await one.browser.visit((await fixture.customerSource.start({ prompt: "none" })).url);
    assert.equal(silent.url.searchParams.get("error"), "login_required");
    assert.equal((await fixture.owner.call("DELETE", `/sessions/${one.sessionId}`)).status, 404);
    await fixture.customerSource.refresh(bystander.tokens.refresh_token ?? "");
    const still = await bystander.browser.visit((await fixture.customerSource.start({ prompt: "none" })).url);
    assert.ok(still.url.searchParams.has("code"));
  });

  it("says who is where: an account with its identities, profiles and sign-ins", async () => {
    const { accountId, profileId, person } = await signInSomebody(fixture);
    const account = await fixture.owner.get<{ identities: { email: string }[]; profiles: { id: string }[] }>(
      `/accounts/${accountId}`,
    );
    assert.deepEqual(
      account.identities.map(({ email }) => email),
      [person.email],
    );
    assert.deepEqual(
      account.profiles.map(({ id }) => id),
      [profileId],
    );
    const { id } = await makeProfile(fixture);
    const verdict = await fixture.owner.get<{ outcome: string }>(
      `/simulation?client_id=customersource&profile_id=${id}`,
    );
    assert.equal(verdict.outcome, "unlinked");
  });
});
