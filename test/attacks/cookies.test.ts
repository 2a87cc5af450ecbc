/** Cookies, with and without TLS, and with a path in the issuer: S4 of the threat list. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pino } from "pino";
import { createApp } from "../../src/app.ts";
import { configSchema } from "../../src/config/schema.ts";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { openStore } from "../../src/storage/open.ts";
import { askForLink, startAttacked } from "../support/attack-fixture.ts";
import { openLink, register, TestClock, testConfig } from "../support/liaison.ts";
import { PEER_CLIENT, startLyingUpstream } from "../support/upstream-peer.ts";
import { UserAgent } from "../support/user-agent.ts";

interface SetCookie {
  line: string;
  name: string;
  attributes: Map<string, string>;
}

function ours(lines: string[]): SetCookie[] {
  const cookies = lines.map((line) => {
    const [pair = "", ...rest] = line.split(/; */);
    const attributes = rest.map((text): [string, string] => {
      const [name = "", value = ""] = text.split("=");
      return [name.toLowerCase(), value];
    });
    return { line, name: pair.split("=")[0] ?? "", attributes: new Map(attributes) };
  });
  return cookies.filter(({ name }) => name.includes("liaison."));
}

/** All kinds of ours, without prefix and without what tells two of one kind apart. */
function kinds(cookies: SetCookie[]): string[] {
  const kind = ({ name }: SetCookie) => /liaison\.[a-z-]+/.exec(name)?.[0] ?? name;
  return [...new Set(cookies.map(kind))].sort();
}

function assertGuarded({ line, attributes }: SetCookie): void {
  assert.ok(attributes.has("httponly"), line);
  assert.equal(attributes.get("samesite")?.toLowerCase(), "lax", line);
  assert.ok(!attributes.has("domain"), line);
}

describe("S4: cookies", () => {
  it("S4: over plain http they are HttpOnly and SameSite=Lax, of this host and path", async () => {
    const liaison = await startAttacked({ strangers: 1 });
    try {
      await register(liaison, { id: asOrganizationId("northwind") }, [
        { id: "s4", email: "s4@northwind.example" },
      ]);
      const person = liaison.stranger();
      const { browser, waiting, link } = await askForLink(liaison, person, "s4@northwind.example");
      await openLink(browser, link, person);
      await browser.follow(waiting, /opened the link/);
      const cookies = ours(browser.cookiesSet);
      assert.deepEqual(kinds(cookies), [
        "liaison.bound",
        "liaison.csrf",
        "liaison.inquiry",
        "liaison.interaction",
        "liaison.known",
        "liaison.link",
        "liaison.proof",
        "liaison.result",
        "liaison.resume",
        "liaison.session",
        "liaison.signin",
        "liaison.typed",
        "liaison.upstream",
        "liaison.waiting",
      ]);
      for (const cookie of cookies) {
        assertGuarded(cookie);
        assert.ok(
          !cookie.attributes.has("secure") && !cookie.name.startsWith("__"),
          "a browser would drop it",
        );
        if (/liaison\.(bound|interaction|inquiry|link|result|resume|typed)/.test(cookie.name)) {
          assert.match(cookie.attributes.get("path") ?? "", /^\/(interaction|link|authorize)\//, cookie.line);
        }
      }
    } finally {
      await liaison.close();
    }
  });

  for (const path of ["", "/id"]) {
    it(
      `S4: under TLS, issuer ${path === "" ? "without" : "with"} path: __Host- for cookies of the whole ` +
        "host, __Secure- for all others",
      async () => {
        const issuer = `https://sign-in.contoso.example${path}`;
        await behindTls(issuer, async ({ browser, liarCallback }) => {
          const parameters = new URLSearchParams({
            client_id: "customersource",
            redirect_uri: "http://localhost:9/customersource/callback",
            response_type: "code",
            scope: "openid",
            code_challenge: "x".repeat(43),
            code_challenge_method: "S256",
          });
          const signIn = await browser.visit(`${issuer}/authorize?${parameters}`);
          assert.equal(signIn.heading, "Sign in to CustomerSource", signIn.text);
          assert.match(signIn.headers.get("strict-transport-security") ?? "", /max-age=\d{7,}/);
          const leaving = await browser.press(signIn, /LIAR/);
          const linkStep = await browser.visit(liarCallback(leaving.url));
          const waiting = await browser.press(linkStep, "Continue", { email: "nobody@northwind.example" });
          assert.equal(waiting.heading, "Check your email", "the browser kept every cookie it needs");
          await browser.visit(`${issuer}/link/${"r".repeat(22)}/${"s".repeat(43)}`);
          await browser.press(await browser.visit(`${issuer}/logout`), "Sign out");
          for (const visited of browser.visited) assert.ok(visited.startsWith(`${issuer}/`), visited);

          const cookies = ours(browser.cookiesSet);
          assert.deepEqual(kinds(cookies), [
            "liaison.bound",
            "liaison.csrf",
            "liaison.inquiry",
            "liaison.interaction",
            "liaison.link",
            "liaison.proof",
            "liaison.result",
            "liaison.resume",
            "liaison.session",
            "liaison.signed-out",
            "liaison.signin",
            "liaison.typed",
            "liaison.upstream",
            "liaison.waiting",
          ]);
          for (const cookie of cookies) {
            assertGuarded(cookie);
            assert.ok(cookie.attributes.has("secure"), cookie.line);
            // What isn't below a path of its own, too, where the issuer has the host to itself.
            const isSession = /liaison\.(session|proof)/.test(cookie.name);
            const isHosts =
              isSession || (path === "" && /liaison\.(csrf|signed-out|signin|upstream)/.test(cookie.name));
            assert.ok(cookie.name.startsWith(isHosts ? "__Host-" : "__Secure-"), cookie.line);
            if (isHosts) assert.equal(cookie.attributes.get("path"), "/", cookie.line);
            else assert.ok(cookie.attributes.get("path")?.startsWith(path || "/"), cookie.line);
          }
        });
      },
    );
  }
});

interface Forwarded {
  browser: UserAgent;
  liarCallback(authorization: URL): URL;
}

/** The application as it stands behind a proxy that ends TLS and forwards plain http. */
async function behindTls(issuer: string, run: (forwarded: Forwarded) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "liaison-tls-"));
  const liar = await startLyingUpstream();
  const config = configSchema.parse({
    ...testConfig({ broker: 1, upstream: 1, smtp: 1 }, join(dataDir, "liaison.db")),
    issuer,
    upstreams: [{ id: "liar", name: "LIAR", issuer: liar.issuer, ...PEER_CLIENT }],
  });
  const store = await openStore({ ...config.storage, encryptionKey: config.encryption_key });
  const app = await createApp({ config, store, clock: new TestClock(), logger: pino({ level: "silent" }) });
  const proxy = await listening(app.listener);
  const { host } = new URL(issuer);
  try {
    await run({
      browser: new UserAgent({
        stopAt: ({ origin }) => origin === liar.issuer,
        proxy: (url) => (url.host === host ? new URL(url.pathname + url.search, proxy.origin) : url),
      }),
      liarCallback: (authorization) => liar.callback(authorization),
    });
  } finally {
    await proxy.close();
    await app.close();
    await store.close();
    await liar.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function listening(listener: RequestListener): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
