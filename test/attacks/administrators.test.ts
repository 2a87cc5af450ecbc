/**
 * Who is an administrator, and for how long: A9 of the threat list, and console cookies that somebody copied.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import { createApp } from "../../src/app.ts";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type { AdminRole, AuditEvent } from "../../src/domain/records.ts";
import { randomId } from "../../src/domain/secrets.ts";
import { type AdminFixture, startAdminFixture } from "../support/admin-fixture.ts";
import { askForLink, bindTo, mailsTo, quiet } from "../support/attack-fixture.ts";
import { openLink, signIn, signInUpstream, type TestPerson } from "../support/liaison.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

interface Administrator {
  id: string;
  email: string;
  person: TestPerson;
}

const day = 86_400_000;
const organizationId = asOrganizationId("operator");

describe("administrators", { concurrency: 1 }, () => {
  let fixture: AdminFixture;
  let owner: Administrator;
  before(async () => {
    fixture = await startAdminFixture({ strangers: 40 });
    owner = await linked("owner");
  });
  after(() => fixture?.close());

  /** Somebody who was invited a while ago, as the administration's operation does it. */
  async function invited(role: AdminRole, agoMs = 0): Promise<Administrator> {
    const [id, person] = [asProfileId(`t${randomId()}`), fixture.stranger()];
    const email = `${person.username}@contoso.example`;
    const organization = {
      id: organizationId,
      name: "Contoso",
      accountNumber: "OPERATOR",
      kind: "operator" as const,
      enabled: true,
      plan: { status: "none" as const, expiresAt: null },
    };
    const profile = {
      id,
      organizationId,
      email,
      emailKey: email,
      name: `Admin ${id}`,
      roles: [],
      enabled: true,
    };
    const outcome = await fixture.store.administration.apply(
      { kind: "invite", organization, profile, adminRole: role, mailDomain: "contoso.example" },
      { actor: "test", now: fixture.clock.now() - agoMs },
    );
    assert.equal(outcome.result, "done");
    return { id, email, person };
  }

  async function linked(role: AdminRole): Promise<Administrator> {
    const one = await invited(role);
    await bindTo(fixture, one.person, one.id);
    return one;
  }

  const profileOf = (id: string) => fixture.owner.get(`/profiles/${id}`);
  const setRole = (id: string, role: AdminRole | null) =>
    fixture.owner.done("PUT", `/profiles/${id}/admin-role`, { body: { role } });
  const eventsOf = async (id: string, action: AuditEvent["action"]) =>
    (await fixture.store.audit.list({ profileId: asProfileId(id), limit: 200 })).filter(
      (event) => event.action === action,
    );
  const told = (address: string) =>
    fixture.mailbox.mails.filter(({ to, subject }) => to === address && /^The administrator/.test(subject));

  /** The link that somebody asks for, once the invitation's own mail is there. */
  async function askedLink({ person, email }: Administrator): Promise<{ link: string }> {
    await quiet(fixture);
    return await askForLink(fixture, person, email);
  }

  /** Opens the pages, signing in where that is asked for. */
  async function open(browser: UserAgent, { person }: Administrator): Promise<Page> {
    let page = await browser.visit(`${fixture.issuer}/admin`);
    if (page.body.includes('name="upstream"')) page = await browser.press(page, /Fabrikam ID/);
    return page.body.includes('name="password"') ? await signInUpstream(browser, page, person) : page;
  }

  /** The cookie of the pages alone, as somebody has it who read it off a disk or a wire. */
  async function copyCookie(browser: UserAgent): Promise<string> {
    const cookies = await browser.jar.getCookies(`${fixture.issuer}/admin`);
    const copied = cookies.filter(({ key }) => key === "liaison.console" || key === "liaison.console.sig");
    assert.ok(copied.length > 0, "there is no such cookie");
    return copied.map(({ key, value }) => `${key}=${value}`).join("; ");
  }

  /** Whether a copied cookie opens the pages. */
  async function opens(cookie: string): Promise<boolean> {
    const headers = { accept: "text/html", cookie };
    const answer = await fetch(`${fixture.issuer}/admin/administrators`, { headers, redirect: "manual" });
    const text = await answer.text();
    if (answer.status === 200) return /<h1[^>]*>Administrators/.test(text);
    assert.ok([303, 403].includes(answer.status), `${answer.status} ${text}`);
    assert.doesNotMatch(text, /contoso\.example<|<table/);
    return false;
  }

  type Act = (one: Administrator) => Promise<unknown>;
  const restored: [what: string, takeAway: Act, giveBack: Act][] = [
    ["the role is taken away", ({ id }) => setRole(id, null), ({ id }) => setRole(id, "support")],
    ["the role is another", ({ id }) => setRole(id, "auditor"), ({ id }) => setRole(id, "support")],
    [
      "the profile is disabled",
      ({ id }) => fixture.owner.edit(`/profiles/${id}`, { enabled: false }),
      ({ id }) => fixture.owner.edit(`/profiles/${id}`, { enabled: true }),
    ],
    [
      "the organization is disabled",
      () => fixture.owner.edit(`/organizations/${organizationId}`, { enabled: false }),
      () => fixture.owner.edit(`/organizations/${organizationId}`, { enabled: true }),
    ],
    [
      "the organization is no operator's",
      () => fixture.owner.edit(`/organizations/${organizationId}`, { kind: "partner" }),
      () => fixture.owner.edit(`/organizations/${organizationId}`, { kind: "operator" }),
    ],
    [
      "the profile is unlinked",
      ({ id }) => fixture.owner.done("DELETE", `/profiles/${id}/link`),
      ({ id, person }) => bindTo(fixture, person, id),
    ],
    [
      "the profile is another person's",
      ({ id }) => fixture.owner.edit(`/profiles/${id}`, { another_person: true }),
      ({ id, person }) => bindTo(fixture, person, id),
    ],
  ];

  for (const [what, takeAway, giveBack] of restored) {
    it(`A9: a copied console cookie is dead once ${what}, and stays so when that is undone`, async () => {
      // The organization of the operator may only go where another has an owner.
      await anotherOperator();
      const one = await linked("support");
      const browser = fixture.browser();
      assert.equal((await open(browser, one)).heading, "Overview");
      const copy = await copyCookie(browser);
      assert.equal(await opens(copy), true, "the copy works, or nothing is shown by what follows");
      await takeAway(one);
      assert.equal(await opens(copy), false, "once it was taken away");
      await giveBack(one);
      assert.equal((await profileOf(one.id))["admin_role"], "support");
      assert.equal(await opens(copy), false, "once it was given back");
      assert.equal((await open(browser, one)).heading, "Overview", "its owner signs in again");
      assert.equal(await opens(copy), false, "once its owner has signed in again");
    });
  }

  async function anotherOperator(): Promise<void> {
    const id = asOrganizationId("second-operator");
    if ((await fixture.store.directory.organization(id)) !== undefined) return;
    const body = { id, name: "Second", account_number: "2", kind: "operator" };
    await fixture.owner.done("POST", "/organizations", { body });
    const email = "second@contoso.example";
    await fixture.owner.done("POST", "/administrators", {
      body: { email, role: "owner", organization_id: id },
    });
  }

  it("A9: the pages of somebody without a role don't become an administrator's by one", async () => {
    const one = await linked("support");
    await setRole(one.id, null);
    const browser = fixture.browser();
    assert.equal((await open(browser, one)).heading, "You are not an administrator");
    const copy = await copyCookie(browser);
    await setRole(one.id, "owner");
    assert.equal(await opens(copy), false);
    assert.equal((await open(browser, one)).heading, "Overview");
    await setRole(one.id, null);
  });

  it("A9: an edited address or an unchanged role ends no page", async () => {
    const one = await linked("support");
    const browser = fixture.browser();
    await open(browser, one);
    const copy = await copyCookie(browser);
    await fixture.owner.edit(`/profiles/${one.id}`, { email: `new-${one.email}` });
    await setRole(one.id, "support");
    assert.equal(await opens(copy), true);
  });

  it("A9: an invitation taken up in time makes an administrator, and every owner is told alone", async () => {
    const bystander = await linked("support");
    const other = await linked("owner");
    await quiet(fixture);
    const one = await invited("support", 7 * day - 120_000);
    const before = [told(owner.email), told(other.email)].map(({ length }) => length);
    const { link } = await askedLink(one);
    assert.match((await openLink(fixture.browser(), link, one.person)).text, /linked/);
    await quiet(fixture);
    assert.equal((await profileOf(one.id))["admin_role"], "support");
    assert.deepEqual(
      [told(owner.email), told(other.email)].map(({ length }) => length),
      before.map((count) => count + 1),
    );
    assert.deepEqual([told(one.email), told(bystander.email)], [[], []]);
    const mail = told(owner.email).at(-1) ?? assert.fail();
    assert.match(mail.text, new RegExp(`Admin ${one.id} at Contoso was linked to .*Fabrikam ID`));
    assert.match(mail.text, /role is: Support/);
    for (const part of [mail.text, mail.html])
      assert.ok(part.includes(`${fixture.issuer}/admin/administrators`));
    assert.doesNotMatch(mail.text + mail.html, /\/link\//);
    assert.equal((await open(fixture.browser(), one)).heading, "Overview");
    await setRole(other.id, null);
  });

  it("A9: an owner who links hears of it as everybody does, and the other owners of them", async () => {
    const one = await invited("owner");
    const { link } = await askedLink(one);
    await openLink(fixture.browser(), link, one.person);
    await quiet(fixture);
    assert.deepEqual(told(one.email), []);
    const subjects = (await mailsTo(fixture, one.email, 3)).map(({ subject }) => subject);
    assert.ok(subjects.includes("Your profile at Contoso has been linked"), String(subjects));
    assert.match(told(owner.email).at(-1)?.text ?? "", new RegExp(`Admin ${one.id}`));
    await setRole(one.id, null);
  });

  it("A9: an invitation not taken up for seven days gives nothing, whoever still has the mail", async () => {
    const one = await invited("owner", 7 * day);
    const before = told(owner.email).length;
    const { link } = await askedLink(one);
    assert.match((await openLink(fixture.browser(), link, one.person)).text, /linked/);
    const { admin_role, account_id, invited_at } = await profileOf(one.id);
    assert.deepEqual([admin_role, typeof account_id, invited_at], [null, "string", null]);
    const page = await open(fixture.browser(), one);
    assert.deepEqual([page.status, page.heading], [403, "You are not an administrator"]);
    const [event] = await eventsOf(one.id, "admin.invitation_lapsed");
    assert.deepEqual([event?.actor, event?.detail["role"]], ["system", "owner"]);
    await quiet(fixture);
    assert.equal(told(owner.email).length, before);
  });

  it("A9: nor does a role given to a profile that nobody has linked, or left on one unlinked", async () => {
    const [given, left] = [await invited("support"), await linked("support")];
    const now = fixture.clock.now() - 7 * day;
    const change = (adminRole: AdminRole | null) =>
      fixture.store.administration.apply(
        { kind: "set_admin_role", profileId: asProfileId(given.id), adminRole },
        { actor: "test", now },
      );
    await change(null);
    await change("owner");
    await fixture.store.links.unbind(asProfileId(left.id), "test", now);
    for (const one of [given, left]) {
      const { link } = await askedLink(one);
      await openLink(fixture.browser(), link, one.person);
      const { admin_role, account_id } = await profileOf(one.id);
      assert.deepEqual([admin_role, typeof account_id], [null, "string"]);
    }
  });

  it("A9: the service takes it away by itself, audited once, and never the last owner's", async () => {
    const one = await invited("support", 7 * day);
    const config = { ...fixture.config, listen: { ...fixture.config.listen, host: "127.0.0.1", port: 0 } };
    const parts = { config, store: fixture.store, clock: fixture.clock, logger: pino({ level: "silent" }) };
    const others = await Promise.all([createApp(parts), createApp(parts)]);
    try {
      await Promise.all(others.map((app) => app.listen()));
      const deadline = Date.now() + 8000;
      while ((await profileOf(one.id))["admin_role"] !== null) {
        assert.ok(Date.now() < deadline, "it didn't lapse");
        await pause(50);
      }
    } finally {
      await Promise.all(others.map((app) => app.close()));
    }
    assert.equal((await eventsOf(one.id, "admin.invitation_lapsed")).length, 1);
    assert.equal((await profileOf(owner.id))["admin_role"], "owner");
  });

  it("A9: inviting again mails again and begins anew; who is linked is named, with what to do", async () => {
    const one = await invited("support", 6 * day);
    const body = { email: one.email, organization_id: organizationId };
    const again = await fixture.owner.done<Record<string, string>>("POST", "/administrators", { body });
    assert.deepEqual(
      [again["id"], again["admin_role"]],
      [one.id, "support"],
      "no role named: the one that it has",
    );
    const since = Date.parse(again["invited_at"] ?? "");
    assert.ok(Math.abs(since - fixture.clock.now()) < 60_000, again["invited_at"]);
    assert.equal((await mailsTo(fixture, one.email, 2)).length, 2);
    const other = await fixture.owner.done("POST", "/administrators", { body: { ...body, role: "auditor" } });
    assert.equal(other["admin_role"], "auditor");
    const fresh = await fixture.owner.done("POST", "/administrators", {
      body: { email: `new-${one.email}`, organization_id: organizationId },
    });
    assert.equal(fresh["admin_role"], "auditor", "the least, for there is an owner");
    await bindTo(fixture, one.person, one.id);
    const refused = await fixture.owner.call("POST", "/administrators", {
      body: { ...body, role: "support" },
    });
    assert.equal(refused.status, 409);
    assert.match(
      refused.text,
      new RegExp(
        `registered there already, and linked.*role auditor.*liaison admin role ${one.id} --role support`,
      ),
    );
    await fixture.owner.edit(`/profiles/${one.id}`, { enabled: false });
    const disabled = await fixture.owner.call("POST", "/administrators", { body });
    assert.deepEqual([disabled.status, /enable it first/.test(disabled.text)], [409, true]);
    await quiet(fixture);
    assert.equal(
      (await mailsTo(fixture, one.email, 3)).filter(({ subject }) => /^You are/.test(subject)).length,
      3,
    );
  });

  it("A9: an account at a portal alone opens no page", async () => {
    const started = await fixture.customerSource.start();
    const person = fixture.stranger();
    const browser = fixture.browser();
    await signIn(browser, started, person);
    const page = await browser.visit(`${fixture.issuer}/admin`);
    assert.notEqual(page.heading, "Overview");
  });
});
