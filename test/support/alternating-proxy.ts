/**
 * A reverse proxy on the issuer's port that gives every request to the next of several brokers: no request
 * can count on any. One that is gone is passed over.
 */

import { Agent, createServer, request as forward, type IncomingMessage } from "node:http";

export interface AlternatingProxy {
  /** Requests given to each backend so far. */
  readonly counts: number[];
  close(): Promise<void>;
}

/**
 * As load balancers do: connections to the brokers are kept, and who isn't ready gets nothing from the next
 * look on.
 */
export interface BalancerOptions {
  /** Milliseconds between two looks at `/readyz`. */
  lookEveryMs: number;
}

/** Listens on `port` of loopback. Backends are ports of loopback; the list may change meanwhile. */
export async function startAlternatingProxy(
  port: number,
  backends: number[],
  balancer?: BalancerOptions,
): Promise<AlternatingProxy> {
  const counts = backends.map(() => 0);
  const agent = balancer === undefined ? false : new Agent({ keepAlive: true, maxFreeSockets: 100 });
  const unready = new Set<number>();
  const looking = setInterval(() => void backends.forEach(look), balancer?.lookEveryMs ?? 1e9);
  function look(backend: number): void {
    fetch(`http://127.0.0.1:${backend}/readyz`, { headers: { connection: "close" } }).then(
      ({ ok }) => (ok ? unready.delete(backend) : unready.add(backend)),
      () => unready.add(backend),
    );
  }
  let turn = 0;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    for (let attempt = 1; attempt <= backends.length; attempt += 1) {
      const isAnyReady = backends.some((backend) => !unready.has(backend));
      while (isAnyReady && unready.has(backends[turn % backends.length] ?? 0)) turn += 1;
      const index = turn % backends.length;
      turn += 1;
      const answer = await ask(backends[index] ?? 0, incoming, { body, agent }).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      if (!(answer instanceof Error)) {
        counts[index] = (counts[index] ?? 0) + 1;
        outgoing.writeHead(answer.statusCode ?? 502, withoutHop(answer.rawHeaders));
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
        clearInterval(looking);
        if (agent !== false) agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function withoutHop(rawHeaders: string[]): string[] {
  const pairs = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : [],
  );
  return pairs.filter(([name]) => !/^(connection|keep-alive)$/i.test(name ?? "")).flat();
}

function ask(
  port: number,
  { method, url, headers: given }: IncomingMessage,
  { body, agent }: { body: Buffer; agent: Agent | false },
): Promise<IncomingMessage> {
  // How long a connection is kept is a matter of each of the two (RFC 9110, 7.6.1).
  const { connection: _hop, ...headers } = given;
  return new Promise((resolve, reject) => {
    const onward = forward({ host: "127.0.0.1", port, method, path: url, headers, agent }, resolve);
    onward.on("error", reject);
    onward.end(body);
  });
}
