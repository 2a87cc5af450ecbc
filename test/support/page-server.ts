/** Serves rendered pages and the real assets on loopback, under the strict policy that production sends. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { assets } from "../../src/ui/assets.ts";

const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'";

export interface PageServer {
  origin: string;
  /** The answers to other paths, such as a status that a page's script asks for. */
  json: Map<string, unknown>;
  /** The status of such an answer, where it isn't 200. */
  statuses: Map<string, number>;
  close(): Promise<void>;
}

/**
 * `pages`: documents by path; `scripts`: what a test wants to load into them from the same origin, by path.
 */
export async function servePages(
  pages: ReadonlyMap<string, string>,
  scripts: ReadonlyMap<string, string> = new Map(),
): Promise<PageServer> {
  const json = new Map<string, unknown>();
  const statuses = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const asset = assets.get(pathname.slice(pathname.indexOf("/assets/")));
    const page = pages.get(pathname);
    if (asset !== undefined) response.setHeader("content-type", asset.type).end(asset.body);
    else if (scripts.has(pathname)) {
      response.setHeader("cache-control", "max-age=600");
      response.setHeader("content-type", "text/javascript; charset=utf-8").end(scripts.get(pathname));
    } else if (page !== undefined) {
      response.setHeader("content-security-policy", policy);
      response.setHeader("content-type", "text/html; charset=utf-8").end(page);
    } else if (json.has(pathname)) {
      response.writeHead(statuses.get(pathname) ?? 200, { "content-type": "application/json" });
      response.end(JSON.stringify(json.get(pathname)));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    json,
    statuses,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
