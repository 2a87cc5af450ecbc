/**
 * A reverse proxy on the issuer's port that gives every request to the next of several brokers: no request can count on any.
 * One that is gone is passed over.
 */

import { createServer, request as forward, type IncomingMessage } from "node:http";

export interface AlternatingProxy {
  /** Requests given to each backend so far. */
  readonly counts: number[];
  close(): Promise<void>;
}

/** Listens on `port` of loopback. Backends are ports of loopback; the list may change meanwhile. */
export async function startAlternatingProxy(port: number, backends: number[]): Promise<AlternatingProxy> {
  const counts = backends.map(() => 0);
  let turn = 0;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    for (let attempt = 1; attempt <= backends.length; attempt += 1) {
      const index = turn % backends.length;
      turn += 1;
      const answer = await ask(backends[index] ?? 0, incoming, body).catch((error: NodeJS.ErrnoException) => error);
      if (!(answer instanceof Error)) {
        counts[index] = (counts[index] ?? 0) + 1;
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
        return;
      }
      // One that nobody listens on got nothing of the request: the next one may have all of it.
      if (answer.code === "ECONNREFUSED" && attempt < backends.length) continue;
      outgoing.writeHead(502).end(String(answer));
      return;
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    counts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function ask(port: number, { method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onward = forward({ host: "127.0.0.1", port, method, path: url, headers, agent: false }, resolve);
    onward.on("error", reject);
    onward.end(body);
  });
}
