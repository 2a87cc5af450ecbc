/**
 * A new administrator, from the mail of the invitation to the answer why somebody was refused: by what the
 * pages say alone, no page of docs read. The portal that is registered on the way is played by a real RP
 * library.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { operations } from "../../src/admin/definitions/operations.ts";
import { BrowserUser, type BrowserUserOptions } from "../support/browser-user.ts";
import { ConsoleUser, Keyboard } from "../support/console-user.ts";
import { demoAdministration } from "../support/demo-admin.ts";
import { type DemoDeployment, startDemoDeployment } from "../support/demo-deployment.ts";
import { type SharedBrowser, shareBrowser } from "../support/journey-browser.ts";
import { linkOf, mailsOf, newestLink, type Visiting } from "../support/journey-deployment.ts";
import { type StartedSignIn, TestPortal } from "../support/portal.ts";

describe("a new administrator", () => {
  let shared: SharedBrowser<DemoDeployment>;
  let deployment: DemoDeployment;
  let browser: Browser;
  let rp: Server;
  let callback: string;
  before(async () => {
    shared = await shareBrowser(startDemoDeployment);
    ({ deployment, browser } = shared);
    rp = createServer((_request, response) => {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(
        "<!doctype html><html lang=en><title>Back</title><main><h1>Back at the portal</h1></main></html>",
      );
    });
    rp.listen(0, "127.0.0.1");
    await once(rp, "listening");
    callback = `http://localhost:${(rp.address() as AddressInfo).port}/callback`;
  });
  after(async () => {
    rp?.close();
    await shared?.close();
  });

  /** An account at the upstream; the address that will be registered is another one. */
  async function account(username: string, name: string): Promise<Visiting> {
    const password = `${username}-password`;
    const form = { name, email: `${username}@home.example`, username, password };
    const made = await fetch(`${deployment.upstream}/create-account`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    assert.equal(made.status, 200);
    return { name, username, password, registered: `${username}@registered.example` };
  }

  async function invite({ registered, name }: Visiting): Promise<void> {
    const { service, principal } = await demoAdministration(deployment);
    await service.call(operations.administrators.invite, principal, {
      email: registered,
      name,
      role: "owner",
    });
  }

  /** From the invitation's mail to the overview. */
  async function enter(
    person: Visiting,
    options: BrowserUserOptions,
  ): Promise<{ user: BrowserUser; admin: ConsoleUser }> {
    await invite(person);
    const [invitation] = await mailsOf(deployment, person.registered);
    assert.equal(invitation?.subject, "You are an administrator of Contoso Sign-in");
    const user = await BrowserUser.arrive(browser, deployment, options);
    await user.open(linkOf(invitation));
    await user.sees("Sign in to Administration");
    await user.signIn(person);
    await user.ask(person.registered);
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, person.registered), person);
    await tab.sees("Your account is linked");
    await tab.page.getByRole("link", { name: "Continue to Administration" }).waitFor();
    if (options.javaScript === false) await user.follow("I've opened the link – continue");
    const admin = new ConsoleUser(user, options);
    await admin.sees("Overview");
    return { user, admin };
  }

  /** A person at the new portal, up to where the service leads. */
  async function comeTo(
    portal: TestPortal,
    person: Visiting,
  ): Promise<{ user: BrowserUser; started: StartedSignIn }> {
    const user = await BrowserUser.arrive(browser, deployment);
    const started = await portal.start();
    await user.open(started.url.href);
    await user.signIn(person);
    await user.ask(person.registered);
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, person.registered), person);
    await tab.sees("Your account is linked");
    return { user, started };
  }

  test("registers a portal, adds people, finds a time line, and learns why one was refused", async () => {
    const { user, admin } = await enter(await account("kim", "Kim Keller"), { width: 1280 });

    await admin.goTo("Client apps");
    await admin.follow("Register a client app", "What kind of app is it?");
    await admin.follow("Web app", "Register a client app");
    await admin.press("Register", "Register a client app");
    await admin.reads("There is a problem");
    await admin.fill({
      Name: "Order desk",
      "Home page": new URL("/", callback).href,
      "Redirect addresses": callback,
    });
    await admin.fill({ "Roles it asks for (optional)": "buyer" });
    await admin.press("Register", "Order desk");
    await admin.reads("The client app is registered");
    const clientSecret = await admin.copied("Client secret");
    const clientId = (await admin.page.getByRole("definition").nth(1).textContent()) ?? "";

    await admin.goTo("Organizations");
    await admin.follow("Add an organization", "Add an organization");
    await admin.fill({ Name: "Greenfield Farms", "Account number": "C-77001" });
    await admin.press("Add", "Greenfield Farms");
    for (const [name, email, roles] of [
      ["Pat Admitted", "pat@registered.example", "buyer"],
      ["Robin Refused", "robin@registered.example", ""],
    ] as const) {
      await admin.follow("Add a person", "Add a person to Greenfield Farms");
      await admin.fill({ Name: name, "Registered email": email, "Roles (optional)": roles });
      await admin.press("Add", "Greenfield Farms");
    }
    await admin.reads("Robin Refused");

    const portal = await TestPortal.connect({
      issuer: deployment.issuer,
      clientId,
      clientSecret,
      redirectUri: callback,
    });
    const pat = await comeTo(portal, await account("pat", "Pat at home"));
    await pat.user.sees("Back at the portal");
    const tokens = await portal.exchange(new URL(pat.user.page.url()), pat.started);
    const claims = await portal.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
    assert.equal(claims["name"], "Pat Admitted");
    await pat.user.leave();
    const robin = await comeTo(portal, await account("robin", "Robin at home"));
    await robin.user.follow("I've opened the link – continue");
    await robin.user.follow("Why doesn't it open Order desk?");
    await robin.user.sees("Your profile doesn't open Order desk");
    await robin.user.leave();

    await admin.goTo("People");
    await admin.fill({ "Email or name": "pat adm" });
    await admin.press("Search", "People");
    await admin.follow("Pat Admitted", "Pat Admitted");
    await admin.reads("Linked");
    await admin.page.getByRole("table", { name: "Links" }).getByRole("link").first().click();
    await admin.sees(/^Request [A-Z]{4}$/);
    await admin.reads("Link opened");
    await admin.reads("Signed in again as");

    await admin.goTo("Why denied?");
    await admin.fill({ "Person: email or name": "robin@" });
    await admin.press("Search", "Why was this denied?");
    await admin.follow(/Robin Refused/, "Why was this denied?");
    await admin.page.getByLabel("Portal", { exact: true }).selectOption({ label: "Order desk" });
    await admin.press("Ask", "Why was this denied?");
    await admin.reads("This person can't use Order desk");
    await admin.reads("Give the profile one of the roles that the portal asks for: buyer.");

    await admin.goTo("Overview");
    await admin.reads("Links asked for");
    await admin.goTo("Client apps");
    await admin.follow("Order desk", "Order desk");
    assert.equal(await admin.page.getByText(clientSecret).count(), 0, "a secret is shown once");
    await user.leave();
  });

  for (const { username, options, organization, found } of [
    { username: "lee", options: { width: 360 }, organization: "harbour", found: "Harbour Foods" },
    {
      username: "max",
      options: { width: 1280, javaScript: false },
      organization: "andes",
      found: "Andes Textiles",
    },
  ] as const satisfies {
    username: string;
    options: BrowserUserOptions;
    organization: string;
    found: string;
  }[]) {
    const how = options.width === 360 ? "on a phone" : "without scripts";
    test(`every other page, ${how}`, async () => {
      const { user, admin } = await enter(await account(username, `${username} Lang`), options);
      for (const section of ["Accounts", "Links", "Mail", "Administrators", "Keys", "Audit"])
        await admin.goTo(section);
      const audit = `${deployment.issuer}/admin/audit`;
      for (const day of ["01.02.2027", "2027-02-30", "-271821-04-20"]) {
        await admin.page.goto(`${audit}?from=${day}`);
        await admin.sees("Audit");
        await admin.reads("Write a day as year, month and day");
        // Nothing of it is left out silently: such an export would hold everything.
        assert.equal((await admin.page.request.get(`${audit}/export.csv?to=${day}`)).status(), 400);
      }
      const exported = await admin.page.request.get(`${audit}/export.csv?from=2020-01-01`);
      assert.match(await exported.text(), /^id,at,action,.*,admin\.role_changed,command:test,/s);
      await admin.goTo("Audit");
      await admin.page.getByRole("main").getByRole("button", { name: "Verify now" }).click();
      // The page loads itself anew until then, with or without scripts.
      await admin.page.getByText("The audit is intact").waitFor({ timeout: 20_000 });
      await admin.sees("Verification of the audit");
      assert.equal((await admin.page.request.get(admin.page.url())).headers()["refresh"], undefined);
      await admin.follow("Audit", "Audit");
      await admin.follow("Verifications", "Verifications of the audit");
      await admin.reads("Intact");

      await admin.goTo("Keys");
      await admin.follow("Make an API key", "Make an API key");
      await admin.fill({ Name: `${username}-sync` });
      await admin.press("Make the key", "Keys");
      await admin.reads("It is shown this once: copy it now.");
      const key = await admin.copied("API key");
      const headers = { authorization: `Bearer ${key}` };
      const answer = await fetch(`${deployment.issuer}/admin/api/v1/organizations`, { headers });
      assert.equal(answer.status, 200);
      await admin.follow("REST API", "Administration API");
      await user.open(`${deployment.issuer}/admin/keys`);
      await admin.follow("Remove", `Remove the key ${username}-sync?`);
      await admin.press("Remove the key", "Keys");

      await admin.goTo("Administrators");
      await admin.follow("Invite an administrator", "Invite an administrator");
      await admin.fill({ Email: `${username}.friend@registered.example` });
      await admin.press("Invite", "Administrators");
      await admin.reads(`${username}.friend@registered.example is told by mail where to sign in.`);

      await admin.goTo("Organizations");
      await admin.fill({ "Name or account number": organization });
      await admin.press("Search", "Organizations");
      await admin.follow(found, new RegExp(`^${found}`));
      await admin.follow("Edit", "Edit an organization");
      const tab = await user.newTab();
      await tab.open(admin.page.url());
      const rival = new ConsoleUser(tab, options);
      await rival.fill({ Name: `${found} plc` });
      await rival.press("Save", `${found} plc`);
      await admin.fill({ Name: `${found} Group` });
      await admin.press("Save", "Edit an organization");
      await admin.reads("Somebody else changed this meanwhile");
      await admin.reads(`now it is ${found} plc`);
      await admin.press("Save", `${found} Group`);
      await tab.page.close();

      await admin.page.getByRole("button", { name: "Sign out" }).click();
      await admin.sees("You are signed out of the administration");
      await user.leave();
    });
  }

  test("who has no role is told so, and whom to ask", async () => {
    const sam = await account("sam", "Sam Staff");
    const { service, principal } = await demoAdministration(deployment);
    const input = { organization_id: "org-contoso", email: sam.registered, name: "Sam Staff" };
    await service.call(operations.profiles.create, principal, input);
    const user = await BrowserUser.arrive(browser, deployment);
    await user.open(`${deployment.issuer}/admin`);
    await user.signIn(sam);
    await user.ask(sam.registered);
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, sam.registered), sam);
    await user.sees("You are not an administrator");
    await user.reads("Sam Staff");
    await user.leave();
  });

  test("the administrator that the demo names gets in by what it prints, and works by keyboard", async () => {
    const named = deployment.people.find(({ expect }) => expect === "administrator");
    assert.ok(named);
    const person = { ...named, registered: named.registered_email };
    const user = await BrowserUser.arrive(browser, deployment, { width: 1280 });
    await user.open(`${deployment.inbox}/people`);
    await user.follow("Administration");
    await user.sees("Sign in to Administration");
    await user.signIn(person);
    await user.ask(person.registered);
    const tab = await user.newTab();
    await tab.redeem(await newestLink(deployment, person.registered), person);
    await tab.sees("Your account is linked");
    await tab.open(deployment.administration);
    await tab.sees("Overview");
    await tab.page.getByRole("banner").getByText("Greta Lindqvist Owner").waitFor();

    const keys = new Keyboard(tab.page);
    await keys.press("Enter", "link", "Client apps");
    await tab.sees("Client apps");
    await keys.press("Enter", "link", "Register a client app");
    await tab.sees("What kind of app is it?");
    await keys.press("Enter", "link", "Machine");
    await tab.sees("Register a client app");
    await keys.press("Enter", "button", "Register");
    await tab.sees("Register a client app");
    // The summary of what is wrong has the focus, and its link leads to the field.
    await keys.press("Enter", "link", /Name/);
    await tab.page.keyboard.type("Nightly export");
    await keys.press("Space", "checkbox", /^admin:read/);
    await keys.press("Enter", "button", "Register");
    await tab.sees("Nightly export");
    await tab.reads("The client app is registered");
    await keys.press("Enter", "button", "Sign out");
    await tab.sees("You are signed out of the administration");
    await user.leave();
  });
});
