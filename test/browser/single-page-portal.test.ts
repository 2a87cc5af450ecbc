/**
 * A portal that runs in a browser alone, made of the recipe's own text: oidc-client-ts in a real browser,
 * calling from its origin.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import type { ClientSettings } from "../../src/admin/client-settings.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { startAdminFixture } from "../support/admin-fixture.ts";
import { bindTo } from "../support/attack-fixture.ts";
import { withBrowser } from "../support/browser.ts";
import { freePort } from "../support/free-port.ts";
import { people, register } from "../support/liaison.ts";
import { filesOf } from "../support/recipes.ts";

/**
 * Where a bundler would find what the recipe imports, and what that imports: the browser is told by an import
 * map.
 */
const described = await readFile(new URL(import.meta.resolve("oidc-client-ts/package.json")), "utf8");
const { dependencies } = JSON.parse(described) as { dependencies: Record<string, string> };
const modules: Record<string, string> = Object.fromEntries(
  ["oidc-client-ts", ...Object.keys(dependencies)].map((name) => [
    name,
    fileURLToPath(import.meta.resolve(name)),
  ]),
);

/** Serves the recipe's page at its paths, its program, and the installed modules. */
async function serve(files: Record<string, string>, port: number): Promise<() => Promise<void>> {
  const imports = Object.fromEntries(Object.keys(modules).map((name) => [name, `/modules/${name}`]));
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const module = modules[pathname.replace("/modules/", "")];
    if (pathname === "/portal.js" || module !== undefined) {
      response.setHeader("content-type", "text/javascript");
      response.end(module === undefined ? files["portal.js"] : await readFile(module));
    } else if (pathname === "/" || pathname === "/callback") {
      response.setHeader("content-type", "text/html").end(map + files["index.html"]);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
}

it("oidc-client-ts: signs in, shows userinfo's claims, signs out, takes a cancelled sign-in", async (t) => {
  const fixture = await startAdminFixture();
  t.after(() => fixture.close());
  await register(fixture, { id: asOrganizationId("northwind") }, [
    { id: "p-ann", email: "ann@northwind.example", roles: ["buyer"] },
  ]);
  await bindTo(fixture, people.ann, "p-ann");
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const addresses = { redirect_uris: [`${origin}/callback`], post_logout_redirect_uris: [`${origin}/`] };
  const body = { preset: "single_page", name: "In a browser", home_url: `${origin}/`, ...addresses };
  const { settings } = await fixture.owner.done<{ settings: ClientSettings }>("POST", "/clients", { body });
  const close = await serve(filesOf(settings, "oidc-client-ts"), port);
  t.after(close);

  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    const shown = async (): Promise<Record<string, unknown> | null> => {
      await page.waitForFunction("document.querySelector('#person')?.textContent !== ''");
      return JSON.parse((await page.locator("#person").textContent()) ?? "") as Record<
        string,
        unknown
      > | null;
    };
    const begin = async () => {
      await page.goto(`${origin}/`);
      assert.equal(await shown(), null);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.waitForURL((url) => url.origin !== origin);
      const upstream = page.getByRole("button", { name: /Fabrikam ID/ });
      await upstream.or(page.locator("input[name=username]")).first().waitFor();
      if (await upstream.isVisible()) await upstream.click();
      await page.locator("input[name=username]").waitFor();
    };

    await begin();
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Go back to In a browser" }).click();
    await page.waitForURL((url) => url.origin === origin);
    assert.deepEqual(await shown(), { error: "access_denied" });

    await begin();
    await page.locator("input[name=username]").fill(people.ann.username);
    await page.locator("input[name=password]").fill(people.ann.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL(`${origin}/`);
    const person = await shown();
    assert.equal(person?.["profile_id"], "p-ann", JSON.stringify(person));
    assert.deepEqual(person?.["roles"], ["buyer"]);

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL((url) => url.href.startsWith(`${origin}/?`) || url.href === `${origin}/`);
    assert.equal(await shown(), null);
  });
});
