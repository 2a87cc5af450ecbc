/**
 * A portal that leads on after a sign-out, as Keycloak does as a broker: its own address only redirects to
 * the address of the client that asked for it. Browsers hold each of these redirects to the `form-action` of
 * the page that signed out.
 */

import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { it, type TestContext } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { withBrowser } from "../support/browser.ts";
import { linkByMail, people, register, startLiaison } from "../support/liaison.ts";

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Where the portal leads on to: another port by name, and by number. */
for (const host of ["localhost", "127.0.0.1"]) {
  it(`a sign-out ends where the portal leads on to, at ${host}`, async (t) => {
    const application = await serve(t, (_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><h1>Bye</h1>");
    });
    const end = `http://${host}:${application}/bye`;
    const broker = await serve(t, (_request, response) => {
      response.writeHead(302, { location: end }).end();
    });
    const out = `http://localhost:${broker}/out`;
    const liaison = await startLiaison({
      config: (base) => {
        const [first, ...others] = base["portals"] as object[];
        return { ...base, portals: [{ ...first, post_logout_redirect_uris: [out] }, ...others] };
      },
    });
    t.after(() => liaison.close());
    await register(liaison, { id: asOrganizationId("northwind") }, [
      { id: "p-ann", email: "ann@northwind.example", name: "Ann" },
    ]);
    const agent = liaison.browser();
    const started = await liaison.customerSource.start();
    const came = await linkByMail(liaison, agent, started, people.ann, "ann@northwind.example");
    const { id_token: hint = "" } = await liaison.customerSource.exchange(came.url, started);

    await withBrowser(async (browser) => {
      const context = await browser.newContext();
      const cookies = await agent.jar.getCookies(liaison.issuer);
      await context.addCookies(
        cookies
          .filter(({ path }) => path === "/")
          .map(({ key, value }) => ({ name: key, value, url: liaison.issuer })),
      );
      const tab = await context.newPage();
      const address = new URL(`${liaison.issuer}/logout`);
      address.searchParams.set("id_token_hint", hint);
      address.searchParams.set("post_logout_redirect_uri", out);
      await tab.goto(address.href, { waitUntil: "commit" });
      await tab.waitForURL(end, { timeout: 10_000 });
      assert.equal(await tab.getByRole("heading").textContent(), "Bye");
    });
  });
}
