/**
 * What the administration gives away, and what opens it on the first day: A5 and A6 of the threat list, and
 * D5 of its secrets.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createLogger } from "../../src/logger.ts";
import { describedOperations } from "../support/admin-bad-inputs.ts";
import {
  type AdminFixture,
  Api,
  machineToken,
  makeClient,
  makeProfile,
  signInSomebody,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { type About, requests } from "../support/admin-requests.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { type Liaison, portalSecret, startLiaison } from "../support/liaison.ts";
import { SHARED_SET } from "../support/test-database.ts";
import { traces } from "../support/wiretap.ts";

describe("A5: what opens a new deployment", () => {
  let liaison: Liaison;
  before(async () => {
    liaison = await startLiaison({ upstream: false });
  });
  after(() => liaison?.close());

  it("A5: nothing: there is no key, no administrator, no client, no account", async () => {
    const { store } = liaison;
    const first = { after: null, limit: 10 };
    assert.deepEqual(await store.administration.apiKeys(), []);
    assert.deepEqual(await store.clients.list(), []);
    for (const list of [
      store.administration.memberships({}, first),
      store.administration.organizations({}, first),
      store.administration.accounts({}, first),
    ]) {
      assert.deepEqual(await list, { items: [], next: null });
    }
  });

  it("A5: nor does what other products begin with", async () => {
    const pairs = [
      "admin:admin",
      "admin:password",
      "admin:",
      "root:root",
      "liaison:liaison",
      "customersource:",
    ];
    const words = [
      "admin",
      "changeme",
      "changeit",
      "liaison_admin",
      "default",
      "secret",
      "liaison_".padEnd(51, "0"),
    ];
    for (const authorization of [
      ...pairs.map((pair) => `Basic ${btoa(pair)}`),
      ...words.map((word) => `Bearer ${word.padEnd(20, "_")}`),
      `Bearer ${portalSecret}`,
      `Bearer ${liaison.config.encryption_key}`,
      `Basic ${btoa(`customersource:${portalSecret}`)}`,
    ]) {
      for (const path of ["/organizations", "/api-keys"]) {
        const { status } = await new Api(liaison.issuer).call("GET", path, { headers: { authorization } });
        assert.equal(status, 401, authorization);
      }
    }
    for (const id of ["admin", "liaison", "liaison-console", "admin-cli", "cli"]) {
      for (const client_secret of ["admin", "secret", id, portalSecret]) {
        await assert.rejects(machineToken(liaison, { id, client_secret }, "admin:read"), { status: 401 }, id);
      }
    }
  });
});

describe("A5: a machine's secrets", () => {
  let fixture: AdminFixture;
  before(async () => {
    fixture = await startAdminFixture({
      upstream: false,
      config: (base) => ({ ...base, administration: { secret_overlap_seconds: 60 } }),
    });
  });
  after(() => fixture?.close());

  interface Uses {
    previous_secret_until: string | null;
    last_used_at: string | null;
    previous_secret_last_used_at: string | null;
  }

  async function usesOf(id: string, isThere: (uses: Uses) => boolean): Promise<Uses> {
    const deadline = Date.now() + 5000;
    for (;;) {
      const uses = await fixture.owner.get<Uses>(`/clients/${id}`);
      if (isThere(uses)) return uses;
      assert.ok(Date.now() < deadline, `the use never shows: ${JSON.stringify(uses)}`);
      await pause(20);
    }
  }

  it("A5: the one before goes on for the time of the overlap, which shows, and no longer", async () => {
    const first = await makeClient(fixture, "machine");
    const unused = await fixture.owner.get<Uses>(`/clients/${first.id}`);
    assert.deepEqual([unused.last_used_at, unused.previous_secret_until], [null, null]);
    const second = await fixture.owner.done<typeof first>("POST", `/clients/${first.id}/secret`, {
      body: {},
    });
    assert.notEqual(second.client_secret, first.client_secret);
    await new Api(fixture.issuer, await machineToken(fixture, second, "admin:read")).get("/organizations");
    const current = await usesOf(first.id, ({ last_used_at }) => last_used_at !== null);
    assert.equal(
      current.previous_secret_last_used_at,
      null,
      "the use of the new one is none of the old one's",
    );
    await new Api(fixture.issuer, await machineToken(fixture, first, "admin:read")).get("/organizations");
    const uses = await usesOf(first.id, (found) => found.previous_secret_last_used_at !== null);
    const left = Date.parse(uses.previous_secret_until ?? "") - fixture.clock.now();
    assert.ok(left > 0 && left <= 60_000, String(left));
    const attention = await fixture.owner.get<{ previous_secrets: { client_id: string }[] }>("/attention");
    assert.ok(attention.previous_secrets.some(({ client_id }) => client_id === first.id));

    fixture.clock.advance(60);
    await assert.rejects(machineToken(fixture, first, "admin:read"), { status: 401 });
    await machineToken(fixture, second, "admin:read");
    assert.equal((await fixture.owner.get<Uses>(`/clients/${first.id}`)).previous_secret_until, null);
  });

  it("A5: two rotations end the first secret, and without an overlap it ends at once", async () => {
    const first = await makeClient(fixture, "machine");
    const rotate = (body: object) =>
      fixture.owner.done<typeof first>("POST", `/clients/${first.id}/secret`, { body });
    const second = await rotate({});
    const third = await rotate({ keep_previous: true });
    await assert.rejects(machineToken(fixture, first, "admin:read"), { status: 401 });
    await machineToken(fixture, second, "admin:read");
    const fourth = await rotate({ keep_previous: false });
    for (const old of [first, second, third]) {
      await assert.rejects(machineToken(fixture, old, "admin:read"), { status: 401 });
    }
    await machineToken(fixture, fourth, "admin:read");
  });
});

describe("A6 and D5: secrets of the administration", { concurrency: 1 }, () => {
  const lines: string[] = [];
  const secrets = new Map<string, string>();
  let fixture: AdminFixture;

  const note = <Made extends object>(what: string, made: Made): Made => {
    for (const [name, value] of Object.entries(made)) {
      if (/^(?:key|client_secret|\w+_token)$/.test(name)) secrets.set(String(value), `${what} ${name}`);
    }
    return made;
  };

  before(async () => {
    fixture = await startAdminFixture({
      strangers: 20,
      logger: createLogger({ level: "trace", destination: { write: (line) => void lines.push(line) } }),
    });
    const { owner, config } = fixture;
    note("an owner's", { key: owner.token });
    note("the deployment's", { key: config.encryption_key });
    note("a configured portal's", { client_secret: portalSecret });
    note("the upstream's", { client_secret: config.upstreams[0]?.client_secret });
    for (const preset of ["web", "machine"] as const) {
      const made = note(`a ${preset} client's`, await makeClient(fixture, preset));
      const rotated = await owner.done<typeof made>("POST", `/clients/${made.id}/secret`, { body: {} });
      note(`a rotated ${preset} client's`, rotated);
      if (preset === "machine")
        note("a machine's", { access_token: await machineToken(fixture, rotated, "admin:read") });
    }
    const once = { headers: { "idempotency-key": "a6" }, body: { name: "a6", scopes: ["admin:read"] } };
    note("a repeated", await owner.done<{ key: string }>("POST", "/api-keys", once));
    const again = await owner.done<{ key: string }>("POST", "/api-keys", once);
    assert.ok(secrets.has(again.key), "the repetition is answered as the first was");
    const { id, key } = note(
      "a removed",
      await owner.done<{ id: string; key: string }>("POST", "/api-keys", {
        body: { name: "removed", scopes: ["admin:read"] },
      }),
    );
    await new Api(fixture.issuer, key).get("/organizations");
    await owner.done("DELETE", `/api-keys/${id}`);
    note("a person's", (await signInSomebody(fixture)).tokens);
  });
  after(() => fixture?.close());

  function search(haystack: Buffer, where: string): void {
    const found = [...secrets].flatMap(([secret, what]) =>
      traces(haystack, secret).map((form) => `${what} (${form})`),
    );
    assert.deepEqual(found, [], where);
  }

  it("A6: is in no list, no record, no figure, no settings and no document", async () => {
    assert.ok(secrets.size >= 11, `only ${secrets.size} secrets`);
    let count = 0;
    for (const { method, path, operationId } of await describedOperations(fixture)) {
      if (method !== "GET") continue;
      const abouts: About[] = operationId.includes("Client") ? ["portal", "machine"] : [""];
      for (const about of abouts) {
        const { id = "", query = "" } =
          (await requests[operationId]?.(fixture, about)) ?? assert.fail(operationId);
        const separator = query === "" ? "?" : "&";
        const paged = /^list(?!Clients|ApiKeys|SigningKeys|Upstreams|AuditVerifications)/.test(operationId)
          ? `${separator}limit=200`
          : "";
        const { status, text, headers } = await fixture.owner.call(
          "GET",
          path.replace("{id}", id) + query + paged,
        );
        assert.equal(status, 200, `${operationId}: ${text}`);
        search(Buffer.from(text + JSON.stringify([...headers])), operationId);
        count += 1;
      }
    }
    assert.ok(count >= 23, `only ${count} answers`);
    for (const { id } of await fixture.owner.list<{ id: string }>("/clients")) {
      for (const more of ["", "/settings", "/impact"]) {
        search(Buffer.from((await fixture.owner.call("GET", `/clients/${id}${more}`)).text), `${id}${more}`);
      }
    }
    search(Buffer.from((await fixture.nobody.call("GET", "/openapi.json")).text), "the document");
  });

  it("A6: is in no answer to an edit, no error and no audit event", async () => {
    const [client] = (await fixture.owner.list<{ id: string; managed_by: string }>("/clients")).filter(
      ({ managed_by }) => managed_by === "admin",
    );
    const path = `/clients/${client?.id}`;
    const edited = await fixture.owner.edit(path, { name: "Edited" });
    const conflict = await fixture.owner.call("PATCH", path, {
      body: { name: "Late" },
      headers: { "if-match": '"old"' },
    });
    assert.equal(conflict.status, 412);
    const taken = { headers: { "idempotency-key": "a6" }, body: { name: "other", scopes: ["admin:read"] } };
    const reused = await fixture.owner.call("POST", "/api-keys", taken);
    assert.equal(reused.status, 422);
    // What is sent by mistake isn't sent back.
    const [secret = ""] = [...secrets.keys()];
    const mistaken = await fixture.owner.call("POST", "/clients", {
      body: { preset: secret, name: "x", key: secret },
    });
    assert.equal(mistaken.status, 400);
    const id = (await makeProfile(fixture)).id;
    const wrong = await fixture.owner.call("PATCH", `/profiles/${id}`, { body: { enabled: secret } });
    assert.equal(wrong.status, 400);
    const events = await fixture.owner.list("/audit?limit=200");
    assert.ok(events.length > 12, String(events.length));
    search(Buffer.from(JSON.stringify([edited, conflict, reused, mistaken, wrong, events])), "an answer");
  });

  it("A6: is in no line of the log", async () => {
    const log = lines.join("");
    assert.ok(log.includes("/admin/api/v1/"), "the log says nothing of the API");
    search(Buffer.from(log), "the log");
  });

  it("D5: is not in the database's files, while it runs and afterwards", {
    skip: process.env[SHARED_SET] === undefined ? false : "there are no files of the embedded back end",
  }, async () => {
    const { id } = await makeProfile(fixture);
    await bindTo(fixture, fixture.stranger(), id);
    const files = () => {
      const names = readdirSync(fixture.dataDir).filter((name) => name.startsWith("liaison.db"));
      return Buffer.concat(names.map((name) => readFileSync(join(fixture.dataDir, name))));
    };
    assert.ok(files().includes(id), "the search finds nothing at all");
    search(files(), "the files");
    await fixture.app.close();
    await fixture.store.close();
    assert.ok(files().includes(id));
    search(files(), "the files when the service has stopped");
  });
});
