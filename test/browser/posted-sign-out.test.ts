/**
 * A portal of another site that signs people out by a form, in a real browser: its POST comes without the
 * SameSite=Lax cookie of the session, and the person is signed out and led back all the same.
 */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { withBrowser } from "../support/browser.ts";
import { linkByMail, people, register, startLiaison } from "../support/liaison.ts";

it("a form of another site signs out, leads back, and leaves the hint in no address", async (t) => {
  let page = "";
  // At 127.0.0.1, which is another site than localhost.
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const portal = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const liaison = await startLiaison({
    config: (base) => {
      const [first, ...others] = base["portals"] as object[];
      return { ...base, portals: [{ ...first, post_logout_redirect_uris: [`${portal}/out`] }, ...others] };
    },
  });
  t.after(() => liaison.close());
  await register(liaison, { id: asOrganizationId("northwind") }, [
    { id: "p-ann", email: "ann@northwind.example", name: "Ann" },
  ]);
  const agent = liaison.browser();
  const started = await liaison.customerSource.start();
  const end = await linkByMail(liaison, agent, started, people.ann, "ann@northwind.example");
  const { id_token: hint = "" } = await liaison.customerSource.exchange(end.url, started);
  page = `<!doctype html><title>Portal</title><form method="post" action="${liaison.issuer}/logout">
    <input type="hidden" name="id_token_hint" value="${hint}">
    <input type="hidden" name="post_logout_redirect_uri" value="${portal}/out">
    <input type="hidden" name="state" value="x"><button>Sign out here</button></form>`;

  await withBrowser(async (browser) => {
    const context = await browser.newContext();
    const cookies = await agent.jar.getCookies(liaison.issuer);
    await context.addCookies(
      cookies
        .filter(({ path }) => path === "/")
        .map(({ key, value }) => ({
          name: key,
          value,
          url: liaison.issuer,
          httpOnly: true,
          sameSite: "Lax" as const,
        })),
    );
    const tab = await context.newPage();
    const posts: (string | undefined)[] = [];
    const addresses: string[] = [];
    tab.on("request", async (request) => {
      addresses.push(request.url());
      if (request.method() === "POST" && request.url() === `${liaison.issuer}/logout`)
        posts.push((await request.allHeaders())["cookie"]);
    });
    await tab.goto(`${portal}/`);
    await tab.getByRole("button").click();
    await tab.waitForURL(`${portal}/out?state=x`);
    assert.equal(posts.length, 1);
    assert.ok(!posts[0]?.includes("liaison.session"), "the POST brought the session's cookie along");
    assert.ok(!addresses.some((address) => address.includes(hint)));
  });
  const again = await agent.visit((await liaison.customerSource.start({ prompt: "none" })).url);
  assert.equal(again.url.searchParams.get("error"), "login_required");
});
