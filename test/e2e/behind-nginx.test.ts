/**
 * Behind a real nginx that ends TLS, with a path in the issuer: the journey, its cookies, and requests that
 * lie about the host.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { asOrganizationId } from "../../src/domain/ids.ts";
import { askForLink, mailsTo } from "../support/attack-fixture.ts";
import { type BehindNginx, startBehindNginx } from "../support/behind-nginx.ts";
import { installed } from "../support/foreground.ts";
import { linkByMail, register } from "../support/liaison.ts";
import { linkIn } from "../support/mailbox.ts";
import { rawRequest } from "../support/raw-request.ts";

const nginx = await installed("nginx");
const skip = nginx === undefined && "nginx isn't installed";

for (const strips of [false, true]) {
  describe(`behind nginx, which ${strips ? "cuts off" : "keeps"} the path`, { skip }, () => {
    let behind: BehindNginx;
    before(async () => {
      assert.ok(nginx);
      behind = await startBehindNginx(nginx, { path: "/auth", strips });
      await register(behind.liaison, { id: asOrganizationId("northwind") }, [
        { id: "journey", email: "journey@northwind.example" },
        { id: "mail", email: "mail@northwind.example" },
      ]);
    });
    after(() => behind?.close());

    it("the whole journey, every address under the issuer, every cookie guarded", async () => {
      const { liaison } = behind;
      const browser = liaison.browser();
      const started = await liaison.customerSource.start({
        scope: "openid profile email organization offline_access",
      });
      const person = liaison.stranger();
      const end = await linkByMail(liaison, browser, started, person, "journey@northwind.example");
      assert.equal(end.status, 0, end.text);
      const tokens = await liaison.customerSource.exchange(end.url, started);
      const claims = await liaison.customerSource.userinfo(tokens.access_token, tokens.claims()?.sub ?? "");
      assert.equal(claims["profile_id"], "journey");
      assert.equal(tokens.claims()?.iss, liaison.issuer);
      assert.ok((await liaison.customerSource.refresh(tokens.refresh_token ?? "")).access_token);

      const elsewhere = (url: string) =>
        ![`${liaison.issuer}/`, liaison.upstreamIssuer].some((a) => url.startsWith(a));
      assert.deepEqual(browser.visited.filter(elsewhere), []);
      const [linkMail, notice] = await mailsTo(liaison, "journey@northwind.example", 2);
      assert.ok(linkMail && notice);
      assert.ok(linkIn(linkMail).startsWith(`${liaison.issuer}/link/`), linkIn(linkMail));
      for (const { text, html } of [linkMail, notice]) {
        for (const [url] of `${text} ${html}`.matchAll(/https?:\/\/localhost[^\s"<]*/g)) {
          assert.ok(url.startsWith(liaison.issuer) || url.startsWith("http://localhost:9/"), url);
        }
      }
      assertCookies(browser.cookiesSet.filter((line) => line.includes("liaison.")));

      const confirm = await browser.visit(`${liaison.issuer}/logout`);
      const out = await browser.press(confirm, "Sign out");
      assert.match(out.heading, /signed out/i);
      assert.ok(out.url.href.startsWith(`${liaison.issuer}/`), out.url.href);
    });

    function assertCookies(lines: string[]): void {
      assert.ok(lines.length >= 8, String(lines.length));
      for (const line of lines) {
        assert.match(line, /; secure/i, line);
        assert.match(line, /; httponly/i, line);
        assert.match(line, /; samesite=lax/i, line);
        assert.doesNotMatch(line, /; domain=/i, line);
        // What is cleared may lie wherever a neighbour can have set one beside ours.
        if (/expires=Thu, 01 Jan 1970/.test(line)) continue;
        const path = /; path=([^;]*)/i.exec(line)?.[1] ?? "";
        if (line.startsWith("__Host-")) assert.equal(path, "/", line);
        else assert.ok(line.startsWith("__Secure-") && path.startsWith("/auth"), line);
      }
      assert.ok(lines.some((line) => line.startsWith("__Host-liaison.session=")));
    }

    it("pages hold no address outside of the path", async () => {
      const { liaison } = behind;
      for (const path of ["/", "/help", "/logout", "/link/x/y", "/nowhere"]) {
        const page = await liaison.browser().visit(liaison.issuer + path);
        const addresses = page.dom
          .querySelectorAll("[href], [src], [action]")
          .map(
            (node) =>
              node.getAttribute("href") ?? node.getAttribute("src") ?? node.getAttribute("action") ?? "",
          );
        assert.ok(addresses.length > 2, path);
        for (const address of addresses.filter((one) => !/^(#|mailto:|tel:|http:\/\/localhost:)/.test(one))) {
          assert.ok(
            address.startsWith("/auth/") || address.startsWith(`${liaison.issuer}/`),
            `${path}: ${address}`,
          );
          if (!address.includes("/assets/")) continue;
          const asset = await rawRequest(new URL(address, liaison.issuer), {});
          assert.equal(asset.status, 200, address);
        }
      }
    });

    it("discovery is where OpenID Connect and RFC 8414 look for it", async () => {
      const { liaison } = behind;
      const { origin } = new URL(liaison.issuer);
      const answers = [];
      for (const url of [
        `${liaison.issuer}/.well-known/openid-configuration`,
        `${liaison.issuer}/.well-known/oauth-authorization-server`,
        `${origin}/.well-known/oauth-authorization-server/auth`,
      ]) {
        const { status, body } = await rawRequest(url, {});
        assert.equal(status, 200, url);
        answers.push(body);
      }
      assert.equal(new Set(answers).size, 1);
      const metadata = JSON.parse(answers[0] ?? "") as Record<string, unknown>;
      assert.equal(metadata["issuer"], liaison.issuer);
      const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name));
      assert.ok(endpoints.length >= 8);
      for (const [name, url] of endpoints) assert.ok(String(url).startsWith(`${liaison.issuer}/`), name);
    });

    const lies: Record<string, string>[] = [
      { host: "evil.example" },
      { "x-forwarded-host": "evil.example", "x-forwarded-port": "666", "x-forwarded-prefix": "/evil" },
      { "x-forwarded-proto": "http", "x-forwarded-ssl": "off", "x-forwarded-scheme": "http" },
      { forwarded: "for=192.0.2.66;host=evil.example;proto=http" },
      { "x-original-url": "/evil", "x-rewrite-url": "/evil", "x-original-host": "evil.example" },
    ];

    /** What a visitor gets for requests of all sorts, apart from what is random or the hour. */
    async function everything(base: string, headers: Record<string, string>): Promise<string[]> {
      const { liaison } = behind;
      const { url } = await liaison.customerSource.start();
      const refused = new URL(url);
      refused.searchParams.set("redirect_uri", "https://evil.portal.example/");
      const answers: string[] = [];
      const get = async (target: string, cookie?: string) => {
        const sent = cookie === undefined ? headers : { ...headers, cookie };
        const answer = await rawRequest(base + target, { headers: sent });
        const { date: _date, "content-length": _length, ...others } = answer.headers;
        const all = [target.split("?")[0], answer.status, JSON.stringify(others), answer.body];
        answers.push(withoutChance(all.join("\n")));
        return answer;
      };
      const rest = (address: string | string[] | undefined) => String(address).slice(liaison.issuer.length);
      for (const path of [
        "/.well-known/openid-configuration",
        "/jwks",
        "/",
        "/help",
        "/nowhere",
        "/authorize",
      ]) {
        await get(path);
      }
      const begun = await get(rest(url.href));
      const cookies = [begun.headers["set-cookie"]].flat().map((line) => line?.split(";")[0]);
      await get(rest(begun.headers["location"]), cookies.join("; "));
      await get(rest(refused.href));
      const opened = await get(`/link/${"r".repeat(22)}/${"s".repeat(43)}`);
      await get(rest(opened.headers["location"]));
      await get("/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.portal.example");
      await get("/upstream/fabrikam/callback?state=x&code=y");
      return answers;
    }

    /** Texts alike but for cookies, random ids, lengths and the hour. */
    function withoutChance(text: string): string {
      return text
        .replace(/(__(?:Host|Secure)-[\w.-]+=)[^;"]*/g, "$1*")
        .replace(/(?<![\w-])(?=[\w-]*[\dA-Z])[\w-]{20,}/g, "*")
        .replace(/\b[B-DF-HJ-NP-TV-XZ]{4}\b/g, "*")
        .replace(/\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b/g, "*")
        .replace(/\b\d{1,2}:\d\d(:\d\d)?\b/g, "*");
    }

    it("M1: requests that lie about host and scheme get what honest ones get, as do all others", async () => {
      for (const base of [behind.liaison.issuer, behind.straight]) {
        const honest = await everything(base, {});
        assert.ok(
          honest.length >= 12 && honest.every((answer) => !/evil\.example|:\/\/127\.0\.0\.1/.test(answer)),
        );
        for (const lie of lies) {
          const [lied, other] = await Promise.all([everything(base, lie), everything(base, {})]);
          assert.deepEqual(lied, honest, JSON.stringify(lie));
          assert.deepEqual(other, honest, `beside ${JSON.stringify(lie)}`);
        }
      }
    });

    // Once is enough: it takes seconds, and mails know nothing of the way a request came.
    if (strips) return;
    it("M1: mails that lying requests cause are those of honest ones", async () => {
      const { liaison } = behind;
      const address = "mail@northwind.example";
      const { browser, waiting } = await askForLink(liaison, liaison.stranger(), address);
      const texts = [];
      for (const [index, lie] of [{}, ...lies].entries()) {
        liaison.clock.advance(2);
        const { action, fields } = waiting.form("Send it again");
        const cookie = await browser.jar.getCookieString(action.href);
        const headers = { ...lie, cookie, "content-type": "application/x-www-form-urlencoded" };
        const answer = await rawRequest(action, { method: "POST", headers, body: fields.toString() });
        assert.equal(answer.status, 303, answer.body);
        assert.equal(answer.headers["location"], waiting.url.href);
        for (const line of [answer.headers["set-cookie"] ?? []].flat())
          await browser.jar.setCookie(line, action.href);
        const mail = (await mailsTo(liaison, address, index + 2)).at(-1);
        assert.ok(mail && linkIn(mail).startsWith(`${liaison.issuer}/link/`));
        const { subject, text, html, envelopeTo } = mail;
        texts.push(withoutChance(JSON.stringify([subject, text, html, envelopeTo])));
      }
      assert.equal(new Set(texts).size, 1, texts.join("\n"));
    });
  });
}
