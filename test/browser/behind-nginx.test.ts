/**
 * A journey in a real browser through a real nginx: TLS, a path in the issuer, prefixed cookies, and an
 * answer by form_post.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, it } from "node:test";
import type { Page } from "playwright-core";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { mailsTo } from "../support/attack-fixture.ts";
import { startBehindNginx } from "../support/behind-nginx.ts";
import { withBrowser } from "../support/browser.ts";
import { installed } from "../support/foreground.ts";
import { freePort } from "../support/free-port.ts";
import { portalSecret, register, type TestPerson } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { TestPortal } from "../support/portal.ts";

const nginx = await installed("nginx");
const skip = nginx === undefined && "nginx isn't installed";

/** A portal's callback, which keeps what it was posted. */
async function startCallback(port: number) {
  const told = Promise.withResolvers<URLSearchParams>();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.end("<h1>Welcome</h1>");
    if (request.method === "POST") told.resolve(new URLSearchParams(body));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { told: told.promise, close };
}

async function authenticate(page: Page, { username, password }: TestPerson): Promise<void> {
  await page.fill("[name=username]", username);
  await page.fill("[name=password]", password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

describe("a browser behind nginx", { skip }, () => {
  it("goes the whole journey, and posts the answer to the portal", async () => {
    assert.ok(nginx);
    const port = await freePort();
    const redirectUri = `http://localhost:${port}/callback`;
    const registration = {
      id: "poster",
      name: "Poster",
      client_secret: portalSecret,
      home_url: `http://localhost:${port}/`,
      redirect_uris: [redirectUri],
      access_policy: { kinds: ["customer"] },
    };
    const { liaison, close } = await startBehindNginx(nginx, {
      path: "/auth",
      config: (base) => ({ ...base, portals: [...(base["portals"] as object[]), registration] }),
    });
    const callback = await startCallback(port);
    try {
      const email = "browser@northwind.example";
      await register(liaison, { id: asOrganizationId("northwind") }, [{ id: "browser", email }]);
      const client = { issuer: liaison.issuer, clientId: "poster", clientSecret: portalSecret, redirectUri };
      const portal = await TestPortal.connect(client);
      const started = await portal.start({ response_mode: "form_post" });
      const person = liaison.stranger();
      await withBrowser(async (browser) => {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        const refused: string[] = [];
        context.on("console", (message) => message.type() === "error" && refused.push(message.text()));
        const page = await context.newPage();
        await page.goto(started.url.href);
        await page.getByRole("button", { name: /Fabrikam ID/ }).click();
        await authenticate(page, person);
        await page.fill("[name=email]", email);
        await page.getByRole("button", { name: "Continue" }).click();
        const [mail] = await mailsTo(liaison, email, 1);
        const tab = await context.newPage();
        await tab.goto(linkIn(mail ?? assert.fail("no mail")));
        await tab.getByRole("button", { name: "Continue to sign in" }).click();
        await authenticate(tab, person);
        await tab.getByRole("heading", { name: "Your account is linked" }).waitFor();
        await page.getByRole("heading", { name: "Welcome" }).waitFor();

        const cookies = (await context.cookies()).filter(({ name }) => name.includes("liaison."));
        assert.ok(cookies.some(({ name, path }) => name === "__Host-liaison.session" && path === "/"));
        for (const { name, secure, httpOnly } of cookies) {
          assert.ok(secure && httpOnly && /^__(Host|Secure)-/.test(name), name);
        }
        assert.deepEqual(refused, [], "no policy of ours was broken");
      });
      const answer = new URL(`${redirectUri}?${await callback.told}`);
      const tokens = await portal.exchange(answer, started);
      const claims = await portal.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
      assert.equal(claims["profile_id"], "browser");
    } finally {
      await callback.close();
      await close();
    }
  });
});
