/**
 * An administrator at the console's pages, as a browser without scripts has them: signed in for real, forms
 * sent as they stand.
 */

import type { HTMLElement } from "node-html-parser";
import { asOrganizationId, asProfileId } from "../../src/domain/ids.ts";
import type { AdminRole } from "../../src/domain/records.ts";
import { randomId } from "../../src/domain/secrets.ts";
import type { AdminFixture } from "./admin-fixture.ts";
import { bindTo } from "./attack-fixture.ts";
import { signInUpstream } from "./liaison.ts";
import type { Page, UserAgent } from "./user-agent.ts";

export interface ConsolePerson {
  profileId: string;
  browser: UserAgent;
  /** Opens a page below `/admin`. */
  open(path: string): Promise<Page>;
}

/** Makes an administrator of the organization `operator`, and signs them in to the pages. */
export async function openConsole(fixture: AdminFixture, role: AdminRole = "owner"): Promise<ConsolePerson> {
  const [id, person] = [`t${randomId()}`, fixture.stranger()];
  const email = `${person.username}@contoso.example`;
  await fixture.store.administration.apply(
    {
      kind: "invite",
      organization: {
        id: asOrganizationId("operator"),
        name: "Contoso",
        accountNumber: "OPERATOR",
        kind: "operator",
        enabled: true,
        plan: { status: "none", expiresAt: null },
      },
      profile: {
        id: asProfileId(id),
        organizationId: asOrganizationId("operator"),
        email,
        emailKey: email,
        name: `Admin ${id}`,
        roles: [],
        enabled: true,
      },
      adminRole: role,
      mailDomain: "contoso.example",
    },
    { actor: "test", now: fixture.clock.now() },
  );
  await bindTo(fixture, person, id);
  const browser = fixture.browser();
  let page = await browser.visit(`${fixture.issuer}/admin`);
  if (page.body.includes('name="upstream"')) page = await browser.press(page, /Fabrikam ID/);
  if (page.body.includes('name="password"')) page = await signInUpstream(browser, page, person);
  if (page.status !== 200 || page.heading !== "Overview")
    throw new Error(`not signed in: ${page.status} ${page.text}`);
  return { profileId: id, browser, open: (path) => browser.visit(`${fixture.issuer}/admin${path}`) };
}

/** A form with all that a browser would send of it. */
export interface SentForm {
  action: URL;
  fields: URLSearchParams;
}

/** Reads a form: inputs, text areas and choices as they stand. */
export function formOf(page: Page, form: HTMLElement): SentForm {
  const fields = new URLSearchParams();
  for (const input of form.querySelectorAll("input")) {
    const [name, type] = [input.getAttribute("name"), input.getAttribute("type") ?? "text"];
    const isSent = !["radio", "checkbox"].includes(type) || input.hasAttribute("checked");
    if (name !== undefined && isSent) fields.append(name, input.getAttribute("value") ?? "");
  }
  for (const area of form.querySelectorAll("textarea")) {
    fields.append(area.getAttribute("name") ?? "", area.text.replace(/\r?\n/g, "\r\n"));
  }
  for (const select of form.querySelectorAll("select")) {
    const options = select.querySelectorAll("option");
    const chosen = options.find((option) => option.hasAttribute("selected")) ?? options[0];
    fields.append(select.getAttribute("name") ?? "", chosen?.getAttribute("value") ?? "");
  }
  return { action: new URL(form.getAttribute("action") ?? "", page.url), fields };
}

/** The form with fields of a page, with some of them filled in otherwise. */
export function filled(page: Page, values: Record<string, string> = {}): SentForm {
  const form = page.dom.querySelector("form.console-form");
  if (form === null) throw new Error(`no form on ${page.url}: ${page.text}`);
  const read = formOf(page, form);
  for (const [name, value] of Object.entries(values)) read.fields.set(name, value);
  return read;
}

/** Sends a form, and follows where that leads. */
export async function send(browser: UserAgent, { action, fields }: SentForm): Promise<Page> {
  return await browser.visit(action, { method: "POST", body: fields });
}
