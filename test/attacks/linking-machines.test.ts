/** What scanners and crowds of requests do to a mailed link: L3, L4, L6 of the threat list. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId, asProfileId, type OrganizationId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  almostCarryOut,
  askForLink,
  assertUnbound,
  auditOf,
  mailsTo,
  profileOf,
  quiet,
  requestOf,
  returnFromUpstream,
  startAttacked,
} from "../support/attack-fixture.ts";
import { openLink, register, type TestPerson } from "../support/liaison.ts";
import { UserAgent } from "../support/user-agent.ts";

describe("links in the hands of machines", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked();
  });
  after(() => liaison?.close());

  async function linkFor(id: OrganizationId): Promise<{ ann: TestPerson; link: string }> {
    await register(liaison, { id }, [{ id, email: `${id}@northwind.example` }]);
    const ann = liaison.stranger();
    const { link } = await askForLink(liaison, ann, `${id}@northwind.example`);
    await quiet(liaison);
    return { ann, link };
  }

  async function assertStillWorks(id: string, link: string, person: TestPerson): Promise<void> {
    await assertUnbound(liaison, id);
    assert.equal((await requestOf(liaison, link)).state, "pending");
    assert.equal((await openLink(liaison.browser(), link, person)).heading, "Your account is linked");
    assert.equal((await auditOf(liaison, asProfileId(id), "profile.bound")).length, 1);
  }

  it("L3: twenty GET and HEAD, with and without cookies, write nothing, the link still works", async () => {
    const { ann, link } = await linkFor(asOrganizationId("l3"));
    const writesBefore = liaison.watch.writes.length;
    const request = await requestOf(liaison, link);
    for (const keepCookies of [true, false]) {
      const agent = new UserAgent({ keepCookies });
      for (let turn = 0; turn < 10; turn += 1) {
        const page = await agent.visit(link, { method: turn % 2 === 0 ? "GET" : "HEAD" });
        assert.equal(page.status, keepCookies ? 200 : 400);
        if (turn > 0) continue;
        const heading = keepCookies
          ? "Do you want to link this account?"
          : "Open the link in the email again";
        assert.equal(page.heading, heading);
      }
    }
    const [base = ""] = /^.*\/link\/[^/]+/.exec(link) ?? [];
    for (const path of ["", "/result", "/confirm", "/decline"]) {
      const page = await liaison.browser().visit(base + path);
      assert.ok(page.status >= 400, path);
    }
    assert.deepEqual(liaison.watch.writes.slice(writesBefore), []);
    assert.deepEqual(await requestOf(liaison, link), request);
    await assertStillWorks("l3", link, ann);
  });

  it("L4: a scanner that submits both forms without signing in binds and cancels nothing", async () => {
    const { ann, link } = await linkFor(asOrganizationId("l4"));
    for (const cookieless of [true, false]) {
      for (const button of ["Continue to sign in", /^Don.t link$/]) {
        const scanner = new UserAgent();
        const landing = await scanner.visit(link);
        const { action, fields } = landing.form(button);
        const agent = cookieless ? new UserAgent() : scanner;
        const page = await agent.visit(action, { method: "POST", body: fields });
        if (cookieless) assert.equal(page.status, 403);
        else
          assert.equal(
            page.form("Sign in").action.origin,
            liaison.upstreamIssuer,
            "it stands before a sign-in",
          );
      }
    }
    await assertStillWorks("l4", link, ann);
  });

  it("L4: a scanner that makes up the callback of the sign-in it began", async () => {
    const { ann, link } = await linkFor(asOrganizationId("l4-callback"));
    for (const button of ["Continue to sign in", /^Don.t link$/]) {
      for (const answer of ["code=made-up", "error=access_denied", "error=server_error", ""]) {
        const scanner = new UserAgent();
        const { action, fields } = (await scanner.visit(link)).form(button);
        const leaving = await scanner.once(action, { method: "POST", body: fields });
        const authorization = new URL(leaving.headers.get("location") ?? "");
        const state = authorization.searchParams.get("state");
        const callback = new URL(authorization.searchParams.get("redirect_uri") ?? "");
        callback.search = `state=${state}&iss=${encodeURIComponent(liaison.upstreamIssuer)}&${answer}`;
        const page = await returnFromUpstream(scanner, callback);
        const landed = page.heading === "Do you want to link this account?";
        assert.ok(
          page.status >= 400 || (landed && answer === "error=access_denied"),
          `${answer}: ${page.text}`,
        );
      }
    }
    await assertStillWorks("l4-callback", link, ann);
  });

  it("L4: a scanner that follows a person through the landing page can't use their session", async () => {
    const { ann, link } = await linkFor(asOrganizationId("l4-session"));
    const { browser } = await almostCarryOut(link, ann);
    const login = await browser.press(await browser.visit(link), "Continue to sign in");
    assert.match(
      login.body,
      /name="password"/,
      "the upstream asks again, though the browser is signed in there",
    );
    await assertStillWorks("l4-session", link, ann);
  });

  it("L6: fifty parallel redemptions: one binding, one audit event, one notice", async () => {
    const { ann, link } = await linkFor(asOrganizationId("l6"));
    const prepared = [];
    // Ten at a time: every upstream sign-in derives a key from a password.
    for (let batch = 0; batch < 5; batch += 1) {
      prepared.push(...(await Promise.all(Array.from({ length: 10 }, () => almostCarryOut(link, ann)))));
    }
    const pages = await Promise.all(prepared.map(({ goOn }) => goOn()));
    const headings = pages.map(({ heading }) => heading);
    assert.equal(headings.filter((heading) => heading === "Your account is linked").length, 1);
    assert.equal(headings.filter((heading) => heading === "This link has already been used").length, 49);

    assert.equal((await auditOf(liaison, asProfileId("l6"), "profile.bound")).length, 1);
    const { requester } = await requestOf(liaison, link);
    assert.equal((await profileOf(liaison, "l6")).accountId, requester.accountId);
    const mails = await mailsTo(liaison, "l6@northwind.example", 2);
    await quiet(liaison);
    assert.equal(mails.length, 2, "the link and one notice");
    assert.equal(liaison.mailbox.mails.filter(({ to }) => to === "l6@northwind.example").length, 2);
  });
});
