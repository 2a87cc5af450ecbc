/**
 * Listens to every request that leaves this process by `fetch`, browsers', portals' and our own, and keeps
 * the secrets in them.
 */

/** Names under which something that could be used travels in queries, forms and JSON. */
const secretNames = new RegExp(
  "^(?:code|state|nonce|csrf|password|client_secret|code_verifier|(?:access|refresh|id)_token|id_token_hint" +
    "|token|client_assertion|request_uri)$",
);
/** Cookies that say nothing secret. */
const publicCookies = /liaison\.upstream$/;
/** What is shorter is found anywhere by chance. */
const shortest = 12;

export class Wiretap {
  /** Each with where it was first seen. */
  readonly secrets = new Map<string, string>();
  readonly #fetch = globalThis.fetch;

  constructor() {
    globalThis.fetch = async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      this.#hearUrl(url);
      this.#hearHeaders(new Headers(init?.headers));
      this.#hearText(init?.body instanceof URLSearchParams ? init.body.toString() : init?.body, "a form");
      const response = await this.#fetch(input, init);
      const location = response.headers.get("location");
      if (location !== null) this.#hearUrl(new URL(location, url));
      for (const line of response.headers.getSetCookie()) this.#hearCookie(line.slice(0, line.search(/;|$/)));
      this.#hearText(await response.clone().text(), url.pathname);
      return response;
    };
  }

  stop(): void {
    globalThis.fetch = this.#fetch;
  }

  add(what: string, value: unknown): void {
    if (typeof value !== "string" || value.length < shortest || this.secrets.has(value)) return;
    this.secrets.set(value, what);
  }

  #hearUrl(url: URL): void {
    for (const [name, value] of url.searchParams) this.#hearNamed(name, value);
    const [, secret] = /\/link\/[\w-]{22}\/([\w-]{43})/.exec(url.pathname) ?? [];
    this.add("a mailed secret", secret);
  }

  #hearHeaders(headers: Headers): void {
    for (const pair of (headers.get("cookie") ?? "").split("; ")) this.#hearCookie(pair);
    const [, scheme = "", credentials = ""] = /^(\w+) (.*)$/.exec(headers.get("authorization") ?? "") ?? [];
    this.add(`${scheme} credentials`, credentials);
    if (/^basic$/i.test(scheme)) {
      const plain = Buffer.from(credentials, "base64").toString();
      this.add("a client secret", decodeURIComponent(plain.slice(plain.indexOf(":") + 1)));
    }
  }

  #hearCookie(pair: string): void {
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    if (!publicCookies.test(name)) this.add(`cookie ${name}`, value);
  }

  #hearText(text: unknown, where: string): void {
    if (typeof text !== "string") return;
    for (const [, value] of text.matchAll(/name="csrf" value="([^"]+)"/g)) this.add("csrf", value);
    if (text.startsWith("{")) {
      for (const [name, value] of Object.entries(JSON.parse(text) as object)) this.#hearNamed(name, value);
    } else if (where === "a form") {
      for (const [name, value] of new URLSearchParams(text)) this.#hearNamed(name, value);
    }
  }

  #hearNamed(name: string, value: unknown): void {
    if (secretNames.test(name)) this.add(name, value);
  }
}

/**
 * Where a secret is readable in some bytes: as it is, percent-encoded, in base64 at any offset, in hex, or as
 * what it encodes.
 */
export function traces(haystack: Buffer, secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = new Map<string, Buffer>([
    ["plain", bytes],
    ["percent-encoded", Buffer.from(encodeURIComponent(secret))],
    ["UTF-16", Buffer.from(secret, "utf16le")],
    ["hex", Buffer.from(bytes.toString("hex"))],
    ["HEX", Buffer.from(bytes.toString("hex").toUpperCase())],
  ]);
  for (const offset of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    const whole = padded.subarray(0, padded.length - (padded.length % 3));
    // What its neighbours have a share in is left out.
    const skipped = offset === 0 ? 0 : 4;
    forms.set(`base64 +${offset}`, Buffer.from(whole.toString("base64").slice(skipped)));
    forms.set(`base64url +${offset}`, Buffer.from(whole.toString("base64url").slice(skipped)));
  }
  const decoded = Buffer.from(secret, "base64url");
  if (/^[\w+/-]{22,}=*$/.test(secret)) {
    forms.set("decoded", decoded);
    forms.set("decoded, in hex", Buffer.from(decoded.toString("hex")));
  }
  return [...forms].filter(([, form]) => form.length >= 8 && haystack.includes(form)).map(([name]) => name);
}
