/**
 * Z5 and Z7, as far as requests are served: what strangers had stored goes when its time is over, and one
 * interaction or one link that is used again and again leaves no more than one that is used once.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  almostCarryOut,
  askForLink,
  auditOf,
  requestOf,
  startAttacked,
} from "../support/attack-fixture.ts";
import { people, register, signIn, signInUpstream } from "../support/liaison.ts";
import { perHour } from "../support/mailbox-flood.ts";
import { askFrom } from "../support/raw-socket.ts";
import { grownRows, type StoredSize, storedSizeOf } from "../support/stored-size.ts";
import { asLongAsLet, strangersFlood } from "../support/strangers-flood.ts";
import { SweepWatch } from "../support/sweep-watch.ts";

const hour = 3600;
/** What is over is gone within so many seconds. */
const sweptWithin = 180;
/** What is there for a time alone: how many rows of each, on either back end. */
function passing({ rows }: StoredSize): Record<string, number | undefined> {
  return {
    artifacts: rows["artifacts"],
    sessions: rows["session_clients"] ?? rows["sessions"],
    begun: rows["upstream_transactions"] ?? rows["upstreamTransactions"],
    outcomes: rows["sign_in_outcomes"] ?? rows["signInOutcomes"],
    selections: rows["selections"],
    throttles: rows["throttles"],
  };
}
const nothing = { begun: 0, outcomes: 0, selections: 0, throttles: 0 };
const perFiveMinutes = (limit: number) => ({ limit, window_seconds: 300 });

describe("Z5: what strangers had stored", () => {
  const cap = 300;
  const sweeps = new SweepWatch();
  let liaison: Attacked;
  let link = "";
  before(async () => {
    liaison = await startAttacked({
      decorate: sweeps.decorate,
      config: (base) => ({
        ...base,
        limits: {
          ...(base["limits"] as object),
          sign_ins_per_client_address: perFiveMinutes(cap),
          sign_ins_per_interaction: perFiveMinutes(10),
          sign_outs_per_client_address: perFiveMinutes(cap),
        },
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "z5", email: "z5@northwind.example" },
    ]);
    ({ link } = await askForLink(liaison, liaison.stranger(), "z5@northwind.example"));
    await sweeps.later(liaison, 301);
  });
  after(() => liaison?.close());

  it("Z5: of a flood of every sort nothing is left an hour after it, neither rows nor pages", async () => {
    const begun = performance.now();
    const flood = await strangersFlood(liaison, { link });
    const before = await storedSizeOf(liaison);
    const served = {
      begin: await asLongAsLet(flood.begin, { most: 120, parallel: 1, refusals: 200 }),
      openLink: await asLongAsLet(flood.openLink, { most: 20, parallel: 1 }),
      authorize: await asLongAsLet(flood.authorize, { most: 2 * cap }),
      signOut: await asLongAsLet(flood.signOut, { most: 2 * cap }),
      callback: await asLongAsLet(flood.callback, { most: 100 }),
    };
    const said = JSON.stringify(served);
    // A second broker lets through a tenth more, by its own count.
    assert.ok(served.begin > 50 && served.openLink >= 10 && served.openLink <= 12, said);
    assert.ok(served.authorize > cap / 2 && served.signOut > cap - 10, said);
    const full = await storedSizeOf(liaison);
    assert.ok(full.bytes - before.bytes > 4096 * cap, `${full.bytes - before.bytes} bytes`);

    await sweeps.later(liaison, hour + sweptWithin);
    const left = await storedSizeOf(liaison);
    const { artifacts = 0, sessions: _goesOn, ...others } = passing(left);
    // Of the sign-in by which the link was asked for: its session goes on, its last step, and for days that
    // it asked.
    assert.ok(artifacts <= 2, `${artifacts} interactions are left`);
    const { throttles = 0, ...rest } = others;
    assert.deepEqual({ ...rest, throttles: 0 }, nothing);
    // And one for each batch of counts, which is remembered for a day: they are added every ten seconds.
    const batches = Math.ceil((performance.now() - begun) / 10_000);
    assert.ok(throttles >= 1 && throttles <= 1 + batches, `${throttles} throttles are left`);
    assert.ok(left.bytes - before.bytes < 20 * 4096, `${left.bytes - before.bytes} bytes are left`);
  });

  it(
    "Z5: an authorization request that nobody followed is gone within minutes, one whose page was opened " +
      "within an hour",
    async () => {
      await sweeps.later(liaison, 3 * hour);
      const flood = await strangersFlood(liaison, { link });
      const before = await storedSizeOf(liaison);
      const interactions = async () => grownRows(before, await storedSizeOf(liaison))["artifacts"] ?? 0;
      for (let turn = 0; turn < 5; turn += 1) assert.equal(await flood.authorize(), 303);
      for (let turn = 0; turn < 3; turn += 1) assert.equal(await flood.open(), 200);
      assert.equal(await interactions(), 8);
      await sweeps.later(liaison, 600 + sweptWithin);
      assert.equal(await interactions(), 3);
      await sweeps.later(liaison, hour - 600 - sweptWithin - 60);
      assert.equal(await interactions(), 3);
      await sweeps.later(liaison, 60 + sweptWithin);
      assert.equal(await interactions(), 0);
    },
  );

  it("Z5: what was posted to sign out is gone within minutes, and held to the same limit", async () => {
    await sweeps.later(liaison, 3 * hour);
    const flood = await strangersFlood(liaison, { link });
    const before = await storedSizeOf(liaison);
    const rows = async () => grownRows(before, await storedSizeOf(liaison))["artifacts"] ?? 0;
    for (let turn = 0; turn < 5; turn += 1) assert.equal(await flood.postSignOut(), 303);
    assert.equal(await rows(), 5);
    await sweeps.later(liaison, 120 + sweptWithin);
    assert.equal(await rows(), 0);
    const served = await asLongAsLet(flood.postSignOut, { most: 2 * cap });
    assert.ok(served > cap / 2 && served < 1.2 * cap, `${served} were taken`);
  });

  it("an interaction is kept for an hour from each sign-in that is begun there", async () => {
    const browser = liaison.browser();
    const page = await browser.visit((await liaison.customerSource.start()).url);
    for (let turn = 0; turn < 2; turn += 1) {
      await sweeps.later(liaison, hour - 60);
      assert.equal((await browser.visit(page.url)).status, 200, `${turn}`);
      const { action, fields } = page.form(/Fabrikam/);
      assert.equal((await browser.once(action, { method: "POST", body: fields })).status, 303, `${turn}`);
    }
  });

  it("one in which somebody has signed in says why it ended, for a grace beyond its life", async () => {
    const browser = liaison.browser();
    const page = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    const life = 1.5 * hour;
    await sweeps.later(liaison, life + hour - 60);
    const over = await browser.visit(page.url);
    assert.equal(over.heading, "This sign-in has expired");
    assert.match(over.text, /CustomerSource/);
  });

  it("one that nobody followed in time can't be opened any more, swept or not", async () => {
    const [browser, late] = [liaison.browser(), liaison.browser()];
    const there =
      (await browser.once((await liaison.customerSource.start()).url)).headers.get("location") ?? "";
    const gone = (await late.once((await liaison.customerSource.start()).url)).headers.get("location") ?? "";
    liaison.clock.advance(599);
    assert.equal((await browser.visit(there)).status, 200);
    liaison.clock.advance(1);
    const page = await late.visit(gone);
    assert.equal(page.status, 400);
    assert.equal(page.heading, "This sign-in is over");
    liaison.clock.advance(hour - 2);
    assert.equal((await browser.visit(there)).status, 200);
    liaison.clock.advance(1);
    assert.equal((await browser.visit(there)).heading, "This sign-in is over");
  });

  it("Z5: a request counts by what is stored of it, in whatever letters it is sent", async () => {
    await sweeps.later(liaison, 301);
    const { url } = await liaison.customerSource.start();
    url.searchParams.set("state", "x");
    const long = url.href.replace("state=x", `state=${"\\".repeat(1600)}`);
    assert.ok(new URL(long).search.length < 2048);
    const served = await asLongAsLet(async () => (await askFrom("127.0.0.1", long)).status, {
      most: 2 * cap,
    });
    assert.ok(served > cap / 2 - 20 && served <= (cap / 2) * 1.1, `${served} were served`);
  });
});

describe("Z7: one interaction or one link used again and again", () => {
  const sweeps = new SweepWatch();
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked({
      decorate: sweeps.decorate,
      config: (base) => ({
        ...base,
        limits: { ...(base["limits"] as object), inquiries_per_identity: perHour(3) },
      }),
    });
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "z7", email: "z7@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  const writesOf = (method: string) => liaison.watch.calls.filter((call) => call.method === method).length;

  it("somebody who is sent straight on to an upstream may take their time there", async () => {
    const browser = liaison.browser();
    const login = await browser.visit((await liaison.customerSource.start({ upstream: "fabrikam" })).url);
    assert.ok(login.url.href.startsWith(liaison.upstreamIssuer), `${login.url}`);
    await sweeps.later(liaison, 600 + sweptWithin);
    const page = await signInUpstream(browser, login, liaison.stranger());
    assert.match(page.heading, /registered/i);
  });

  it(
    "Z7: an interaction is noted to be opened once, and the sign-ins begun in it are gone when they are " +
      "over",
    async () => {
      const browser = liaison.browser();
      liaison.watch.calls.length = 0;
      const page = await browser.visit((await liaison.customerSource.start()).url);
      const { action, fields } = page.form(/Fabrikam/);
      for (let turn = 0; turn < 30; turn += 1) {
        assert.equal((await browser.once(page.url)).status, 200);
        assert.equal((await browser.once(action, { method: "POST", body: fields })).status, 303);
      }
      assert.equal(writesOf("begin"), 30);
      assert.ok(
        writesOf("keep") <= (liaison.storeOptions.mongodb === undefined ? 1 : 2),
        `${writesOf("keep")} notes`,
      );
      await sweeps.later(liaison, hour + sweptWithin);
      assert.equal(passing(await storedSizeOf(liaison))["begun"], 0);
    },
  );

  it("Z7: a link is noted to be opened once, and one person's tries of it once", async () => {
    const { link } = await askForLink(liaison, liaison.stranger(), "z7@northwind.example");
    const browser = liaison.browser();
    const { action, fields } = (await browser.visit(link)).form("Continue to sign in");
    for (let turn = 0; turn < 20; turn += 1) await browser.once(action, { method: "POST", body: fields });
    assert.equal((await auditOf(liaison, asProfileId("z7"), "link.opened")).length, 1);
    for (let turn = 0; turn < 5; turn += 1) {
      const page = await (await almostCarryOut(link, people.eve)).goOn();
      assert.equal(page.status, 403);
    }
    assert.equal((await auditOf(liaison, asProfileId("z7"), "link.refused")).length, 1);
    assert.equal((await auditOf(liaison, asProfileId("z7"), "link.opened")).length, 1);
    assert.equal((await requestOf(liaison, link)).state, "pending");
  });

  it("Z7: addresses asked for again and again in one interaction leave the rows one may ask", async () => {
    const browser = liaison.browser();
    let page = await signIn(browser, await liaison.customerSource.start(), liaison.stranger());
    const before = await storedSizeOf(liaison);
    for (let turn = 0; turn < 20; turn += 1) {
      const waiting = await browser.press(page, "Continue", { email: `nobody-${turn}@z7.example` });
      page = await browser.visit(waiting.link(/another address/));
    }
    assert.equal(grownRows(before, await storedSizeOf(liaison))["inquiries"], 3 + 1);
  });
});
