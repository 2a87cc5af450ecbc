/**
 * Input that is no text where text is asked for, and text that is markup: A2 and A3 of the threat list, as
 * far as pages go.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { asOrganizationId } from "../../src/domain/ids.ts";
import {
  type Attacked,
  almostCarryOut,
  askForLink,
  bindTo,
  quiet,
  startAttacked,
} from "../support/attack-fixture.ts";
import { register, signIn } from "../support/liaison.ts";
import { rawRequest } from "../support/raw-request.ts";
import type { Page, UserAgent } from "../support/user-agent.ts";

const formType = "application/x-www-form-urlencoded";

describe("input", () => {
  let liaison: Attacked;
  before(async () => {
    liaison = await startAttacked();
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "victim", email: "victim@northwind.example" },
    ]);
  });
  after(() => liaison?.close());

  async function atLinkStep(): Promise<{ browser: UserAgent; linkStep: Page }> {
    const browser = liaison.browser();
    return {
      browser,
      linkStep: await signIn(browser, await liaison.customerSource.start(), liaison.stranger()),
    };
  }

  async function post(
    browser: UserAgent,
    action: URL,
    body: string | Buffer,
    headers: Record<string, string>,
  ) {
    const cookie = await browser.jar.getCookieString(action.href);
    const sent = { accept: "text/html", "content-type": formType, cookie, ...headers };
    const response = await fetch(action, { method: "POST", body, headers: sent, redirect: "manual" });
    return { status: response.status, body: await response.text() };
  }

  const notText: [string, (csrf: string) => { body: string; headers?: Record<string, string> }, number][] = [
    ["an operator in a field's name", (csrf) => ({ body: `csrf=${csrf}&email[$gt]=` }), 400],
    ["a list by its name", (csrf) => ({ body: `csrf=${csrf}&email[]=victim@northwind.example` }), 400],
    [
      "a list by repetition",
      (csrf) => ({ body: `csrf=${csrf}&email=victim@northwind.example&email=x@x.example` }),
      400,
    ],
    [
      "an object's prototype",
      (csrf) => ({ body: `csrf=${csrf}&__proto__[email]=victim@northwind.example` }),
      400,
    ],
    ["a bare prototype", (csrf) => ({ body: `csrf=${csrf}&__proto__=victim@northwind.example` }), 400],
    [
      "operators for the anti-forgery value",
      () => ({ body: "csrf[$ne]=&email=victim@northwind.example" }),
      403,
    ],
    [
      "JSON",
      (csrf) => ({
        body: JSON.stringify({ csrf, email: { $gt: "" } }),
        headers: { "content-type": "application/json" },
      }),
      403,
    ],
  ];
  for (const [name, make, status] of notText) {
    it(`A2: ${name} is refused, and nothing is asked or mailed`, async () => {
      const { browser, linkStep } = await atLinkStep();
      const { action, fields } = linkStep.form("Continue");
      const writes = liaison.watch.writes.filter((call) => call === "links.inquire").length;
      const mails = liaison.mailbox.mails.length;
      const { body, headers = {} } = make(encodeURIComponent(fields.get("csrf") ?? ""));
      assert.equal((await post(browser, action, body, headers)).status, status);
      assert.equal(liaison.watch.writes.filter((call) => call === "links.inquire").length, writes);
      await quiet(liaison);
      assert.equal(liaison.mailbox.mails.length, mails);
    });
  }

  it("A2: a form that says it is compressed is refused unopened, truly so or not", async () => {
    const { browser, linkStep } = await atLinkStep();
    const { action, fields } = linkStep.form("Continue");
    for (const encoding of ["gzip", "deflate", "br", "x7q"]) {
      for (const body of [gzipSync(String(fields)), Buffer.from("neither")]) {
        const answer = await post(browser, action, body, { "content-encoding": encoding });
        assert.equal(answer.status, 415, encoding);
        const asked = await post(browser, new URL(`${liaison.issuer}/authorize`), body, {
          "content-encoding": encoding,
        });
        assert.equal(asked.status, 415, encoding);
      }
    }
    assert.equal(
      (await post(browser, action, String(fields), { "content-encoding": "identity" })).status,
      400,
    );
  });

  it("A3: an unregistered redirect_uri stays out of the error page's content security policy", async () => {
    const { body: ours, headers } = await rawRequest(`${liaison.issuer}/help`, {});
    assert.match(ours, /<html/);
    for (const uri of ["https://a;sandbox", "https://evil.example/callback", "javascript:alert(1)"]) {
      const query = new URLSearchParams({
        client_id: "customersource",
        response_type: "code",
        redirect_uri: uri,
      });
      const answer = await rawRequest(`${liaison.issuer}/authorize?${query}`, {
        headers: { accept: "text/html" },
      });
      assert.equal(answer.status, 400);
      assert.equal(answer.headers["content-security-policy"], headers["content-security-policy"], uri);
    }
  });

  it("A3: names that are markup are encoded wherever a page says them", async () => {
    const name = `"'><img src=x onerror=x7q()><script>x7q()</script>`;
    await register(liaison, { id: asOrganizationId("markup"), name, accountNumber: `<b>${name}` }, [
      { id: "markup-1", email: "markup-1@northwind.example", name },
      { id: "markup-2", email: "markup-2@northwind.example", name },
      { id: "markup-3", email: "markup-3@northwind.example", name },
    ]);
    const person = liaison.stranger();
    await bindTo(liaison, person, "markup-1", "markup-2");
    const chooser = await signIn(liaison.browser(), await liaison.customerSource.start(), person);
    const { link } = await askForLink(liaison, liaison.stranger(), "markup-3@northwind.example");
    const landing = await liaison.browser().visit(link);
    const refused = await (await almostCarryOut(link, person)).goOn();
    for (const page of [chooser, landing, refused]) {
      assert.ok(page.text.includes("x7q()"), page.text);
      assert.doesNotMatch(page.body, /<img|<script>|onerror=x7q\(\)>|<b>/);
      assert.equal(page.dom.querySelectorAll("[onerror]").length, 0);
    }
  });
});
