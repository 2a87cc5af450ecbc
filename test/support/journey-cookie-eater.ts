/**
 * A browser that keeps no cookies of one site: a proxy in between takes them out of what the site answers.
 */

import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface CookieEater {
  /** For a browser context's proxy. */
  server: string;
  close(): Promise<void>;
}

/** @param origin whose cookies are taken away; everything else passes as it is */
export async function startCookieEater(origin: string): Promise<CookieEater> {
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", headers, url = "" } = incoming;
    const passed = request(url, { method, headers }, (answer) => {
      const kept = { ...answer.headers };
      if (new URL(url).origin === origin) delete kept["set-cookie"];
      outgoing.writeHead(answer.statusCode ?? 502, kept);
      answer.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
