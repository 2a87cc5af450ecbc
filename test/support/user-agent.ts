/**
 * A browser without JavaScript: cookies by RFC 6265 (so: shared over ports, bound to paths), redirects
 * followed one by one, forms filled by their labels' fields. Stops before an address it was told not to open.
 */

import { type HTMLElement, parse } from "node-html-parser";
import { CookieJar } from "tough-cookie";

export class Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly dom: HTMLElement;

  constructor(url: URL, status: number, headers: Headers, body: string) {
    this.url = url;
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.dom = parse(body);
  }

  get heading(): string {
    return this.dom.querySelector("h1")?.text.replace(/\s+/g, " ").trim() ?? "";
  }

  get text(): string {
    return (this.dom.querySelector("body") ?? this.dom).text.replace(/\s+/g, " ").trim();
  }

  /** The target of the link with this text. */
  link(text: string | RegExp): string {
    const found = this.dom.querySelectorAll("a").find((a) => matches(a.text.trim(), text));
    if (found === undefined) throw new Error(`no link "${text}" on ${this.url}: ${this.text}`);
    return new URL(found.getAttribute("href") ?? "", this.url).href;
  }

  /** The form that the button with this text submits, as it would be sent. */
  form(button: string | RegExp): { action: URL; fields: URLSearchParams } {
    for (const form of this.dom.querySelectorAll("form")) {
      const pressed = form
        .querySelectorAll("button")
        .find((candidate) => matches(candidate.text.trim(), button));
      if (pressed === undefined) continue;
      const fields = new URLSearchParams();
      for (const input of form.querySelectorAll("input")) {
        const name = input.getAttribute("name");
        const type = input.getAttribute("type") ?? "text";
        const chosen = !["radio", "checkbox"].includes(type) || input.hasAttribute("checked");
        if (name !== undefined && chosen) fields.append(name, input.getAttribute("value") ?? "");
      }
      const name = pressed.getAttribute("name");
      if (name !== undefined) fields.append(name, pressed.getAttribute("value") ?? "");
      return { action: new URL(form.getAttribute("action") ?? "", this.url), fields };
    }
    throw new Error(`no button "${button}" on ${this.url}: ${this.text}`);
  }
}

function matches(text: string, wanted: string | RegExp): boolean {
  const plain = text.replace(/\s+/g, " ");
  return typeof wanted === "string" ? plain === wanted : wanted.test(plain);
}

export interface Visit {
  method?: string;
  body?: URLSearchParams | undefined;
  headers?: Record<string, string>;
}

export class UserAgent {
  readonly jar: CookieJar;
  /** Every address asked for, in order. */
  readonly visited: string[] = [];
  /** Every response's Set-Cookie lines. */
  readonly cookiesSet: string[] = [];
  readonly #stopAt: (url: URL) => boolean;
  readonly #keepCookies: boolean;
  readonly #proxy: (url: URL) => URL;

  /**
   * @param options.stopAt an address that isn't opened: `visit` returns an empty page of status 0 there, as
   *   at a portal's callback
   * @param options.proxy where a request is really sent, as a proxy that ends TLS does
   */
  constructor(
    options: { stopAt?: (url: URL) => boolean; keepCookies?: boolean; proxy?: (url: URL) => URL } = {},
  ) {
    this.jar = new CookieJar(undefined, { rejectPublicSuffixes: false, allowSpecialUseDomain: true });
    this.#stopAt = options.stopAt ?? (() => false);
    this.#keepCookies = options.keepCookies ?? true;
    this.#proxy = options.proxy ?? ((url) => url);
  }

  /** Opens an address and follows where it leads. */
  async visit(address: string | URL, visit: Visit = {}): Promise<Page> {
    let url = new URL(address);
    let { method = "GET", body } = visit;
    for (let hops = 0; hops < 20; hops += 1) {
      if (this.#stopAt(url)) return new Page(url, 0, new Headers(), "");
      const response = await this.once(url, { ...visit, method, body });
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null) return response;
      url = new URL(location, url);
      if (response.status === 303 || (response.status !== 307 && response.status !== 308)) {
        method = method === "HEAD" ? "HEAD" : "GET";
        body = undefined;
      }
    }
    throw new Error(`too many redirects, last to ${url}`);
  }

  /** One request, no redirect followed. */
  async once(address: string | URL, { method = "GET", body, headers = {} }: Visit = {}): Promise<Page> {
    const url = new URL(address);
    this.visited.push(url.href);
    const cookie = await this.jar.getCookieString(url.href);
    const response = await fetch(this.#proxy(url), {
      method,
      redirect: "manual",
      headers: { accept: "text/html", ...(cookie === "" ? {} : { cookie }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of response.headers.getSetCookie()) {
      this.cookiesSet.push(line);
      if (this.#keepCookies) await this.jar.setCookie(line, url.href, { ignoreError: true });
    }
    return new Page(url, response.status, response.headers, await response.text());
  }

  /** Presses a button of a page, with its form filled in. */
  async press(page: Page, button: string | RegExp, values: Record<string, string> = {}): Promise<Page> {
    const { action, fields } = page.form(button);
    for (const [name, value] of Object.entries(values)) fields.set(name, value);
    return await this.visit(action, { method: "POST", body: fields });
  }

  async follow(page: Page, link: string | RegExp): Promise<Page> {
    return await this.visit(page.link(link));
  }
}
