/**
 * What the console's pages say: whom things are about by name, what happens next, the way back, and what is
 * wrong, once.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asProfileId } from "../../src/domain/ids.ts";
import {
  type AdminFixture,
  anId,
  makeOrganization,
  makeProfile,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import { askForLink, bindTo, quiet } from "../support/attack-fixture.ts";
import { type ConsolePerson, filled, openConsole, send } from "../support/console-person.ts";
import { openLink } from "../support/liaison.ts";
import type { Page } from "../support/user-agent.ts";

describe("the console's words", () => {
  let fixture: AdminFixture;
  let person: ConsolePerson;
  before(async () => {
    fixture = await startAdminFixture();
    person = await openConsole(fixture);
  });
  after(() => fixture?.close());

  const done = (page: Page) => page.dom.querySelector(".done")?.text.replace(/\s+/g, " ").trim();
  const rowsOf = (page: Page) =>
    page.dom.querySelectorAll("tbody tr").map((row) => {
      return row
        .querySelectorAll("td")
        .map((cell) => cell.text.replace(/\s+/g, " ").trim())
        .join(" ");
    });

  it("the audit names who did what to what, each with the id to copy", async () => {
    const organization = await makeOrganization(fixture);
    const name = `Of ${organization}`;
    const form = filled(await person.open(`/organizations/${organization}/people/new`), {
      name: "Ann Archer",
      email: `${organization}@northwind.example`,
    });
    await send(person.browser, form);
    const [profile] = await fixture.owner.list<{ id: string }>(`/profiles?organization_id=${organization}`);
    const { name: mine } = await fixture.owner.get<{ name: string }>(`/profiles/${person.profileId}`);
    const page = await person.open("/audit?action=profile.changed");
    const row = rowsOf(page).find((text) => text.includes("Ann Archer")) ?? assert.fail(page.text);
    assert.ok(row.includes(`${mine} ${person.profileId}`), row);
    assert.ok(row.includes(`Ann Archer ${profile?.id}`), row);
    assert.ok(row.includes(`${name} ${organization}`), row);
    const link = page.dom.querySelectorAll("tbody a").find((one) => one.text === "Ann Archer");
    assert.equal(
      link?.getAttribute("href"),
      `${fixture.issuer}/admin/people/${profile?.id}`.replace(fixture.issuer, ""),
    );
    const ids = page.dom.querySelectorAll("code.id").map((one) => one.text);
    assert.ok(ids.includes(profile?.id ?? ""));
    const made = await person.open(`/audit?action=organization.changed&actor=${encodeURIComponent("key:")}`);
    assert.equal(made.status, 200);
    const byKey = await person.open("/audit?action=organization.changed");
    assert.ok(
      rowsOf(byKey).some((text) => /\btest [\w-]{8,}/.test(text)),
      byKey.text,
    );
  });

  it("of what is gone the audit has the id alone", async () => {
    const gone = asProfileId(anId());
    await fixture.store.audit.append({
      id: anId(),
      at: fixture.clock.now(),
      action: "profile.changed",
      actor: `admin:${gone}`,
      detail: {},
      profileId: gone,
      organizationId: null,
      accountId: null,
      requestId: null,
    });
    const page = await person.open("/audit?action=profile.changed");
    assert.ok(
      rowsOf(page).some((text) => text.includes(`${gone} ${gone}`)),
      page.text,
    );
  });

  it("a time line names the profile and the account, and upstreams have their names", async () => {
    const { id, email } = await makeProfile(fixture);
    const stranger = fixture.stranger();
    const { link } = await askForLink(fixture, stranger, email);
    await openLink(fixture.browser(), link, stranger);
    await quiet(fixture);
    const [inquiry] = await fixture.owner.list<{ id: string; requester: { account_id: string } }>(
      `/inquiries?profile_id=${id}`,
    );
    const page = await person.open(`/links/${inquiry?.id}`);
    assert.match(page.text, new RegExp(`Linked ${stranger.email} [\\w-]+ Person ${id} ${id}`));
    assert.match(page.text, /Upstream\s*Fabrikam ID/);
    const account = await person.open(`/accounts/${inquiry?.requester.account_id}`);
    assert.match(account.text, /Upstream\s*Fabrikam ID/);
    assert.match((await person.open("/accounts")).text, /Fabrikam ID/);
    assert.doesNotMatch(account.text, /\bfabrikam\b/);
  });

  it("says what was done and what happens next", async () => {
    const organization = await makeOrganization(fixture);
    const path = `/organizations/${organization}`;
    const mails = () => fixture.mailbox.mails.length;
    const before = mails();
    const added = await send(
      person.browser,
      filled(await person.open(`${path}/people/new`), { name: "Ben", email: `${organization}@c.example` }),
    );
    assert.equal(done(added), "Added. They link at CustomerSource; no mail was sent.");
    await quiet(fixture);
    assert.equal(mails(), before);
    assert.equal(done(await person.open(path)), undefined);
    const unchanged = await send(person.browser, filled(await person.open(`${path}/edit`)));
    assert.equal(done(unchanged), "Nothing was changed, so nothing was written.");
    const saved = await send(person.browser, filled(await person.open(`${path}/edit`), { name: "Other" }));
    assert.match(done(saved) ?? "", /^Saved\./);
    const made = await send(
      person.browser,
      filled(await person.open("/organizations/new"), { name: "New", account_number: "N-1" }),
    );
    assert.match(done(made) ?? "", /^Added\. Nobody is registered in it yet/);
    const { id } = await makeProfile(fixture);
    await bindTo(fixture, fixture.stranger(), id);
    const asked = await person.open(`/people/${id}/unlink`);
    assert.match(done(await person.browser.press(asked, "Unlink")) ?? "", /^Unlinked\./);
    // Nobody puts words into the administration's mouth.
    for (const text of ["Call+0800", "__proto__", "toString", "person_added"]) {
      assert.equal(done(await person.open(`/people?done=${text}`)), undefined, text);
    }
  });

  it("an empty field has one error", async () => {
    for (const path of [
      "/organizations/new",
      "/keys/new",
      "/clients/new?preset=web",
      "/administrators/invite",
    ]) {
      const page = await send(person.browser, filled(await person.open(path)));
      assert.equal(page.status, 400, path);
      const targets = page.dom.querySelectorAll(".problem a").map((one) => one.getAttribute("href"));
      assert.ok(targets.length > 0, page.text);
      assert.deepEqual(targets, [...new Set(targets)], path);
    }
    const { body } = await fixture.owner.call<{ errors: { field: string }[] }>("POST", "/organizations", {
      body: { name: "", account_number: "", kind: "customer" },
    });
    assert.deepEqual(
      body.errors.map(({ field }) => field),
      ["name", "account_number"],
    );
  });

  it("where there is no page the frame stays, and the way back has words", async () => {
    for (const path of ["/nope", "/people/nope/nope", "/audit/nope"]) {
      const page = await person.open(path);
      assert.deepEqual([page.status, page.heading], [404, "There is nothing here"], path);
      assert.ok(page.link("Organizations").endsWith("/admin/organizations"));
      assert.ok(page.link("Back to Overview").endsWith("/admin"));
      assert.equal(page.dom.querySelector('[aria-current="page"]'), null);
    }
    const missing = await person.open("/people/nope");
    assert.deepEqual([missing.status, missing.heading], [404, "There is nothing here"]);
    assert.ok(missing.link("Back to People").endsWith("/admin/people"));
    const stranger = await fixture.browser().visit(`${fixture.issuer}/admin/nope`);
    assert.equal(stranger.status, 404);
    assert.equal(stranger.dom.querySelector(".console-nav"), null);
    const api = await fixture.owner.call("GET", "/nope");
    assert.deepEqual([api.status, api.body["code"]], [404, "not_found"]);
  });
});
