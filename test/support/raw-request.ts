/** A request with headers that `fetch` keeps for itself. */

import { request } from "node:http";
import { request as requestTls } from "node:https";

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** One request with headers that `fetch` keeps for itself, such as Host; no redirect followed. */
export function rawRequest(
  url: string | URL,
  {
    method = "GET",
    headers = {},
    body = "",
  }: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<RawAnswer> {
  const { protocol, hostname: servername } = new URL(url);
  const start = protocol === "https:" ? requestTls : request;
  return new Promise((resolve, reject) => {
    const sent = start(url, { method, headers, agent: false, servername }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
