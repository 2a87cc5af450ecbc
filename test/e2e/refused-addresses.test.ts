/**
 * A portal's developer finds in the console which address came and isn't registered; whoever sent it learns
 * nothing.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asClientId } from "../../src/domain/ids.ts";
import { makeClient } from "../support/admin-fixture.ts";
import { type ClientDoors, openDoors } from "../support/client-doors.ts";
import { portalSecret } from "../support/liaison.ts";

interface Refused {
  parameter: string;
  address: string;
  at: string;
}

describe("addresses that aren't registered", { concurrency: 1 }, () => {
  let open: ClientDoors;
  before(async () => {
    open = await openDoors();
  });
  after(() => open?.close());

  const refusedOf = async (id: string) =>
    (await open.fixture.owner.get<{ refused_addresses: Refused[] }>(`/clients/${id}`)).refused_addresses;

  /** Waits until so many are noted: nobody waits for the note. */
  async function noted(id: string, count: number): Promise<Refused[]> {
    for (let turn = 0; turn < 100; turn += 1) {
      const found = await refusedOf(id);
      if (found.length >= count) return found;
      await pause(20);
    }
    throw new Error(`${count} addresses weren't noted: ${JSON.stringify(await refusedOf(id))}`);
  }

  const authorize = (parameters: Record<string, string>) => {
    const query = new URLSearchParams({ response_type: "code", scope: "openid", ...parameters });
    return `${open.fixture.issuer}/authorize?${query}`;
  };
  /** Asks as a stranger does, and sees that the page tells nothing. */
  async function ask(url: string): Promise<void> {
    const page = await open.fixture.browser().visit(url);
    assert.equal(page.status, 400, page.text);
    assert.doesNotMatch(page.text, /typed-wrong|localhost:9/);
  }

  it("are shown on the client's page and by the API, with what they were for, to nobody else", async () => {
    const { id } = await makeClient(open.fixture, "web");
    assert.deepEqual(await refusedOf(id), []);
    assert.doesNotMatch((await open.page(`/clients/${id}`)).text, /Addresses that weren.t registered/);
    const redirect_uri = 'https://typed-wrong.example/cb?<script>"';
    await ask(authorize({ client_id: id, redirect_uri }));
    await noted(id, 1);
    const post_logout_redirect_uri = "https://typed-wrong.example/bye";
    await ask(
      `${open.fixture.issuer}/logout?${new URLSearchParams({ client_id: id, post_logout_redirect_uri })}`,
    );
    const found = await noted(id, 2);
    assert.deepEqual(
      found.map(({ parameter, address }) => [parameter, address]),
      [
        ["post_logout_redirect_uri", post_logout_redirect_uri],
        ["redirect_uri", redirect_uri],
      ],
    );
    for (const { at } of found) assert.ok(Math.abs(Date.parse(at) - open.fixture.clock.now()) < 60_000, at);

    const page = await open.page(`/clients/${id}`);
    const rows = page.dom.querySelectorAll("table.rows tbody tr").map((row) => row.text);
    assert.equal(rows.length, 2);
    assert.match(rows[0] ?? "", /typed-wrong\.example\/bye[\s\S]*Signing out/);
    assert.ok(rows[1]?.includes(redirect_uri), rows[1]);
    assert.equal(page.dom.querySelectorAll("main script").length, 0);
    const compared = await open.page(
      new URL(page.link("Compare")).href.replace(`${open.fixture.issuer}/admin`, ""),
    );
    assert.match(compared.text, /Not registered/);

    const shown = await open.command(["clients", "show", id]);
    assert.match(shown.said, /refused addresses\n[\s\S]*typed-wrong\.example\/bye/);
    assert.equal((await open.fixture.nobody.call("GET", `/clients/${id}`)).status, 401);
  });

  it("are noted of a pushed request, of a portal of the configuration, too", async () => {
    const redirect_uri = "https://typed-wrong.example/pushed";
    const answer = await fetch(`${open.fixture.issuer}/par`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`customersource:${portalSecret}`)}` },
      body: new URLSearchParams({ response_type: "code", scope: "openid", redirect_uri }),
    });
    assert.equal(answer.status, 400, await answer.text());
    const [found] = await noted("customersource", 1);
    assert.deepEqual([found?.parameter, found?.address], ["redirect_uri", redirect_uri]);
  });

  it("aren't what is wrong otherwise, nor the port that an app listens at", async () => {
    const { id } = await makeClient(open.fixture, "native", { redirect_uris: ["http://127.0.0.1/cb"] });
    const asked = authorize({ client_id: id, redirect_uri: "http://127.0.0.1:49152/cb" });
    const { headers } = await open.fixture.browser().once(asked);
    const back = new URL(headers.get("location") ?? "");
    assert.equal(back.searchParams.get("error"), "invalid_request", "there is no code_challenge");
    await ask(authorize({ client_id: "nobody-at-all", redirect_uri: "https://typed-wrong.example/" }));
    await pause(200);
    assert.deepEqual(await refusedOf(id), []);
    assert.deepEqual(await open.fixture.store.clients.uses([asClientId("nobody-at-all")]), []);
  });

  it("that somebody sends by the hundred fill no more than a handful of places", async () => {
    const { id } = await makeClient(open.fixture, "web");
    for (let turn = 0; turn < 60; turn += 1) {
      await ask(authorize({ client_id: id, redirect_uri: `https://typed-wrong.example/${turn}` }));
    }
    await pause(200);
    const found = await refusedOf(id);
    assert.equal(found.length, 5);
    for (const { address } of found) assert.match(address, /\/[0-9]{1,2}$/);
    open.fixture.clock.advance(61);
    await ask(authorize({ client_id: id, redirect_uri: "https://typed-wrong.example/late" }));
    for (let turn = 0; (await refusedOf(id))[0]?.address !== "https://typed-wrong.example/late"; turn += 1) {
      assert.ok(turn < 100, "a later one found no place");
      await pause(20);
    }
  });
});
