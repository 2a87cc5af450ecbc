/**
 * Logout tokens for portals, whoever signs out: O9 and O10 of the threat list, and that no portal is left
 * out.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { decodeJwt } from "jose";
import { asClientId } from "../../src/domain/ids.ts";
import {
  type AdminFixture,
  clientBody,
  type SignedIn,
  signInSomebody,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { type Listener, startListener } from "../support/admin-listener.ts";
import { type ClientDoors, type Door, openDoors } from "../support/client-doors.ts";
import { editClient } from "../support/stored-clients.ts";

describe("a person signs out", { concurrency: 1 }, () => {
  let fixture: AdminFixture;
  let portal: Listener;
  let silent: Listener;
  before(async () => {
    portal = await startListener();
    silent = await startListener();
    silent.isSilent = true;
    fixture = await startAdminFixture({
      strangers: 8,
      config: (base) => {
        const [customerSource, partnerSource] = base["portals"] as object[];
        const told = { ...customerSource, backchannel_logout_uri: `${portal.origin}/logout` };
        const mute = { ...partnerSource, access_policy: { kinds: ["customer"] } };
        return { ...base, portals: [told, { ...mute, backchannel_logout_uri: `${silent.origin}/logout` }] };
      },
    });
  });
  after(async () => {
    // First, so that nobody waits for its answer any more.
    await silent?.close();
    await fixture?.close();
    await portal?.close();
  });

  /** In milliseconds: how long the person waited for the page after. */
  async function signOut({ browser }: SignedIn): Promise<number> {
    const page = await browser.visit(`${fixture.issuer}/logout`);
    const began = performance.now();
    assert.equal((await browser.press(page, "Sign out")).url.pathname, "/logout/success");
    return performance.now() - began;
  }

  it("O10: waits for no portal that takes the token and never answers", async () => {
    const one = await signInSomebody(fixture);
    const before = [portal.heard.length, silent.heard.length] as const;
    const silently = await one.browser.visit((await fixture.partnerSource.start({ prompt: "none" })).url);
    assert.ok(silently.url.searchParams.has("code"), silently.url.href);
    assert.ok((await signOut(one)) < 2000, "the person waited for a portal");
    await portal.until(before[0] + 1);
    await silent.until(before[1] + 1);
  });

  it("only a whole sign-out is taken: one that leaves the session would tell nobody", async () => {
    const one = await signInSomebody(fixture);
    const page = await one.browser.visit(`${fixture.issuer}/logout`);
    const { action, fields } = page.form("Sign out");
    fields.delete("logout");
    assert.equal((await one.browser.visit(action, { method: "POST", body: fields })).status, 400);
    await fixture.customerSource.userinfo(one.tokens.access_token, one.accountId);
  });

  it("O9: one that was registered before its host had to be named is not told", async () => {
    const { id } = await fixture.owner.done<{ id: string }>("POST", "/clients", { body: clientBody("web") });
    const stored = (await fixture.store.clients.find(asClientId(id))) ?? assert.fail();
    const address = `${portal.origin.replace("127.0.0.1", "localhost")}/internal`;
    await editClient(fixture.store, {
      ...stored,
      metadata: { ...stored.metadata, backchannel_logout_uri: address },
    });
    const [uri = ""] = (stored.metadata["redirect_uris"] as string[] | undefined) ?? [];
    const one = await signInSomebody(fixture);
    const before = portal.heard.length;
    const { url } = await fixture.customerSource.start({ client_id: id, redirect_uri: uri, prompt: "none" });
    assert.ok((await one.browser.visit(url)).url.searchParams.has("code"));
    await signOut(one);
    await portal.until(before + 1);
    await pause(500);
    assert.deepEqual(
      portal.heard.slice(before).map(({ token }) => decodeJwt(token).aud),
      ["customersource"],
    );
  });

  it(
    "a portal that fails is told again when it is time, under the same jti, and no more once it has " +
      "understood",
    async () => {
      const one = await signInSomebody(fixture);
      portal.answers.push(500, 503);
      const before = portal.heard.length;
      await signOut(one);
      await portal.until(before + 1);
      for (const [count, seconds] of [
        [2, 15],
        [3, 30],
      ] as const) {
        await pause(300);
        fixture.clock.advance(seconds);
        fixture.wake("sign-outs");
        await portal.until(before + count);
      }
      await pause(300);
      fixture.clock.advance(86_400);
      fixture.wake("sign-outs");
      await pause(300);
      const heard = portal.heard.slice(before);
      assert.deepEqual(
        heard.map(({ status }) => status),
        [500, 503, 200],
      );
      const tokens = heard.map(({ token }) => decodeJwt(token));
      assert.equal(new Set(tokens.map(({ jti }) => jti)).size, 1);
      for (const { sub, ...rest } of tokens) {
        assert.deepEqual([sub, rest["sid"]], [one.accountId, one.tokens.claims()?.["sid"]]);
        assert.deepEqual(rest["events"], { "http://schemas.openid.net/event/backchannel-logout": {} });
      }
    },
  );
});

describe("O9: addresses that are posted to", { concurrency: 1 }, () => {
  let open: ClientDoors;
  before(async () => {
    open = await openDoors({ privateHosts: ["127.0.0.1:8080", "portal.internal:443"] });
  });
  after(() => open?.close());

  const doors: Door[] = ["api", "api, editing", "command", "command, editing", "pages", "pages, editing"];
  for (const door of doors) {
    it(`O9: ${door}: on loopback or a private network it is refused with the key; named, taken`, async () => {
      for (const address of [
        "http://127.0.0.1:8081/logout",
        "https://127.0.0.1/logout",
        "http://localhost:8080/logout",
        "https://10.1.2.3/logout",
        "https://169.254.169.254/latest",
        "https://[fd00::1]/logout",
        "https://[::ffff:a00:1]/logout",
        "https://portal.internal:8443/logout",
        "https://portal/logout",
      ]) {
        const { isTaken, said } = await open.at(door, { backchannel_logout_uri: address });
        assert.ok(!isTaken, `${address} was taken`);
        assert.match(said, /private_hosts/, address);
        assert.ok(said.includes(new URL(address).hostname), said);
      }
      for (const address of [
        "http://127.0.0.1:8080/logout",
        "https://portal.internal/logout",
        "https://p.example/out",
      ]) {
        const { isTaken, said } = await open.at(door, { backchannel_logout_uri: address });
        assert.ok(isTaken, `${address}: ${said}`);
      }
    });
  }

  it(
    "O9: what stands in the configuration is the operator's own word, and what is named there is host " +
      "and port",
    async () => {
      const taken = await open.at("configuration", {
        backchannel_logout_uri: "http://127.0.0.1:8081/logout",
      });
      assert.ok(taken.isTaken, taken.said);
      for (const entry of [
        "localhost",
        "http://localhost:8080",
        "localhost:8080/x",
        "LOCALHOST:80",
        "localhost:99999",
      ]) {
        const { isTaken, said } = await open.configuration({ private_hosts: [entry] });
        assert.ok(!isTaken && said.includes("private_hosts[0]"), said);
      }
    },
  );
});
