/**
 * The administration's REST API at work: lists, edits that meet, creations that are repeated, machines,
 * portals and owners.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ALL_SCOPES, ROLES } from "../../src/admin/scopes.ts";
import {
  type AdminFixture,
  type Api,
  type ApiAnswer,
  anId,
  clientBody,
  machineToken,
  makeClient,
  makeOrganization,
  makeProfile,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { bindTo } from "../support/attack-fixture.ts";

type Page = { items: { id: string; name: string }[]; next_cursor: string | null };

describe("the administration's API: records", () => {
  let fixture: AdminFixture;
  before(async () => {
    fixture = await startAdminFixture();
  });
  after(() => fixture?.close());

  it("lists page by page, by name, whatever is added meanwhile", async () => {
    const names = Array.from({ length: 23 }, (_, index) => `Page ${String(index).padStart(2, "0")} Åkesson`);
    for (const name of names.toReversed()) {
      const body = { name, account_number: `P-${name.slice(5, 7)}`, kind: "partner" };
      await fixture.owner.done("POST", "/organizations", { body });
    }
    const list = "/organizations?kind=partner&limit=10";
    const first = await fixture.owner.get<Page>(list);
    assert.deepEqual(
      first.items.map(({ name }) => name),
      names.slice(0, 10),
    );
    const late = { name: "Page 00 late", account_number: "L", kind: "partner" };
    await fixture.owner.done("POST", "/organizations", { body: late });
    const next = (page: Page) =>
      fixture.owner.get<Page>(`${list}&cursor=${encodeURIComponent(page.next_cursor ?? "")}`);
    const second = await next(first);
    const third = await next(second);
    assert.deepEqual(
      [...second.items, ...third.items].map(({ name }) => name),
      names.slice(10),
    );
    assert.equal(third.next_cursor, null);
    for (const foreign of [
      `/audit?cursor=${first.next_cursor}`,
      "/organizations?cursor=eyJhIjoxfQ",
      "/audit?cursor=9",
    ]) {
      assert.equal((await fixture.owner.call("GET", foreign)).status, 400, foreign);
    }
    const events = await fixture.owner.list<{ id: string; at: string }>("/audit?limit=5");
    assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
    assert.ok(events.length >= 25);
    assert.deepEqual(
      events.map(({ at }) => at),
      events
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
      "newest first",
    );
  });

  it("finds by the beginning of a word, whatever its case", async () => {
    const organization = await fixture.owner.done<{ id: string }>("POST", "/organizations", {
      body: { name: "Nörthwind Traders GmbH", account_number: "NW-4711", kind: "customer" },
    });
    const profile = await fixture.owner.done<{ id: string }>("POST", "/profiles", {
      body: { organization_id: organization.id, email: "Ann.Archer@Searched.example", name: "Ann Archer" },
    });
    const ids = async (path: string) => (await fixture.owner.list<{ id: string }>(path)).map(({ id }) => id);
    const find = (list: string, q: string) => ids(`/${list}?q=${encodeURIComponent(q)}`);
    for (const q of ["nörthw", "NÖRTHWIND", "trad", "gmbh", "nw-47", "NW-4711"]) {
      assert.deepEqual(await find("organizations", q), [organization.id], q);
    }
    for (const q of ["ann.archer@", "ANN.ARCHER@searched.example", "searched.ex", "arch"]) {
      assert.deepEqual(await find("profiles", q), [profile.id], q);
    }
    for (const q of ["raders", "4711x", "%", "_", "*", "rcher"]) {
      assert.deepEqual([await find("organizations", q), await find("profiles", q)], [[], []], q);
    }
    assert.deepEqual(await ids(`/profiles?organization_id=${organization.id}`), [profile.id]);
    const person = fixture.stranger();
    const accountId = await bindTo(fixture, person, profile.id);
    assert.deepEqual(await find("accounts", person.email.toUpperCase()), [accountId]);
    assert.deepEqual(await find("accounts", person.name), [accountId]);
    assert.deepEqual(await find("accounts", "onsumer.example"), []);
    assert.deepEqual(await ids(`/profiles?account_id=${accountId}`), [profile.id]);
  });

  it("lets the first of two administrators edit, and shows the second what happened", async () => {
    const id = await makeOrganization(fixture);
    const path = `/organizations/${id}`;
    const [kim, sam] = [await fixture.keyWith(["admin:read", "directory:write"]), fixture.owner];
    const seen = [await kim.etag(path), await sam.etag(path)];
    assert.equal(seen[0], seen[1]);
    const edit = (api: Api, tag: string, body: object) =>
      api.call("PATCH", path, { body, headers: { "if-match": tag } });
    const plan = { status: "suspended", expires_at: null };
    const done = await edit(kim, seen[0] ?? "", { name: "Kim's", plan });
    assert.equal(done.status, 200);
    assert.notEqual(done.headers.get("etag"), seen[0]);
    const late = await edit(sam, seen[1] ?? "", { name: "Sam's", account_number: "S-1", enabled: true });
    assert.equal(late.status, 412);
    assert.deepEqual(late.body["current"], done.body);
    assert.deepEqual(late.body["differences"], [
      { field: "name", yours: "Sam's", current: "Kim's" },
      { field: "account_number", yours: "S-1", current: "A-1" },
    ]);
    assert.equal(late.headers.get("etag"), done.headers.get("etag"));
    const again = await edit(sam, late.headers.get("etag") ?? "", { name: "Sam's" });
    const kept = { ...plan, last_day: null, time_zone: "Europe/Copenhagen" };
    assert.deepEqual([again.status, again.body["name"], again.body["plan"]], [200, "Sam's", kept]);
    assert.equal((await fixture.owner.call("PATCH", path, { body: { name: "No tag" } })).status, 428);
    const tag = await sam.etag(path);
    const racers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => edit(sam, tag, { name: `Racer ${index}` })),
    );
    const winner = racers.findIndex(({ status }) => status === 200);
    assert.deepEqual(
      racers.map(({ status }) => status),
      racers.map((_, index) => (index === winner ? 200 : 412)),
    );
    assert.equal((await sam.get(path))["name"], `Racer ${winner}`);
  });

  const creations: [what: string, path: string, body: () => Promise<object>, list: string][] = [
    [
      "organization",
      "/organizations",
      async () => ({ name: "O", account_number: "1", kind: "customer" }),
      "/organizations",
    ],
    [
      "profile",
      "/profiles",
      async () => ({
        organization_id: await makeOrganization(fixture),
        email: "once@once.example",
        name: "Once",
      }),
      "/profiles",
    ],
    ["portal", "/clients", async () => clientBody("web"), "/clients"],
    [
      "portal of a chosen id",
      "/clients",
      async () => ({ ...clientBody("single_page"), id: anId() }),
      "/clients",
    ],
    ["machine", "/clients", async () => clientBody("machine"), "/clients"],
    ["key", "/api-keys", async () => ({ name: "once", scopes: ["admin:read"] }), "/api-keys"],
    [
      "administrator",
      "/administrators",
      async () => ({
        email: "once@once.example",
        organization_id: await makeOrganization(fixture, "operator"),
      }),
      "/administrators",
    ],
  ];

  it("rotates a secret once under one key: the one that the machine goes on with stays", async () => {
    const machine = await makeClient(fixture, "machine");
    const headers = { "idempotency-key": "once-rotation" };
    const rotate = () => fixture.owner.call("POST", `/clients/${machine.id}/secret`, { body: {}, headers });
    const answers = [await rotate(), ...(await Promise.all([rotate(), rotate()]))];
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.match(await machineToken(fixture, machine, "admin:read"), /./);
  });

  it("keeps whose role rests, as their organization isn't the operator's, to those who give it", async () => {
    const { id, organizationId } = await makeProfile(fixture, "operator");
    await fixture.owner.done("PUT", `/profiles/${id}/admin-role`, { body: { role: "auditor" } });
    await fixture.owner.edit(`/organizations/${organizationId}`, { kind: "partner" });
    const manager = await fixture.keyWith([...ROLES.directory_manager.scopes]);
    const headers = { "if-match": await manager.etag(`/profiles/${id}`) };
    const body = { email: "mine@evil.example", another_person: true };
    assert.equal((await manager.call("PATCH", `/profiles/${id}`, { body, headers })).status, 403);
    assert.equal((await manager.call("DELETE", `/profiles/${id}/link`)).status, 403);
    assert.equal((await fixture.owner.call("PATCH", `/profiles/${id}`, { body, headers })).status, 200);
  });

  for (const [what, path, makeBody, list] of creations) {
    it(`makes one ${what} of twelve equal requests under one key, and answers all the same`, async () => {
      const body = await makeBody();
      const before = (await fixture.owner.list(list)).length;
      const headers = { "idempotency-key": `once-${what}` };
      const send = (api: Api = fixture.owner, more: object = {}): Promise<ApiAnswer<{ id: string }>> =>
        api.call<{ id: string }>("POST", path, { body: { ...body, ...more }, headers });
      const answers = await Promise.all(Array.from({ length: 12 }, () => send()));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1, "the same answer, its secret included");
      assert.equal((await fixture.owner.list(list)).length, before + 1);
      const [first] = answers;
      if (what === "key" || what === "machine")
        assert.match(first?.text ?? "", /"(?:key|client_secret)":"[\w-]{40,}"/);
      assert.equal((await send(fixture.owner, { name: "Another" })).status, 422);
      const other = await send(await fixture.keyWith([...ALL_SCOPES]));
      if (what.includes("chosen")) assert.equal(other.status, 409, "it is there by now");
      else if (what === "administrator")
        assert.equal(other.body.id, first?.body.id, "the same one is invited again");
      else assert.notEqual(other.body.id, first?.body.id, "a key is its caller's own");
    });
  }

  it("names what is about to end, and counts mails that failed", async () => {
    const id = await makeOrganization(fixture);
    const inDays = (days: number) => new Date(fixture.clock.now() + days * 86_400_000).toISOString();
    await fixture.owner.edit(`/organizations/${id}`, { plan: { status: "active", expires_at: inDays(9) } });
    const expires_at = inDays(5);
    const body = { name: "ends", scopes: ["admin:read"], expires_at };
    const key = await fixture.owner.done<{ id: string }>("POST", "/api-keys", { body });
    interface Attention {
      plans: { id: string }[];
      api_keys: { id: string; expires_at: string }[];
      mails: object;
    }
    const soon = await fixture.owner.get<Attention>("/attention?days=10");
    assert.ok(soon.plans.some((plan) => plan.id === id));
    assert.deepEqual(
      soon.api_keys.filter((one) => one.id === key.id),
      [{ id: key.id, name: "ends", expires_at }],
    );
    const sooner = await fixture.owner.get<Attention>("/attention?days=4");
    assert.ok(
      !sooner.plans.some((plan) => plan.id === id) && !sooner.api_keys.some((one) => one.id === key.id),
    );
    assert.deepEqual(sooner.mails, { failed: 0, bounced: 0, held: 0 });
  });

  it("keeps an owner: neither taken away, disabled nor moved, nor two at once", async () => {
    for (const { id } of await fixture.owner.list<{ id: string; admin_role: string }>("/administrators")) {
      await fixture.owner.call("PUT", `/profiles/${id}/admin-role`, { body: { role: null } });
    }
    const [first] = await fixture.owner.list<{ id: string; organization_id: string }>("/administrators");
    assert.ok(first, "the last one stays");
    const { id, organization_id } = first;
    const setRole = (one: string, role: string | null) =>
      fixture.owner.call("PUT", `/profiles/${one}/admin-role`, { body: { role } });
    const edit = async (path: string, body: object) =>
      await fixture.owner.call("PATCH", path, {
        body,
        headers: { "if-match": await fixture.owner.etag(path) },
      });
    for (const { status, text } of [
      await setRole(id, null),
      await setRole(id, "auditor"),
      await edit(`/profiles/${id}`, { enabled: false }),
      await edit(`/organizations/${organization_id}`, { enabled: false }),
      await edit(`/organizations/${organization_id}`, { kind: "customer" }),
    ]) {
      assert.equal(status, 409, text);
    }
    const invited = await fixture.owner.done<{ id: string }>("POST", "/administrators", {
      body: { email: "second@c.example", organization_id },
    });
    const both = await Promise.all([setRole(id, null), setRole(invited.id, "support")]);
    assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 409]);
    const roles = (await fixture.owner.list<{ admin_role: string }>("/administrators")).map(
      (one) => one.admin_role,
    );
    assert.equal(roles.filter((role) => role === "owner").length, 1);
  });
});
