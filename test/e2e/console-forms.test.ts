/**
 * Every form of the console, found by walking through it: one that is saved as it was shown writes nothing,
 * and one that is overtaken takes nothing back that somebody else wrote.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type AdminFixture,
  makeClient,
  signInSomebody,
  startAdminFixture,
} from "../support/admin-fixture.ts";
import {
  type ConsolePerson,
  filled,
  formOf,
  openConsole,
  type SentForm,
  send,
} from "../support/console-person.ts";
import type { Page } from "../support/user-agent.ts";

/**
 * The forms with fields, by their address with ids left out. A new one is to be added here, and is saved
 * below like all others.
 */
const known = [
  "/administrators/:id/role",
  "/administrators/invite",
  "/clients/:id/edit",
  "/clients/new/machine",
  "/clients/new/native",
  "/clients/new/single_page",
  "/clients/new/web",
  "/keys/new",
  "/organizations/:id/edit",
  "/organizations/:id/people/new",
  "/organizations/new",
  "/people/:id/edit",
];

describe("the console's forms", () => {
  let fixture: AdminFixture;
  let person: ConsolePerson;

  before(async () => {
    fixture = await startAdminFixture();
    person = await openConsole(fixture);
    // Values that another reading would change: an end within a day, ticks in another order, signs, an
    // address beyond ASCII.
    const plan = { status: "active", expires_at: "2027-06-15T10:30:00.000Z" };
    const organization = {
      id: "within",
      name: "North  wind & <Sons>",
      account_number: "A-1",
      kind: "customer",
      plan,
    };
    await fixture.owner.done("POST", "/organizations", { body: organization });
    const profile = {
      id: "p-within",
      organization_id: "within",
      email: "Ann@bücher.example",
      name: "Ann 'O' Archer",
    };
    await fixture.owner.done("POST", "/profiles", { body: { ...profile, roles: ["z", "a b", "ö"] } });
    await makeClient(fixture, "web", {
      id: "odd",
      access_policy: { kinds: ["partner", "customer"], plan_required: true, roles: ["z", "a"] },
      redirect_uris: ["https://b.example/callback", "https://a.example/callback?x=1&y=%20"],
    });
    await makeClient(fixture, "machine", { id: "robot", scopes: ["clients:write", "admin:read"] });
    await signInSomebody(fixture);
  });
  after(() => fixture?.close());

  const below = (url: string) => new URL(url).pathname.replace(/^\/admin/, "");
  const ids = /^\/(administrators|clients|organizations|people|accounts|links|keys)\/(?!new\b|invite\b)[^/]+/;
  const shapeOf = (path: string) => path.replace(ids, "/$1/:id");

  /** Every page that links lead to, and every form on them that is posted. */
  async function walk(): Promise<{ pages: Page[]; forms: { form: SentForm; hasFields: boolean }[] }> {
    const todo = [`${fixture.issuer}/admin`];
    const seen = new Set(todo);
    const pages: Page[] = [];
    for (let url = todo.shift(); url !== undefined; url = todo.shift()) {
      const page = await person.browser.visit(url);
      assert.equal(page.status, 200, `${url}: ${page.text}`);
      pages.push(page);
      for (const link of page.dom.querySelectorAll("a[href]")) {
        const next = new URL(link.getAttribute("href") ?? "", page.url);
        next.hash = "";
        const isOurs = next.origin === fixture.issuer && /^\/admin(\/|$)/.test(next.pathname);
        if (!isOurs || /^\/admin\/(api|audit\/export|another|callback)/.test(next.pathname)) continue;
        if (!seen.has(next.href)) todo.push(next.href);
        seen.add(next.href);
      }
    }
    const forms = pages.flatMap((page) =>
      page.dom
        .querySelectorAll("form")
        .filter((form) => form.getAttribute("method") === "post")
        .map((form) => ({ form: formOf(page, form), hasFields: form.classNames.includes("console-form") })),
    );
    return { pages, forms };
  }

  /** All that an edit could change, and what the audit says of it. */
  async function state(): Promise<Record<string, unknown>> {
    const lists = [
      "/organizations",
      "/profiles",
      "/clients",
      "/api-keys",
      "/administrators",
      "/accounts",
      "/audit",
    ];
    const records = await Promise.all(lists.map((list) => fixture.owner.list<{ id: string }>(list)));
    const editable = lists
      .slice(0, 3)
      .flatMap((list, at) => (records[at] ?? []).map(({ id }) => `${list}/${id}`));
    const etags = await Promise.all(editable.map((path) => fixture.owner.etag(path)));
    return { ...Object.fromEntries(lists.map((list, at) => [list, records[at]])), etags };
  }

  it("are those that are known, and buttons that say what they do", async () => {
    const { forms } = await walk();
    const withFields = forms
      .filter(({ hasFields }) => hasFields)
      .map(({ form }) => shapeOf(below(form.action.href)));
    assert.deepEqual([...new Set(withFields)].sort(), known);
    const buttons = forms.filter(({ hasFields }) => !hasFields);
    for (const { form } of buttons) {
      assert.deepEqual(
        [...form.fields.keys()].filter((name) => name !== "once"),
        ["csrf"],
        form.action.href,
      );
    }
  });

  it("write nothing when they are saved as they were shown", async () => {
    const { forms } = await walk();
    const before = await state();
    for (const { form, hasFields } of forms) {
      if (!hasFields) continue;
      const isNew = /\/(new|invite)\b/.test(form.action.pathname);
      const page = await send(person.browser, form);
      // What is new lacks what it needs, and says so.
      assert.equal(page.status, isNew ? 400 : 200, `${form.action}: ${page.text}`);
      assert.equal(page.dom.querySelector("form.console-form") !== null, isNew, form.action.href);
      assert.deepEqual(await state(), before, form.action.href);
    }
  });

  it("change what was changed in them alone", async () => {
    await send(person.browser, filled(await person.open("/clients/odd/edit"), { name: "Odd one" }));
    const client = await fixture.owner.get<Record<string, unknown>>("/clients/odd");
    assert.deepEqual(client["access_policy"], {
      kinds: ["partner", "customer"],
      plan_required: true,
      roles: ["z", "a"],
    });
    assert.equal(client["name"], "Odd one");
    await send(person.browser, filled(await person.open("/people/p-within/edit"), { name: "Ann" }));
    const profile = await fixture.owner.get<Record<string, unknown>>("/profiles/p-within");
    assert.deepEqual(
      [profile["name"], profile["email"], profile["roles"]],
      ["Ann", "Ann@bücher.example", ["z", "a b", "ö"]],
    );
  });

  it("take an address as browsers send it back, which write a domain by its A-label", async () => {
    const before = await fixture.owner.etag("/profiles/p-within");
    const form = filled(await person.open("/people/p-within/edit"), { email: "Ann@xn--bcher-kva.example" });
    assert.equal((await send(person.browser, form)).status, 200);
    assert.equal(await fixture.owner.etag("/profiles/p-within"), before);
  });

  it("overtaken: what somebody else wrote stays, and what was changed here is asked about", async () => {
    const path = "/organizations/within";
    const form = filled(await person.open(`${path}/edit`), { account_number: "A-2" });
    await fixture.owner.edit(path, { name: "Theirs", account_number: "A-3" });
    const again = await send(person.browser, form);
    assert.equal(again.status, 412);
    assert.match(again.text, /Account number: you want A-2, now it is A-3\./);
    assert.doesNotMatch(again.text, /you want North/);
    await send(person.browser, filled(again));
    const { name, account_number } = await fixture.owner.get<Record<string, string>>(path);
    assert.deepEqual([name, account_number], ["Theirs", "A-2"]);
  });

  it("a role that somebody else gave meanwhile isn't taken back by a form saved as it was", async () => {
    const { profileId } = await openConsole(fixture, "auditor");
    const form = filled(await person.open(`/administrators/${profileId}/role`));
    await fixture.owner.done("PUT", `/profiles/${profileId}/admin-role`, { body: { role: "support" } });
    await send(person.browser, form);
    assert.equal(
      (await fixture.owner.get<Record<string, string>>(`/profiles/${profileId}`))["admin_role"],
      "support",
    );
  });
});
