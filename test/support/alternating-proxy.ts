/** A reverse proxy on the issuer's port that gives every request to the next of several brokers: no request can count on any. */

import { createServer, request as forward } from "node:http";

export interface AlternatingProxy {
  /** Requests given to each backend so far. */
  readonly counts: number[];
  close(): Promise<void>;
}

/** Listens on `port` of loopback. Backends are ports of loopback. */
export async function startAlternatingProxy(port: number, backends: number[]): Promise<AlternatingProxy> {
  const counts = backends.map(() => 0);
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const index = turn % backends.length;
    turn += 1;
    counts[index] = (counts[index] ?? 0) + 1;
    const { method, url, headers } = incoming;
    const onward = forward(
      { host: "127.0.0.1", port: backends[index], method, path: url, headers, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      },
    );
    onward.on("error", (error) => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end(String(error));
    });
    incoming.pipe(onward);
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
