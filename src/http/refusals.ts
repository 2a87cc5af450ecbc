/**
 * Pages for requests that are answered before any handler sees them: made once, with the headers that every
 * page has. Where Node's parser gives up there is no response to write on, only the connection.
 */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Milliseconds, Seconds } from "../clock.ts";
import type { Pages } from "../ui/pages.ts";
import type { ErrorPage, Site } from "../ui/views.ts";
import { pageHeaders } from "./security-headers.ts";

export interface Refusals {
  /** Answers that too much was asked from here, and when to come back. Programs are told in JSON. */
  tooMany(request: IncomingMessage, response: ServerResponse, retryAfterSeconds: Seconds): void;
  /** Answers what was no request, or none that can be read, on the bare connection. `code` is Node's. */
  unreadable(socket: Socket, code: string | undefined): void;
}

/** What Node's parser gave up for, where it isn't that the bytes were no HTTP. */
const reasons: Partial<Record<string, Pick<ErrorPage, "status" | "kind">>> = {
  HPE_HEADER_OVERFLOW: { status: 431, kind: "too_large" },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, kind: "too_slow" },
};
const unknown = { status: 400, kind: "bad_request" } as const;

/**
 * How long a connection that was answered on still has, in milliseconds: cut at once, the answer would be
 * lost with it.
 */
const lastMs: Milliseconds = 2000;

export function createRefusals({ pages, site, issuer }: { pages: Pages; site: Site; issuer: URL }): Refusals {
  const headers = { ...pageHeaders(issuer), "content-type": "text/html; charset=utf-8" };
  const view = { code: null, requestId: "", portal: null, retryUrl: null };
  const rendered = new Map<string, string>();

  function page(
    { status, kind }: Pick<ErrorPage, "status" | "kind">,
    retryAfterSeconds: Seconds | null,
  ): string {
    const key = `${kind} ${retryAfterSeconds}`;
    const known = rendered.get(key);
    if (known !== undefined) return known;
    const made = pages.error(site, { ...view, status, kind, retryAfterSeconds });
    rendered.set(key, made);
    return made;
  }

  return {
    tooMany(request, response, retryAfterSeconds) {
      const isJson = !/html|\*\/\*/i.test(request.headers.accept ?? "");
      const body = isJson
        ? JSON.stringify({ error: "too_many_requests" })
        : page({ status: 429, kind: "too_many" }, retryAfterSeconds);
      response.writeHead(429, {
        ...headers,
        ...(isJson ? { "content-type": "application/json; charset=utf-8" } : {}),
        "content-length": Buffer.byteLength(body),
        "retry-after": String(retryAfterSeconds),
      });
      response.end(request.method === "HEAD" ? undefined : body);
    },

    unreadable(socket, code) {
      const { status, kind } = reasons[code ?? ""] ?? unknown;
      const body = page({ status, kind }, null);
      const lines = Object.entries({
        ...headers,
        "content-length": Buffer.byteLength(body),
        connection: "close",
      });
      const head = [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        ...lines.map(([name, value]) => `${name}: ${value}`),
      ];
      socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
      setTimeout(() => socket.destroy(), lastMs).unref();
    },
  };
}
