/**
 * An upstream that answers by `form_post`, in a real browser: its POST comes from another site, without the
 * SameSite=Lax cookie, and the sign-in gets through all the same.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import { withBrowser } from "../support/browser.ts";
import { freePort } from "../support/free-port.ts";
import { startLiaison } from "../support/liaison.ts";
import { PEER_CLIENT, startUpstreamPeer } from "../support/upstream-peer.ts";

it("form_post: a browser's cross-site POST leads to the next step, the code leaves the bar", async (t) => {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  // At 127.0.0.1, which is another site than localhost.
  const peer = await startUpstreamPeer({
    redirectUris: [`${issuer}/upstream/posting/callback`],
    people: { anna: { email: "anna@mail.example", name: "Anna Berg" } },
  });
  t.after(() => peer.close());
  const upstream = {
    id: "posting",
    name: "Posting",
    issuer: peer.issuer,
    ...PEER_CLIENT,
    response_mode: "form_post",
  };
  const liaison = await startLiaison({
    upstream: false,
    config: (base) => ({ ...base, issuer, listen: { host: "127.0.0.1", port }, upstreams: [upstream] }),
  });
  t.after(() => liaison.close());

  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    const posts: (string | undefined)[] = [];
    const addresses: string[] = [];
    page.on("request", async (request) => {
      if (!request.url().includes("/upstream/posting/callback")) return;
      addresses.push(request.url());
      if (request.method() === "POST") posts.push((await request.allHeaders())["cookie"]);
    });
    const { url } = await liaison.customerSource.start({ upstream: "posting" });
    await page.goto(url.href);
    await page.getByRole("heading", { name: /email address registered/ }).waitFor();
    assert.match((await page.locator("body").textContent()) ?? "", /anna@mail\.example/);
    assert.match(page.url(), /\/interaction\/[^?]*(\?returned)?$/);
    assert.equal(posts.length, 1);
    assert.ok(!posts[0]?.includes("liaison.signin."), "the POST brought no cookie along");
    assert.equal(addresses.length, 2);
    for (const address of addresses) assert.doesNotMatch(address, /[?&](code|state)=/);
  });
});
