/** A portal that really listens for logout tokens, on loopback, and answers as a test says. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface Listener {
  origin: string;
  /** The logout tokens that came, in order, with what they were answered, if at all. */
  heard: { token: string; status: number | null }[];
  /** What the next ones are answered, in order; 200 when there is none left. */
  answers: number[];
  /** Whether it takes what comes and never answers. */
  isSilent: boolean;
  /** Waits until so many tokens came in all. */
  until(count: number, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function startListener(): Promise<Listener> {
  const heard: Listener["heard"] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const status = listener.isSilent ? null : (answers.shift() ?? 200);
    heard.push({ token: new URLSearchParams(body).get("logout_token") ?? "", status });
    if (status === null) return;
    response.writeHead(status, { "cache-control": "no-store" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const listener: Listener = {
    isSilent: false,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    answers,
    async until(count, withinMs = 15_000) {
      const deadline = Date.now() + withinMs;
      while (heard.length < count) {
        if (Date.now() > deadline)
          throw new Error(`${heard.length} of ${count} logout tokens after ${withinMs} ms`);
        await pause(20);
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return listener;
}
